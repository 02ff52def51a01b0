"""A critical, an emergency, an unmatched, an out-of-quality and a preliminary result, sent over MLLP by laboratories.

Whatever door a clinician or program asks at, none of them is ever suggested; what is sound is.
"""

import datetime as dt
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from stdnum.cn import ric

from hub import app
from hub.settings import Settings
from schemas.quality import Standing
from storage import accounts, organizations
from tests.journeys.messages import Mllp
from tests.portal.conftest import Person

from .conftest import TECHNICIAN, District
from .hooks_client import PATIENT, HooksClient, draft
from .laboratories import DOCTOR, HB, NA, WBC, K, message, passed, register

pytestmark = pytest.mark.xdist_group("never-suggested")

PASSWORD = "horse battery"
ITEM, REUSE = "L-718-7", "互认，不再开单"
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Case:
    """What a laboratory sends of haemoglobin, and the order. rule: what decides; badge: what the timeline says."""

    rule: str
    said: Mapping[str, Any]
    encounter: str = "AMB"
    context: str = ""
    badge: str = ""
    sender: str = "CHC01"


NEVER = {
    **{
        f"critical {mark}": Case("not-critical", {"flag": mark}, badge="危急值")
        for mark in ("LL", "HH", "AA", "LU", "HU", "C", "L*", "危急值", "危急值(低)")
    },
    "preliminary": Case("status-settled", {"status": "P"}, badge="初步"),
    "unmatched": Case("identity-certain", {}, badge="身份存疑"),
    "out of quality": Case("quality-passed", {}, sender="CHC02"),
    "emergency order": Case("no-emergency", {}, encounter="EMER"),
    "urgent order": Case("no-emergency", {}, context="emergency"),
}
SOUND = Case("", {})
CASES = NEVER | {"sound": SOUND}
NUMBERS = {name: number for number, name in enumerate(CASES, 1)}


def resident(number: int) -> str:
    """An identity number of a region that does not exist, with its check digit."""
    body = f"99010119680412{number:03d}"
    return body + ric.calc_check_digit(body + "0")


@dataclass
class Ward:
    """The hub, with a patient for each case; and a doctor before a browser."""

    district: District
    doctor: Person

    def patient(self, name: str) -> int:
        (found,) = self._fhir(f"Patient?identifier=P{NUMBERS[name]}", name)
        return int(found["id"])

    def _fhir(self, query: str, name: str) -> list[dict[str, Any]]:
        answer = self.district.program().get(f"/fhir/R4/{query}")
        assert answer.status_code == 200, (name, answer.text)
        found = [each["resource"] for each in answer.json().get("entry", ())]
        return [each for each in found if each["resourceType"] == query.split("?")[0]]

    def report(self, name: str) -> dict[str, Any]:
        found = self._fhir(f"DiagnosticReport?patient={self.patient(name)}", name)
        (report,) = (each for each in found if f"N{NUMBERS[name]}" in str(each["identifier"]))
        return report

    def hooks(self, name: str) -> HooksClient:
        who = {"system": "urn:oid:2.16.156.10011.1.3", "value": resident(2 * NUMBERS[name])}
        return HooksClient(self.district.program(), PATIENT | {"identifier": [who]}, CASES[name].encounter)


def pid(name: str) -> str:
    return f"PID|1||P{NUMBERS[name]}^^^CHC01^MR~{resident(2 * NUMBERS[name])}^^^^NI||王芳||19680412|F"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("ward")
    shutil.copy(migrated_sqlite, folder / "hub.db")
    with app.running(Settings(data=folder, http_port=0, mllp_port=0), {"web", "mllp"}) as hub:
        register(hub.verbs.database)
        passed(hub.verbs.database, ("CHC02", ITEM), standing=Standing.FAILED)
        with hub.verbs.database.write() as tx:
            for code in ("CHC01", "CHC02"):
                organizations.put_source(tx, code, code, code)
            accounts.put_account(tx, TECHNICIAN, "nobody signs in")
        hub.verbs.access.put_account(DOCTOR, PASSWORD)
        line = Mllp(hub.port("mllp"))
        for name, case in CASES.items():
            sent = message(
                {HB: "128"}, number=f"N{NUMBERS[name]}", sender=case.sender, age=HOUR, pid=pid(name), **case.said
            )
            assert b"MSA|AA" in line.send(sent), name
        other = f"PID|1||Q9^^^CHC02^MR~{resident(2 * NUMBERS['unmatched'])}^^^^NI||李方||19700101|F"
        assert b"MSA|AA" in line.send(message({NA: "140"}, number="OTHER", sender="CHC02", pid=other))
        line.close()
        district = District(hub)
        with httpx.Client(base_url=district.address, timeout=30, trust_env=False) as browser:
            doctor = Person(browser)
            assert doctor.sign_in("clinician", PASSWORD).status_code == 303
            yield Ward(district, doctor)
        district.close()


