"""`POST /recognition/verdicts`: plain JSON for whoever writes their own client."""

import datetime as dt

import pytest

from .conftest import District
from .laboratories import HB, NA, RESIDENT, K, message


def test_every_rule_comes_with_the_verdict_and_the_versions_that_it_rests_on(district: District) -> None:
    district.send(message({HB: "128"}))
    (answer,) = district.verdicts({"code": "L-718-7", "setting": "outpatient", "number": "O1"})
    assert (answer["number"], answer["name"], answer["advice"], answer["covered"]) == (
        "O1",
        "血红蛋白",
        "reusable",
        True,
    )
    (found,) = answer["items"][0]["results"]
    assert (found["value"], found["unit"], found["issuer_name"]) == ("128", "g/L", "机构CHC01")
    assert found["rule"] == "still-valid"
    assert len(found["findings"]) == 31
    assert all(each["zh"] and each["en"] for each in found["findings"])
    assert found["evidence"]["report"] == "DiagnosticReport/1/_history/1"
    assert found["evidence"]["quality"].startswith("CHC01/L-718-7/")


def test_many_orders_are_answered_in_their_order(district: District) -> None:
    district.send(message({HB: "128", K: "4.1"}))
    orders = [
        {"system": "http://loinc.org", "code": K, "setting": "inpatient"},
        {"display": "血红蛋白", "setting": "outpatient"},
        {"display": "会诊费", "setting": "outpatient"},
        {"code": "L-2951-2", "setting": "outpatient"},
    ]
    answers = district.verdicts(*orders)
    assert [each["item"] for each in answers] == ["L-2823-3", "L-718-7", "", "L-2951-2"]
    advices = ["reusable-with-caution", "reusable", "not-suggested", "not-suggested"]
    assert [each["advice"] for each in answers] == advices


def test_the_patient_is_named_by_id_reference_or_number(district: District) -> None:
    district.send(message({HB: "128"}))
    order = {"code": "L-718-7", "setting": "outpatient"}
    by_number = {"patient": None, "identifier": {"system": "urn:oid:2.16.156.10011.1.3", "value": RESIDENT}}
    told = [
        district.verdicts(order),
        district.verdicts(order, patient="Patient/1"),
        district.verdicts(order, **by_number),
    ]
    assert [each[0]["covered"] for each in told] == [True, True, True]


def test_an_unknown_patient_and_one_without_results_look_alike(district: District) -> None:
    district.send(message({HB: "128"}))
    order = {"code": "L-2951-2", "setting": "outpatient"}
    assert district.verdicts(order, patient=999) == district.verdicts(order)


def test_a_window_runs_from_sampling_although_it_was_reported_just_now(district: District) -> None:
    district.send(message({NA: "140"}, age=dt.timedelta(days=8)))
    (answer,) = district.verdicts({"code": "L-2951-2", "setting": "outpatient"})
    assert (answer["covered"], answer["items"][0]["results"][0]["rule"]) == (False, "still-valid")


@pytest.mark.parametrize(
    "asked",
    [
        {"orders": [{"code": "P-CBC"}]},
        {"patient": 1, "orders": []},
        {"patient": 1, "orders": [{}]},
        {"patient": 1, "orders": [{"code": "P-CBC", "setting": "space"}]},
        {"patient": 1, "orders": [{"code": "P-CBC", "contexts": ["holiday"]}]},
        {"patient": 1, "identifier": {"system": "a", "value": "b"}, "orders": [{"code": "P-CBC"}]},
        {"patient": 1, "orders": [{"code": "P-CBC"}], "at": "2020-01-01"},
    ],
    ids=str,
)
def test_a_question_that_is_none_is_refused(district: District, asked: dict[str, object]) -> None:
    assert district.program().post("/recognition/verdicts", json=asked).status_code == 400


def test_who_decides_nothing_is_advised_of_nothing(district: District) -> None:
    asked = {"patient": 1, "orders": [{"code": "P-CBC"}]}
    assert district.program("").post("/recognition/verdicts", json=asked).status_code == 401
    for account in ("technician", "quality"):
        assert district.program(account).post("/recognition/verdicts", json=asked).status_code == 403
