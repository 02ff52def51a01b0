"""What laboratories send over MLLP and what a clinician then reads: versions, critical values, ranges, trends."""

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.codes import Coding
from schemas.disclosure import Principal, Role
from schemas.mapping import MappingKind
from schemas.organization import Organization, OrganizationKind
from storage import mappings, organizations
from tests.journeys.messages import Mllp

PASSWORD = "horse battery"
_TAG = re.compile(r"<[^>]+>")


@dataclass
class Ward:
    """A running hub, a sender's line to it, and a clinician before it."""

    hub: Hub
    program: httpx.Client
    browser: httpx.Client
    uploader: httpx.Client

    def take(self, *messages: bytes) -> None:
        line = Mllp(self.hub.port("mllp"))
        try:
            for each in messages:
                answer = line.send(each)
                assert b"MSA|AA" in answer, answer
        finally:
            line.close()

    def ask(self, path: str) -> dict[str, Any]:
        answer = self.program.get(f"/fhir/R4/{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def report(self, number: str) -> dict[str, Any]:
        (entry,) = self.ask(f"DiagnosticReport?identifier={number}")["entry"]
        return dict(entry["resource"])

    def result(self, number: str) -> dict[str, Any]:
        (reference,) = self.report(number)["result"]
        return self.ask(reference["reference"])

    def history(self, number: str) -> list[dict[str, Any]]:
        """Every version of a report, the first one first."""
        entries = self.ask(f"DiagnosticReport/{self.report(number)['id']}/_history")["entry"]
        return [each["resource"] for each in reversed(entries)]

    def page(self, number: str, part: str = "") -> str:
        answer = self.browser.get(f"/reports/{self.report(number)['id']}{part}")
        assert answer.status_code == 200
        return answer.text


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Ward]:
    """A hub on the embedded stores; its tests send patients and orders of their own."""
    folder = tmp_path_factory.mktemp("ward")
    shutil.copy(migrated_sqlite, folder / "hub.db")
    with app.running(Settings(data=folder, http_port=0, mllp_port=0), {"web", "mllp"}) as hub:
        with hub.verbs.database.write() as tx:
            for code in ("XZWSY", "CHC01", "CHC02", "DH1"):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        access = hub.verbs.access
        access.put_account(Principal("clinician", "林医生", Role.CLINICIAN, "DH1"), PASSWORD)
        access.put_account(Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01"), PASSWORD)
        bearer = {each: {"Authorization": f"Bearer {access.issue_token(each)}"} for each in ("clinician", "technician")}
        cookie = {"dxhub_session": access.sign_in("clinician", PASSWORD, "127.0.0.1").token}
        address = f"http://127.0.0.1:{hub.port('web')}"
        with (
            httpx.Client(base_url=address, headers=bearer["clinician"], timeout=30) as program,
            httpx.Client(base_url=address, cookies=cookie, timeout=30) as browser,
            httpx.Client(base_url=address, headers=bearer["technician"], timeout=30) as uploader,
        ):
            yield Ward(hub, program, browser, uploader)


def oru(
    number: str, *obx: str, patient: str = "", facility: str = "CHC01", status: str = "F", day: int = 20, sex: str = "F"
) -> bytes:
    """A result of one order, issued at eleven on a day of November."""
    at = f"202611{day}110000+0800"
    lines = [
        f"MSH|^~\\&|LIS|{facility}|DXHUB||{at}||ORU^R01^ORU_R01|{number}{status}{day}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{patient or number}^^^CITY^MR||王芳||19800101|{sex}",
        f"OBR|1|P{number}|{number}|CHEM^生化^L|||202611{day}080000+0800|||||||||||||||{at}||LAB|{status}",
        *(f"OBX|{n}|{each}" for n, each in enumerate(obx, 1)),
    ]
    return "\r".join(lines).encode() + b"\r"


def words(page: str) -> str:
    """A page as it is read: without its marks."""
    return " ".join(_TAG.sub(" ", page).split())


def three(samples: Path) -> list[bytes]:
    content = (samples / "hl7" / "cn" / "09_final_corrected_cancelled.mllp").read_bytes()
    found = [each.strip(b"\x0b\r") + b"\r" for each in content.split(b"\x1c\r") if each.strip(b"\x0b\r")]
    assert len(found) == 3
    return found


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 1, 0, 2, 1, 2)])
def test_final_corrected_cancelled_are_three_versions_in_whatever_order_they_come(
    ward: Ward, samples: Path, order: tuple[int, ...]
) -> None:
    tail = "".join(map(str, order))
    number, own = f"LIS{tail}", f"{tail}".encode()
    said = [each.replace(b"20250115001", own).replace(b"MSG0009", own) for each in three(samples)]
    ward.take(*(said[n] for n in order))
    history = {each["status"]: each for each in ward.history(number)}
    assert history.keys() == {"final", "corrected", "cancelled"}
    assert ward.report(number)["status"] == "cancelled"
    assert ward.result(number)["status"] == "cancelled"
    values = {
        status: each["contained"][0]["valueQuantity"]["value"]
        for status, each in history.items()
        if "contained" in each
    }
    assert values["corrected"] == 128
    assert "出具机构已撤回本报告" in words(ward.page(number))


