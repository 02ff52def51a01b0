"""Communication: a notice to whoever relied on a report that changed. Source: https://hl7.org/fhir/R4/communication.html"""

from schemas.codes import Coding
from schemas.notice import Change, Notice

from . import references
from .elements import EXTENSION, LOCAL_CODES, Resource, compact, concept, extension, meta, moment, present, text
from .provenance import ACCOUNT
from .references import NOWHERE, Links

KIND = LOCAL_CODES + "notice-kind"
RELIANCE = LOCAL_CODES + "notice-reliance"
ESCALATED = EXTENSION + "escalated"
SEEN = EXTENSION + "seen-version"
ACKNOWLEDGED_BY = EXTENSION + "acknowledged-by"
_CATEGORY = Coding("alert", "Alert", "http://terminology.hl7.org/CodeSystem/communication-category")


def to_fhir(notice: Notice, links: Links = NOWHERE) -> Resource:
    """The notice; completed once it is acknowledged. It is about the version that holds now."""
    changed_at = notice.acknowledged_at or notice.escalated_at or notice.raised_at
    return compact(
        resourceType="Communication",
        id=str(notice.id),
        meta=meta(1, changed_at),
        extension=present(
            extension(SEEN, valueReference=references.to("DiagnosticReport", notice.report_id, notice.seen_version)),
            extension(ESCALATED, valueDateTime=moment(notice.escalated_at)),
            extension(ACKNOWLEDGED_BY, valueString=text(notice.acknowledged_by)),
        ),
        status="completed" if notice.acknowledged_at else "in-progress",
        category=present(concept(_CATEGORY)),
        priority="urgent",
        subject=references.to_patient(notice.patient_id),
        about=[references.to("DiagnosticReport", notice.report_id, notice.version)],
        sent=moment(notice.raised_at),
        received=moment(notice.acknowledged_at),
        recipient=[references.to_organization(notice.organization, links), _doctor(notice)],
        reasonCode=present(concept(Coding(notice.kind.value, "", KIND), Coding(notice.reliance.value, "", RELIANCE))),
        payload=[{"contentString": _words(change)} for change in notice.changes],
        note=[{"text": notice.remark}] if text(notice.remark) else None,
    )


def _doctor(notice: Notice) -> Resource:
    return {"type": "Practitioner", "identifier": {"system": ACCOUNT, "value": notice.account}}


def _words(change: Change) -> str:
    """`potassium: 3.4 mmol/L -> 6.1 mmol/L HH`; a dash where there was nothing, or is nothing now."""
    if not (change.before or change.after):
        return change.what
    return f"{change.what}: {change.before or '-'} -> {change.after or '-'}"
