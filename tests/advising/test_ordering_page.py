"""The page before ordering: what a doctor sees, decides, and is never led to."""

import datetime as dt
import re
from collections.abc import Iterator

import httpx
import pytest

from schemas.disclosure import Principal, Role
from tests.portal.conftest import Person

from .conftest import QUALITY, District
from .laboratories import DOCTOR, HB, NA, WBC, K, message, passed
from .test_hooks import NEVER

PASSWORD = "horse battery"
REUSE = "互认，不再开单"


@pytest.fixture
def doctor(district: District) -> Iterator[Person]:
    district.hub.verbs.access.put_account(DOCTOR, PASSWORD)
    with httpx.Client(base_url=district.address, timeout=30, trust_env=False) as client:
        person = Person(client)
        assert person.sign_in(Role.CLINICIAN, PASSWORD).status_code == 303
        yield person


def page(doctor: Person, *items: str, setting: str = "outpatient", more: str = "") -> str:
    asked = "&".join([f"setting={setting}", *(f"item={each}" for each in items)])
    answer = doctor.get(f"/patients/1/ordering?{asked}{more}")
    assert answer.status_code == 200, answer.text
    return answer.text


def decide(doctor: Person, text: str, choice: str, **more: str) -> httpx.Response:
    found = {name: field_value(text, name) for name in ("rests_on", "item", "display", "setting")}
    return doctor.send("/patients/1/ordering/decisions", choice=choice, **found, **more)


def field_value(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]


def test_what_exists_is_shown_with_a_verdict_in_plain_words(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}, number="F1", age=dt.timedelta(days=3)))
    district.send(message({HB: "131"}, number="F2", age=dt.timedelta(days=1)))
    text = page(doctor, "L-718-7", "L-2951-2")
    assert "可以互认" in text
    assert "在互认时限内：距采样" in text
    assert "机构CHC01" in text
    assert "采样时室间质评合格" in text
    assert re.search(r"128</span> → <span[^>]*>131", text)
    assert "没有既往结果" in text


def test_nobody_of_this_number_has_no_page(doctor: Person) -> None:
    assert doctor.get("/patients/1/ordering?item=P-CBC").status_code == 404


