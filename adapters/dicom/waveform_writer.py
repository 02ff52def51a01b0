"""An ECG as a General ECG Waveform: the recording, what was measured of it and what was said of it.

Source: DICOM PS3.3 A.34.4, C.10.8 (Waveform Identification), C.10.10 (Annotation); PS3.16 CID 3228, 3229.
"""

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, GeneralECGWaveformStorage

from adapters.ecg.dicom_groups import POINTS
from adapters.ecg.measurement_codes import BY_SCHEME, METHODS
from schemas.codes import DCM, Coding
from schemas.ecg import EcgRecording
from schemas.observation import WITHDRAWN, Observation, Quantity
from schemas.offered import OFFERED, DocumentKind, Offered
from schemas.report import Report

from .waveform_groups import Written, times, written
from .writing import code, data_set, document, file, moment, short

_NAMED = {"p-onset": "P onset", "p-offset": "P offset", "qrs-onset": "QRS onset", "qrs-offset": "QRS offset"}
_CODES = {coding: value for value, coding in reversed(BY_SCHEME["MDC"].items())}
# One code of QTc for each formula; the general one where nobody said which.
_FORMULAS = {method: value for value, method in METHODS.items() if value.startswith("2:")}
_GENERAL_QTC, _QTC = "2:15876", "8636-3"
_UNITS = {"/min": ("/min", "per minute"), "ms": ("ms", "millisecond"), "deg": ("deg", "degree")}
_FINDING = Coding("121071", "Finding", DCM)
_UNCONFIRMED = "未经医师确认 Unconfirmed: not read by a physician"
_LONGEST = 1024


def waveform(offered: Offered, recording: EcgRecording) -> bytes:
    """A whole Part 10 file. Raises UnsupportedPayload for what no General ECG Waveform can hold."""
    groups = written(recording)
    ds = document(offered, DocumentKind.WAVEFORM, GeneralECGWaveformStorage, modality="ECG")
    if not UID(ds.StudyInstanceUID).is_valid:
        # A cart's own, which many archives refuse: the object is of a study that is its own.
        ds.StudyInstanceUID = UID(offered.own_study_instance_uid)
    ds.AcquisitionDateTime = moment(offered.report.observed_at or offered.record.observed_at)
    # Nobody told how the electrodes were placed.
    ds.AcquisitionContextSequence = Sequence()
    ds.WaveformAnnotationSequence = Sequence([*_annotations(offered, recording, groups)])
    ds.WaveformSequence = groups.items
    return file(ds)


def _annotations(offered: Offered, recording: EcgRecording, groups: Written) -> Iterator[Dataset]:
    """Statements are of group 1, what was measured too; points are of the median beat."""
    yield from (_text(line) for line in (*_said(offered.report), *_done(recording, groups)))
    for coding in offered.report.statements:
        yield _of_all(ConceptNameCodeSequence=code(_FINDING), ConceptCodeSequence=code(coding))
    for observation in offered.report.observations:
        if made := _measured(observation):
            yield made
    if groups.median and recording.median:
        rate = recording.median.sampling_rate_hz * times(recording.median.sampling_rate_hz)
        told = dict(recording.median.fiducials_ms)
        for value, name in POINTS.items():
            if name in told:
                yield _point(value, name, groups.median, round(told[name] * rate / 1000) + 1)


def _said(report: Report) -> Iterator[str]:
    """Whether a person stands by it, then what is said in words and not in codes."""
    confirmed = report.status in OFFERED
    if confirmed and report.overread:
        yield f"Confirmed by {report.overread.name} {moment(report.overread.at)}"
    elif confirmed:
        yield "Confirmed by " + "、".join(report.performers) if report.performers else "Confirmed"
    else:
        yield _UNCONFIRMED
    coded = {each.display for each in report.statements}
    yield from (line for line in report.conclusion.split("\n") if line.strip() and line.strip() not in coded)


def _done(recording: EcgRecording, groups: Written) -> Iterator[str]:
    """What was done to the samples so that they could be written."""
    if groups.times > 1:
        rate = recording.sampling_rate_hz
        yield (
            f"由 {rate:g} Hz 线性内插为 {rate * groups.times:g} Hz，每 {groups.times} 个样本的第 1 个为原样本 "
            f"Resampled from {rate:g} to {rate * groups.times:g} Hz by linear interpolation"
        )


def _text(line: str) -> Dataset:
    plain = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return _of_all(UnformattedTextValue=plain.encode()[:_LONGEST].decode("utf-8", "ignore"))


def _of_all(**values: object) -> Dataset:
    """An annotation of the whole recording: of all channels of the first group."""
    return data_set(**values, ReferencedWaveformChannels=[1, 0], AnnotationGroupNumber=1)


def _measured(observation: Observation) -> Dataset | None:
    """A number in the code of ISO 11073 where it has one, else in its own."""
    value = observation.value
    if not isinstance(value, Quantity) or value.comparator or observation.status in WITHDRAWN:
        return None
    unit = value.unit or observation.unit
    known, meaning = _UNITS.get(unit, (unit or "1", unit or "no units"))
    what = next((c for c in _CODES if (c.system, c.code) == (observation.code.system, observation.code.code)), None)
    name = code(observation.code)
    if what:
        number = _FORMULAS.get(observation.method, _GENERAL_QTC) if what.code == _QTC else _CODES[what]
        name = Sequence([data_set(CodeValue=number, CodingSchemeDesignator="MDC", CodeMeaning=short(what.display, 64))])
    units = data_set(CodeValue=short(known, 16), CodingSchemeDesignator="UCUM", CodeMeaning=short(meaning, 64))
    return _of_all(
        ConceptNameCodeSequence=name,
        NumericValue=f"{value.value:.10g}"[:16],
        MeasurementUnitsCodeSequence=Sequence([units]),
    )


def _point(value: str, name: str, group: int, position: int) -> Dataset:
    """A moment of the median beat. position: counted from 1. Source: C.10.10.1.1."""
    named = data_set(
        CodeValue=value,
        CodingSchemeDesignator="SCPECG",
        CodingSchemeVersion="1.3",
        CodeMeaning=_NAMED.get(name, "T offset"),
    )
    return data_set(
        ConceptNameCodeSequence=Sequence([named]),
        ReferencedWaveformChannels=[group, 0],
        TemporalRangeType="POINT",
        ReferencedSamplePositions=position,
        AnnotationGroupNumber=2,
    )
