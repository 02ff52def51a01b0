"""Structured reports and documents as other people's systems write them, made with pydicom alone."""

from pydicom import Dataset, Sequence
from pydicom.uid import EncapsulatedPDFStorage, EnhancedSRStorage, generate_uid

from tests.imaging import ct

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

IMPRESSION, FINDING = ("121073", "DCM", "印象"), ("121071", "DCM", "所见")
IMPRESSIONS, FINDINGS = ("121072", "DCM", "印象"), ("121070", "DCM", "检查所见")
HISTORY = ("121060", "DCM", "病史")
RADIOLOGY_REPORT, MEASUREMENT_REPORT = ("11528-7", "LN", "放射学报告"), ("126000", "DCM", "Imaging Measurement Report")
DOSE_REPORT = ("113701", "DCM", "X-Ray Radiation Dose Report")
MILLIMETRE = ("mm", "UCUM", "millimeter")

Code = tuple[str, str, str]


def code(said: Code) -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = said
    return item


def item(value_type: str, concept: Code | None, *below: Dataset, relationship: str = "CONTAINS") -> Dataset:
    """A content item."""
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, value_type
    if concept:
        ds.ConceptNameCodeSequence = Sequence([code(concept)])
    if value_type == "CONTAINER":
        ds.ContinuityOfContent = "SEPARATE"
    if below:
        ds.ContentSequence = Sequence(below)
    return ds


def text(concept: Code | None, said: str) -> Dataset:
    """A TEXT item."""
    ds = item("TEXT", concept)
    ds.TextValue = said
    return ds


def coded(concept: Code, value: Code, relationship: str = "CONTAINS") -> Dataset:
    """A CODE item."""
    ds = item("CODE", concept, relationship=relationship)
    ds.ConceptCodeSequence = Sequence([code(value)])
    return ds


def number(concept: Code, value: str, unit: Code = MILLIMETRE, *below: Dataset) -> Dataset:
    """A NUM item."""
    ds, measured = item("NUM", concept, *below), Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = Sequence([code(unit)])
    ds.MeasuredValueSequence = Sequence([measured])
    return ds


def person(concept: Code, name: str) -> Dataset:
    """A PNAME item."""
    ds = item("PNAME", concept, relationship="HAS OBS CONTEXT")
    ds.PersonName = name
    return ds


def drawn(graphic: str, instance: Dataset) -> Dataset:
    """An SCOORD item over an image."""
    ds = item("SCOORD", None, image(instance), relationship="INFERRED FROM")
    ds.GraphicType, ds.GraphicData = graphic, [1.0, 1.0, 9.0, 9.0]
    return ds


def measured(study: Dataset) -> Dataset:
    """A line as OHIF stores it: TID 1500, nobody named, every digit of the computation."""
    language = coded(("121049", "DCM", "Language of Content Item and Descendants"), ("eng", "RFC5646", "English"))
    language.ContentSequence = Sequence(
        [coded(("121046", "DCM", "Country of Language"), ("US", "ISO3166_1", "United States"), "HAS CONCEPT MOD")]
    )
    length = number(("410668003", "SCT", "Length"), "68.1892756909623", MILLIMETRE, drawn("POLYLINE", study))
    library = item("CONTAINER", ("126200", "DCM", "Image Library Group"), image(study))
    group = item("CONTAINER", ("125007", "DCM", "Measurement Group"), length)
    return report(
        study,
        language,
        person(("121008", "DCM", "Person Observer Name"), "unknown^unknown"),
        item("CONTAINER", ("111028", "DCM", "Image Library"), library),
        item("CONTAINER", ("126010", "DCM", "Imaging Measurements"), group),
        title=MEASUREMENT_REPORT,
    )


def image(instance: Dataset) -> Dataset:
    """An IMAGE item that points at an instance."""
    ds, reference = item("IMAGE", None), Dataset()
    reference.ReferencedSOPClassUID = instance.SOPClassUID
    reference.ReferencedSOPInstanceUID = instance.SOPInstanceUID
    ds.ReferencedSOPSequence = Sequence([reference])
    return ds


def references(*instances: Dataset) -> Sequence:
    """As evidence or predecessors name instances: by study, series and instance."""
    studies = []
    for each in instances:
        study, series, reference = Dataset(), Dataset(), Dataset()
        reference.ReferencedSOPClassUID = each.SOPClassUID
        reference.ReferencedSOPInstanceUID = each.SOPInstanceUID
        series.SeriesInstanceUID, series.ReferencedSOPSequence = each.SeriesInstanceUID, Sequence([reference])
        study.StudyInstanceUID, study.ReferencedSeriesSequence = each.StudyInstanceUID, Sequence([series])
        studies.append(study)
    return Sequence(studies)


def document(study: Dataset, **changes: object) -> Dataset:
    """A data set of the same patient and study without pixels, in a series of its own."""
    made = ct(BodyPartExamined=None)
    for element in list(made.group_dataset(0x0028)):
        del made[element.tag]
    del made.PixelData
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "AccessionNumber"):
        setattr(made, keyword, study[keyword].value)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.Modality, made.SeriesInstanceUID = "SR", generate_uid()
    made.ContentDate, made.ContentTime = "20250115", "113000"
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def report(
    study: Dataset, *content: Dataset, title: Code = RADIOLOGY_REPORT, verified: str = "", **changes: object
) -> Dataset:
    """A structured report of a study. verified: by whom, else UNVERIFIED."""
    made = document(study, SOPClassUID=EnhancedSRStorage)
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = Sequence([code(title)])
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "VERIFIED" if verified else "UNVERIFIED"
    if verified:
        observer = Dataset()
        observer.VerifyingObserverName, observer.VerifyingOrganization = verified, "区中心医院"
        observer.VerificationDateTime = "20250115120000"
        made.VerifyingObserverSequence = Sequence([observer])
    made.ContentSequence = Sequence(content)
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def reading(study: Dataset, said: str = "右肺上叶结节。", **changes: object) -> Dataset:
    """A doctor's reading, as TID 2000 lays one out, verified."""
    changes.setdefault("verified", "Li^Si=李^四")
    return report(
        study,
        item("CONTAINER", HISTORY, text(("121060", "DCM", "病史"), "咳嗽两周")),
        item("CONTAINER", FINDINGS, text(FINDING, "右肺上叶见磨玻璃结节，径约8mm。"), image(study)),
        item("CONTAINER", IMPRESSIONS, text(IMPRESSION, said)),
        **changes,  # type: ignore[arg-type]
    )


def encapsulated(study: Dataset, content: bytes = PDF, **changes: object) -> Dataset:
    """A PDF in a DICOM instance, verified."""
    made = document(study, SOPClassUID=EncapsulatedPDFStorage, Modality="DOC", VerificationFlag="VERIFIED")
    made.DocumentTitle, made.MIMETypeOfEncapsulatedDocument = "CT诊断报告", "application/pdf"
    made.EncapsulatedDocument, made.EncapsulatedDocumentLength = content + b"\0" * (len(content) % 2), len(content)
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made
