"""AuditEvent: the trail, for the auditor alone."""

from schemas.disclosure import Action
from schemas.fhir import audit_event
from schemas.fhir.capability_statement import SearchParameter

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Given, NoMatch, Parameters, reference, token


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    patient = asked.one("patient", "Patient")
    page = call.verbs.query.audit(
        call.disclosure,
        patient_id=reference(patient, "Patient", call.base)[0] if patient else None,
        account=asked.text("altid"),
        action=_action(asked.one("subtype")),
        limit=window.count,
        offset=window.offset,
    )
    return Found([audit_event.to_fhir(record, call.links) for record in page.items], page.total)


def _action(given: Given | None) -> str:
    if given is None:
        return ""
    system, code = token(given)
    if system not in (None, audit_event.ACTION) or code not in frozenset(Action):
        raise NoMatch
    return code


KIND = Kind(
    name="AuditEvent",
    documentation="What was seen and done, by whom, for which institution and purpose. For auditors; newest first.",
    example=examples.AUDIT_EVENT,
    search=_search,
    parameters=(
        SearchParameter("patient", "reference", "the patient whose data were touched", "Patient/12"),
        SearchParameter("altid", "token", "the account that acted", "clinician"),
        SearchParameter("subtype", "token", f"what was done: {', '.join(Action)}", "read"),
    ),
)