def test_three_versions_in_one_uploaded_file(ward: Ward, samples: Path) -> None:
    content = b"".join(
        b"\x0b" + each.replace(b"LIS20250115001", b"UP1").replace(b"REQ20250115001", b"UPREQ") + b"\x1c\r"
        for each in three(samples)
    )
    answer = ward.uploader.post("/deliveries", files=[("file", ("09.mllp", content))])
    assert answer.json()["receipts"][0]["state"] == "indexed", answer.text
    assert [each["status"] for each in ward.history("UP1")] == ["final", "corrected", "cancelled"]


def test_what_arrived_late_is_read_as_such(ward: Ward) -> None:
    ward.take(oru("L1", "NM|K^钾^L||5.1|mmol/L|||||F", day=21), oru("L1", "NM|K^钾^L||4.9|mmol/L|||||C", status="C"))
    page = words(ward.page("L1"))
    assert "5.1" in page
    assert "迟到" in page
    assert "第 2 版迟到：其签发早于当前版本。" in words(ward.page("L1", "?version=2"))


def test_a_correction_of_one_result_leaves_the_others_on_the_page_and_says_so(ward: Ward) -> None:
    ward.take(
        oru("C1", "NM|K^钾^L||5.1|mmol/L|||||F", "NM|NA^钠^L||140|mmol/L|||||F"),
        oru("C1", "NM|K^钾^L||4.1|mmol/L|||||C", status="C", day=21),
    )
    page = words(ward.page("C1"))
    assert re.search(r"钾 K 已更正 4\.1", page)
    assert re.search(r"钠 NA 沿用前次 140", page)
    results = [ward.ask(each["reference"]) for each in ward.report("C1")["result"]]
    assert [each["valueQuantity"]["value"] for each in results] == [4.1, 140]


def test_critical_values_stand_first(ward: Ward) -> None:
    ward.take(oru("CR1", "NM|NA^钠^L||140|mmol/L|135-145|N|||F", "NM|K^钾^L||6.9|mmol/L|3.5-5.3|危急值|||F"))
    page = words(ward.page("CR1"))
    assert page.index("危急值 钾 6.9 mmol/L") < page.index("钠 NA")
    (_, potassium) = (ward.ask(each["reference"]) for each in ward.report("CR1")["result"])
    assert potassium["interpretation"][0]["coding"][0]["code"] == "AA"


def test_the_part_of_a_range_that_holds_for_the_patient_is_pointed_out(ward: Ward) -> None:
    ward.take(oru("R1", "NM|HGB^血红蛋白^L||120|g/L|男:130-175 女:115-150||||F"))
    page = ward.page("R1")
    assert re.search(r'range range-own">女:115-150', page)
    assert re.search(r'range">男:130-175', page)
    assert [each["text"] for each in ward.result("R1")["referenceRange"]] == ["男:130-175", "女:115-150"]


@pytest.mark.parametrize(
    ("obx", "element", "shown"),
    [
        ("SN|T^梅毒滴度^L||^1^:^128|||||||F", "valueRatio", "1:128"),
        ("SN|E^上皮细胞^L||^2^-^4|/HP||||||F", "valueRange", "2–4"),
        ("SN|H^HCG^L||>^10000|mIU/mL||||||F", "valueQuantity", ">10000"),
        ("DT|L^末次月经^L||20261101|||||||F", "valueDateTime", "2026-11-01"),
        ("CWE|G^基因型^L||1b^1b 型^L|||||||F", "valueCodeableConcept", "1b 型"),
        ("NM|W^白细胞^L||***.*|10*9/L||||||F", "valueString", "***.*"),
    ],
)
def test_each_value_is_read_as_what_it_is(ward: Ward, obx: str, element: str, shown: str) -> None:
    number = f"V{element}"
    ward.take(oru(number, obx))
    assert element in ward.result(number)
    assert shown in ward.page(number).replace("&gt;", ">")


def test_a_trend_joins_what_may_be_compared_and_shows_the_rest_beside_it(ward: Ward) -> None:
    glucose = "NM|14749-6^葡萄糖^LN||{}|{}||||||F||||||{}"
    ward.take(
        oru("T1", glucose.format("5.1", "mmol/L", ""), patient="T", day=20),
        oru("T2", glucose.format("4900", "μmol/L", ""), patient="T", facility="CHC02", day=19),
        oru("T3", glucose.format("92", "mg/dL", ""), patient="T", facility="CHC02", day=18),
        oru("T4", "NM|GLU^血糖^L||6.0|mmol/L||||||F", patient="T", facility="CHC02", day=17),
    )
    asked = "/trend?code=14749-6&system=http://loinc.org&unit=mmol/L"
    before = words(ward.page("T1", asked))
    assert "共 2 次可比测量" in before
    assert "4.9 原报 4900 μmol/L" in before
    assert "单位不同" in before
    assert "92" in before
    assert "6.0" not in before
    with ward.hub.verbs.database.write() as tx:
        sent = Coding("GLU", "血糖", "urn:dxhub:codes:CHC02")
        concept = Coding("14749-6", "葡萄糖", "http://loinc.org")
        mappings.add(tx, MappingKind.CODE, sent, concept, decided_by="admin", now=dt.datetime.now(dt.UTC))
    assert "共 3 次可比测量" in words(ward.page("T1", asked))
    assert ">3</span>" in ward.page("T4").partition("spark-count")[2][:12]
