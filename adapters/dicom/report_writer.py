"""Reports of the hub as DICOM instances. Source: DICOM PS3.3 A.35.1 (Basic Text SR), A.45.1 (Encapsulated PDF), C.17.

The same version of a report gives the same bytes: every UID and every time comes from the report itself.
"""

import datetime as dt
import io
import re
from collections.abc import Iterable
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, BasicTextSRStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from schemas.codes import DCM, LOCAL, LOINC, Coding, system_name
from schemas.offered import DocumentKind, Line, Offered, Section
from schemas.patient import PersonName, Sex
from schemas.report import ReportCategory
from schemas.wording import ZONE

IMPLEMENTATION_CLASS = UID("2.25.190258862129146170283117914187562712161")
IMPLEMENTATION_VERSION = "DXHUB"
# Of document titles: PS3.16 CID 7000, LOINC.
TITLES = {
    ReportCategory.IMAGING: Coding("11528-7", "放射学检查报告", LOINC),
    ReportCategory.LABORATORY: Coding("11502-2", "检验报告", LOINC),
    ReportCategory.ECG: Coding("11524-6", "心电图报告", LOINC),
    ReportCategory.OTHER: Coding("47045-0", "检查报告", LOINC),
}
_SEXES = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O", Sex.UNKNOWN: ""}
_OWN_CODES = "99DXHUB"
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_NAME = re.compile(r"[\x00-\x1f\x7f\\^=]")
_NOT_SHORT = re.compile(r"[\x00-\x1f\x7f\\]")


class ReportWriter:
    """A schemas.offered.DocumentWriter."""

    def encapsulated_pdf(self, offered: Offered, pdf: bytes) -> bytes:
        """The PDF in an instance of its own. Source: PS3.3 A.45.1, C.24."""
        return _encapsulated_pdf(offered, pdf)

    def basic_text(self, offered: Offered) -> bytes:
        """The report's own words. Source: PS3.3 A.35.1, C.17; PS3.16 TID 2000 for images."""
        return _basic_text(offered)


def _encapsulated_pdf(offered: Offered, pdf: bytes) -> bytes:
    kind = DocumentKind.ENCAPSULATED_PDF
    ds = _document(offered, kind, EncapsulatedPDFStorage, modality="DOC")
    ds.ConversionType = "SYN"
    ds.AcquisitionDateTime = _moment(offered.report.observed_at)
    ds.BurnedInAnnotation = "YES"
    ds.DocumentTitle = _short(_title(offered), 1024)
    ds.ConceptNameCodeSequence = _code(TITLES[offered.report.category])
    ds.VerificationFlag = "VERIFIED" if offered.verifiers else "UNVERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    _predecessor(ds, offered, kind, EncapsulatedPDFStorage)
    return _file(ds)


def _basic_text(offered: Offered) -> bytes:
    kind = DocumentKind.BASIC_TEXT_SR
    ds = _document(offered, kind, BasicTextSRStorage, modality="SR")
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.CompletionFlag = "COMPLETE"
    _verification(ds, offered)
    _predecessor(ds, offered, kind, BasicTextSRStorage)
    ds.ReferencedRequestSequence = _request(offered)
    ds.PerformedProcedureCodeSequence = Sequence()
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = _code(TITLES[offered.report.category])
    if offered.report.category is ReportCategory.IMAGING:
        ds.ContentTemplateSequence = Sequence([_set(MappingResource="DCMR", TemplateIdentifier="2000")])
    ds.ContentSequence = Sequence([*_context(offered), *(_section(each) for each in offered.sections)])
    return _file(ds)


def _document(offered: Offered, kind: DocumentKind, sop_class_uid: str, modality: str) -> Dataset:
    """What every document says of itself, its patient, study and series."""
    report, study, patient = offered.report, offered.study, offered.patient
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = UID(sop_class_uid), UID(offered.sop_instance_uid(kind))
    examined = report.observed_at or offered.record.observed_at
    ds.StudyDate = study.study_date if study else _day(examined)
    ds.StudyTime = study.study_time if study else _time(examined)
    written = report.issued_at or offered.record.recorded_at
    ds.ContentDate, ds.ContentTime = _day(written), _time(written)
    ds.TimezoneOffsetFromUTC = "+0800"
    ds.AccessionNumber = _number(report.accession_number, 16)
    ds.Modality, ds.Manufacturer = modality, "dxhub"
    ds.ReferringPhysicianName = _person(study.referring_physician) if study else ""
    ds.StudyDescription = _short((study.description if study else "") or _title(offered), 64)
    ds.SeriesDescription = _short(_title(offered), 64)
    ds.InstitutionName = _short(offered.institution, 64)
    ds.PatientName, ds.PatientID = _pn(patient.name), _number(patient.key.value, 64)
    if offered.issuer_of_patient_id:
        ds.IssuerOfPatientID = _short(offered.issuer_of_patient_id, 64)
    ds.PatientBirthDate = f"{patient.birth_date:%Y%m%d}" if patient.birth_date else ""
    ds.PatientSex = _SEXES[patient.sex]
    ds.StudyInstanceUID = UID(offered.study_instance_uid)
    ds.SeriesInstanceUID = UID(offered.series_instance_uid(kind))
    ds.StudyID = _number(study.study_id, 16) if study else ""
    # Behind the series of any device.
    ds.SeriesNumber = 9001 if kind is DocumentKind.BASIC_TEXT_SR else 9002
    ds.InstanceNumber = offered.record.version
    return ds


def _title(offered: Offered) -> str:
    code = offered.report.code
    return f"{code.display or code.code}报告".replace("报告报告", "报告")


