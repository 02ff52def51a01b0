"""CDS Hooks from discovery to the ledger, as an ordering system goes; and what it must never be told."""

import csv
import datetime as dt
import io
from typing import Any

import httpx
import pytest

from schemas.disclosure import Role
from schemas.quality import Standing
from tests.portal.conftest import Person

from .conftest import QUALITY, District
from .hooks_client import PATIENT, HooksClient, draft
from .laboratories import HB, NA, RESIDENT, WBC, K, message, passed

HOUR = dt.timedelta(hours=1)
CATALOGUE = "urn:dxhub:catalogue"
NOBODY = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


def test_discovery_is_open_to_browsers_of_every_origin(district: District) -> None:
    answer = district.program("").get("/cds-services", headers={"Origin": "http://his.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    services = answer.json()["services"]
    assert [(each["hook"], each["id"]) for each in services] == [
        ("order-select", "prior-results"),
        ("order-sign", "prior-results"),
    ]
    preflight = district.program("").options("/cds-services/prior-results", headers={"Origin": "http://his.example"})
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


def test_from_discovery_to_the_ledger_and_the_rates(district: District) -> None:
    district.send(message({HB: "128"}))
    district.send(message({WBC: "7.1"}, number="F2"))
    assert rates(district) == {}
    client = HooksClient(district.program())
    reuse, repeat = client.cards("order-sign", draft(HB, "1"), draft(WBC, "2"))
    assert "128 g/L" in reuse["summary"]
    assert "机构CHC01" in reuse["summary"]
    assert reuse["indicator"] == "info"
    assert reuse["suggestions"][0]["actions"][0]["resourceId"] == "ServiceRequest/draft-1"
    reasons = district.program().get("/recognition/reasons").json()["reasons"]
    offered = {each["code"] for each in reasons if not each["needs_diagnosis"]}
    assert {each["code"] for each in repeat["overrideReasons"]} == offered
    accepted = client.feedback(reuse, "accepted").json()["decisions"]
    overridden = client.feedback(repeat, "overridden", "01", "发热两天").json()["decisions"]
    ledger = [district.program().get(f"/recognition/decisions?report={n}").json() for n in (1, 2)]
    listed = {each["id"]: each for each in (*ledger[0], *ledger[1])}
    assert (len(accepted), len(overridden), len(listed)) == (1, 1, 2)
    assert listed[accepted[0]]["decision"] == "recognised"
    assert (listed[accepted[0]]["item"], listed[accepted[0]]["advice"]) == ("L-718-7", "reusable")
    assert listed[overridden[0]]["decision"] == "not-recognised"
    assert (listed[overridden[0]]["reason"], listed[overridden[0]]["comment"]) == ("01", "发热两天")
    assert listed[overridden[0]]["order"]["number"] == "draft-2"
    found = rates(district)
    made = {"可互认结果数": "2", "已互认": "1", "不互认": "1", "按规定不计": "0", "已提醒": "2", "已采纳": "1"}
    shares = {"互认率（占可互认结果）": "50.0", "互认率（占已调阅）": "50.0", "采纳率（占已提醒）": "50.0"}
    assert found == found | made | shares | {"节省费用（元）": "3.00"}  # the catalogue's price of haemoglobin


def rates(district: District) -> dict[str, str]:
    """The line of the doctor's institution in the table that the quality officer takes home."""
    district.hub.verbs.access.put_account(QUALITY, "horse battery")
    with httpx.Client(base_url=district.address, timeout=30, trust_env=False) as client:
        officer = Person(client)
        assert officer.sign_in(Role.QUALITY, "horse battery").status_code == 303
        text = officer.get("/decisions/by_institution.csv").text
    return next(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))), {})


def test_the_same_feedback_twice_decides_once_and_another_outcome_is_a_change_of_mind(district: District) -> None:
    district.send(message({HB: "128"}))
    client = HooksClient(district.program())
    (card,) = client.cards("order-select", draft(HB))
    assert len(client.feedback(card, "accepted").json()["decisions"]) == 1
    assert client.feedback(card, "accepted").json()["decisions"] == []
    assert len(client.feedback(card, "overridden", "03").json()["decisions"]) == 1
    assert [each["decision"] for each in district.program().get("/recognition/decisions?report=1").json()] == [
        "not-recognised",
        "recognised",
    ]


