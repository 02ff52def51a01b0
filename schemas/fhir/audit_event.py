"""AuditEvent. Source: https://hl7.org/fhir/R4/auditevent.html; DICOM PS3.15 A.5 for the event types."""

import re

from schemas.codes import DCM, Coding
from schemas.disclosure import Action, AuditRecord
from schemas.faults import InvalidPayload

from . import references
from .elements import LOCAL_CODES, Resource, coding, compact, expect, meta, moment, read_moment, text
from .references import NOWHERE, Links

ACTION = LOCAL_CODES + "audit-action"
ROLE = LOCAL_CODES + "role"
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"

# Event type and FHIR action (C create, R read, U update, E execute) of everything that the hub records.
_EVENTS = {
    Action.SIGN_IN: ("110114", "User Authentication", "E"),
    Action.SIGN_OUT: ("110114", "User Authentication", "E"),
    Action.RECEIVE: ("110107", "Import", "C"),
    Action.SEARCH: ("110112", "Query", "E"),
    Action.READ: ("110110", "Patient Record", "R"),
    Action.EXPORT: ("110106", "Export", "R"),
    Action.DECIDE: ("110110", "Patient Record", "C"),
    Action.REPLAY: ("110107", "Import", "U"),
    Action.REPAIR: ("110107", "Import", "C"),
    Action.LINK: ("110110", "Patient Record", "U"),
    Action.ADMINISTER: ("110100", "Application Activity", "E"),
}
_SUBTYPES = {Action.SIGN_IN: Coding("110122", "Login", DCM), Action.SIGN_OUT: Coding("110123", "Logout", DCM)}
_SERIOUS = frozenset({"busy", "internal"})
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(/_history/[A-Za-z0-9.-]{1,64})?")
_PATIENT_ROLE = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient"}


def to_fhir(record: AuditRecord, links: Links = NOWHERE) -> Resource:
    """The audit record; it names accounts and ids, never a patient."""
    kind, display, action = _EVENTS[record.action]
    subtypes = [_SUBTYPES[record.action]] if record.action in _SUBTYPES else []
    return compact(
        resourceType="AuditEvent",
        id=str(record.id),
        meta=meta(1, record.at),
        type={"system": DCM, "code": kind, "display": display},
        subtype=[coding(each) for each in (Coding(record.action.value, "", ACTION), *subtypes)],
        action=action,
        recorded=moment(record.at),
        outcome="0" if record.outcome == "success" else "8" if record.outcome in _SERIOUS else "4",
        outcomeDesc=text(record.outcome),
        agent=_agents(record, links),
        source={"observer": {"display": "dxhub"}},
        entity=_entities(record),
    )


def from_fhir(resource: Resource) -> AuditRecord:
    """The audit record that the resource describes."""
    expect(resource, "AuditEvent")
    at = read_moment(resource.get("recorded"))
    if at is None:
        raise InvalidPayload("expected a time", where="AuditEvent.recorded")
    person, *rest = resource["agent"]
    entities = resource.get("entity", [])
    patients = [references.key_of(each.get("what"), "Patient")[0] for each in entities if "role" in each]
    touched: Resource = next((each for each in entities if "role" not in each), {})
    return AuditRecord(
        id=int(resource.get("id", "0")),
        at=at,
        action=Action(_code(resource["subtype"], ACTION)),
        outcome=resource.get("outcomeDesc", ""),
        account=person.get("altId", ""),
        role=_code([each for role in person.get("role", ()) for each in role["coding"]], ROLE),
        organization=next((references.organization_code(each.get("who", {})) for each in rest), ""),
        purpose=_code(
            [each for use in resource["agent"][0].get("purposeOfUse", ()) for each in use["coding"]], PURPOSE
        ),
        address=person.get("network", {}).get("address", ""),
        entity=touched.get("what", {}).get("reference") or touched.get("name", ""),
        patient_id=patients[0] if patients else None,
        detail=next((each["valueString"] for each in touched.get("detail", ())), ""),
    )


def _code(codings: list[Resource], system: str) -> str:
    return next((str(each["code"]) for each in codings if each.get("system") == system), "")


def _agents(record: AuditRecord, links: Links) -> list[Resource]:
    person = compact(
        role=[{"coding": [{"system": ROLE, "code": record.role}]}] if record.role else None,
        altId=text(record.account),
        requestor=True,
        network=compact(address=text(record.address), type="2") if text(record.address) else None,
        purposeOfUse=[{"coding": [{"system": PURPOSE, "code": record.purpose}]}] if record.purpose else None,
    )
    if not record.organization:
        return [person]
    return [person, {"who": references.to_organization(record.organization, links), "requestor": False}]


def _entities(record: AuditRecord) -> list[Resource]:
    literal = _REFERENCE.fullmatch(record.entity) is not None
    touched = compact(
        what={"reference": record.entity} if literal else None,
        # Not every thing that is touched is a FHIR resource (a delivery, a session, a search).
        name=None if literal else text(record.entity),
        detail=[{"type": "detail", "valueString": text(record.detail)}] if text(record.detail) else None,
    )
    patient = {"what": references.to_patient(record.patient_id), "role": _PATIENT_ROLE} if record.patient_id else None
    return [each for each in (touched, patient) if each]
