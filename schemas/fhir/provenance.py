"""Provenance: a doctor's decision about one version of a report. Source: https://hl7.org/fhir/R4/provenance.html"""

from schemas.codes import Coding
from schemas.faults import InvalidPayload
from schemas.recognition import Decided, Decision, Order, ReasonList, reason_list

from . import references
from .elements import (
    EXTENSION,
    LOCAL_CODES,
    Resource,
    codes_of,
    coding,
    compact,
    concept,
    expect,
    extension,
    extension_of,
    meta,
    moment,
    present,
    read_moment,
    text,
)
from .references import NOWHERE, Links

VERDICT = LOCAL_CODES + "recognition-verdict"
REASON = LOCAL_CODES + "recognition-reason"
ACCOUNT = "urn:dxhub:account"
ORDER = EXTENSION + "order"
COMMENT = EXTENSION + "comment"
ITEM = EXTENSION + "catalogue-item"
ADVICE = EXTENSION + "advice"
SHOWING = EXTENSION + "showing"
RECORD_TEXT = EXTENSION + "record-text"
PATIENT_TEXT = EXTENSION + "patient-text"
# FHIR R5 gave Provenance a patient; this is how R4 may say it.
PATIENT = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient"

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_DISPLAY = {Decided.RECOGNISED: "Recognised", Decided.NOT_RECOGNISED: "Not recognised"}
_ORDER_PARTS = ("number", "code", "display", "setting", "department", "diagnosis")


def to_fhir(decision: Decision, links: Links = NOWHERE, reasons: ReasonList | None = None) -> Resource:
    """The decision; its target is the version that the doctor saw."""
    made_at = moment(decision.decided_at)
    return compact(
        resourceType="Provenance",
        id=str(decision.id),
        meta=meta(1, decision.decided_at),
        extension=_extensions(decision),
        target=[references.to("DiagnosticReport", decision.report_id, decision.version)],
        occurredDateTime=made_at,
        recorded=made_at,
        reason=present(_reason(decision, reasons or reason_list())),
        activity=concept(Coding(decision.verdict.value, _DISPLAY[decision.verdict], VERDICT)),
        agent=_agents(decision, links),
    )


def from_fhir(resource: Resource) -> Decision:
    """The decision that the resource describes."""
    expect(resource, "Provenance")
    report_id, version = references.key_of(resource["target"][0], "DiagnosticReport")
    decided_at = read_moment(resource.get("recorded"))
    verdicts = codes_of([resource.get("activity", {})], VERDICT)
    if not report_id or version is None or decided_at is None or not verdicts:
        raise InvalidPayload("expected a verdict on one version of a report", where="Provenance.target")
    doctor = resource["agent"][0]
    reason: Resource = next((each for part in resource.get("reason", ()) for each in part.get("coding", ())), {})
    return Decision(
        id=int(resource.get("id", "0")),
        report_id=report_id,
        version=version,
        patient_id=references.key_of(extension_of(resource, PATIENT).get("valueReference"), "Patient")[0],
        organization=references.organization_code(doctor.get("onBehalfOf", {})),
        account=doctor["who"].get("identifier", {}).get("value", ""),
        doctor=doctor["who"].get("display", ""),
        verdict=Decided(verdicts[0]),
        decided_at=decided_at,
        reason=reason.get("code", ""),
        reasons_version=reason.get("version", ""),
        comment=extension_of(resource, COMMENT).get("valueString", ""),
        order=_read_order(extension_of(resource, ORDER)),
        item=extension_of(resource, ITEM).get("valueCode", ""),
        advice=extension_of(resource, ADVICE).get("valueCode", ""),
        showing_id=extension_of(resource, SHOWING).get("valueInteger", 0),
        record_text=extension_of(resource, RECORD_TEXT).get("valueString", ""),
        patient_text=extension_of(resource, PATIENT_TEXT).get("valueString", ""),
    )


def _extensions(decision: Decision) -> list[Resource]:
    parts = present(*(extension(name, valueString=text(getattr(decision.order, name))) for name in _ORDER_PARTS))
    return present(
        extension(PATIENT, valueReference=references.to_patient(decision.patient_id)),
        extension(ORDER, extension=parts),
        extension(COMMENT, valueString=text(decision.comment)),
        extension(ITEM, valueCode=decision.item),
        extension(ADVICE, valueCode=decision.advice),
        extension(SHOWING, valueInteger=decision.showing_id),
        extension(RECORD_TEXT, valueString=text(decision.record_text)),
        extension(PATIENT_TEXT, valueString=text(decision.patient_text)),
    )


def _read_order(element: Resource) -> Order:
    return Order(**{name: extension_of(element, name).get("valueString", "") for name in _ORDER_PARTS})


def _reason(decision: Decision, reasons: ReasonList) -> Resource | None:
    if not decision.reason:
        return None
    # The words only where the list is the one that the doctor chose from.
    known = reasons.find(decision.reason) if decision.reasons_version == reasons.version else None
    chosen = coding(Coding(decision.reason, known.zh if known else "", REASON))
    return {"coding": [chosen | compact(version=decision.reasons_version)]}


def _agents(decision: Decision, links: Links) -> list[Resource]:
    institution = references.to_organization(decision.organization, links)
    doctor = compact(
        type="Practitioner",
        identifier={"system": ACCOUNT, "value": decision.account},
        display=text(decision.doctor),
    )
    return [
        {"type": _participant("author", "Author"), "who": doctor, "onBehalfOf": institution},
        {"type": _participant("custodian", "Custodian"), "who": institution},
    ]


def _participant(kind: str, display: str) -> Resource:
    return {"coding": [{"system": _PARTICIPANT, "code": kind, "display": display}]}