def test_a_card_that_was_only_closed_decides_nothing(district: District) -> None:
    district.send(message({HB: "128"}))
    client = HooksClient(district.program())
    (card,) = client.cards("order-select", draft(HB))
    assert client.feedback(card, "overridden").json() == {"decisions": []}
    assert client.feedback(card, "overridden", "no-such").status_code == 400
    assert district.program().get("/recognition/decisions?report=1").json() == []


def test_feedback_about_a_card_of_somebody_else_is_not_found(district: District) -> None:
    district.send(message({HB: "128"}))
    (card,) = HooksClient(district.program()).cards("order-select", draft(HB))
    for other in ("technician", "quality"):
        assert HooksClient(district.program(other)).feedback(card, "accepted").status_code in (403, 404)
    assert HooksClient(district.program()).feedback(card | {"uuid": NOBODY}, "overridden", "01").status_code == 404


def test_of_order_select_only_what_was_selected_is_answered(district: District) -> None:
    district.send(message({HB: "128", WBC: "7.1"}))
    client = HooksClient(district.program())
    drafts = (draft(HB, "1"), draft(WBC, "2"))
    cards = client.cards("order-select", *drafts, context={"selections": ["ServiceRequest/draft-2"]})
    assert [card["suggestions"][0]["actions"][0]["resourceId"] for card in cards] == ["ServiceRequest/draft-2"]


def test_the_encounter_tells_the_setting(district: District) -> None:
    district.send(message({HB: "128"}, age=dt.timedelta(days=5)))
    assert HooksClient(district.program(), encounter="AMB").cards("order-sign", draft(HB))
    assert not HooksClient(district.program(), encounter="IMP").cards("order-sign", draft(HB))  # three days
    assert not HooksClient(district.program(), encounter="EMER").cards("order-sign", draft(HB))


@pytest.mark.parametrize(
    "more",
    [
        {"priority": "stat"},
        {"reasonCode": [{"coding": [{"system": "urn:dxhub:order-context", "code": "before-operation"}]}]},
        {"reasonCode": [{"coding": [{"system": "urn:dxhub:order-context", "code": "before-transfusion"}]}]},
        {"reasonCode": [{"coding": [{"system": "urn:dxhub:order-context", "code": "forensic"}]}]},
    ],
    ids=str,
)
def test_an_urgent_or_grave_order_gets_no_card(district: District, more: dict[str, Any]) -> None:
    district.send(message({HB: "128"}, age=HOUR))
    client = HooksClient(district.program())
    assert client.cards("order-sign", draft(HB))
    assert not client.cards("order-sign", draft(HB, **more))


def test_continuous_monitoring_is_offered_where_a_diagnosis_was_told(district: District) -> None:
    district.send(message({HB: "128"}))
    client = HooksClient(district.program())
    because = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I50.9"}]}]
    (card,) = client.cards("order-sign", draft(HB, reasonCode=because))
    assert len(client.feedback(card, "overridden", "99").json()["decisions"]) == 1


def test_an_unknown_patient_and_one_without_results_look_alike(district: District) -> None:
    district.send(message({HB: "128"}))
    stranger = PATIENT | {"identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "990101198503074567"}]}
    unknown = HooksClient(district.program(), patient=stranger).call("order-sign", draft(HB))
    nothing = HooksClient(district.program()).call("order-sign", draft(NA))
    assert (unknown.status_code, unknown.content) == (nothing.status_code, nothing.content) == (200, b'{"cards":[]}')


def test_a_number_that_comes_with_another_birth_date_means_nobody(district: District) -> None:
    district.send(message({HB: "128"}))
    mistyped = HooksClient(district.program(), patient=PATIENT | {"birthDate": "1990-01-01"})
    assert mistyped.cards("order-sign", draft(HB)) == []


def test_an_id_is_believed_of_our_own_fhir_service_alone(district: District) -> None:
    district.send(message({HB: "128"}))
    client = HooksClient(district.program())
    client.store["Patient/his-7"] = None  # type: ignore[assignment]
    own = {"patientId": "1"}
    ours = draft(HB, subject={"reference": "Patient/1"})
    assert client.cards("order-sign", ours, context=own, fhirServer=f"{district.address}/fhir/R4")
    for other in ("http://127.0.0.1:9/fhir", "http://169.254.169.254/latest", "file:///etc/passwd", ""):
        answer = client.call("order-sign", ours, context=own, fhirServer=other)
        assert answer.status_code == 412, answer.text


def test_a_draft_of_another_patient_is_refused(district: District) -> None:
    client = HooksClient(district.program())
    answer = client.call("order-sign", draft(HB, subject={"reference": "Patient/other"}))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "spoilt",
    [{"hook": "patient-view"}, {"hookInstance": "1"}, {"context": {"patientId": ""}}, {"context": {"draftOrders": {}}}],
    ids=str,
)
def test_a_call_that_is_none_is_refused(district: District, spoilt: dict[str, Any]) -> None:
    answer = HooksClient(district.program()).call("order-sign", draft(HB), **spoilt)
    assert answer.status_code in (400, 422)


