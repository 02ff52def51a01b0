"""Provenance: the decisions on reuse, each on the version of the report that was seen."""

from schemas.faults import InvalidPayload, NotFound
from schemas.fhir import provenance
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Given, Parameters, reference


def _read(call: Call, key: int) -> Resource:
    found = call.verbs.query.decisions(call.disclosure, decision_id=key)
    if not found:
        raise NotFound("no such decision", where="Provenance")
    return provenance.to_fhir(found[0], call.links)


def _version(call: Call, key: int, version: int) -> Resource:
    if version != 1:
        raise NotFound("a decision is never changed: it has one version", where="version")
    return _read(call, key)


def _versions(call: Call, key: int) -> list[Resource]:
    return [_read(call, key)]


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    target, patient, keys = asked.one("target", "DiagnosticReport"), asked.one("patient", "Patient"), asked.ids()
    if not (target or patient or keys):
        raise InvalidPayload("expected target, patient or _id", where="http.target")
    report_id, version = reference(target, "DiagnosticReport", call.base) if target else (None, None)
    found = call.verbs.query.decisions(
        call.disclosure,
        report_id=report_id,
        version=version,
        patient_id=_patient(call, patient),
        decision_id=_only(keys),
    )
    matches = [provenance.to_fhir(each, call.links) for each in found if not keys or each.id in keys]
    return Found(matches[window.offset : window.offset + window.count], len(matches))


def _patient(call: Call, given: Given | None) -> int | None:
    return reference(given, "Patient", call.base)[0] if given else None


def _only(keys: tuple[int, ...]) -> int | None:
    return keys[0] if len(keys) == 1 else None


KIND = Kind(
    name="Provenance",
    documentation="A doctor's decision to reuse one version of a prior report, or not and why.",
    example=examples.PROVENANCE,
    search=_search,
    parameters=(
        SearchParameter("target", "reference", "the report, or one version of it", "DiagnosticReport/7/_history/1"),
        SearchParameter("patient", "reference", "the patient whose report it is", "Patient/12"),
    ),
    read=_read,
    version=_version,
    versions=_versions,
)
