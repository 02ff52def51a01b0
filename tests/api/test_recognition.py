"""Acknowledging a prior report over HTTP, and reading the decision back as FHIR Provenance on that version."""

from typing import Any

import pytest

from schemas.fhir import bundle
from tests.api.served import Served
from tests.schemas.fhir.values import validated

ORDER = {
    "number": "O1",
    "code": "58410-2",
    "display": "血常规",
    "setting": "outpatient",
    "department": "内科",
    "diagnosis": "I50.9",
}


def decide(hub: Served, account: str = "clinician", **said: Any) -> Any:  # noqa: ANN401 any JSON
    new = {"report": 1, "version": 2, "institution": "DH02", "decision": "recognised", "order": ORDER} | said
    return hub.request("POST", "/recognition/decisions", account, json=new)


def test_a_recognition_is_recorded_and_told_as_provenance_of_that_version(fresh: Served) -> None:
    answer = decide(fresh, comment="与病情相符")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["doctor"], made["institution"], made["order"]) == ("林医生", "DH02", ORDER)
    assert fresh.request("GET", answer.headers["location"]).json() == made
    resource = validated(fresh.request("GET", made["provenance"]).json())
    assert resource["target"] == [{"reference": "DiagnosticReport/1/_history/2"}]
    assert resource["activity"]["coding"][0]["code"] == "recognised"
    assert resource["agent"][0]["who"]["display"] == "林医生"
    for target, total in (
        ("DiagnosticReport/1", 1),
        ("DiagnosticReport/1/_history/2", 1),
        (f"{fresh.address}/fhir/R4/DiagnosticReport/1/_history/2", 1),
        ("DiagnosticReport/1/_history/1", 0),
        ("DiagnosticReport/2", 0),
    ):
        page = validated(fresh.found(f"Provenance?target={target}"))
        assert page["total"] == total, target
    assert bundle.resources(fresh.found("Provenance?patient=Patient/1"))[0]["id"] == str(made["id"])
    assert validated(fresh.found(f"Provenance/{made['id']}/_history"))["total"] == 1


def test_a_refusal_carries_a_reason_of_the_list_in_force(fresh: Served) -> None:
    answer = decide(fresh, decision="not-recognised", reason="01", report="DiagnosticReport/1")
    assert answer.status_code == 201, answer.text
    reasons = fresh.request("GET", "/recognition/reasons").json()
    assert answer.json()["reasons_version"] == reasons["version"]
    resource = validated(fresh.request("GET", answer.json()["provenance"]).json())
    told = resource["reason"][0]["coding"][0]
    assert (told["code"], told["version"]) == ("01", reasons["version"])
    assert told["display"] == next(each["zh"] for each in reasons["reasons"] if each["code"] == "01")


def test_decisions_are_listed_newest_first(fresh: Served) -> None:
    ids = [decide(fresh, decision="not-recognised", reason=reason).json()["id"] for reason in ("01", "04")]
    for query in ("report=1", "report=DiagnosticReport/1&version=2", "patient=1", "patient=Patient/1"):
        listed = fresh.request("GET", f"/recognition/decisions?{query}").json()
        assert [each["id"] for each in listed] == ids[::-1]
    assert fresh.request("GET", "/recognition/decisions?report=1&version=1").json() == []


@pytest.mark.parametrize(
    ("said", "status", "category", "where"),
    [
        ({"institution": "CHC01"}, 403, "forbidden", "institution"),
        ({"report": 999}, 404, "not-found", "report"),
        ({"version": 99}, 404, "not-found", "report"),
        ({"version": 1}, 409, "conflict", "version"),
        ({"decision": "not-recognised"}, 400, "invalid", "reason"),
        ({"decision": "not-recognised", "reason": "77"}, 400, "invalid", "reason"),
        ({"decision": "maybe"}, 400, "invalid", "body.decision"),
        ({"report": "Patient"}, 400, "invalid", "body.report"),
        ({"report": 2**70}, 400, "invalid", "body.report"),
        ({"version": 0}, 400, "invalid", "body.version"),
        ({"order": {"colour": "red"}}, 400, "invalid", "body.order.colour"),
        ({"mood": "good"}, 400, "invalid", "body.mood"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_the_place_is_named(
    hub: Served, said: dict[str, Any], status: int, category: str, where: str
) -> None:
    answer = decide(hub, **said)
    told = answer.json()
    assert (answer.status_code, told["category"], told["where"]) == (status, category, where)


def test_a_refusal_never_repeats_what_was_sent(hub: Served) -> None:
    assert "王芳" not in decide(hub, decision="王芳", report="王芳").text


@pytest.mark.parametrize(
    ("account", "status"), [("", 401), ("technician", 403), ("quality", 403), ("admin", 403), ("auditor", 403)]
)
def test_only_who_treats_decides(hub: Served, account: str, status: int) -> None:
    institution = "CHC01" if account == "technician" else "BUREAU" if account == "auditor" else "DH02"
    assert decide(hub, account, institution=institution).status_code == status


@pytest.mark.parametrize("query", ["", "?version=1", "?report=1&colour=red", "?report=x"])
def test_a_list_says_whose_decisions_it_wants(hub: Served, query: str) -> None:
    assert hub.request("GET", f"/recognition/decisions{query}").status_code == 400


@pytest.mark.parametrize("path", ["decisions?report=1", "decisions/1", "reasons"])
def test_without_a_token_no_decision_is_told(hub: Served, path: str) -> None:
    answer = hub.request("GET", f"/recognition/{path}", "")
    assert (answer.status_code, answer.json()["category"]) == (401, "forbidden")


def test_a_decision_that_is_not_there(hub: Served) -> None:
    assert hub.request("GET", "/recognition/decisions/999").status_code == 404