def test_nobody_asks_without_a_token(district: District) -> None:
    client = HooksClient(district.program(""))
    assert client.call("order-sign", draft(HB)).status_code == 401
    assert HooksClient(district.program("technician")).call("order-sign", draft(HB)).status_code == 403


def test_what_a_laboratory_wrote_is_no_markup_in_the_ordering_system(district: District) -> None:
    district.send(message({HB: "128"}).replace(b"g/L|", b"g/L|[x](http://evil)"))
    (card,) = HooksClient(district.program()).cards("order-sign", draft(HB))
    assert "[x](http://evil)" not in card["detail"]
    assert "\\[x\\]" in card["detail"]


def test_a_panel_has_a_card_when_all_of_it_is_there(district: District) -> None:
    passed(district.hub.verbs.database, ("CHC01", "L-2075-0"))
    district.send(message({NA: "140"}, number="F1"))
    client = HooksClient(district.program())
    panel = draft("P-ELEC", system=CATALOGUE)
    assert client.cards("order-sign", panel) == []
    district.send(message({K: "4.1", "2075-0": "101"}, number="F2"))
    (card,) = client.cards("order-sign", panel)
    assert card["indicator"] == "warning"
    assert "3 项齐全" in card["summary"]
    assert len(client.feedback(card, "accepted").json()["decisions"]) == 2  # both reports


# What no interface may ever suggest: (name, what is sent, what happens to quality, the order's own context).
def _critical(district: District) -> None:
    district.send(message({HB: "40"}, flag="LL", age=HOUR))


def _preliminary(district: District) -> None:
    district.send(message({HB: "128"}, status="P", age=HOUR))


def _unmatched(district: District) -> None:
    district.send(message({HB: "128"}, age=HOUR))
    other = f"PID|1||Q9^^^CHC02^MR~{RESIDENT}^^^^NI||王方||19700101|F"
    district.send(message({NA: "140"}, number="F9", sender="CHC02", pid=other), "CHC02")


def _out_of_quality(district: District) -> None:
    district.send(message({HB: "128"}, age=HOUR))
    passed(district.hub.verbs.database, ("CHC01", "L-718-7"), standing=Standing.FAILED)


def _said_to_be_anothers(district: District) -> None:
    """The laboratory corrects a mix-up: the same tube, another patient. It is held, and nobody knows whose it is."""
    district.send(message({HB: "128"}, age=HOUR))
    district.send(message({HB: "128"}, age=HOUR, status="C", pid="PID|1||P7^^^CHC01^MR||赵六||19590102|M"))


def _emergency(district: District) -> None:
    district.send(message({HB: "128"}, age=HOUR))


NEVER = {
    "critical": (_critical, "outpatient", "AMB"),
    "preliminary": (_preliminary, "outpatient", "AMB"),
    "unmatched": (_unmatched, "outpatient", "AMB"),
    "said to be another's": (_said_to_be_anothers, "outpatient", "AMB"),
    "out of quality": (_out_of_quality, "outpatient", "AMB"),
    "emergency": (_emergency, "emergency", "EMER"),
}


@pytest.mark.parametrize("name", NEVER)
def test_no_program_is_ever_told_to_reuse_it(district: District, name: str) -> None:
    prepare, setting, encounter = NEVER[name]
    prepare(district)
    (answer,) = district.verdicts({"code": "L-718-7", "setting": setting})
    assert (answer["advice"], answer["covered"]) == ("not-suggested", False)
    assert all(each["advice"] == "not-suggested" for each in answer["items"][0]["results"])
    for hook in ("order-select", "order-sign"):
        assert HooksClient(district.program(), encounter=encounter).cards(hook, draft(HB)) == []