def test_a_setting_stays_and_an_emergency_does_not(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    assert "您在什么场景下开单" in doctor.get("/patients/1/ordering?item=L-718-7").text
    assert REUSE in page(doctor, "L-718-7")
    assert REUSE in doctor.get("/patients/1/ordering?item=L-718-7").text  # as said before
    assert REUSE not in page(doctor, "L-718-7", setting="emergency")
    assert "您在什么场景下开单" in doctor.get("/patients/1/ordering?item=L-718-7").text


def test_one_click_reuses_and_the_words_for_the_record_are_ready(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    text = page(doctor, "L-718-7")
    answer = decide(doctor, text, "recognised")
    assert answer.status_code == 200
    assert "已记录" in answer.text
    assert "予以互认" in answer.text
    (made,) = district.program().get("/recognition/decisions?report=1").json()
    assert (made["decision"], made["item"], made["advice"]) == ("recognised", "L-718-7", "reusable")
    told = {name: value for name, value in made["order"].items() if value}
    assert told == {"code": "L-718-7", "display": "血红蛋白", "setting": "outpatient"}


def test_a_repeat_needs_its_reason_and_monitoring_a_diagnosis(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    text = page(doctor, "L-718-7")
    assert "note-bad" in decide(doctor, text, "").text
    assert "note-bad" in decide(doctor, text, "99").text
    assert "已记录" in decide(doctor, text, "99", diagnosis="I50.9").text
    assert "已记录" in decide(doctor, text, "03").text
    made = district.program().get("/recognition/decisions?report=1").json()
    assert [each["reason"] for each in made] == ["03", "99"]


def test_a_panel_of_two_reports_is_one_decision_about_each(district: District, doctor: Person) -> None:
    passed(district.hub.verbs.database, ("CHC01", "L-2075-0"))
    district.send(message({NA: "140"}, number="F1"))
    district.send(message({K: "4.1", "2075-0": "101"}, number="F2"))
    text = page(doctor, "P-ELEC")
    assert "可以互认，请留意" in text
    assert "3 项中有 3 项可用" in text
    decide(doctor, text, "recognised")
    made = district.program().get("/recognition/decisions?patient=1").json()
    assert sorted(each["report"] for each in made) == [1, 2]


def test_items_are_found_by_initials_name_code_and_other_names(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    for typed, code in (("xcg", "P-CBC"), ("血常规", "P-CBC"), ("xuechanggui", "P-CBC"), ("2823-3", "L-2823-3"),
                        ("xbct", "R-CT-CHEST"), ("haemoglobin", "L-718-7"), ("HbA1c", "L-4548-4")):  # fmt: skip
        text = doctor.piece(f"/patients/1/ordering/items?setting=outpatient&q={typed}").text
        assert f">{code}</span>" in text, typed
    assert "目录外" in doctor.piece("/patients/1/ordering/items?setting=outpatient&q=qqqq").text


def test_a_report_of_somebody_else_cannot_be_slipped_in(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    other = "PID|1||P2^^^CHC01^MR||李强||19700101|M"
    district.send(message({HB: "140"}, number="F2", pid=other))
    text = page(doctor, "L-718-7").replace('value="1:1"', 'value="2:1"')
    assert decide(doctor, text, "recognised").status_code == 404
    for spoilt in ("", "x", "1", "1:1:1", "-1:1", "1:1 x"):
        answer = doctor.send("/patients/1/ordering/decisions", choice="recognised", rests_on=spoilt)
        assert answer.status_code == 400, spoilt
    assert district.program().get("/recognition/decisions?report=2").json() == []


def test_whoever_decides_nothing_is_not_led_here(district: District) -> None:
    district.send(message({WBC: "7"}))
    district.hub.verbs.access.put_account(QUALITY, PASSWORD)
    with httpx.Client(base_url=district.address, timeout=30, trust_env=False) as client:
        person = Person(client)
        person.sign_in("quality", PASSWORD)
        assert "/ordering" not in person.get("/patients/1").text
        assert person.get("/patients/1/ordering").status_code == 403


def test_the_way_here_is_on_the_patients_page_and_after_the_search(district: District, doctor: Person) -> None:
    district.send(message({HB: "128"}))
    assert 'href="/patients/1/ordering"' in doctor.get("/patients/1").text
    assert 'href="/patients/1/ordering"' in doctor.get("/patients?q=王芳").text


@pytest.mark.parametrize("name", NEVER)
def test_the_page_never_leads_to_reuse_of_it(district: District, doctor: Person, name: str) -> None:
    prepare, setting, _ = NEVER[name]
    prepare(district)
    text = page(doctor, "L-718-7", setting=setting)
    assert REUSE not in text
    assert "不建议互认" in text


def test_whoever_keeps_identities_says_that_the_contested_report_is_right(district: District, doctor: Person) -> None:
    NEVER["said to be another's"][0](district)
    access = district.hub.verbs.access
    access.put_account(Principal("admin", "管理员", Role.ADMIN, "DH02"), PASSWORD)
    with httpx.Client(base_url=district.address, timeout=30, trust_env=False) as client:
        clerk = Person(client)
        assert clerk.sign_in(Role.ADMIN, PASSWORD).status_code == 303
        assert "已知报告按身份存疑处理" in clerk.get("/quarantine/2").text
        assert doctor.send("/quarantine/2/keep", reason="我说的").status_code == 403
        assert clerk.send("/quarantine/2/keep", reason="已向检验科核实").status_code == 303
        assert "已知报告按身份存疑处理" not in clerk.get("/quarantine/2").text
    assert REUSE in page(doctor, "L-718-7")
