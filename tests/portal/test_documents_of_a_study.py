"""Reports inside DICOM, on the page of a clinician: the text, the whole tree as text, the PDF, and every version."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.adapters.dicom.structured import (
    DOSE_REPORT,
    FINDING,
    FINDINGS,
    PDF,
    encapsulated,
    item,
    measured,
    number,
    reading,
    references,
    report,
    text,
)
from tests.imaging import ct, part10, store, written

from .conftest import Person

PASSWORD = "horse battery"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = Settings(data=tmp_path_factory.mktemp("hub"), http_port=0, dicom_port=0)
    with app.running(settings, {"web", "dicom"}) as made:
        with made.verbs.database.write() as tx:
            for code, kind in {
                "CHC01": OrganizationKind.COMMUNITY_CENTRE,
                "DH1": OrganizationKind.DISTRICT_HOSPITAL,
            }.items():
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, kind))
                organizations.put_source(tx, code, code, code)
        made.verbs.access.put_account(Principal("clinician", "林医生", Role.CLINICIAN, "DH1"), PASSWORD)
        yield made


@pytest.fixture
def clinician(hub: Hub) -> Iterator[Person]:
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", timeout=30) as client:
        person = Person(client)
        assert person.sign_in(Role.CLINICIAN, PASSWORD).status_code == 303
        yield person


def sent(hub: Hub, folder: Path, *instances: Dataset) -> str:
    """The address of the report of the last one's study that the clinician opens."""
    for each in instances:
        assert store(hub.port("dicom"), written(folder, part10(each)), calling="CHC01") == 0
    uid = instances[-1].StudyInstanceUID
    token = hub.verbs.access.issue_token("clinician")
    answer = httpx.get(
        f"http://127.0.0.1:{hub.port('web')}/fhir/R4/DiagnosticReport",
        params={"identifier": f"urn:dicom:uid|urn:oid:{uid}"},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    return f"/reports/{max(int(entry['resource']['id']) for entry in answer['entry'])}"


def test_the_reading_stands_on_the_page_and_in_fhir(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    study = ct()
    address = sent(hub, tmp_path, study, reading(study, CurrentRequestedProcedureEvidenceSequence=references(study)))
    page = clinician.get(address).text
    for words in ("右肺上叶结节。", "右肺上叶见磨玻璃结节，径约8mm。", "咳嗽两周", "李四", "文档原貌"):
        assert words in page
    tree = clinician.get(f"{address}/content").text
    assert "右肺上叶见磨玻璃结节，径约8mm。" in tree
    assert f"{study.SOPInstanceUID}/rendered" in tree
    picture = tree.partition('<a href="/dicomweb')[2].partition('"')[0]
    assert clinician.get(f"/dicomweb{picture}").headers["content-type"] == "image/jpeg"
    token = hub.verbs.access.issue_token("clinician")
    resource = httpx.get(
        f"http://127.0.0.1:{hub.port('web')}/fhir/R4/DiagnosticReport/{address.rpartition('/')[2]}",
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    assert resource["conclusion"] == "右肺上叶结节。"
    assert resource["status"] == "final"


def test_a_new_version_leaves_the_first_readable(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    study = ct()
    first = reading(study, "甲结论")
    address = sent(hub, tmp_path, first, reading(study, "乙结论", PredecessorDocumentsSequence=references(first)))
    assert "乙结论" in clinician.get(address).text
    assert "甲结论" in clinician.get(f"{address}?version=1").text
    assert "甲结论" in clinician.get(f"{address}/content?version=1").text


def test_a_dose_report_is_shown_as_what_it_is(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    study = ct()
    dose = report(
        study, number(("113813", "DCM", "DLP Total"), "312.50", ("mGy.cm", "UCUM", "mGy.cm")), title=DOSE_REPORT
    )
    address = sent(hub, tmp_path, dose)
    page = clinician.get(address).text
    assert "X射线辐射剂量报告" in page
    assert 'id="recognition"' not in page  # a dose is nothing that an examination could be spared for
    refused = clinician.send(f"{address}/decisions", version="1", choice="recognised").text
    assert "互认的对象是报告本身" in refused
    assert "尚未收到与影像对应的文字报告" not in page
    assert "312.50 mGy.cm" in clinician.piece(f"{address}/content").text


def test_a_measurement_is_told_in_the_readers_words_without_what_is_for_programs(
    hub: Hub, clinician: Person, tmp_path: Path
) -> None:
    study = ct()
    address = sent(hub, tmp_path, study, measured(study))
    tree = clinician.get(f"{address}/content").text
    for words in ("长度", "68.19 mm", "测量组", f"{study.SOPInstanceUID}/rendered"):
        assert words in tree
    for words in ("68.1892", "United States", "Image Library", "POLYLINE", "unknown"):
        assert words not in tree
    assert "68.1892" not in clinician.get(address).text


def test_markup_in_a_tree_is_shown_and_never_run(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    hostile = "</ul><script>alert(1)</script><img src=x onerror=alert(2)>"
    study = ct()
    section = item("CONTAINER", ("121070", "DCM", hostile[:64]), text(FINDING, hostile))
    address = sent(hub, tmp_path, report(study, section))
    for page in (clinician.get(address).text, clinician.get(f"{address}/content").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_ten_thousand_items_still_make_a_page(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    study = ct()
    section = item("CONTAINER", FINDINGS, *(text(FINDING, f"第{n}行") for n in range(10_100)))
    address = sent(hub, tmp_path, report(study, section))
    page = clinician.get(f"{address}/content").text
    assert "第9000行" in page
    assert "原件保存完整内容" in page


def test_a_pdf_in_dicom_is_opened_in_the_page(hub: Hub, clinician: Person, tmp_path: Path) -> None:
    address = sent(hub, tmp_path, encapsulated(ct()))
    page = clinician.get(address).text
    assert "CT诊断报告" in page
    document = page.partition('<iframe class="attachment-frame screen-only" src="')[2].partition('"')[0]
    answer = clinician.get(document.replace("&amp;", "&"))
    assert (answer.headers["content-type"], answer.content) == ("application/pdf", PDF)
