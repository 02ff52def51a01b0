"""What every DICOM instance that the hub makes of a report has in common: its header, codes, names, and the file.

The same version of a report gives the same bytes: every UID and every time comes from the report itself.
Source: DICOM PS3.3 C.7.1 to C.7.5, section 8; PS3.10.
"""

import datetime as dt
import io
import re
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from schemas.codes import Coding, system_name
from schemas.offered import DocumentKind, Offered
from schemas.patient import PersonName, Sex
from schemas.wording import ZONE, named

IMPLEMENTATION_CLASS = UID("2.25.190258862129146170283117914187562712161")
IMPLEMENTATION_VERSION = "DXHUB"
_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O", Sex.UNKNOWN: ""}
# Behind the series of any device.
_SERIES_NUMBERS = {DocumentKind.BASIC_TEXT_SR: 9001, DocumentKind.ENCAPSULATED_PDF: 9002, DocumentKind.WAVEFORM: 9003}
_OWN_CODES = "99DXHUB"
_NOT_NAME = re.compile(r"[\x00-\x1f\x7f\\^=]")
_NOT_SHORT = re.compile(r"[\x00-\x1f\x7f\\]")


def document(offered: Offered, kind: DocumentKind, sop_class_uid: str, modality: str) -> Dataset:
    """What every document says of itself, its patient, study and series."""
    report, study, patient = offered.report, offered.study, offered.patient
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class_uid), UID(offered.sop_instance_uid(kind))
    examined = report.observed_at or offered.record.observed_at
    ds.StudyDate = study.study_date if study else day(examined)
    ds.StudyTime = study.study_time if study else clock(examined)
    written = report.issued_at or offered.record.recorded_at
    ds.ContentDate, ds.ContentTime = day(written), clock(written)
    ds.TimezoneOffsetFromUTC = "+0800"
    ds.AccessionNumber = number(report.accession_number, 16)
    ds.Modality, ds.Manufacturer = modality, "dxhub"
    ds.ReferringPhysicianName = person(study.referring_physician) if study else ""
    ds.StudyDescription = short((study.description if study else "") or title(offered), 64)
    ds.SeriesDescription = short(title(offered), 64)
    ds.InstitutionName = short(offered.institution, 64)
    ds.PatientName, ds.PatientID = pn(patient.name), number(patient.key.value, 64)
    if offered.issuer_of_patient_id:
        ds.IssuerOfPatientID = short(offered.issuer_of_patient_id, 64)
    ds.PatientBirthDate = f"{patient.birth_date:%Y%m%d}" if patient.birth_date else ""
    ds.PatientSex = _SEXES[patient.sex]
    ds.StudyInstanceUID = UID(offered.study_instance_uid)
    ds.SeriesInstanceUID = UID(offered.series_instance_uid(kind))
    ds.StudyID = number(study.study_id, 16) if study else ""
    ds.SeriesNumber = _SERIES_NUMBERS[kind]
    ds.InstanceNumber = offered.record.version
    return ds


def title(offered: Offered) -> str:
    """What the report is, in words."""
    return f"{named(offered.report.code)}报告".replace("报告报告", "报告")


def code(coding: Coding) -> Sequence:
    """One item of PS3.3 section 8. A system without a registered name of its own is ours to name."""
    name = system_name(coding.system)
    scheme = name if name.isascii() and 0 < len(name) <= 16 and "/" not in name else _OWN_CODES
    value = short(coding.code, 10_000) or "unknown"
    item = data_set(CodeValue=value) if len(value.encode()) <= 16 else data_set(LongCodeValue=value)
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = short(coding.display, 64) or short(value, 64)
    return Sequence([item])


def data_set(**values: Any) -> Dataset:  # noqa: ANN401 whatever pydicom takes for the element of that keyword
    """A data set of these elements, by keyword."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def short(text: str, most: int) -> str:
    """Text for a value, without what would end or split it.

    The standard allows so many characters; many readers, and its usual judge, count bytes.
    """
    plain = " ".join(_NOT_SHORT.sub(" ", text).split())
    return plain.encode()[:most].decode("utf-8", "ignore").strip()


def number(text: str, most: int) -> str:
    """A number whole or not at all: what is left of one that was cut is another number."""
    cut = short(text, most)
    return cut if cut == text.strip() else ""


def person(name: str) -> str:
    """A name as PN: Chinese in the ideographic group. Source: PS3.5 6.2.1."""
    name = short(_NOT_NAME.sub(" ", name), 60)
    return name.replace(" ", "^", 1) if name.isascii() else f"={name}"


def pn(name: PersonName) -> str:
    """A name in its Latin and its Chinese form, as far as both are known."""
    written = person(name.text)
    latin = person(name.latin) if name.latin.isascii() else ""
    return f"{latin}{written}" if written.startswith("=") else written


def local(at: dt.datetime) -> dt.datetime:
    """On the district's wall clock."""
    return at.astimezone(ZONE)


def day(at: dt.datetime) -> str:
    """As DA."""
    return f"{local(at):%Y%m%d}"


def clock(at: dt.datetime) -> str:
    """As TM."""
    return f"{local(at):%H%M%S}"


def moment(at: dt.datetime | None) -> str:
    """As DT; empty where the time was never told."""
    return f"{local(at):%Y%m%d%H%M%S%z}" if at else ""


def file(ds: Dataset) -> bytes:
    """The whole Part 10 file, explicit little endian."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION
    ds.file_meta = meta
    target = io.BytesIO()
    dcmwrite(target, ds, enforce_file_format=True)
    return target.getvalue()
