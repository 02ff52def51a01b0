"""A final report is taken away: as a PDF from its page and from FHIR, as DICOM from its page and from its study."""

import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import dcmread

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.engines import program
from tests.hub.test_filing import RESULT
from tests.imaging import ct, part10

from .conftest import Person

PASSWORD = "horse battery"
LABORATORY = (
    "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000+0800||ORU^R01^ORU_R01|L1|P|2.5|||||CHN|UNICODE UTF-8\r"
    "PID|1||P77^^^CHC01^MR||王^芳||19680412|F\r"
    "OBR|1|O1|F1|58410-2^血常规^LN|||202611210815+0800|||||||||||||||20261121083000+0800||LAB|{status}\r"
    "OBX|1|NM|718-7^血红蛋白^LN||96|g/L|115-150|L|||{status}\r"
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0)
    with app.running(settings, {"web", "worker"}) as made:
        with made.verbs.database.write() as tx:
            for code in ("CHC01", "DH1"):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        for role, code in ((Role.CLINICIAN, "DH1"), (Role.TECHNICIAN, "CHC01"), (Role.AUDITOR, "DH1")):
            made.verbs.access.put_account(Principal(role.value, f"{role.value}先生", role, code), PASSWORD)
        yield made


@pytest.fixture
def person(hub: Hub) -> Iterator[Person]:
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        yield Person(client)


def as_role(person: Person, role: Role) -> Person:
    person.client.cookies.clear()
    assert person.sign_in(role, PASSWORD).status_code == 303
    return person


def program_of(hub: Hub, account: str) -> httpx.Client:
    token = hub.verbs.access.issue_token(account)
    base = f"http://127.0.0.1:{hub.port('web')}"
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def uploaded(hub: Hub, content: bytes) -> int:
    """The id of the report that the file became, or went into."""
    with program_of(hub, "technician") as client:
        receipt = client.post("/deliveries", files={"file": ("one", content)}).json()
        receipt = receipt[0] if isinstance(receipt, list) else receipt.get("receipts", [receipt])[0]
        return int(str(receipt["reports"][0]).rpartition("/")[2])


def text_of(folder: Path, pdf: bytes) -> str:
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    command = [program("pdftotext", "poppler-utils"), "-layout", str(path), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_laboratory_report_is_taken_away_as_pdf_and_dicom(hub: Hub, person: Person, tmp_path: Path) -> None:
    report_id = uploaded(hub, LABORATORY.format(status="F").encode())
    clinician = as_role(person, Role.CLINICIAN)
    page = clinician.get(f"/reports/{report_id}").text
    for kind in ("pdf", "dicom-sr", "dicom-pdf"):
        assert f'href="/reports/{report_id}/documents/{kind}"' in page
    pdf = clinician.get(f"/reports/{report_id}/documents/pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["content-disposition"].startswith("attachment;")
    said = text_of(tmp_path, pdf.content)
    for words in ("机构CHC01", "血常规报告", "王芳", "血红蛋白", "96 ↓", "115-150"):
        assert words in said
    structured = dcmread(io.BytesIO(clinician.get(f"/reports/{report_id}/documents/dicom-sr").content))
    assert structured.ContentSequence[-1].ContentSequence[0].TextValue == "96 g/L ↓（参考范围 115-150）"
    assert dcmread(io.BytesIO(clinician.get(f"/reports/{report_id}/documents/dicom-pdf").content)).PatientID == "P77"
    trail = as_role(person, Role.AUDITOR).get("/audit?account=clinician").text
    assert trail.count(f"DiagnosticReport/{report_id}") >= 4


def test_fhir_offers_the_page_of_the_current_version(hub: Hub, tmp_path: Path) -> None:
    report_id = uploaded(hub, LABORATORY.replace("|L1|", "|L2|").replace("|F1|", "|F2|").format(status="F").encode())
    with program_of(hub, "clinician") as client:
        resource = client.get(f"/fhir/R4/DiagnosticReport/{report_id}").json()
        (form,) = resource["presentedForm"]
        assert form["contentType"] == "application/pdf"
        answer = client.get(form["url"])
        assert answer.headers["content-type"] == "application/pdf"
        assert "血红蛋白" in text_of(tmp_path, answer.content)
        assert client.get(form["url"] + "9").status_code == 404
        with program_of(hub, "auditor") as auditor:
            assert auditor.get(form["url"]).status_code == 403


@pytest.mark.parametrize("status", ["P", "X"])
def test_what_is_not_final_is_not_offered(hub: Hub, person: Person, status: str) -> None:
    said = LABORATORY.replace("|L1|", f"|L{status}|").replace("|F1|", f"|F{status}|").format(status=status)
    report_id = uploaded(hub, said.encode())
    clinician = as_role(person, Role.CLINICIAN)
    assert "/documents/" not in clinician.get(f"/reports/{report_id}").text
    assert clinician.get(f"/reports/{report_id}/documents/pdf").status_code == 404
    with program_of(hub, "clinician") as client:
        assert "presentedForm" not in client.get(f"/fhir/R4/DiagnosticReport/{report_id}").json()


def test_the_running_hub_files_the_documents_with_the_images(hub: Hub, person: Person) -> None:
    study = ct()
    uploaded(hub, part10(study))
    uid = study.StudyInstanceUID
    said = RESULT.format(sequence=10, study=uid, conclusion="右肺结节。", status="F", findings="见结节。")
    uploaded(hub, said.encode())
    with program_of(hub, "clinician") as client:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = client.get(f"/dicomweb/studies?StudyInstanceUID={uid}").json()
            if sorted(found[0]["00080061"]["Value"]) == ["CT", "DOC", "SR"]:
                break
            time.sleep(0.2)
        assert sorted(found[0]["00080061"]["Value"]) == ["CT", "DOC", "SR"]
        described = client.get(f"/dicomweb/studies/{uid}/metadata").json()
        titles = {each.get("00420010", {}).get("Value", [""])[0] for each in described}
        assert "胸部CT平扫报告" in titles
