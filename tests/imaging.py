"""A hub for images as its peers meet it: real stores, a DICOM port and an HTTP port on loopback."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
from fastapi import FastAPI
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, _config

from adapters import dicom
from adapters.contract import Listener
from hub.access import Access
from hub.advising import Advising
from hub.api import dicomweb, outcomes
from hub.archive import Archive, Nodes
from hub.curation import Curation, Unidentified
from hub.examination import Examination
from hub.headers import Headers
from hub.ingest import Ingest, Repairs, Senders
from hub.notify import Notify
from hub.offering import Documents, Offering
from hub.portal.render import FONT
from hub.profiles import Profiles
from hub.query import Query
from hub.reading import Readings
from hub.recall import Recall
from hub.recognition import Recognition
from hub.resolution import Resolution
from hub.retrieve import Retrieve
from hub.retrieve.pixels import read_frame
from hub.statistics import Statistics
from hub.stewardship import CatalogueDesk, QualityDesk
from hub.terminology import Terminology
from hub.verbs import Verbs
from hub.web_server import WebServer
from schemas.delivery import Format
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import accounts, organizations
from storage.database import Database
from storage.objects import objects_from_url
from tests.engines import Engines

# The sender streams files as they are, so that what arrives can be compared byte for byte.
_config.STORE_SEND_CHUNKED_DATASET = True

TECHNICIAN = Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01")
OTHER_TECHNICIAN = Principal("other-technician", "钱技师", Role.TECHNICIAN, "CHC02")
CLINICIAN = Principal("clinician", "林医生", Role.CLINICIAN, "DH02")
AUDITOR = Principal("auditor", "审计员", Role.AUDITOR, "BUREAU")


@dataclass
class ImagingHub:
    """Where the hub listens, and its verbs for a look inside."""

    verbs: Verbs
    listener: Listener
    http_port: int

    def client(self, principal: Principal | None) -> httpx.Client:
        """An HTTP client of DICOMweb with that person's bearer token, or without any."""
        token = self.verbs.access.issue_token(principal.account) if principal else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.http_port}/dicomweb", headers=headers, timeout=30)


def _seed(database: Database) -> None:
    with database.write() as tx:
        for code in ("CHC01", "CHC02", "DH02", "BUREAU"):
            organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER))
            organizations.put_source(tx, code, code, code)
        for principal in (TECHNICIAN, OTHER_TECHNICIAN, CLINICIAN, AUDITOR):
            # Tokens are issued below; nobody signs in, so nobody needs a password's costly hash.
            accounts.put_account(tx, principal, "!")


@contextmanager
def imaging_hub(urls: Engines, max_upload_mb: int = 64) -> Iterator[ImagingHub]:
    """A hub that knows the sources CHC01 and CHC02."""
    database, objects = Database(urls.database_url), objects_from_url(urls.objects_url)
    access = Access(database)
    _seed(database)
    senders = Senders(database)
    ingest = Ingest(database, objects, senders, dicom.ADAPTER.readers, _sniff, meanings=dicom.ADAPTER.meanings)
    verbs = Verbs(
        access=access,
        ingest=ingest,
        query=Query(database),
        retrieve=Retrieve(database, objects, Headers(database, objects, dicom.ADAPTER.describers[Format.DICOM])),
        recognition=Recognition(database),
        recall=Recall(database),
        statistics=Statistics(database),
        advising=Advising(database),
        identity=Resolution(database),
        repairs=Repairs(database, objects, senders, ingest, _sniff),
        examination=Examination(database, objects, dicom.ADAPTER.readers, _sniff, {}, {}),
        notify=Notify(database),
        nodes=Nodes(database),
        offering=Offering(database, Documents(objects, dicom.REPORT_WRITER, FONT)),
        profiles=Profiles(database, objects, dicom.ADAPTER.readers, _sniff, ingest.replay),
        terminology=Terminology(database),
        curation=Curation(database, objects),
        unidentified=Unidentified(database),
        readings=Readings(database),
        catalogue=CatalogueDesk(database),
        quality=QualityDesk(database),
        database=database,
        objects=objects,
    )
    services = dicom.services(Archive(database, objects, read_frame), ae_title="DXHUB")
    listener = dicom.listener("127.0.0.1", 0, ingest.deliver, ingest.identify, services=services)
    listener.start()
    app = FastAPI()
    app.state.verbs, app.state.settings = verbs, SimpleNamespace(max_upload_mb=max_upload_mb)
    app.include_router(dicomweb.router)
    app.include_router(dicomweb.person_router)
    dicomweb.mount(app)
    outcomes.install(app)
    web = WebServer(app, "127.0.0.1", 0)
    web.start()
    try:
        yield ImagingHub(verbs, listener, web.port)
    finally:
        web.stop()
        listener.stop()
        ingest.close()
        database.close()


