"""The study's page, as readers and administrators use it: a whole hub behind it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from pydicom import Dataset
from pydicom.uid import generate_uid

from hub import app
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.adapters.dicom.structured import DOSE_REPORT, encapsulated, number, report
from tests.engines import Engines
from tests.forms import PASSWORD, post, signed_in
from tests.imaging import part10, store, written
from tests.study_life.notes import note, slices


@pytest.fixture
def hub(migrated_urls: Engines, tmp_path: Path) -> Iterator[app.Hub]:
    """A hub with its portal and its DICOM door."""
    settings = Settings(
        data=tmp_path / "data",
        database_url=SecretStr(migrated_urls.database_url),
        objects_url=SecretStr(migrated_urls.objects_url),
        http_port=0,
        dicom_port=0,
        study_quiet_s=1,
    )
    with app.running(settings, {"web", "dicom"}) as made:
        with made.stores.database.write() as tx:
            for code in ("CHC01", "DH02"):
                organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        for role in (Role.RADIOLOGIST, Role.CLINICIAN, Role.ADMIN):
            made.stores.access.put_account(Principal(role.value, role.value, role, "DH02", "en"), PASSWORD)
        yield made


def test_a_reader_grades_images_with_one_click_and_everybody_sees_the_grade(hub: app.Hub, tmp_path: Path) -> None:
    images = _stored(hub, tmp_path)
    with signed_in(hub.port("web"), Role.RADIOLOGIST) as reader:
        study = _study(reader)
        shown = reader.get(study).text
        assert "Arriving…" in shown
        assert "Reject film" in shown
        refused = post(reader, f"{study}/grade", grade="C")
        assert refused.status_code == 400
        graded = post(reader, f"{study}/grade", grade="C", **{"reason-motion": "1"})
        assert graded.status_code == 303
        again = post(reader, f"{study}/grade", grade="B")
        assert again.status_code == 303
    with signed_in(hub.port("web"), Role.CLINICIAN) as clinician:
        shown = clinician.get(study).text
        assert shown.index("Grade B") < shown.index("Grade C")
        assert "Motion" in shown
        assert 'name="grade"' not in shown
        assert post(clinician, f"{study}/grade", grade="A").status_code == 403
    assert len(images) == 3


def test_an_administrator_finds_a_study_whose_images_were_taken_back(hub: app.Hub, tmp_path: Path) -> None:
    images = _stored(hub, tmp_path)
    _send(hub, tmp_path, part10(note("113037", images)))
    with signed_in(hub.port("web"), Role.ADMIN) as admin:
        found = admin.get("/studies", params={"q": images[0].AccessionNumber}).text
        assert "No image is shown" in found
        (path,) = set(re.findall(r'href="(/studies/\d+)"', found))
        shown = admin.get(path).text
        assert "Rejected for patient safety · 3" in shown
        assert "No such study" in admin.get("/studies", params={"q": "nothing*"}).text
        assert post(admin, f"{path}/move", patient="999", reason="wrong").status_code == 404
        assert post(admin, f"{path}/move", patient="1 or 1", reason="wrong").status_code == 400
        assert post(admin, f"{path}/undo-move", reason="wrong").status_code == 409
    with signed_in(hub.port("web"), Role.CLINICIAN) as clinician:
        assert clinician.get("/studies", params={"q": "x"}).status_code == 403
        assert post(clinician, f"{path}/move", patient="1", reason="mine").status_code == 403


def test_documents_of_a_study_are_not_counted_as_its_images(hub: app.Hub, tmp_path: Path) -> None:
    images = _stored(hub, tmp_path)
    for document in (report(images[0], number(DOSE_REPORT, "1"), title=DOSE_REPORT), encapsulated(images[0])):
        document.SeriesInstanceUID = generate_uid()
        _send(hub, tmp_path, part10(document))
    with signed_in(hub.port("web"), Role.RADIOLOGIST) as reader:
        timeline = reader.get("/patients/1").text
        assert "Series: 1, images: 3 · documents: 2" in timeline
        shown = reader.get(_study(reader)).text
        assert '<dt>Images shown</dt><dd class="number">3</dd>' in shown
        assert '<dt>Documents beside them</dt><dd class="number">2</dd>' in shown


def test_an_administrator_removes_hidden_images_with_a_reason_and_after_a_second_look(
    hub: app.Hub, tmp_path: Path
) -> None:
    images = _stored(hub, tmp_path)
    _send(hub, tmp_path, part10(note("113037", images[:2])))
    with hub.stores.database.write() as tx:
        organizations.put_organization(tx, Organization("HB01", "HB01", kind=OrganizationKind.BUREAU))
    for account, role, organization in (("own", Role.ADMIN, "CHC01"), ("bureau", Role.ADMIN, "HB01")):
        hub.stores.access.put_account(Principal(account, account, role, organization, "en"), PASSWORD)
    with signed_in(hub.port("web"), Role.RADIOLOGIST) as reader:
        path = _study(reader)
        assert "/remove" not in reader.get(path).text
        assert post(reader, f"{path}/remove", reason="x", confirm="1").status_code == 403
    with signed_in(hub.port("web"), Role.ADMIN) as other:
        assert post(other, f"{path}/remove", reason="x", confirm="1").status_code == 403
    with signed_in(hub.port("web"), "own") as admin:
        shown = admin.get(path).text
        assert "Yes, delete 2 images" in shown
        assert admin.post(f"{path}/remove", data={"reason": "x", "confirm": "1"}).status_code == 403
        assert post(admin, f"{path}/remove", reason="asked for by the patient").status_code == 400
        assert post(admin, f"{path}/remove", reason=" ", confirm="1").status_code == 400
        assert post(admin, f"{path}/remove", reason="asked for by the patient", confirm="1").status_code == 303
        shown = admin.get(path).text
        assert "Removed · 2" in shown
        assert "Images: 2 · own · asked for by the patient" in shown
        assert "/remove" not in shown
    with signed_in(hub.port("web"), "bureau") as bureau:
        assert post(bureau, f"{path}/remove", reason="x", confirm="1").status_code == 409


def _stored(hub: app.Hub, tmp_path: Path) -> list[Dataset]:
    images = slices(3)
    for image in images:
        _send(hub, tmp_path, part10(image))
    return images


def _send(hub: app.Hub, tmp_path: Path, content: bytes) -> None:
    assert store(hub.port("dicom"), written(tmp_path, content)) == 0


def _study(client: httpx.Client) -> str:
    with_report = client.get("/reports/1").text
    return str(re.findall(r'href="(/studies/\d+)"', with_report)[0])
