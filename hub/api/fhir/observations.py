"""Observation: single results, of current reports."""

from collections.abc import Sequence

from schemas.fhir import observation
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.observation import ObservationCriteria, ObservationRecord
from schemas.report import ReportCategory

from . import examples
from .call import Call
from .dates import interval
from .kinds import Found, Include, Kind, Window
from .parameters import Given, NoMatch, Parameters, code_of, token
from .patients import CHAINED, PATIENT_PARAMETERS, patient_of


def _mapped(call: Call, records: Sequence[ObservationRecord]) -> list[Resource]:
    traced = any(record.category == ReportCategory.ECG for record in records)
    links = (call.links_traced if traced else call.links_beyond)(record.report_id for record in records)
    return [observation.to_fhir(record, links) for record in records]


def _read(call: Call, key: int) -> Resource:
    return _mapped(call, [call.verbs.query.observation(call.disclosure, key)])[0]


def _version(call: Call, key: int, version: int) -> Resource:
    return _mapped(call, [call.verbs.query.observation(call.disclosure, key, version)])[0]


def _versions(call: Call, key: int) -> list[Resource]:
    return _mapped(call, call.verbs.query.observation_versions(call.disclosure, key))


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    system, code = code_of(asked)
    since, until = interval(asked.all("date"))
    criteria = ObservationCriteria(
        patient_id=patient_of(call, asked),
        code=code,
        code_system=system,
        category=_category(asked.one("category")),
        since=since,
        until=until,
        ids=asked.ids(),
        newest_first=window.newest_first,
        limit=window.count,
        offset=window.offset,
    )
    page = call.verbs.query.observations(call.disclosure, criteria)
    return Found(_mapped(call, page.items), page.total)


def _fetch(call: Call, keys: Sequence[int]) -> list[Resource]:
    page = call.verbs.query.observations(call.disclosure, ObservationCriteria(ids=tuple(keys), limit=len(keys)))
    return _mapped(call, page.items)


def _category(given: Given | None) -> ReportCategory | str:
    if given is None:
        return ""
    system, code = token(given)
    served = {name: category for category, name in observation.CATEGORIES.items()}
    if code not in served or system not in (None, observation.CATEGORY):
        raise NoMatch
    return served[code]


KIND = Kind(
    name="Observation",
    documentation="A single result within a report; its version is the report's.",
    example=examples.OBSERVATION,
    search=_search,
    parameters=(
        *PATIENT_PARAMETERS,
        SearchParameter("code", "token", "the analyte: code, or system|code", "718-7"),
        SearchParameter("date", "date", "sampling; prefixes eq gt ge lt le sa eb", "ge2024-05-01"),
        SearchParameter("category", "token", "laboratory, imaging, procedure or exam", "laboratory"),
    ),
    chained=CHAINED,
    sorts=("date",),
    includes={
        "patient": Include("subject", "Patient"),
        "subject": Include("subject", "Patient"),
        "performer": Include("performer", "Organization"),
    },
    read=_read,
    version=_version,
    versions=_versions,
    fetch=_fetch,
)
