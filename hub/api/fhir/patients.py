"""Patient: read, history, and the search that finds a person by number or by name."""

import datetime as dt
from collections.abc import Sequence

from schemas.faults import Conflict, InvalidPayload
from schemas.fhir import patient
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.patient import PatientCriteria

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Given, NoMatch, Parameters, identifier, reference


def _read(call: Call, key: int) -> Resource:
    return patient.to_fhir(call.verbs.query.patient(call.disclosure, key))


def _version(call: Call, key: int, version: int) -> Resource:
    return patient.to_fhir(call.verbs.query.patient(call.disclosure, key, version))


def _versions(call: Call, key: int) -> list[Resource]:
    return [patient.to_fhir(record) for record in call.verbs.query.patient_versions(call.disclosure, key)]


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    number = asked.one("identifier")
    criteria = PatientCriteria(
        name=asked.text("name", "contains", "exact"),
        identifier=identifier(number, always_in_system=True) if number else None,
        birth_date=_birth_date(asked.one("birthdate")),
        ids=asked.ids(),
        limit=window.count,
        offset=window.offset,
    )
    page = call.verbs.query.find_patients(call.disclosure, criteria)
    return Found([patient.to_fhir(record) for record in page.items], page.total)


def _birth_date(given: Given | None) -> dt.date | None:
    if given is None:
        return None
    try:
        return dt.date.fromisoformat(given.value.removeprefix("eq"))
    except ValueError as error:
        raise InvalidPayload("expected one whole day such as 1985-03-07", where=given.where) from error


def _fetch(call: Call, keys: Sequence[int]) -> list[Resource]:
    page = call.verbs.query.find_patients(call.disclosure, PatientCriteria(ids=tuple(keys), limit=len(keys)))
    return [patient.to_fhir(record) for record in page.items]


def patient_of(call: Call, asked: Parameters) -> int | None:
    """The patient whom `patient`, `subject` or a chained identifier names; None where none of them is asked.

    Raises NoMatch where nobody is named, Conflict where the number is several people's.
    """
    keys = {
        reference(given, "Patient", call.base)[0]
        for name in ("patient", "subject")
        if (given := asked.one(name, "Patient"))
    }
    for name in ("patient.identifier", "subject.identifier"):
        if given := asked.one(name):
            keys.add(_identified(call, given))
    if len(keys) > 1:
        raise NoMatch
    return next(iter(keys), None)


def _identified(call: Call, given: Given) -> int:
    criteria = PatientCriteria(identifier=identifier(given, always_in_system=True), limit=2)
    page = call.verbs.query.find_patients(call.disclosure, criteria)
    if not page.items:
        raise NoMatch
    if page.total > 1:
        raise Conflict("this number is several people's: name its system too (system|value)", where=given.where)
    return page.items[0].id


CHAINED = (
    SearchParameter("patient.identifier", "token", "identifier of the patient: system|value or value", "P000123"),
    SearchParameter("subject.identifier", "token", "the same", "P000123"),
)
PATIENT_PARAMETERS = (
    SearchParameter("patient", "reference", "the patient", "Patient/12"),
    SearchParameter("subject", "reference", "the same; everything here is about a patient", "Patient/12"),
)

KIND = Kind(
    name="Patient",
    documentation="A person, as all linked sources describe them.",
    example=examples.PATIENT,
    search=_search,
    parameters=(
        SearchParameter("identifier", "token", "system|value, or a value of any system", "990101198503072342"),
        SearchParameter("name", "string", "the name, its beginning, its pinyin or the pinyin's initials", "王芳"),
        SearchParameter("birthdate", "date", "one day", "1985-03-07"),
    ),
    read=_read,
    version=_version,
    versions=_versions,
    fetch=_fetch,
)
