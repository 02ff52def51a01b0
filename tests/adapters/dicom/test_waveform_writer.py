"""An ECG that the hub writes as DICOM: an independent judge accepts it, and whoever reads it sees the same heart."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import GeneralECGWaveformStorage

from adapters.dicom import REPORT_WRITER
from adapters.dicom.part10 import read
from schemas.ecg import NO_SAMPLE_UV, EcgRecording
from schemas.faults import UnsupportedPayload
from schemas.observation import Quantity
from schemas.report import Report, ReportStatus
from tests.adapters.dicom.recordings import invented, offered, readable, report
from tests.adapters.ecg.examples import origin
from tests.engines import program

INVENTED = {name: (told, recording) for name, told, recording in invented()}


def plain(lead: str) -> str:
    return lead.replace("\\", " ")


def written(told: Report, recording: EcgRecording) -> bytes:
    return REPORT_WRITER.waveform(offered(told), recording)


def judged(folder: Path, content: bytes) -> list[str]:
    path = folder / "ecg.dcm"
    path.write_bytes(content)
    found = subprocess.run([program("dciodvfy", "dicom3tools"), path], capture_output=True, text=True, check=False)
    said = (found.stdout + found.stderr).splitlines()
    assert any(line.startswith("GeneralECG") for line in said)
    return [line for line in said if line.startswith("Error")]


def assert_same_heart(content: bytes, recording: EcgRecording) -> None:
    """Equal within one quantum by our reader, lead by lead; gaps are gaps; what was recorded stands where it stood."""
    ((_, back),) = read(io.BytesIO(content), origin()).recordings
    times = round(back.sampling_rate_hz / recording.sampling_rate_hz)
    assert back.sampling_rate_hz == pytest.approx(recording.sampling_rate_hz * times)
    assert {plain(lead) for lead in recording.leads} <= set(back.leads)
    quantum = max(1, np.abs(np.where(recording.samples_uv == NO_SAMPLE_UV, 0, recording.samples_uv)).max() // 32767 + 1)
    for lead, sent in zip(recording.leads, recording.samples_uv, strict=True):
        found = back.samples_uv[back.leads.index(plain(lead))][::times]
        assert len(found) == len(sent)
        assert ((found == NO_SAMPLE_UV) == (sent == NO_SAMPLE_UV)).all()
        assert np.abs(found.astype(np.int64) - sent).max() <= quantum


def assert_pydicom_sees_it(content: bytes, recording: EcgRecording) -> None:
    ds = dcmread(io.BytesIO(content))
    seen = {}
    for number, item in enumerate(ds.WaveformSequence):
        array = ds.waveform_array(number)
        for column, channel in enumerate(item.ChannelDefinitionSequence):
            if item.WaveformOriginality == "ORIGINAL":
                seen[channel.ChannelLabel] = (int(channel.ChannelSampleSkew), array[:, column])
    for lead, sent in zip(recording.leads, recording.samples_uv, strict=True):
        skew, found = seen[plain(lead)]
        there = np.flatnonzero(sent != NO_SAMPLE_UV)
        times = 2 if recording.sampling_rate_hz < 200 else 1
        if len(there):
            assert np.abs(found[there * times - skew] - sent[there]).max() <= max(
                1, np.abs(sent[there]).max() // 32767 + 1
            )


@pytest.mark.parametrize("name", INVENTED)
def test_a_judge_accepts_it_and_everybody_reads_the_same(name: str, tmp_path: Path) -> None:
    told, recording = INVENTED[name]
    content = written(told, recording)
    assert judged(tmp_path, content) == []
    assert_same_heart(content, recording)
    assert_pydicom_sees_it(content, recording)


def test_so_it_is_with_every_sample(samples: Path, tmp_path: Path) -> None:
    seen = []
    for name, told, recording in readable(samples):
        content = written(told, recording)
        assert judged(tmp_path, content) == [], name
        assert_same_heart(content, recording)
        assert_pydicom_sees_it(content, recording)
        seen.append(name)
    assert len(seen) == 19, seen


def test_the_same_version_is_the_same_bytes_and_another_is_another_object() -> None:
    told, recording = INVENTED["with a median beat"]
    first, again = written(told, recording), written(told, recording)
    assert first == again
    second = dcmread(io.BytesIO(REPORT_WRITER.waveform(offered(told, 2), recording)))
    one = dcmread(io.BytesIO(first))
    assert second.SOPInstanceUID != one.SOPInstanceUID
    assert (second.StudyInstanceUID, second.SeriesInstanceUID) == (one.StudyInstanceUID, one.SeriesInstanceUID)


def test_it_says_whose_it_is_and_what_it_shows() -> None:
    ds = dcmread(io.BytesIO(written(*INVENTED["with a median beat"])))
    assert ds.SOPClassUID == GeneralECGWaveformStorage
    assert (str(ds.PatientName), ds.PatientID, ds.PatientSex, ds.PatientBirthDate) == (
        "=王弢",
        "000123",
        "M",
        "19600503",
    )
    assert ds.AcquisitionDateTime == "20260301093005+0800"
    assert [item.MultiplexGroupLabel for item in ds.WaveformSequence] == ["RHYTHM", "MEDIAN BEAT"]
    assert [item.WaveformOriginality for item in ds.WaveformSequence] == ["ORIGINAL", "DERIVED"]
    channel = ds.WaveformSequence[0].ChannelDefinitionSequence[3]
    source = channel.ChannelSourceSequence[0]
    assert (source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning) == ("2:62", "MDC", "Lead aVR")
    assert (channel.ChannelSensitivity, channel.ChannelSensitivityUnitsSequence[0].CodeValue) == (1, "uV")


def test_what_was_measured_said_and_marked_is_read_back(tmp_path: Path) -> None:
    content = written(*INVENTED["with a median beat"])
    reading = read(io.BytesIO(content), origin())
    (back,), ((_, recording),) = reading.reports, reading.recordings
    values = {each.code.code: (each.value, each.method) for each in back.observations}
    assert isinstance(values["8867-4"][0], Quantity)
    assert values["8867-4"][0].value == 72
    assert values["8636-3"][1] == "Bazett"
    assert "窦性心律，𠮷" in back.conclusion
    assert back.status is ReportStatus.PRELIMINARY
    assert recording.median is not None
    assert dict(recording.median.fiducials_ms) == {"p-onset": 80.0, "qrs-onset": 240.0, "t-offset": 700.0}


def test_whether_a_doctor_stands_by_it_is_stated() -> None:
    def said(name: str) -> list[str]:
        ds = dcmread(io.BytesIO(written(*INVENTED[name])))
        return [each.UnformattedTextValue for each in ds.WaveformAnnotationSequence if "UnformattedTextValue" in each]

    assert said("whole")[0].startswith("未经医师确认 Unconfirmed")
    assert said("confirmed here")[0].startswith("Confirmed by 李四")
    assert read(io.BytesIO(written(*INVENTED["confirmed here"])), origin()).reports[0].status is ReportStatus.FINAL
    coded = dcmread(io.BytesIO(written(*INVENTED["confirmed here"]))).WaveformAnnotationSequence
    codes = [each.ConceptCodeSequence[0] for each in coded if "ConceptCodeSequence" in each]
    assert [(each.CodeValue, each.CodeMeaning) for each in codes] == [("SR", "窦性心律"), ("PVC", "室性早搏")]


def test_a_slow_recording_says_that_points_were_put_between() -> None:
    ds = dcmread(io.BytesIO(written(*INVENTED["slow"])))
    said = " ".join(each.get("UnformattedTextValue", "") for each in ds.WaveformAnnotationSequence)
    assert "由 100 Hz 线性内插为 200 Hz" in said


def test_what_the_standard_cannot_hold_is_not_written() -> None:
    fast = EcgRecording(("II",), 2000.0, np.zeros((1, 4000), np.int32))
    with pytest.raises(UnsupportedPayload, match="1000 samples a second"):
        written(report(), fast)
    many = EcgRecording(tuple(f"L{n}" for n in range(25)), 500.0, np.zeros((25, 500), np.int32))
    with pytest.raises(UnsupportedPayload, match="24 leads"):
        written(report(), many)
