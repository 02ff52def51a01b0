"""What a search asks for. Source: DICOM PS3.18 8.3.4 and 10.6.1.2; PS3.4 C.2.2.2."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from pydicom.datadict import keyword_for_tag

from schemas.faults import InvalidPayload, NotFound
from schemas.study import StudyCriteria

MAX_RESULTS = 1000
_DATE = re.compile(r"(\d{8})?(-)?(\d{8})?")
_STUDY_KEYS = frozenset(
    {
        *("PatientID", "PatientName", "AccessionNumber", "StudyDate", "ModalitiesInStudy"),
        *("StudyInstanceUID", "StudyDescription"),
    }
)
_SERIES_KEYS = frozenset({"Modality", "SeriesInstanceUID", "SeriesNumber"})
_INSTANCE_KEYS = frozenset({"SOPInstanceUID", "SOPClassUID", "InstanceNumber"})


@dataclass(frozen=True, slots=True)
class Search:
    """The keys of a search by keyword, checked; and the page."""

    keys: dict[str, str] = field(default_factory=dict)
    limit: int = 100
    offset: int = 0
    person: int | None = None  # the hub's own record: whatever number an institution knows the person by

    def study_criteria(self, study_uid: str = "", *, paged: bool) -> StudyCriteria:
        """What the study level is asked. paged: this search is for studies, so the page is theirs."""
        keys = self.keys
        since, until = _dates(keys.get("StudyDate", ""))
        uids = (study_uid,) if study_uid else tuple(filter(None, re.split(r"[\\,]", keys.get("StudyInstanceUID", ""))))
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
            limit=self.limit if paged else MAX_RESULTS,
            offset=self.offset if paged else 0,
        )

    def matches(self, **values: object) -> bool:
        """Whether the values, by keyword, are those asked for; UIDs may be lists (PS3.4 C.2.2.2.2)."""
        return all(
            str("" if value is None else value) in re.split(r"[\\,]", self.keys[keyword])
            for keyword, value in values.items()
            if self.keys.get(keyword)
        )


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
        for name, value in request.query_params.multi_items():
            if name in page:
                page[name] = _count(name, value)
            elif name not in {"includefield", "fuzzymatching", "accept", "charset"}:
                keyword = _keyword(name)
                if keyword not in known:
                    raise InvalidPayload("matching on this attribute is not offered", where=name[:64])
                keys[keyword] = value.strip()
        person = _person(request)
        if person is not None:
            # A viewer asks for the priors by the number of one institution; another knows the person by another.
            keys.pop("PatientID", None)
        return Search(keys, min(page["limit"], MAX_RESULTS), page["offset"], person)

    return search


def _person(request: Request) -> int | None:
    given = request.path_params.get("person")
    if given is None:
        return None
    if not re.fullmatch(r"\d{1,15}", given):
        raise NotFound("no such person", where="person")
    return int(given)


def _keyword(name: str) -> str:
    return keyword_for_tag(int(name, 16)) if re.fullmatch(r"[0-9A-Fa-f]{8}", name) else name


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
