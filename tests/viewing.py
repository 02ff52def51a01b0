"""A hub with the viewer: one person at two institutions under two numbers, and somebody else under one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from hub import app
from hub.access import disclosure_for
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from schemas.study import StudyCriteria
from storage import organizations
from tests.imaging import ct, encapsulated_pdf, part10

PASSWORD = "horse battery"
# Valid, of a region that does not exist.
RESIDENT = "99010119700101001X"
SLICES = 28
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
SIZE = 128
PEOPLE = {
    "technician": Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01"),
    "technician2": Principal("technician2", "钱技师", Role.TECHNICIAN, "CHC02"),
    "radiologist": Principal("radiologist", "孙医生", Role.RADIOLOGIST, "DH01"),
    "reader": Principal("reader", "Dr Li", Role.RADIOLOGIST, "DH01", "en"),
    "clinician": Principal("clinician", "周医生", Role.CLINICIAN, "DH01"),
    "auditor": Principal("auditor", "审计员", Role.AUDITOR, "DH01"),
}


@dataclass
class Viewing:
    """The hub, the person's record, and the studies by what they are: `ct`, `prior`, `stranger`."""

    hub: Hub
    person: int
    studies: dict[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.hub.port('web')}"

    def viewer(self, study: str = "ct") -> str:
        """The viewer's page with one study of the person."""
        return f"{self.address}/viewer/{self.person}/viewer?StudyInstanceUIDs={self.studies[study]}"


@contextmanager
def viewing(data: Path) -> Iterator[Viewing]:
    """A hub on SQLite and a folder."""
    settings = Settings(data=data, http_port=0)
    with app.running(settings, {"web"}) as hub:
        with hub.verbs.database.write() as tx:
            for code in ("CHC01", "CHC02", "DH01"):
                organizations.put_organization(tx, Organization(code, f"机构{code}", kind=OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        for principal in PEOPLE.values():
            hub.verbs.access.put_account(principal, PASSWORD)
        yield _seeded(hub)


def _seeded(hub: Hub) -> Viewing:
    scan = slices()
    prior = _of(
        "Q7",
        Modality="DX",
        StudyDate="20240301",
        StudyDescription="胸部正位片",
        Rows=SIZE,
        Columns=SIZE,
        PixelData=_slice(0).tobytes(),
    )
    stranger = ct(
        PatientID="P0001",
        PatientName="Li^Si=李^四",
        PatientBirthDate="19500505",
        PatientSex="F",
        StudyDescription="别人的检查",
    )
    # Compressed, so that the viewer's own decoders are needed.
    part10(prior)
    prior.compress(JPEG2000Lossless, generate_instance_uid=False)
    # The short one comes within the metadata, the long one by an address of its own.
    reports = [
        encapsulated_pdf(
            _PDF + filler,
            PatientID="Q7",
            StudyInstanceUID=prior.StudyInstanceUID,
            SeriesNumber=9001,
            SeriesDescription=name,
        )
        for name, filler in (("短报告单", b""), ("长报告单", b"%" * 100_000))
    ]
    for account, images in (("technician", scan), ("technician2", [prior, *reports, stranger])):
        for each in images:
            _upload(hub, account, part10(each, JPEG2000Lossless if each is prior else ExplicitVRLittleEndian))
    studies = {"ct": scan[0], "prior": prior, "stranger": stranger}
    uids = {name: str(each.StudyInstanceUID) for name, each in studies.items()}
    criteria = StudyCriteria(study_instance_uids=(uids["ct"],))
    found = hub.verbs.query.studies(disclosure_for(PEOPLE["clinician"]), criteria)
    return Viewing(hub, found.items[0].patient_id, uids)


def _upload(hub: Hub, account: str, content: bytes) -> None:
    receipt = hub.verbs.ingest.upload(disclosure_for(PEOPLE[account]), BytesIO(content))
    assert receipt.fault is None, receipt.fault


def _of(number: str, **changes: object) -> Dataset:
    other = Dataset()
    other.PatientID = RESIDENT
    return ct(PatientID=number, OtherPatientIDsSequence=[other], **changes)


def slices() -> list[Dataset]:
    """A CT series of SLICES images: an ellipse with a bright and a dark hole that wander from slice to slice."""
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    return [
        _of(
            "P0001",
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            FrameOfReferenceUID=frame,
            InstanceNumber=number + 1,
            SeriesDescription="体部 5mm",
            ImagePositionPatient=[-100, -100, -5.0 * number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[200 / SIZE, 200 / SIZE],
            SliceThickness=5,
            Rows=SIZE,
            Columns=SIZE,
            PixelData=_slice(number).tobytes(),
        )
        for number in range(SLICES)
    ]


def _slice(number: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    """Stored values, shape (SIZE, SIZE), 1024 above Hounsfield units."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    values = np.full((SIZE, SIZE), 24)
    values[((x - 64) / 56) ** 2 + ((y - 64) / 40) ** 2 < 1] = 1064
    values[(x - 34 - 2 * number) ** 2 + (y - 50) ** 2 < 120] = 1224
    values[(x - 90 + 2 * number) ** 2 + (y - 80) ** 2 < 120] = 900
    return values.astype("<i2")
