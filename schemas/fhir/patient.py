"""Patient. Source: https://hl7.org/fhir/R4/patient.html"""

import datetime as dt
import re

from schemas.faults import InvalidPayload
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier
from schemas.patient import Patient, PatientRecord, PersonName, Sex

from .elements import (
    IDENTIFIER_TYPE,
    LOCAL_CODES,
    Resource,
    compact,
    expect,
    extension,
    extension_of,
    meta,
    present,
    read_uri,
    text,
    uri,
)

# ISO 21090 representation of a name: IDE ideographic (王芳), ABC alphabetic (Wang Fang).
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
DOUBTFUL = {
    "system": LOCAL_CODES + "identity",
    "code": "doubtful",
    "display": "an identity question waits for a person",
}

_TYPES = {RESIDENT_ID: ("NI", "National unique individual identifier"), HEALTH_CARD: ("HC", "Health Card Number")}
# Family names of two characters that are in use; a given name is never looked up.
_COMPOUND_SURNAMES = frozenset(
    (
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "闾丘",
        "子车",
        "亓官",
        "司寇",
        "巫马",
        "公西",
        "颛孙",
        "壤驷",
        "公良",
        "漆雕",
        "乐正",
        "宰父",
        "谷梁",
        "拓跋",
        "夹谷",
        "轩辕",
        "令狐",
        "段干",
        "百里",
        "呼延",
        "东郭",
        "南门",
        "羊舌",
        "微生",
        "梁丘",
        "左丘",
        "西门",
        "第五",
        "歐陽",
        "司馬",
        "諸葛",
        "東方",
        "獨孤",
        "南宮",
        "尉遲",
        "公孫",
        "鍾離",
        "長孫",
        "鮮于",
    )
)
_HAN_NAME = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,4}")


def to_fhir(record: PatientRecord) -> Resource:
    """The person as of `record.version`."""
    patient = record.patient
    return compact(
        resourceType="Patient",
        id=str(record.id),
        meta=meta(record.version, record.recorded_at, tags=[DOUBTFUL] if record.doubtful else None),
        active=True,
        **demographics(patient),
    )


def demographics(patient: Patient) -> Resource:
    """The elements that say who the patient is, as one source or all of them tell it."""
    return compact(
        identifier=[each for each in map(_identifier, patient.identifiers) if each],
        name=_names(patient.name),
        gender=patient.sex.value,
        birthDate=patient.birth_date.isoformat() if patient.birth_date else None,
    )


def from_fhir(resource: Resource) -> Patient:
    """The patient that the resource describes. A birth date of lesser precision than a day is left out."""
    expect(resource, "Patient")
    identifiers = tuple(
        Identifier(read_uri(each.get("system", "")), each["value"])
        for each in resource.get("identifier", ())
        if "value" in each
    )
    if not identifiers:
        raise InvalidPayload("expected at least one identifier with a value", where="Patient.identifier")
    return Patient(
        identifiers,
        _read_names(resource.get("name", [])),
        _read_date(resource.get("birthDate", "")),
        Sex(resource.get("gender", "unknown")),
    )


def _identifier(identifier: Identifier) -> Resource | None:
    value = text(identifier.value)
    if value is None:
        return None
    kind, display = _TYPES.get(identifier.system, ("PI", "Patient internal identifier"))
    return compact(
        use="official" if kind == "NI" else "usual",
        type={"coding": [{"system": IDENTIFIER_TYPE, "code": kind, "display": display}]},
        system=uri(identifier.system),
        value=value,
    )


def _names(name: PersonName) -> list[Resource]:
    family, given = split(name.text)
    written = compact(
        extension=present(extension(REPRESENTATION, valueCode="IDE" if family else None)),
        use="official",
        text=text(name.text),
        family=family,
        given=[given] if given else None,
    )
    latin = compact(extension=[{"url": REPRESENTATION, "valueCode": "ABC"}], use="usual", text=text(name.latin))
    return [each for each in (written, latin) if "text" in each]


def split(name: str) -> tuple[str, str]:
    """Family and given name of a Han Chinese name; both empty where the form of the name does not tell."""
    if not _HAN_NAME.fullmatch(name):
        return "", ""
    length = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    return name[:length], name[length:]


def _read_names(names: list[Resource]) -> PersonName:
    latin = [each for each in names if extension_of(each, REPRESENTATION).get("valueCode") == "ABC"]
    written = [each for each in names if each not in latin]
    return PersonName(_spoken(written[0]) if written else "", _spoken(latin[0]) if latin else "")


def _spoken(name: Resource) -> str:
    return str(name.get("text") or name.get("family", "") + "".join(name.get("given", ())))


def _read_date(value: str) -> dt.date | None:
    if len(value) != len("YYYY-MM-DD"):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise InvalidPayload("expected a date", where="Patient.birthDate") from error
