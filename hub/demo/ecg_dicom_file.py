"""An examination as a DICOM 12-lead ECG waveform. Source: DICOM PS3.3 A.34.3, C.10.8 to C.10.10; PS3.16 TID 3401."""

import io
from collections.abc import Iterator

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from schemas.ecg import LEADS
from schemas.patient import Sex

from .ecg_examination import MANUFACTURER, MODEL, Examination

_SOP_CLASS = {True: "1.2.840.10008.5.1.4.1.1.9.1.2", False: "1.2.840.10008.5.1.4.1.1.9.1.1"}
_LEAD_NUMBERS = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))
_IMPLEMENTATION = "2.25.289384293847293847239847"


def part10(examination: Examination, *, general: bool = False, charset: str = "GB18030") -> bytes:
    """A complete Part 10 file, 12-lead or general. charset: DICOM's defined term, such as `ISO_IR 192`."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = charset
    dataset.SOPClassUID = UID(_SOP_CLASS[general])
    dataset.SOPInstanceUID = UID(examination.uid("instance"))
    _identify(dataset, examination)
    dataset.WaveformSequence = Sequence([_rhythm(examination)])
    dataset.WaveformAnnotationSequence = Sequence(_annotations(examination))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    dataset.file_meta = meta
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _identify(dataset: Dataset, examination: Examination) -> None:
    day, time = examination.observed_at.strftime("%Y%m%d"), examination.observed_at.strftime("%H%M%S")
    dataset.StudyDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.ContentTime = time
    dataset.AcquisitionDateTime = day + time
    dataset.AccessionNumber = examination.accession_number
    dataset.Modality = "ECG"
    dataset.Manufacturer = MANUFACTURER
    dataset.InstitutionName = examination.institution
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "常规12导联心电图"
    dataset.NameOfPhysiciansReadingStudy = examination.confirmed_by
    dataset.ManufacturerModelName = MODEL
    dataset.DeviceSerialNumber = examination.serial or "1"
    dataset.SoftwareVersions = "1.0"
    dataset.PatientName = f"{examination.latin}={examination.name}"
    dataset.PatientID = examination.patient_id
    dataset.PatientBirthDate = examination.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = {Sex.MALE: "M", Sex.FEMALE: "F"}.get(examination.sex, "O")
    dataset.StudyInstanceUID = examination.uid("study")
    dataset.SeriesInstanceUID = examination.uid("series")
    dataset.StudyID = "1"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.AcquisitionContextSequence = Sequence([])


def _code(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def _rhythm(examination: Examination) -> Dataset:
    recording = examination.signal.recording
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(recording.leads)
    group.NumberOfWaveformSamples = recording.samples_uv.shape[1]
    group.SamplingFrequency = f"{recording.sampling_rate_hz:g}"
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = Sequence([_channel(lead) for lead in recording.leads])
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.WaveformData = recording.samples_uv.T.astype(np.dtype("<i2")).tobytes()
    return group


def _channel(lead: str) -> Dataset:
    channel = Dataset()
    channel.ChannelSourceSequence = _code(f"2:{_LEAD_NUMBERS[lead]}", "MDC", f"Lead {lead}")
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = _code("uV", "UCUM", "microvolt")
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    channel.FilterLowFrequency, channel.FilterHighFrequency = "0.05", "150"
    return channel


def _annotations(examination: Examination) -> Iterator[Dataset]:
    measured = examination.signal.measurements
    rows = (
        ("2:16016", "Ventricular Heart Rate", measured.heart_rate, "{H.B.}/min"),
        ("2:15872", "PR interval global", measured.pr_ms, "ms"),
        ("2:16156", "QRS duration global", measured.qrs_ms, "ms"),
        ("2:16160", "QT interval global", measured.qt_ms, "ms"),
        ("2:15880", "QTc global using Bazett formula", measured.qtc_ms, "ms"),
        ("2:16132", "QRS Axis", measured.axis_deg, "deg"),
    )
    for number, (code, meaning, value, unit) in enumerate(rows):
        if value is not None:
            item = _annotation(number)
            item.ConceptNameCodeSequence = _code(code, "MDC", meaning)
            item.MeasurementUnitsCodeSequence = _code(unit, "UCUM", unit)
            item.NumericValue = str(value)
            yield item
    lines = examination.statements + ((f"Confirmed by {examination.confirmed_by}",) if examination.confirmed_by else ())
    for number, text in enumerate(lines):
        item = _annotation(100 + number)
        item.UnformattedTextValue = text
        yield item


def _annotation(number: int) -> Dataset:
    item = Dataset()
    item.ReferencedWaveformChannels = [1, 0]
    item.AnnotationGroupNumber = number
    return item
