"""Reports of the hub as DICOM instances. Source: DICOM PS3.3 A.35.1 (Basic Text SR), A.45.1 (Encapsulated PDF), C.17.

The same version of a report gives the same bytes: every UID and every time comes from the report itself.
"""

import re
from collections.abc import Iterable

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, BasicTextSRStorage, EncapsulatedPDFStorage

from schemas.codes import DCM, LOCAL, LOINC, Coding
from schemas.ecg import EcgRecording
from schemas.offered import DocumentKind, Line, Offered, Section
from schemas.report import ReportCategory

from .waveform_writer import waveform
from .writing import code, data_set, document, file, moment, number, person, short, title

# Of document titles: PS3.16 CID 7000, LOINC.
TITLES = {
    ReportCategory.IMAGING: Coding("11528-7", "放射学检查报告", LOINC),
    ReportCategory.LABORATORY: Coding("11502-2", "检验报告", LOINC),
    ReportCategory.ECG: Coding("11524-6", "心电图报告", LOINC),
    ReportCategory.OTHER: Coding("47045-0", "检查报告", LOINC),
}
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class ReportWriter:
    """A schemas.offered.DocumentWriter."""

    def encapsulated_pdf(self, offered: Offered, pdf: bytes) -> bytes:
        """The PDF in an instance of its own. Source: PS3.3 A.45.1, C.24."""
        return _encapsulated_pdf(offered, pdf)

    def basic_text(self, offered: Offered) -> bytes:
        """The report's own words. Source: PS3.3 A.35.1, C.17; PS3.16 TID 2000 for images."""
        return _basic_text(offered)

    def waveform(self, offered: Offered, recording: EcgRecording) -> bytes:
        """The recording with what was measured and said of it. Source: PS3.3 A.34.3, A.34.4."""
        return waveform(offered, recording)


def _encapsulated_pdf(offered: Offered, pdf: bytes) -> bytes:
    kind = DocumentKind.ENCAPSULATED_PDF
    ds = document(offered, kind, EncapsulatedPDFStorage, modality="DOC")
    ds.ConversionType = "SYN"
    ds.AcquisitionDateTime = moment(offered.report.observed_at)
    ds.BurnedInAnnotation = "YES"
    ds.DocumentTitle = short(title(offered), 1024)
    ds.ConceptNameCodeSequence = code(TITLES[offered.report.category])
    ds.VerificationFlag = "VERIFIED" if offered.verifiers else "UNVERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    _predecessor(ds, offered, kind, EncapsulatedPDFStorage)
    return file(ds)


def _basic_text(offered: Offered) -> bytes:
    kind = DocumentKind.BASIC_TEXT_SR
    ds = document(offered, kind, BasicTextSRStorage, modality="SR")
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.CompletionFlag = "COMPLETE"
    _verification(ds, offered)
    _predecessor(ds, offered, kind, BasicTextSRStorage)
    ds.ReferencedRequestSequence = _request(offered)
    ds.PerformedProcedureCodeSequence = Sequence()
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = code(TITLES[offered.report.category])
    if offered.report.category is ReportCategory.IMAGING:
        ds.ContentTemplateSequence = Sequence([data_set(MappingResource="DCMR", TemplateIdentifier="2000")])
    ds.ContentSequence = Sequence([*_context(offered), *(_section(each) for each in offered.sections)])
    return file(ds)


def _verification(ds: Dataset, offered: Offered) -> None:
    """PS3.3 C.17.2.2: a document is verified by persons with names, or it is not verified."""
    ds.VerificationFlag = "VERIFIED" if offered.verifiers else "UNVERIFIED"
    verified_at = moment(offered.report.issued_at or offered.record.recorded_at)
    observers = [
        data_set(
            VerifyingOrganization=short(offered.institution, 64),
            VerificationDateTime=verified_at,
            VerifyingObserverName=person(name),
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
    reference = data_set(ReferencedSOPClassUID=UID(sop_class_uid), ReferencedSOPInstanceUID=UID(before))
    series = data_set(SeriesInstanceUID=ds.SeriesInstanceUID, ReferencedSOPSequence=Sequence([reference]))
    study = data_set(StudyInstanceUID=ds.StudyInstanceUID, ReferencedSeriesSequence=Sequence([series]))
    ds.PredecessorDocumentsSequence = Sequence([study])


def _request(offered: Offered) -> Sequence:
    """The order that the report answers, as far as it is told. Source: PS3.3 C.17.2, table C.17-2."""
    report = offered.report
    return Sequence(
        [
            data_set(
                StudyInstanceUID=UID(offered.study_instance_uid),
                ReferencedStudySequence=Sequence(),
                AccessionNumber=number(report.accession_number, 16),
                PlacerOrderNumberImagingServiceRequest=number(report.placer_order_number, 64),
                FillerOrderNumberImagingServiceRequest=number(report.filler_order_number, 64),
                RequestedProcedureID="",
                RequestedProcedureDescription=short(report.code.display, 64),
                RequestedProcedureCodeSequence=Sequence(),
            )
        ]
    )


def _context(offered: Offered) -> Iterable[Dataset]:
    """The language, and who speaks (TID 1204, 1001)."""
    language = _item("CODE", Coding("121049", "内容所用语言", DCM), "HAS CONCEPT MOD")
    language.ConceptCodeSequence = code(Coding("zh-CN", "中文（中国）", LOCAL + "RFC5646"))
    yield language
    for name in offered.verifiers:
        observer = _item("PNAME", Coding("121008", "观察者姓名", DCM), "HAS OBS CONTEXT")
        observer.PersonName = person(name)
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
    return data_set(RelationshipType=relationship, ValueType=value_type, ConceptNameCodeSequence=code(concept))
