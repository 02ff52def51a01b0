"""Examples for the description of the interface."""

from fastapi.openapi.models import Example

_DRAFT = {
    "resourceType": "ServiceRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p-7"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "血红蛋白"},
}
_PATIENT = {
    "resourceType": "Patient",
    "id": "p-7",
    "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "990101196804123320"}],
    "name": [{"text": "王芳"}],
    "gender": "female",
    "birthDate": "1968-04-12",
}
_CALL = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {
        "userId": "Practitioner/abc",
        "patientId": "p-7",
        "encounterId": "e-1",
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": _DRAFT}]},
    },
    "prefetch": {"patient": _PATIENT, "encounter": {"resourceType": "Encounter", "class": {"code": "AMB"}}},
}
_SELECT = {**_CALL, "hook": "order-select"}
_SELECT["context"] = {**_CALL["context"], "selections": ["ServiceRequest/draft-1"]}  # type: ignore[dict-item]

HOOK = {
    "order-sign": Example(summary="About to sign one order", value=_CALL),
    "order-select": Example(summary="One order was picked", value=_SELECT),
}
_CARD = "4e0a3a1e-828e-4624-8d1a-d7aa824d8a78"
FEEDBACK = {
    "accepted": Example(summary="Reused", value={"feedback": [{"card": _CARD, "outcome": "accepted"}]}),
    "overridden": Example(
        summary="Repeated, with the reason",
        value={
            "feedback": [
                {
                    "card": _CARD,
                    "outcome": "overridden",
                    "overrideReason": {"reason": {"system": "urn:dxhub:recognition-reasons", "code": "01"}},
                }
            ]
        },
    ),
}
