"""Provenance of what the hub's people and the hub itself make of an ECG: a doctor's confirmation, a rate worked out.

Source: https://hl7.org/fhir/R4/provenance.html
"""

import datetime as dt
import re

from schemas.codes import Coding
from schemas.observation import ObservationRecord
from schemas.report import ReportRecord, ReportStatus

from . import references
from .elements import LOCAL_CODES, Resource, compact, concept, extension, meta, moment, text
from .observation import HUB
from .provenance import ACCOUNT, PATIENT
from .references import Links

ACTIVITY = LOCAL_CODES + "ecg-activity"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ID = re.compile(r"(reading|computed)\.([1-9][0-9]{0,17})\.([1-9][0-9]{0,8})")
_ACTIVITIES = {
    ReportStatus.FINAL: Coding("confirmed", "Confirmed by a physician", ACTIVITY),
    ReportStatus.AMENDED: Coding("amended", "Read again by a physician", ACTIVITY),
    ReportStatus.ENTERED_IN_ERROR: Coding("withdrawn", "Withdrawn by a physician", ACTIVITY),
}
_COMPUTED = Coding("computed", "Computed from the recording", ACTIVITY)


def named(id_: str) -> tuple[str, int, int] | None:
    """Which of the two an id names (`reading`, `computed`), of which report or result, in which version."""
    found = _ID.fullmatch(id_)
    return (found[1], int(found[2]), int(found[3])) if found else None


def confirmation(record: ReportRecord, links: Links) -> Resource | None:
    """Who confirmed this version, when, and the version that was read; None for one that nobody read here."""
    read = record.report.overread
    if read is None:
        return None
    who = {"type": "Practitioner", "identifier": {"system": ACCOUNT, "value": read.account}}
    agent = compact(
        type=_participant("verifier", "Verifier"),
        who=compact(**who, display=text(read.name)),
        onBehalfOf=references.to_organization(read.organization, links) if read.organization else None,
    )
    source = references.to("DiagnosticReport", record.id, read.of_version)
    activity = _ACTIVITIES.get(record.report.status, _ACTIVITIES[ReportStatus.FINAL])
    target = references.to("DiagnosticReport", record.id, record.version)
    return _provenance(f"reading.{record.id}.{record.version}", target, record.patient_id, read.at, activity, agent) | {
        "entity": [{"role": "revision", "what": source}]
    }


def computation(record: ObservationRecord) -> Resource | None:
    """That the hub worked a result out, of which report; None for one that its source sent."""
    if not record.observation.computed:
        return None
    agent: Resource = {"type": _participant("assembler", "Assembler"), "who": HUB}
    source = references.to("DiagnosticReport", record.report_id, record.version)
    target = references.to("Observation", record.id, record.version)
    id_ = f"computed.{record.id}.{record.version}"
    return _provenance(id_, target, record.patient_id, record.recorded_at, _COMPUTED, agent) | {
        "entity": [{"role": "source", "what": source}]
    }


def _provenance(
    id_: str, target: Resource, patient_id: int, at: dt.datetime, activity: Coding, agent: Resource
) -> Resource:
    return compact(
        resourceType="Provenance",
        id=id_,
        meta=meta(1, at),
        extension=[extension(PATIENT, valueReference=references.to_patient(patient_id))],
        target=[target],
        occurredDateTime=moment(at),
        recorded=moment(at),
        activity=concept(activity),
        agent=[agent],
    )


def _participant(kind: str, display: str) -> Resource:
    return {"coding": [{"system": _PARTICIPANT, "code": kind, "display": display}]}
