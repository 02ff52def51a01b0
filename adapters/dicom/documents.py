"""The report that stands beside an instance: images to be read, an ECG with its waveform, or a document."""

import datetime as dt
from dataclasses import replace
from typing import BinaryIO

from adapters.ecg import dicom_waveform
from adapters.ecg.clock import timestamp
from schemas.codes import DCM, Coding, system_uri
from schemas.delivery import Accounting, Origin, Reading
from schemas.ecg import EcgRecording
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from schemas.identifiers import DICOM_UID, Identifier
from schemas.report import Attachment, Report, ReportCategory, ReportStatus
from schemas.study import Instance

from .header import Header
from .library import as_dataset, modality_name
from .sr_codes import is_structured_report
from .sr_report import fill
from .sr_tree import COMPLETION, CONCEPT_NAME, VERIFICATION, coding, read_tree, verifications
from .structure import Element, place

ENCAPSULATED_PDF, ENCAPSULATED_CDA = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2"
# By SOP class: the media type, and how a document of it begins (white space and a byte order mark aside).
ENCAPSULATED = {ENCAPSULATED_PDF: ("application/pdf", b"%PDF-"), ENCAPSULATED_CDA: ("application/xml", b"<")}
DOCUMENT, DOCUMENT_TITLE, DOCUMENT_LENGTH = 0x00420011, 0x00420010, 0x00420015
PRELIMINARY_FLAG, PREDECESSORS = 0x0040A496, 0x0040A360
PROCEDURE_CODES = 0x00081032
MAX_DOCUMENT = 64 << 20
_WAVEFORM_MODALITIES = frozenset({"ECG", "EPS", "HD", "RESP", "EMG", "EEG"})


def reading(source: BinaryIO, header: Header, instance: Instance, origin: Origin, accounting: Accounting) -> Reading:
    """The instance with its report. Raises InvalidPayload for a waveform or document that cannot be what it claims."""
    if waveform := _waveform(source, header, instance, origin):
        report, recording = waveform
        found = Reading((report,), instances=(instance,), recordings=((report.key, recording),), accounting=accounting)
    elif instance.sop_class_uid in ENCAPSULATED:
        content = _document(source, header, instance.sop_class_uid)
        report = _encapsulated(header, instance, origin, content)
        found = Reading((report,), instances=(instance,), parts=(content,), accounting=accounting)
    elif is_structured_report(instance.sop_class_uid):
        found = _structured(header, instance, origin, accounting)
    else:
        found = Reading((_images(header, instance, origin),), instances=(instance,), accounting=accounting)
    return found


def _waveform(
    source: BinaryIO, header: Header, instance: Instance, origin: Origin
) -> tuple[Report, EcgRecording] | None:
    """None for what is no waveform of the heart's currents, such as pressures alone."""
    if instance.sop_class_uid not in dicom_waveform.SOP_CLASSES:
        return None
    try:
        dataset = as_dataset(header, lambda element: _long(source, element))
        return dicom_waveform.read_waveform(dataset, instance.study.patient, origin)
    except Fault:
        if instance.sop_class_uid == dicom_waveform.HEMODYNAMIC:
            return None
        raise


def recurs(found: Reading, origin: Origin) -> bool:
    """Whether another header of the same form (adapters.dicom.recurring) says the same: one of images that has a time.

    Where the study has none, the report's is that of the acquisition, and differs from instance to instance.
    """
    if found.parts or found.recordings or len(found.reports) != 1 or len(found.instances) != 1:
        return False
    report, instance = found.reports[0], found.instances[0]
    study = instance.study
    moment = timestamp(study.study_date + study.study_time, origin.source.time_zone)
    return report.key == study.study_instance_uid and instance.key_objects is None and moment is not None


def _images(header: Header, instance: Instance, origin: Origin) -> Report:
    """Images are here, nobody has read them yet. The same for every instance of a study, as far as its header is."""
    study = instance.study
    ecg = instance.series.modality in _WAVEFORM_MODALITIES
    return Report(
        key=study.study_instance_uid,
        category=ReportCategory.ECG if ecg else ReportCategory.IMAGING,
        status=ReportStatus.PARTIAL,
        code=_code(header, instance),
        patient=study.patient,
        organization=origin.source.organization,
        observed_at=_observed_at(header, origin),
        accession_number=study.accession_number,
        study_instance_uid=study.study_instance_uid,
        flags=_flags(header),
    )


def _structured(header: Header, instance: Instance, origin: Origin, accounting: Accounting) -> Reading:
    tree, account = read_tree(header, instance.sop_instance_uid, instance.sop_class_uid)
    report, document = fill(_document_report(header, instance, origin, Coding("")), tree, account)
    items = account.mapped + account.flagged + account.kept
    together = Accounting(
        accounting.total + items,
        accounting.mapped + account.mapped,
        accounting.kept + account.kept,
        accounting.flagged + account.flagged,
        (*accounting.notes, *account.notes),
    )
    return Reading((report,), instances=(instance,), parts=(document,), accounting=together)