def _verification(ds: Dataset, offered: Offered) -> None:
    """PS3.3 C.17.2.2: a document is verified by persons with names, or it is not verified."""
    ds.VerificationFlag = "VERIFIED" if offered.verifiers else "UNVERIFIED"
    verified_at = _moment(offered.report.issued_at or offered.record.recorded_at)
    observers = [
        _set(
            VerifyingOrganization=_short(offered.institution, 64),
            VerificationDateTime=verified_at,
            VerifyingObserverName=_person(name),
            VerifyingObserverIdentificationCodeSequence=Sequence(),
        )
        for name in offered.verifiers
    ]
    if observers:
        ds.VerifyingObserverSequence = Sequence(observers)


def _predecessor(ds: Dataset, offered: Offered, kind: DocumentKind, sop_class_uid: str) -> None:
    if not offered.predecessor:
        return
    before = offered.sop_instance_uid(kind, offered.predecessor)
    reference = _set(ReferencedSOPClassUID=UID(sop_class_uid), ReferencedSOPInstanceUID=UID(before))
    series = _set(SeriesInstanceUID=ds.SeriesInstanceUID, ReferencedSOPSequence=Sequence([reference]))
    study = _set(StudyInstanceUID=ds.StudyInstanceUID, ReferencedSeriesSequence=Sequence([series]))
    ds.PredecessorDocumentsSequence = Sequence([study])


def _request(offered: Offered) -> Sequence:
    """The order that the report answers, as far as it is told. Source: PS3.3 C.17.2, table C.17-2."""
    report = offered.report
    return Sequence(
        [
            _set(
                StudyInstanceUID=UID(offered.study_instance_uid),
                ReferencedStudySequence=Sequence(),
                AccessionNumber=_number(report.accession_number, 16),
                PlacerOrderNumberImagingServiceRequest=_number(report.placer_order_number, 64),
                FillerOrderNumberImagingServiceRequest=_number(report.filler_order_number, 64),
                RequestedProcedureID="",
                RequestedProcedureDescription=_short(report.code.display, 64),
                RequestedProcedureCodeSequence=Sequence(),
            )
        ]
    )


def _context(offered: Offered) -> Iterable[Dataset]:
    """The language, and who speaks (TID 1204, 1001)."""
    language = _item("CODE", Coding("121049", "内容所用语言", DCM), "HAS CONCEPT MOD")
    language.ConceptCodeSequence = _code(Coding("zh-CN", "中文（中国）", LOCAL + "RFC5646"))
    yield language
    for name in offered.verifiers:
        observer = _item("PNAME", Coding("121008", "观察者姓名", DCM), "HAS OBS CONTEXT")
        observer.PersonName = _person(name)
        yield observer


def _section(section: Section) -> Dataset:
    container = _item("CONTAINER", section.heading, "CONTAINS")
    container.ContinuityOfContent = "SEPARATE"
    container.ContentSequence = Sequence([_line(section, line) for line in section.lines])
    return container


def _line(section: Section, line: Line) -> Dataset:
    item = _item("TEXT", line.concept or section.item, "CONTAINS")
    # A Basic Text SR knows no NUM items: a result is told in words.
    item.TextValue = (
        _NOT_TEXT.sub("", line.text.expandtabs(4)).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    )
    return item


def _item(value_type: str, concept: Coding, relationship: str) -> Dataset:
    return _set(RelationshipType=relationship, ValueType=value_type, ConceptNameCodeSequence=_code(concept))


def _code(coding: Coding) -> Sequence:
    """One item of PS3.3 section 8. A system without a registered name of its own is ours to name."""
    name = system_name(coding.system)
    scheme = name if name.isascii() and 0 < len(name) <= 16 and "/" not in name else _OWN_CODES
    value = _short(coding.code, 10_000) or "unknown"
    item = _set(CodeValue=value) if len(value.encode()) <= 16 else _set(LongCodeValue=value)
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = _short(coding.display, 64) or _short(value, 64)
    return Sequence([item])


def _set(**values: Any) -> Dataset:  # noqa: ANN401 whatever pydicom takes for the element of that keyword
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def _short(text: str, most: int) -> str:
    """Text for a value, without what would end or split it.

    The standard allows so many characters; many readers, and its usual judge, count bytes.
    """
    plain = " ".join(_NOT_SHORT.sub(" ", text).split())
    return plain.encode()[:most].decode("utf-8", "ignore").strip()


def _number(text: str, most: int) -> str:
    """A number whole or not at all: what is left of one that was cut is another number."""
    short = _short(text, most)
    return short if short == text.strip() else ""


def _person(name: str) -> str:
    """A name as PN: Chinese in the ideographic group. Source: PS3.5 6.2.1."""
    name = _short(_NOT_NAME.sub(" ", name), 60)
    return name.replace(" ", "^", 1) if name.isascii() else f"={name}"


def _pn(name: PersonName) -> str:
    written = _person(name.text)
    latin = _person(name.latin) if name.latin.isascii() else ""
    return f"{latin}{written}" if written.startswith("=") else written


def _local(at: dt.datetime) -> dt.datetime:
    return at.astimezone(ZONE)


def _day(at: dt.datetime) -> str:
    return f"{_local(at):%Y%m%d}"


def _time(at: dt.datetime) -> str:
    return f"{_local(at):%H%M%S}"


def _moment(at: dt.datetime | None) -> str:
    return f"{_local(at):%Y%m%d%H%M%S%z}" if at else ""


def _file(ds: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION
    ds.file_meta = meta
    target = io.BytesIO()
    dcmwrite(target, ds, enforce_file_format=True)
    return target.getvalue()
