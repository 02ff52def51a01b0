"""A client of CDS Hooks as an ordering system would write one: it knows the standard and nothing of the hub."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx

from .laboratories import RESIDENT

PATIENT = {
    "resourceType": "Patient",
    "id": "his-7",
    "identifier": [
        {"system": "urn:his:patients", "value": "7"},
        {"system": "urn:oid:2.16.156.10011.1.3", "value": RESIDENT},
    ],
    "name": [{"text": "王芳"}],
    "gender": "female",
    "birthDate": "1968-04-12",
}
LOINC = "http://loinc.org"


def draft(code: str, number: str = "1", system: str = LOINC, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A draft order of one service."""
    return {
        "resourceType": "ServiceRequest",
        "id": f"draft-{number}",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/his-7"},
        "code": {"coding": [{"system": system, "code": code}]},
    } | more


class HooksClient:
    """Finds the service by discovery, fills its prefetch templates, shows cards, and says what became of them."""

    def __init__(self, http: httpx.Client, patient: dict[str, Any] | None = None, encounter: str = "AMB") -> None:
        self.http = http
        self.store = {
            "Patient/his-7": patient if patient is not None else PATIENT,
            "Encounter/e-1": {"resourceType": "Encounter", "id": "e-1", "class": {"code": encounter}},
        }
        services = http.get("/cds-services").json()["services"]
        self.services = {each["hook"]: each for each in services}

    def call(self, named: str, /, *drafts: dict[str, Any], **more: Any) -> httpx.Response:  # noqa: ANN401
        service, hook = self.services[named], named
        context: dict[str, Any] = {
            "userId": "Practitioner/lin",
            "patientId": "his-7",
            "encounterId": "e-1",
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": d} for d in drafts]},
        }
        if hook == "order-select":
            context["selections"] = [f"ServiceRequest/{each['id']}" for each in drafts]
        body = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context | more.pop("context", {})}
        body["prefetch"] = {name: self._filled(query, context) for name, query in service["prefetch"].items()}
        return self.http.post(f"/cds-services/{service['id']}", json=body | more)

    def _filled(self, query: str, context: dict[str, Any]) -> Any:  # noqa: ANN401
        for name, value in context.items():
            query = query.replace("{{context." + name + "}}", str(value))
        return self.store.get(query)

    def cards(self, hook: str, *drafts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        answer = self.call(hook, *drafts, **more)
        assert answer.status_code == 200, answer.text
        cards = answer.json()["cards"]
        for card in cards:
            conforms(card)
        return list(cards)

    def feedback(self, card: dict[str, Any], outcome: str, reason: str = "", comment: str = "") -> httpx.Response:
        said: dict[str, Any] = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": "2026-11-25T09:00:00Z"}
        if outcome == "accepted":
            said["acceptedSuggestions"] = [{"id": card["suggestions"][0]["uuid"]}]
        elif reason:
            chosen = next((each for each in card["overrideReasons"] if each["code"] == reason), {"code": reason})
            said["overrideReason"] = {"reason": chosen, "userComment": comment}
        return self.http.post("/cds-services/prior-results/feedback", json={"feedback": [said]})


def conforms(card: dict[str, Any]) -> None:
    """What CDS Hooks 2.0 asks of a card."""
    assert str(uuid.UUID(card["uuid"])) == card["uuid"]
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in {"info", "warning", "critical"}
    assert card["source"]["label"]
    assert card["selectionBehavior"] in {"at-most-one", "any"}
    for suggestion in card["suggestions"]:
        assert suggestion["label"]
        assert all(action["type"] == "delete" and action["resourceId"] for action in suggestion["actions"])
    for link in card["links"]:
        assert link["type"] in {"absolute", "smart"}
        assert urlsplit(link["url"]).scheme == "http"
        assert ("appContext" in link) <= (link["type"] == "smart")
    for reason in card["overrideReasons"]:
        assert reason["code"]
        assert reason["display"]
        assert reason["system"]