def _encapsulated(header: Header, instance: Instance, origin: Origin, content: bytes) -> Report:
    modality = instance.series.modality
    named = coding(header, CONCEPT_NAME)
    report = _document_report(header, instance, origin, _code(header, instance))
    title = (named.display if named else "") or instance.study.description or modality_name(modality)
    media_type = ENCAPSULATED[instance.sop_class_uid][0]
    attachment = Attachment.of(content, media_type, header.text(DOCUMENT_TITLE) or title)
    flags = (*report.flags, "no-waveform") if report.category is ReportCategory.ECG else report.flags
    return replace(report, attachments=(attachment,), flags=flags)


def _document_report(header: Header, instance: Instance, origin: Origin, code: Coding) -> Report:
    """What a document says of itself. code: in place of the procedure's, where that is not told."""
    study = instance.study
    verified = list(verifications(header))
    return Report(
        key=instance.sop_instance_uid,
        category=ReportCategory.ECG if instance.series.modality == "ECG" else ReportCategory.IMAGING,
        status=_status(header),
        code=_procedure(header) or code,
        patient=study.patient,
        organization=origin.source.organization,
        observed_at=_observed_at(header, origin),
        issued_at=_issued_at(header, origin, [each.verified_at for each in verified]),
        identifiers=(Identifier(DICOM_UID, f"urn:oid:{instance.sop_instance_uid}"),),
        accession_number=study.accession_number,
        performers=tuple(dict.fromkeys(each.name for each in verified if each.name)),
        study_instance_uid=study.study_instance_uid,
        flags=_flags(header),
        replaces=_predecessor(header),
    )


def _status(header: Header) -> ReportStatus:
    """Source: PS3.3 C.17.2.2. A document that was never verified is nobody's final word, complete or not."""
    if header.text(VERIFICATION) == "VERIFIED" and header.text(PRELIMINARY_FLAG) != "PRELIMINARY":
        return ReportStatus.FINAL
    return ReportStatus.PARTIAL if header.text(COMPLETION) == "PARTIAL" else ReportStatus.PRELIMINARY


def _predecessor(header: Header) -> str:
    """The document whose next version this is; of several that it unites, the first."""
    for study in header.items(PREDECESSORS):
        for series in study.items(0x00081115):
            for item in series.items(0x00081199):
                return item.text(0x00081155)
    return ""


def _issued_at(header: Header, origin: Origin, verified: list[str]) -> dt.datetime | None:
    """When it was last verified, else when its content was made: the source's clock."""
    zone, offset = origin.source.time_zone, header.text(0x00080201)
    moments = [moment for text in verified if (moment := timestamp(text, zone))]
    if moments:
        return max(moments)
    content = header.text(0x00080023) + header.text(0x00080033)
    return timestamp(content + offset, zone) or timestamp(content, zone)


def _flags(header: Header) -> tuple[str, ...]:
    return ("charset-repaired",) if header.charset.repaired else ()


def _code(header: Header, instance: Instance) -> Coding:
    modality = instance.series.modality or "OT"
    said = Coding(modality, instance.study.description or modality_name(modality), DCM)
    return _procedure(header) or said


def _procedure(header: Header) -> Coding | None:
    coded = (item for item in header.items(PROCEDURE_CODES) if item.text(0x00080100))
    found = next(coded, None)
    if found is None:
        return None
    return Coding(found.text(0x00080100), found.text(0x00080104), system_uri(found.text(0x00080102)))


def _observed_at(header: Header, origin: Origin) -> dt.datetime | None:
    """The study's own date and time, else the acquisition's, series' or content's: by the modality's clock.

    Study first, because every instance of a study then says the same. Without an offset, in the source's zone.
    """
    zone = origin.source.time_zone
    offset = header.text(0x00080201)
    pairs = ((0x00080020, 0x00080030), (0x00080022, 0x00080032), (0x00080021, 0x00080031), (0x00080023, 0x00080033))
    written = [header.text(day) + header.text(time) for day, time in pairs if header.text(day)]
    written.insert(1 if header.text(pairs[0][0]) else 0, header.text(0x0008002A))
    found = (timestamp(text + offset, zone) or timestamp(text, zone) for text in written if text)
    return next((moment for moment in found if moment is not None), None)


def _document(source: BinaryIO, header: Header, sop_class_uid: str) -> bytes:
    element = header.dataset.elements.get(DOCUMENT)
    if element is None or not element.length:
        raise InvalidPayload("the encapsulated document is missing", where=place(DOCUMENT))
    content = _long(source, element)
    length = header.integer(DOCUMENT_LENGTH)
    content = content[:length] if length else content.rstrip(b"\0")
    begins = ENCAPSULATED[sop_class_uid][1]
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(begins):
        raise InvalidPayload(f"expected a {'PDF' if begins == b'%PDF-' else 'CDA'} document", where=place(DOCUMENT))
    return content


def _long(source: BinaryIO, element: Element) -> bytes:
    """The value of an element, also of one that the scan only located."""
    if element.value is not None:
        return element.value
    if element.length > MAX_DOCUMENT:
        raise UnsupportedPayload(f"more than {MAX_DOCUMENT >> 20} MiB in one value", where=place(element.tag))
    source.seek(element.offset)
    return source.read(element.length)