def verdict(ward: Ward, name: str, code: str = ITEM) -> dict[str, Any]:
    case = CASES[name]
    order: dict[str, Any] = {"code": code, "setting": "emergency" if case.encounter == "EMER" else "outpatient"}
    if case.context:
        order["contexts"] = [case.context]
    (answer,) = ward.district.verdicts(order, patient=ward.patient(name))
    return answer


def page(ward: Ward, name: str, item: str = ITEM) -> str:
    case = CASES[name]
    setting = "emergency" if case.encounter == "EMER" or case.context else "outpatient"
    answer = ward.doctor.get(f"/patients/{ward.patient(name)}/ordering?setting={setting}&item={item}")
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("name", NEVER)
def test_the_verdict_names_the_reason(ward: Ward, name: str) -> None:
    answer = verdict(ward, name)
    assert (answer["advice"], answer["covered"]) == ("not-suggested", False)
    (found,) = answer["items"][0]["results"]
    assert (found["advice"], found["rule"]) == ("not-suggested", CASES[name].rule)


@pytest.mark.parametrize("name", NEVER)
def test_no_panel_is_covered_by_it(ward: Ward, name: str) -> None:
    answer = verdict(ward, name, "P-CBC")
    assert not answer["covered"]
    told = [each for member in answer["items"] for each in (*member["results"], *member.get("near", ()))]
    assert {each["advice"] for each in told} <= {"not-suggested"}


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("name", NEVER)
def test_no_card_tells_an_ordering_system_to_reuse_it(ward: Ward, name: str, hook: str) -> None:
    urgent: dict[str, Any] = {"priority": "stat"} if CASES[name].context else {}
    assert ward.hooks(name).cards(hook, draft(HB, **urgent)) == []


@pytest.mark.parametrize("name", NEVER)
def test_the_page_before_ordering_offers_no_reuse(ward: Ward, name: str) -> None:
    text = page(ward, name)
    assert REUSE not in text
    assert "不建议互认" in text


@pytest.mark.parametrize("name", NEVER)
def test_the_timeline_and_the_report_show_what_is_wrong_and_choose_nothing(ward: Ward, name: str) -> None:
    timeline = ward.doctor.get(f"/patients/{ward.patient(name)}").text
    report = ward.doctor.get(f"/reports/{ward.report(name)['id']}").text
    for text in (timeline, report):
        assert CASES[name].badge in text
        assert "可以互认" not in text
        assert REUSE not in text
    assert not re.search(r'value="recognised"[^>]*checked', report)
    assert ("option-plain" in report) == ("order" not in name)  # what is ordered is not known on that page
    assert ("未通过室间质评" in report) == (name == "out of quality")
    if name == "unmatched":
        assert re.search(r'value="recognised"[^>]*disabled', report)


@pytest.mark.parametrize("name", NEVER)
def test_fhir_says_what_is_wrong_and_nothing_of_reuse(ward: Ward, name: str) -> None:
    report = ward.report(name)
    assert "reusable" not in str(report)
    assert report["status"] == ("preliminary" if name == "preliminary" else "final")
    tags = {each["code"] for each in report["meta"].get("tag", ())}
    assert ("doubtful" in tags) == (name == "unmatched")
    if name.startswith("critical"):
        reference = report["result"][0]["reference"]
        told = ward.district.program().get(f"/fhir/R4/{reference}").json()["interpretation"]
        assert told


def test_nobody_recognises_what_may_be_another_persons(ward: Ward) -> None:
    new = {"report": ward.report("unmatched")["id"], "version": 1, "institution": "DH02", "decision": "recognised"}
    assert ward.district.program().post("/recognition/decisions", json=new).status_code == 409


def test_what_is_sound_is_suggested_at_every_door(ward: Ward) -> None:
    """Else all that stands above would hold of a hub that suggests nothing."""
    assert verdict(ward, "sound")["advice"] == "reusable"
    for hook in ("order-select", "order-sign"):
        assert len(ward.hooks("sound").cards(hook, draft(HB))) == 1
    assert REUSE in page(ward, "sound")
    assert not verdict(ward, "sound", f"L-{K}")["covered"]
    assert not verdict(ward, "sound", f"L-{WBC}")["covered"]
