"""The portal over the hub itself: what a technician uploads is what a clinician reads, and pages agree with verbs."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.data import get_testdata_file

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations

from .conftest import Person

PASSWORD = "horse battery"
RESULT = (
    "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000+0800||ORU^R01^ORU_R01|{message}|P|2.5|||||CHN|UNICODE UTF-8\r"
    "PID|1||P77^^^CHC01^MR||王^芳||19680412|F\r"
    "OBR|1|O{message}|F1|58410-2^血常规^LN|||202611210815+0800|||||||||||||||20261121083000+0800||LAB|{status}\r"
    "OBX|1|NM|718-7^血红蛋白^LN||{value}|g/L|115-150|L|||{status}\r"
    "OBX|2|NM|2823-3^钾^LN||2.6|mmol/L|3.5-5.3|LL|||{status}\r"
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on SQLite and a folder with one account for each role."""
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0)
    with app.running(settings, {"web"}) as made:
        with made.verbs.database.write() as tx:
            kinds = {"CHC01": OrganizationKind.COMMUNITY_CENTRE, "DH1": OrganizationKind.DISTRICT_HOSPITAL}
            for code, kind in kinds.items():
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, kind))
                organizations.put_source(tx, code, code, code)
        for role in (Role.TECHNICIAN, Role.CLINICIAN, Role.ADMIN, Role.AUDITOR, Role.QUALITY):
            code = "CHC01" if role is Role.TECHNICIAN else "DH1"
            made.verbs.access.put_account(Principal(role.value, f"{role.value}先生", role, code), PASSWORD)
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    """Somebody before the hub's sign-in page."""
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        yield Person(client)


def as_role(person: Person, role: Role) -> Person:
    person.client.cookies.clear()
    assert person.sign_in(role, PASSWORD).status_code == 303
    return person


def upload(person: Person, name: str, content: bytes) -> str:
    files = [("files", (name, content))]
    return person.client.post("/upload", data={"csrf": person.csrf}, files=files).text


def test_what_was_uploaded_is_found_read_decided_and_audited(person: Person) -> None:
    technician = as_role(person, Role.TECHNICIAN)
    first = RESULT.format(message="1", value="96", status="F").encode()
    assert "已接收，可供查询。" in upload(technician, "血常规.hl7", first)
    corrected = RESULT.format(message="2", value="98", status="C").encode()
    assert "已接收，可供查询。" in upload(technician, "更正.hl7", corrected)
    picture = Path(str(get_testdata_file("CT_small.dcm", download=False))).read_bytes()
    assert "已接收，可供查询。" in upload(technician, "CT.dcm", picture)
    assert "无法" in upload(technician, "坏.dcm", b"\0" * 128 + b"DICM" + b"\0" * 40)
    assert technician.get("/upload").text.count("<tr>") >= 4

    clinician = as_role(person, Role.CLINICIAN)
    for text in ("王芳", "wf", "P77"):
        found = clinician.client.get("/patients", params={"q": text}).text
        assert 'href="/patients/1"' in found, text
    timeline = clinician.get("/patients/1").text
    assert "血常规" in timeline
    assert "钾 2.6 ↓↓" in timeline
    assert "已更正" in timeline
    report = clinician.get("/reports/1").text
    assert "11-21 08:15" in report
    assert "机构CHC01" in report
    assert ">98<" in report
    assert ">96<" in clinician.get("/reports/1?version=1").text
    assert "血红蛋白" in clinician.piece("/reports/1/trend?code=718-7&system=http://loinc.org&unit=g/L").text
    assert clinician.get("/reports/1/original").content == corrected
    assert clinician.get("/reports/1/original?version=1").content == first

    refused = clinician.send("/reports/1/decisions", version="2", choice="03", comment="术前")
    assert refused.status_code == 303
    assert "术前" in clinician.get("/reports/1").text
    assert "该报告已有新版本" in clinician.send("/reports/1/decisions", version="1", choice="recognised").text

    quality = as_role(person, Role.QUALITY)
    assert "术前" in quality.get("/decisions").text

    auditor = as_role(person, Role.AUDITOR)
    trail = auditor.get("/audit?account=clinician").text
    for words in ("DiagnosticReport/1", "互认决定", "检索", "下载", "登录"):
        assert words in trail


def test_an_image_comes_with_the_session_of_the_page(person: Person) -> None:
    technician = as_role(person, Role.TECHNICIAN)
    upload(technician, "CT.dcm", Path(str(get_testdata_file("CT_small.dcm", download=False))).read_bytes())
    clinician = as_role(person, Role.CLINICIAN)
    found = clinician.client.get("/patients", params={"q": "1CT1"}).text
    patient = found.partition('href="/patients/')[2].partition('"')[0]
    line = clinician.get(f"/patients/{patient}").text
    page = clinician.get("/reports/" + line.partition('href="/reports/')[2].partition('"')[0]).text
    frame = page.partition("[&#34;")[2].partition("&#34;]")[0]
    picture = clinician.get(frame)
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")
    assert clinician.get(f"{frame}?window=-600,1500,linear").content != picture.content
    person.client.cookies.clear()
    assert person.get(frame).status_code == 401


def test_a_cart_s_recording_is_drawn(person: Person) -> None:
    technician = as_role(person, Role.TECHNICIAN)
    cart = Path(str(get_testdata_file("waveform_ecg.dcm", download=False))).read_bytes()
    receipt = upload(technician, "心电.dcm", cart)
    address = "/reports/" + receipt.partition('href="/reports/')[2].partition('"')[0]
    page = as_role(person, Role.CLINICIAN).get(f"{address}/ecg/paper")
    assert page.text.count("<svg xmlns") == 1
    for lead in ("aVR", "V1", "V6"):
        assert f">{lead}<" in page.text


def test_what_cannot_be_read_waits_for_an_administrator(person: Person) -> None:
    technician = as_role(person, Role.TECHNICIAN)
    upload(technician, "坏.hl7", b"MSH|^~\\&|LIS|CHC01|HUB|DX|20261121||ORU^R01|9|P|2.5\rPID|1\r")
    admin = as_role(person, Role.ADMIN)
    listed = admin.get("/quarantine").text
    address = "/quarantine/" + listed.partition('href="/quarantine/')[2].partition('"')[0]
    page = admin.get(address).text
    assert "MSH|^~\\&amp;|LIS" in page
    again = admin.send(f"{address}/replay")
    assert again.status_code in {200, 303}
    assert address in admin.get("/quarantine").text
    assert admin.get("/doubts").status_code == 200
