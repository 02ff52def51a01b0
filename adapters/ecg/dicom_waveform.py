"""ECG waveforms of DICOM. Source: DICOM PS3.3 A.34.3 (12-lead), A.34.4 (general), A.34.14 (32-bit), C.10.9, C.10.10."""

import dataclasses
import datetime as dt
from collections.abc import Iterator

from pydicom import Dataset, config
from pydicom.errors import BytesLengthException, InvalidDicomError

from schemas.delivery import Origin
from schemas.ecg import EcgRecording
from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.patient import Patient
from schemas.report import Report, ReportCategory, ReportStatus

from . import groups
from .clock import timestamp
from .dicom_groups import read_groups
from .measurement_codes import EKG_STUDY
from .measurements import Measured, find, observations
from .statements import clean, confirmed

# The leads that a catheter laboratory records beside pressures.
HEMODYNAMIC = "1.2.840.10008.5.1.4.1.1.9.2.1"
SOP_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.9.1.1",  # 12-lead ECG
        "1.2.840.10008.5.1.4.1.1.9.1.2",  # General ECG
        "1.2.840.10008.5.1.4.1.1.9.1.4",  # General 32-bit ECG
        HEMODYNAMIC,
    }
)

# What this hub writes of a recording too slow for the standard, beside the rates.
_RESAMPLED = "by linear interpolation"
# Values are decoded when they are asked for, so any of these may come from any access to a damaged data set.
_DAMAGED = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError, EOFError),
    *(RecursionError, BytesLengthException, InvalidDicomError),
)

# Carts write UIDs with empty components and names that are too long; a strict reader would turn those patients away.
config.settings.reading_validation_mode = config.IGNORE


def read_waveform(dataset: Dataset, patient: Patient, origin: Origin) -> tuple[Report, EcgRecording]:
    """The report and the waveform of one instance. `patient`: as the caller has read it from the same data set.

    The report is preliminary until the object says that a person has confirmed it. Its `recording` is left empty.
    Raises InvalidPayload for a waveform that contradicts itself, UnsupportedPayload for other kinds of waveform.
    """
    try:
        if str(dataset.get("SOPClassUID", "")) not in SOP_CLASSES:
            raise UnsupportedPayload("expected a 12-lead or general ECG waveform", where="(0008,0016)")
        return _read(dataset, patient, origin)
    except _DAMAGED as error:
        raise InvalidPayload(f"waveform cannot be decoded ({type(error).__name__})", where="(5400,0100)") from error


def _read(dataset: Dataset, patient: Patient, origin: Origin) -> tuple[Report, EcgRecording]:
    started_at = _started_at(dataset, origin.source.time_zone)
    recording, flags = groups.recording(read_groups(dataset))
    recording = dataclasses.replace(recording, started_at=started_at)
    annotations = list(dataset.get("WaveformAnnotationSequence") or [])
    statements = clean(_statements(annotations))
    if any(_RESAMPLED in line for line in statements):
        flags = (*flags, "resampled")
    final = confirmed(statements) or dataset.get("VerificationFlag") == "VERIFIED"
    report = Report(
        key=str(dataset.SOPInstanceUID),
        category=ReportCategory.ECG,
        status=ReportStatus.FINAL if final else ReportStatus.PRELIMINARY,
        code=EKG_STUDY,
        patient=patient,
        organization=origin.source.organization,
        observed_at=started_at,
        accession_number=str(dataset.get("AccessionNumber") or "").strip(),
        performers=_performers(dataset),
        conclusion="\n".join(statements),
        observations=observations(_measurements(annotations)),
        study_instance_uid=str(dataset.get("StudyInstanceUID") or ""),
        flags=flags,
    )
    return report, recording


def _started_at(dataset: Dataset, zone: str) -> dt.datetime | None:
    """Acquisition, else content, else study date and time; without an offset, in the source's zone."""
    offset = str(dataset.get("TimezoneOffsetFromUTC") or "").strip()
    pairs = (("ContentDate", "ContentTime"), ("AcquisitionDate", "AcquisitionTime"), ("StudyDate", "StudyTime"))
    written = [str(dataset.get("AcquisitionDateTime") or "")]
    written += [f"{dataset.get(day) or ''}{dataset.get(time) or ''}" for day, time in pairs]
    # A DT that carries an offset of its own does not parse with a second one behind it.
    found = (timestamp(text + offset, zone) or timestamp(text, zone) for text in written if text)
    return next((moment for moment in found if moment is not None), None)


def _performers(dataset: Dataset) -> tuple[str, ...]:
    readers = dataset.get("NameOfPhysiciansReadingStudy") or []
    names = [readers] if hasattr(readers, "family_name") else list(readers)
    return clean(str(getattr(name, "ideographic", "") or name).replace("^", " ") for name in names)


def _measurements(annotations: list[Dataset]) -> Iterator[Measured]:
    for annotation in annotations:
        concept = annotation.get("ConceptNameCodeSequence")
        value = annotation.get("NumericValue")
        if not concept or value in (None, ""):
            continue
        scheme, code = str(concept[0].get("CodingSchemeDesignator", "")), str(concept[0].get("CodeValue", ""))
        units = annotation.get("MeasurementUnitsCodeSequence")
        number = value if not hasattr(value, "__iter__") else next(iter(value), "")
        found = find(scheme, code, number, str(units[0].get("CodeValue", "")) if units else "")
        if found:
            yield found


def _statements(annotations: list[Dataset]) -> Iterator[str]:
    """Free text, and coded findings by their meaning; marks on the time axis are neither."""
    for annotation in annotations:
        if text := annotation.get("UnformattedTextValue"):
            yield str(text)
        elif annotation.get("TemporalRangeType") is None:
            for code in annotation.get("ConceptCodeSequence") or []:
                yield str(code.get("CodeMeaning", ""))
