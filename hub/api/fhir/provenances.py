"""Provenance: the decisions on reuse, each on the version of the report that was seen; who confirmed which ECG."""

from schemas.faults import InvalidPayload, NotFound
from schemas.fhir import provenance, provenance_ecg
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.report import ReportCategory, ReportCriteria

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Given, Parameters, reference

_MOST = 200


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


def _named(call: Call, name: str) -> Resource:
    """A confirmation (`reading.{report}.{version}`) or a computation (`computed.{result}.{version}`)."""
    kind, key, version = provenance_ecg.named(name) or ("", 0, 0)
    found = None
    if kind == "reading":
        record = call.verbs.query.report(call.disclosure, key, version)
        found = provenance_ecg.confirmation(record, call.links)
    elif kind == "computed":
        found = provenance_ecg.computation(call.verbs.query.observation(call.disclosure, key, version))
    if found is None:
        raise NotFound("no such provenance", where="Provenance")
    return found


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    target, patient, keys = asked.one("target", "DiagnosticReport"), asked.one("patient", "Patient"), asked.ids()
    if not (target or patient or keys):
        raise InvalidPayload("expected target, patient or _id", where="http.target")
    if target and target.value.startswith("Observation/"):
        found = _computed(call, target)
        return Found(found[window.offset : window.offset + window.count], len(found))
    report_id, version = reference(target, "DiagnosticReport", call.base) if target else (None, None)
    patient_id = _patient(call, patient)
    decisions = call.verbs.query.decisions(
        call.disclosure, report_id=report_id, version=version, patient_id=patient_id, decision_id=_only(keys)
    )
    matches = [provenance.to_fhir(each, call.links) for each in decisions if not keys or each.id in keys]
    if not keys:
        matches += _confirmed(call, report_id, version, patient_id)
    return Found(matches[window.offset : window.offset + window.count], len(matches))


def _confirmed(call: Call, report_id: int | None, version: int | None, patient_id: int | None) -> list[Resource]:
    """Confirmations of one report, newest first; of a patient's ECGs, those of the current versions."""
    if report_id is not None:
        try:
            records = call.verbs.query.report_versions(call.disclosure, report_id)
        except NotFound:
            # Whatever was asked about, nothing is found; why, nobody is told.
            return []
    else:
        criteria = ReportCriteria(patient_id=patient_id, category=ReportCategory.ECG, limit=_MOST)
        records = call.verbs.query.reports(call.disclosure, criteria).items
    wanted = (
        each
        for each in records
        if (version is None or each.version == version) and (report_id is None or patient_id in (None, each.patient_id))
    )
    return [made for each in wanted if (made := provenance_ecg.confirmation(each, call.links))]


def _computed(call: Call, target: Given) -> list[Resource]:
    key, version = reference(target, "Observation", call.base)
    try:
        record = call.verbs.query.observation(call.disclosure, key, version)
    except NotFound:
        return []
    made = provenance_ecg.computation(record)
    return [made] if made else []


def _patient(call: Call, given: Given | None) -> int | None:
    return reference(given, "Patient", call.base)[0] if given else None


def _only(keys: tuple[int, ...]) -> int | None:
    return keys[0] if len(keys) == 1 else None


KIND = Kind(
    name="Provenance",
    documentation=(
        "A doctor's decision to reuse one version of a prior report, or not and why; a doctor's confirmation of an "
        "ECG; that the hub worked a measurement out."
    ),
    example=examples.PROVENANCE,
    search=_search,
    parameters=(
        SearchParameter(
            "target",
            "reference",
            "the report, or one version of it; or an Observation",
            "DiagnosticReport/7/_history/1",
        ),
        SearchParameter("patient", "reference", "the patient whose report it is", "Patient/12"),
    ),
    read=_read,
    named=_named,
    version=_version,
    versions=_versions,
)
