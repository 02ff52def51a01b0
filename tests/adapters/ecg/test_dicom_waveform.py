"""What a DICOM waveform may say in unusual ways, and what it may not."""

import copy
import datetime as dt
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from adapters.ecg.dicom_waveform import read_waveform
from hub.demo import ecg_files
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording
from schemas.faults import InvalidPayload, UnsupportedPayload
from schemas.report import Report
from tests.adapters.ecg.examples import PATIENT, dataset, examination, origin

Uv = npt.NDArray[np.float64]
ORIGINAL = examination().signal.recording


@pytest.fixture
def ecg() -> Dataset:
    """The examination as a 12-lead object, to be spoiled."""
    return dataset(ecg_files.part10(examination()))


def read(ecg: Dataset) -> tuple[Report, EcgRecording]:
    return read_waveform(ecg, PATIENT, origin())


def samples(group: Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.frombuffer(group.WaveformData, "<i2").reshape(-1, int(group.NumberOfWaveformChannels))


def keep(group: Dataset, wanted: tuple[str, ...], begin: int = 0, end: int = 5000) -> Dataset:
    """The same group with some of its leads and a stretch of its time."""
    columns = [LEADS.index(lead) for lead in wanted]
    part = copy.deepcopy(group)
    part.ChannelDefinitionSequence = Sequence([group.ChannelDefinitionSequence[column] for column in columns])
    part.NumberOfWaveformChannels, part.NumberOfWaveformSamples = len(columns), end - begin
    part.WaveformData = samples(group)[begin:end, columns].astype("<i2").tobytes()
    return part


def test_zero_declared_as_padding_stays_a_voltage(ecg: Dataset) -> None:
    ecg.WaveformSequence[0].WaveformPaddingValue = b"\0\0"
    report, recording = read(ecg)
    assert np.array_equal(recording.samples_uv, ORIGINAL.samples_uv)
    assert "padding-ignored" in report.flags


def test_padding_at_the_end_of_the_range_is_a_gap_and_not_a_voltage(ecg: Dataset) -> None:
    group = ecg.WaveformSequence[0]
    stored = samples(group).copy()
    stored[4000:, 3] = -32768
    group.WaveformData, group.WaveformPaddingValue = stored.tobytes(), b"\x00\x80"
    report, recording = read(ecg)
    assert (recording.samples_uv[3, 4000:] == NO_SAMPLE_UV).all()
    assert np.array_equal(recording.samples_uv[3, :4000], ORIGINAL.samples_uv[3, :4000])
    assert "gaps" in report.flags


def test_leads_recorded_three_at_a_time_stand_where_they_were_recorded(ecg: Dataset) -> None:
    whole = ecg.WaveformSequence[0]
    columns = (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6"))
    groups = []
    for number, leads in enumerate(columns):
        groups.append(keep(whole, leads, number * 1250, (number + 1) * 1250))
        groups[-1].MultiplexGroupTimeOffset = str(2500 * number)
    ecg.WaveformSequence = Sequence(groups)
    report, recording = read(ecg)
    assert recording.leads == LEADS
    assert recording.samples_uv.shape == (12, 5000)
    assert np.array_equal(recording.samples_uv[11, 3750:], ORIGINAL.samples_uv[11, 3750:])
    assert (recording.samples_uv[11, :3750] == NO_SAMPLE_UV).all()
    assert {"groups-merged", "gaps"} <= set(report.flags)


def test_median_beat_beside_the_rhythm_is_left_alone(ecg: Dataset) -> None:
    median = keep(ecg.WaveformSequence[0], LEADS, 0, 600)
    median.WaveformOriginality = "DERIVED"
    ecg.WaveformSequence = Sequence([median, ecg.WaveformSequence[0]])
    report, recording = read(ecg)
    assert np.array_equal(recording.samples_uv, ORIGINAL.samples_uv)
    assert report.flags == ()


def test_second_recording_of_the_same_leads_is_told_and_not_mixed_in(ecg: Dataset) -> None:
    whole = ecg.WaveformSequence[0]
    ecg.WaveformSequence = Sequence([keep(whole, LEADS, 0, 3000), whole])
    report, recording = read(ecg)
    assert np.array_equal(recording.samples_uv, ORIGINAL.samples_uv)
    assert "groups-left-out" in report.flags


def test_limb_leads_follow_from_the_first_two_when_a_cart_stores_eight(ecg: Dataset) -> None:
    ecg.WaveformSequence = Sequence([keep(ecg.WaveformSequence[0], ("I", "II", *LEADS[6:]))])
    report, recording = read(ecg)
    assert recording.leads == LEADS
    assert np.abs(recording.samples_uv - ORIGINAL.samples_uv).max() <= 1
    assert report.flags == ("leads-derived",)


def test_nothing_is_derived_when_one_of_the_first_two_is_missing(ecg: Dataset) -> None:
    ecg.WaveformSequence = Sequence([keep(ecg.WaveformSequence[0], ("I", "V1", "V5"))])
    report, recording = read(ecg)
    assert recording.leads == ("I", "V1", "V5")
    assert report.flags == ("leads-missing",)


@pytest.mark.parametrize(
    ("unit", "sensitivity", "factor", "baseline", "expected"),
    [
        ("uV", "1", "4.88", "0", lambda stored: stored * 4.88),
        ("mV", "0.001", "1", "0", lambda stored: stored * 1.0),
        ("uV", "2.5", "1", "100", lambda stored: stored * 2.5 + 100),
    ],
)
def test_voltage_is_stored_value_times_sensitivity_and_correction_plus_baseline(
    ecg: Dataset, unit: str, sensitivity: str, factor: str, baseline: str, expected: Callable[[Uv], Uv]
) -> None:
    for channel in ecg.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = sensitivity, factor
        channel.ChannelSensitivityUnitsSequence[0].CodeValue, channel.ChannelBaseline = unit, baseline
    _, recording = read(ecg)
    assert np.abs(recording.samples_uv - expected(ORIGINAL.samples_uv.astype(np.float64))).max() <= 0.5 + 1e-6


def test_eight_bit_and_big_endian_samples_are_the_same_voltages(ecg: Dataset) -> None:
    group = ecg.WaveformSequence[0]
    stored = samples(group) // 32
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "SB"
    group.WaveformData = stored.astype(np.int8).tobytes()
    _, recording = read(ecg)
    assert np.array_equal(recording.samples_uv, stored.T)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = stored.astype(">i2").tobytes()
    ecg.set_original_encoding(False, False)
    assert np.array_equal(read(ecg)[1].samples_uv, stored.T)


def test_channel_that_measures_no_voltage_is_left_out_and_told(ecg: Dataset) -> None:
    ecg.WaveformSequence[0].ChannelDefinitionSequence[11].ChannelSensitivityUnitsSequence[0].CodeValue = "mm[Hg]"
    report, recording = read(ecg)
    assert recording.leads == LEADS[:11]
    assert set(report.flags) == {"channels-left-out", "leads-missing"}


def test_leads_are_known_by_their_code_or_their_words_never_by_their_place(ecg: Dataset) -> None:
    channels = ecg.WaveformSequence[0].ChannelDefinitionSequence
    for channel, lead in zip(channels, reversed(LEADS), strict=True):
        source = channel.ChannelSourceSequence[0]
        source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "x", "99CART", f"Lead {lead.upper()}"
    _, recording = read(ecg)
    assert recording.leads == LEADS
    assert np.array_equal(recording.samples_uv, ORIGINAL.samples_uv[::-1])


def test_rhythm_without_rate_gets_it_from_the_interval_and_says_so(ecg: Dataset) -> None:
    for annotation in ecg.WaveformAnnotationSequence:
        if annotation.get("NumericValue") and annotation.ConceptNameCodeSequence[0].CodeValue == "2:16016":
            annotation.ConceptNameCodeSequence[0].CodeValue = "2:16168"
            annotation.NumericValue = "800"
    rate = read(ecg)[0].observations[0]
    assert (rate.code.code, str(getattr(rate.value, "value", ""))) == ("8867-4", "75")
    assert "R-R" in rate.method


def test_time_without_an_offset_is_the_time_at_the_source(ecg: Dataset) -> None:
    assert str(read(ecg)[0].observed_at) == "2026-03-01 09:30:05+08:00"
    ecg.AcquisitionDateTime = "20260301013005.250+0000"
    assert read(ecg)[0].observed_at == dt.datetime(2026, 3, 1, 1, 30, 5, 250000, tzinfo=dt.UTC)
    ecg.AcquisitionDateTime, ecg.TimezoneOffsetFromUTC = "20260301033005", "+0200"
    assert read(ecg)[0].observed_at == dt.datetime(2026, 3, 1, 1, 30, 5, tzinfo=dt.UTC)
    del ecg.AcquisitionDateTime, ecg.TimezoneOffsetFromUTC
    assert str(read(ecg)[0].observed_at) == "2026-03-01 09:30:05+08:00"


def test_unconfirmed_in_words_does_not_confirm(ecg: Dataset) -> None:
    ecg.WaveformAnnotationSequence[-1].UnformattedTextValue = "Not confirmed by a physician"
    assert read(ecg)[0].status == "preliminary"
    ecg.WaveformAnnotationSequence[-1].UnformattedTextValue = "未审核"
    assert read(ecg)[0].status == "preliminary"
    ecg.WaveformAnnotationSequence[-1].UnformattedTextValue = "已审核"
    assert read(ecg)[0].status == "final"


def test_ambulatory_recording_is_refused_as_another_kind(ecg: Dataset) -> None:
    ecg.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.3"
    with pytest.raises(UnsupportedPayload):
        read(ecg)


@pytest.mark.parametrize(
    ("keyword", "value", "where"),
    [
        ("NumberOfWaveformSamples", 5001, "(5400,1010)"),
        ("NumberOfWaveformSamples", 2**32 - 1, "(5400,1010)"),
        ("NumberOfWaveformChannels", 11, "(003A,0005)"),
        ("SamplingFrequency", "0", "(003A,001A)"),
        ("WaveformBitsAllocated", 8, "(5400,1004)"),
        ("WaveformData", b"", "(5400,1010)"),
    ],
)
def test_waveform_that_contradicts_itself_is_refused_at_the_place(
    ecg: Dataset, keyword: str, value: object, where: str
) -> None:
    setattr(ecg.WaveformSequence[0], keyword, value)
    with pytest.raises(InvalidPayload) as caught:
        read(ecg)
    assert where in caught.value.where


def test_impossible_voltage_is_refused_and_not_clipped(ecg: Dataset) -> None:
    for channel in ecg.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSensitivity = "1e30"
    with pytest.raises(InvalidPayload):
        read(ecg)


def test_object_without_a_waveform_is_refused(ecg: Dataset) -> None:
    del ecg.WaveformSequence
    with pytest.raises(InvalidPayload) as caught:
        read(ecg)
    assert caught.value.where == "(5400,0100)"
