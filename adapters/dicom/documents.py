"""The report that stands beside an instance: images to be read, an ECG with its waveform, or a document."""

import datetime as dt
from typing import BinaryIO

from adapters.ecg import dicom_waveform
from adapters.ecg.clock import timestamp
from schemas.codes import DCM, Coding, system_uri
from schemas.delivery import Accounting, Origin, Reading
from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.report import Attachment, Report, ReportCategory, ReportStatus
from schemas.study import Instance

from .header import Header
from .library import as_dataset, modality_name
from .structure import Element, place

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
DOCUMENT, DOCUMENT_TITLE, DOCUMENT_LENGTH = 0x00420011, 0x00420010, 0x00420015
COMPLETION, VERIFICATION = 0x0040A491, 0x0040A493
PROCEDURE_CODES = 0x00081032
MAX_DOCUMENT = 64 << 20
_WAVEFORM_MODALITIES = frozenset({"ECG", "EPS", "HD", "RESP", "EMG", "EEG"})


def reading(source: BinaryIO, header: Header, instance: Instance, origin: Origin, accounting: Accounting) -> Reading:
    """The instance with its report. Raises InvalidPayload for a waveform or document that cannot be what it claims."""
    if instance.sop_class_uid in dicom_waveform.SOP_CLASSES:
        dataset = as_dataset(header, lambda element: _long(source, element))
        report, recording = dicom_waveform.read_waveform(dataset, instance.study.patient, origin)
        found = Reading((report,), instances=(instance,), recordings=((report.key, recording),), accounting=accounting)
    elif instance.sop_class_uid == ENCAPSULATED_PDF:
        content = _document(source, header)
        report = _document_report(header, instance, origin, content)
        found = Reading((report,), instances=(instance,), parts=(content,), accounting=accounting)
    else:
        found = Reading((_images(header, instance, origin),), instances=(instance,), accounting=accounting)
    return found


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


def _document_report(header: Header, instance: Instance, origin: Origin, content: bytes) -> Report:
    study, ecg = instance.study, instance.series.modality == "ECG"
    verified = header.text(VERIFICATION) == "VERIFIED"
    title = header.text(DOCUMENT_TITLE) or study.description or modality_name(instance.series.modality)
    return Report(
        key=instance.sop_instance_uid,
        category=ReportCategory.ECG if ecg else ReportCategory.IMAGING,
        status=ReportStatus.FINAL if verified else ReportStatus.PRELIMINARY,
        code=_code(header, instance),
        patient=study.patient,
        organization=origin.source.organization,
        observed_at=_observed_at(header, origin),
        accession_number=study.accession_number,
        attachments=(Attachment.of(content, "application/pdf", title),),
        study_instance_uid=study.study_instance_uid,
        flags=(*_flags(header), *(("no-waveform",) if ecg else ())),
    )


def _flags(header: Header) -> tuple[str, ...]:
    return ("charset-repaired",) if header.charset.repaired else ()


def _code(header: Header, instance: Instance) -> Coding:
    for item in header.items(PROCEDURE_CODES):
        value = item.text(0x00080100)
        if value:
            return Coding(value, item.text(0x00080104), system_uri(item.text(0x00080102)))
    modality = instance.series.modality or "OT"
    return Coding(modality, instance.study.description or modality_name(modality), DCM)


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


def _document(source: BinaryIO, header: Header) -> bytes:
    element = header.dataset.elements.get(DOCUMENT)
    if element is None or not element.length:
        raise InvalidPayload("the encapsulated document is missing", where=place(DOCUMENT))
    content = _long(source, element)
    length = header.integer(DOCUMENT_LENGTH)
    content = content[:length] if length else content.rstrip(b"\0")
    if not content.lstrip().startswith(b"%PDF-"):
        raise InvalidPayload("expected a PDF document", where=place(DOCUMENT))
    return content


def _long(source: BinaryIO, element: Element) -> bytes:
    """The value of an element, also of one that the scan only located."""
    if element.value is not None:
        return element.value
    if element.length > MAX_DOCUMENT:
        raise UnsupportedPayload(f"more than {MAX_DOCUMENT >> 20} MiB in one value", where=place(element.tag))
    source.seek(element.offset)
    return source.read(element.length)
