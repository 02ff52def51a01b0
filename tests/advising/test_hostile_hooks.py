"""Bodies that no ordering system should send, and what an interruption must not do to the ledger."""

import json
import uuid
from typing import Any

import pytest

from .conftest import District
from .hooks_client import PATIENT, HooksClient, draft
from .laboratories import HB, NA, RESIDENT, K, message, passed

HALF = "\ud800"
_SERVICE = "/cds-services/prior-results"


def _body(context: dict[str, Any], patient: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    told = {
        "userId": "Practitioner/lin",
        "patientId": "his-7",
        "draftOrders": {"entry": [{"resource": draft(HB)}]},
    }
    body = {"hook": "order-sign", "hookInstance": str(uuid.uuid4()), "context": told | context}
    return body | {"prefetch": {"patient": PATIENT | patient}} | more


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (_body({"patientId": "²"}, {}, fhirServer="OWN"), 400),
        (_body({}, {}, fhirServer="http://["), 200),
        (_body({}, {"name": [{"given": 5}]}), 200),
        (_body({"selections": 5}, {}, hook="order-select"), 400),
        (_body({"draftOrders": {"entry": [{"resource": draft(HB) | {"id": HALF}}]}}, {}), 200),
        (_body({"draftOrders": {"entry": [{"resource": draft(HB) | {"id": "a\0b"}}]}}, {}), 200),
        (_body({}, {"identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": RESIDENT + HALF}]}), 200),
    ],
    ids=["superscript", "address", "name", "selections", "half-a-pair", "nul", "half-an-identifier"],
)
def test_a_body_of_another_shape_is_no_failure_of_the_hub(
    district: District, body: dict[str, Any], status: int
) -> None:
    district.send(message({HB: "128"}))
    if body.get("fhirServer") == "OWN":
        body = body | {"fhirServer": f"{district.address}/fhir/R4"}
    answer = district.program().post(_SERVICE, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text


def test_a_suggestion_of_another_shape_is_refused(district: District) -> None:
    district.send(message({HB: "128"}))
    (card,) = HooksClient(district.program()).cards("order-sign", draft(HB))
    said = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": []}]}
    assert district.program().post(f"{_SERVICE}/feedback", json={"feedback": [said]}).status_code == 400


def test_a_card_on_two_reports_of_which_one_was_corrected_decides_nothing_by_halves(district: District) -> None:
    district.send(message({K: "4.1", "2075-0": "101"}, number="A1"))
    district.send(message({NA: "140"}, number="A2"))
    passed(district.hub.verbs.database, ("CHC01", "L-2075-0"))
    client = HooksClient(district.program())
    (card,) = client.cards("order-sign", draft("P-ELEC", system="urn:dxhub:catalogue"))
    district.send(message({NA: "131"}, number="A2", status="C"))
    for _ in range(3):
        assert client.feedback(card, "accepted").status_code == 409
    for report in (1, 2):
        assert district.program().get(f"/recognition/decisions?report={report}").json() == []
    # The refusal of both is still possible, and is said once of each.
    assert len(client.feedback(card, "overridden", "01").json()["decisions"]) == 2
    assert client.feedback(card, "overridden", "01").json()["decisions"] == []


@pytest.mark.parametrize("flag", ["hh", "H*", "LL*", "L!"])
def test_a_critical_flag_in_a_senders_own_spelling_is_critical(district: District, flag: str) -> None:
    district.send(message({HB: "38"}, flag=flag))
    (answer,) = district.verdicts({"code": HB, "system": "http://loinc.org", "setting": "outpatient"})
    assert (answer["advice"], answer["items"][0]["results"][0]["rule"]) == ("not-suggested", "not-critical")
    assert not HooksClient(district.program()).cards("order-sign", draft(HB))


def _decided(district: District, **said: object) -> int:
    about = {"report": 1, "version": 1, "institution": "DH02", "decision": "recognised"}
    return district.program().post("/recognition/decisions", json=about | said).status_code


def test_the_ledger_takes_items_of_the_catalogue_and_diagnoses_alone(district: District) -> None:
    district.send(message({HB: "128"}))
    assert _decided(district, item='=HYPERLINK("http://x")') == 400
    assert _decided(district, item="\0") == 400
    assert _decided(district, decision="not-recognised", reason="99", order={"diagnosis": "  "}) == 400
    assert _decided(district, item=f"L-{HB}") == 201


def test_a_report_of_which_every_result_was_taken_back_is_not_recognised(district: District) -> None:
    district.send(message({HB: "128"}, status="N"))
    assert _decided(district) == 409
