"""Whose a file is, told beside it: by the fields of an upload, by the companion of a dropped file."""

import datetime as dt
from collections.abc import Mapping
from typing import TypeVar
from zoneinfo import ZoneInfo

from schemas.delivery import PatientHint
from schemas.faults import InvalidPayload
from schemas.identifiers import Identifier, authority_system
from schemas.patient import Patient, PersonName, Sex
from schemas.report import ReportCategory

_DISTRICT = ZoneInfo("Asia/Shanghai")
T = TypeVar("T", Sex, ReportCategory)

# Name of a field: what it says, and an example.
FIELDS = {
    "identifier": ("the patient's identifier", "P000123"),
    "identifier_system": ("its system, a URI; or name the authority", ""),
    "authority": ("short name of the assigning authority, such as the facility's code", "CHC01"),
    "name": ("the patient's name", "王芳"),
    "birth_date": ("YYYY-MM-DD", "1985-03-07"),
    "sex": ("male, female, other or unknown", "female"),
    "category": ("imaging, laboratory, ecg or other", "ecg"),
    "title": ("what the document is", "十二导联心电图"),
    "observed_at": ("when it was taken, with a zone; the district's where it has none", "2024-05-06T08:30:00+08:00"),
}


def patient_hint(fields: Mapping[str, str], authority: str = "") -> PatientHint | None:
    """Who the patient is, as told beside the files; None where nothing was.

    authority: of an identifier beside which none is named; where empty, it must be named. Raises InvalidPayload.
    """
    told = {name: value.strip() for name, value in fields.items() if value.strip()}
    if unknown := told.keys() - FIELDS.keys():
        raise InvalidPayload("unknown field", where=min(unknown)[:64])
    if not told:
        return None
    if "identifier" not in told or "name" not in told:
        raise InvalidPayload("expected identifier and name of the patient", where="identifier")
    told.setdefault("authority", authority)
    if not (told.get("identifier_system") or told["authority"]):
        raise InvalidPayload("expected the system or the authority of the identifier", where="authority")
    system = told.get("identifier_system") or authority_system(told["authority"])
    patient = Patient(
        (Identifier(system, told["identifier"]),),
        PersonName(told["name"]),
        _date(told.get("birth_date", "")),
        _of(Sex, told.get("sex", "unknown"), "sex"),
    )
    category = _of(ReportCategory, told["category"], "category") if "category" in told else ""
    return PatientHint(patient, category, told.get("title", ""), _moment(told.get("observed_at", "")))


def _of(kind: type[T], value: str, where: str) -> T:
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidPayload(f"expected one of {', '.join(kind)}", where=where) from error


def _date(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidPayload("expected YYYY-MM-DD", where="birth_date") from error


def _moment(value: str) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidPayload("expected a time such as 2024-05-06T08:30:00+08:00", where="observed_at") from error
    return read.replace(tzinfo=_DISTRICT) if read and read.tzinfo is None else read
