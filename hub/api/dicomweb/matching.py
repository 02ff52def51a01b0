"""What a search asks for. Source: DICOM PS3.18 8.3.4 and 10.6.1.2; PS3.4 C.2.2.2."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from fastapi import Request
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from schemas.faults import InvalidPayload, NotFound
from schemas.study import StudyCriteria

MAX_RESULTS = 1000
_DATE = re.compile(r"(\d{8})?(-)?(\d{8})?")
_TIME = re.compile(r"(\d{2,6}(?:\.\d{1,6})?)?(-)?(\d{2,6}(?:\.\d{1,6})?)?")
_REQUEST = "RequestAttributesSequence."
_STUDY_KEYS = frozenset(
    {
        *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyDate", "StudyTime"),
        *("ModalitiesInStudy", "StudyInstanceUID", "StudyDescription", "StudyID", "ReferringPhysicianName"),
    }
)
_SERIES_KEYS = frozenset(
    {
        *("Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "BodyPartExamined", "Laterality"),
        *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
        *(f"{_REQUEST}ScheduledProcedureStepID", f"{_REQUEST}RequestedProcedureID"),
    }
)
_INSTANCE_KEYS = frozenset({"SOPInstanceUID", "SOPClassUID", "InstanceNumber", "NumberOfFrames"})
# What the index does not hold: looked for in the header of the instance, or of the first one below.
_IN_HEADERS = frozenset(name for name in _SERIES_KEYS if name.startswith(("Performed", _REQUEST)))


@dataclass(frozen=True, slots=True)
class Search:
    """The keys of a search by keyword, checked; and the page."""

    keys: dict[str, str] = field(default_factory=dict)
    limit: int = 100
    offset: int = 0
    fuzzy: bool = False
    include: tuple[str, ...] = ()  # tags, or `all`
    person: int | None = None  # the hub's own record: whatever number an institution knows the person by

    def study_criteria(self, study_uid: str = "") -> StudyCriteria:
        """What the study level is asked, with the page."""
        keys = self.keys
        since, until = _dates(keys.get("StudyDate", ""))
        asked = tuple(filter(None, re.split(r"[\\,]", keys.get("StudyInstanceUID", ""))))
        uids = (study_uid,) if study_uid and (not asked or study_uid in asked) else asked
        if study_uid and study_uid not in uids:
            uids = ("",)  # of the study in the address, and of others: none
        return StudyCriteria(
            patient_id=self.person,
            patient_identifier=keys.get("PatientID", ""),
            patient_name=keys.get("PatientName", ""),
            accession_number=keys.get("AccessionNumber", ""),
            study_instance_uids=uids,
            date_from=since,
            date_to=until,
            modality=keys.get("ModalitiesInStudy", ""),
            description=keys.get("StudyDescription", ""),
            limit=self.limit,
            offset=self.offset,
        )

    @property
    def needs_headers(self) -> bool:
        """Whether the answer depends on more than the index holds."""
        return bool(self.include or _IN_HEADERS & self.keys.keys())

    @property
    def is_indexed(self) -> bool:
        """Whether the index decides on every key alone."""
        return self.keys.keys() <= _BY_INDEX

    def matches(self, attributes: Mapping[str, Any]) -> bool:
        """Whether what was found, as DICOM JSON, has the values asked for (PS3.4 C.2.2.2)."""
        return all(
            any(_matches(keyword, wanted, value) for value in _values(attributes, keyword))
            for keyword, wanted in self.keys.items()
            if wanted.strip("*") and keyword not in _BY_INDEX
        )


# What SQL has matched already.
_BY_INDEX = frozenset(
    {
        *("PatientID", "PatientName", "AccessionNumber", "StudyDate", "ModalitiesInStudy", "StudyInstanceUID"),
        "StudyDescription",
    }
)


def _values(attributes: Mapping[str, Any], keyword: str) -> list[str]:
    """The values of an element, or of one within the items of a sequence."""
    first, _, rest = keyword.partition(".")
    values = attributes.get(f"{tag_for_keyword(first) or 0:08X}", {}).get("Value", [])
    if rest:
        return [value for item in values if isinstance(item, dict) for value in _values(item, rest)]
    return [value for each in values for value in (each.values() if isinstance(each, dict) else [str(each)])]


def _matches(keyword: str, wanted: str, value: str) -> bool:
    if keyword.endswith("UID"):
        return value in re.split(r"[\\,]", wanted)
    if keyword.endswith(("Date", "Time")):
        since, until = _range(keyword, wanted)
        # `1015` means the whole of that minute.
        return (not since or value >= since) and (not until or value[: len(until)] <= until)
    folded, pattern = value.casefold(), wanted.casefold()
    if keyword.endswith("Name"):
        pattern = pattern.replace("^", " ").strip()
        folded = folded.replace("^", " ").strip()
    return fnmatchcase(folded, pattern.replace("[", "[[]"))


def _range(keyword: str, text: str) -> tuple[str, str]:
    match = (_DATE if keyword.endswith("Date") else _TIME).fullmatch(text.replace(":", ""))
    if match is None or (match[1] and match[3] and not match[2]):
        raise InvalidPayload("expected one value, or a range with a hyphen", where=keyword)
    since, dash, until = match.groups("")
    return since, until if dash else since


def searcher(level: str) -> Callable[[Request], Search]:
    """A dependency that reads the search of `level`: `studies`, `series` or `instances`."""
    known = {
        "studies": _STUDY_KEYS,
        "series": _STUDY_KEYS | _SERIES_KEYS,
        "instances": _STUDY_KEYS | _SERIES_KEYS | _INSTANCE_KEYS,
    }[level]

    def search(request: Request) -> Search:
        keys: dict[str, str] = {}
        page = {"limit": 100, "offset": 0}
        include: list[str] = []
        fuzzy = False
        for name, value in request.query_params.multi_items():
            if name in page:
                page[name] = _count(name, value)
            elif name == "includefield":
                include += [_included(field.strip()) for field in value.split(",") if field.strip()]
            elif name == "fuzzymatching":
                fuzzy = _flag(name, value)
            elif name not in {"accept", "charset"}:
                keyword = _keyword(name)
                if keyword not in known:
                    raise InvalidPayload("matching on this attribute is not offered", where=name[:64])
                keys[keyword] = value.strip()
        person = _person(request)
        if person is not None:
            # A viewer asks for the priors by the number of one institution; another knows the person by another.
            keys.pop("PatientID", None)
        for keyword in keys.keys() & {"StudyTime", "PatientBirthDate", *_IN_HEADERS}:
            if keyword.endswith(("Date", "Time")) and keys[keyword]:
                _range(keyword, keys[keyword])
        most = min(page["limit"], MAX_RESULTS)
        return Search(keys, most, page["offset"], fuzzy, tuple(dict.fromkeys(include)), person)

    return search


def _person(request: Request) -> int | None:
    given = request.path_params.get("person")
    if given is None:
        return None
    if not re.fullmatch(r"\d{1,15}", given):
        raise NotFound("no such person", where="person")
    return int(given)


def _keyword(name: str) -> str:
    """An attribute, or one within a sequence, by keywords whichever way it was named (PS3.18 8.3.4.1)."""
    steps = (keyword_for_tag(int(s, 16)) if re.fullmatch(r"[0-9A-Fa-f]{8}", s) else s for s in name.split("."))
    return ".".join(steps)


def _included(name: str) -> str:
    """A tag as DICOM JSON writes it, or `all`. Raises InvalidPayload."""
    if name == "all":
        return name
    first = name.split(".")[0]
    tag = int(first, 16) if re.fullmatch(r"[0-9A-Fa-f]{8}", first) else tag_for_keyword(first)
    if tag is None:
        raise InvalidPayload("expected a tag, a keyword or all", where="includefield")
    return f"{tag:08X}"


def _flag(name: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise InvalidPayload("expected true or false", where=name)
    return value == "true"


def _count(name: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value):
        raise InvalidPayload("expected a whole number", where=name)
    return int(value)


def _dates(text: str) -> tuple[str, str]:
    """`20250101`, `20250101-20250131`, `20250101-` and `-20250131`; both ends included."""
    if not text:
        return "", ""
    match = _DATE.fullmatch(text)
    if match is None or (match[1] and match[3] and not match[2]):
        raise InvalidPayload("expected YYYYMMDD or a range YYYYMMDD-YYYYMMDD", where="StudyDate")
    since, dash, until = match.groups("")
    return since, until if dash else since