def _sniff(head: bytes) -> Format:
    return Format.DICOM if dicom.ADAPTER.sniffers[Format.DICOM](head) else Format.UNKNOWN


def ct(**changes: object) -> Dataset:
    """A small CT image of an invented patient; `changes` are set on the data set, None removes."""
    ds = Dataset()
    ds.SpecificCharacterSet = "GB18030"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.PatientID, ds.PatientName = "P0001", "Zhang^San=张^三"
    ds.PatientBirthDate, ds.PatientSex = "19700101", "M"
    ds.StudyDate, ds.StudyTime, ds.Modality = "20250115", "101500", "CT"
    ds.AccessionNumber, ds.StudyID, ds.StudyDescription = "A20250115001", "1", "胸部CT平扫"
    ds.SeriesNumber, ds.InstanceNumber, ds.BodyPartExamined = 2, 7, "CHEST"
    ds.Rows = ds.Columns = 16
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 1, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.RescaleIntercept, ds.RescaleSlope = -1024, 1
    ds.WindowCenter, ds.WindowWidth = 40, 400
    ds.PixelData = (np.arange(256, dtype="<i2") * 8).tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def encapsulated_pdf(content: bytes, **changes: object) -> Dataset:
    """A PDF report of an invented patient's CT."""
    pixels = ("PixelData", "Rows", "Columns", "RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth")
    return ct(
        **dict.fromkeys(pixels),
        SOPClassUID=EncapsulatedPDFStorage,
        Modality="DOC",
        MIMETypeOfEncapsulatedDocument="application/pdf",
        EncapsulatedDocumentLength=len(content),
        EncapsulatedDocument=content + b"\0" * (len(content) % 2),
        **changes,
    )


def part10(ds: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a Part 10 file."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = transfer_syntax  # type: ignore[assignment]
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", "1.2.3")
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "1.2.3.4")
    target = io.BytesIO()
    dcmwrite(target, ds, enforce_file_format=True)
    return target.getvalue()


def data_set_of(content: bytes) -> bytes:
    """What follows the file meta information, found without any code of the hub."""
    assert content[128:132] == b"DICM"
    assert content[132:140] == b"\x02\x00\x00\x00UL\x04\x00"
    return content[144 + int.from_bytes(content[140:144], "little") :]


def store(port: int, path: Path, calling: str = "CHC01", called: str = "DXHUB") -> int | None:
    """Send a file over C-STORE in its own transfer syntax; the status, or None where no association came about."""
    found = _file_meta(path)
    ae = AE(calling)
    ae.add_requested_context(found.MediaStorageSOPClassUID, found.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return None
    try:
        answer = association.send_c_store(path)
        return int(answer.Status) if "Status" in answer else None
    finally:
        association.release()


def _file_meta(path: Path) -> FileMetaDataset:
    return read_file_meta_info(path)


def written(folder: Path, content: bytes, name: str = "one.dcm") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content)
    return path
