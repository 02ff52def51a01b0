"""One recording in several formats is one recording."""

from pathlib import Path

import numpy as np
import pydicom

from adapters.ecg import aecg, scp_ecg
from adapters.ecg.dicom_waveform import read_waveform
from hub.demo import ecg_files
from schemas.ecg import LEADS
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, dataset, examination, origin, read


def test_the_sample_recorded_once_and_sent_in_three_formats_is_the_same_in_all(samples: Path) -> None:
    folder = samples / "ecg"
    from_aecg = read(aecg.read, (folder / "aecg/same_ecg_Example_aecg.xml").read_bytes())
    from_scp = read(scp_ecg.read, (folder / "scp/same_ecg_Example.scp").read_bytes())
    report, from_dicom = read_waveform(pydicom.dcmread(folder / "dicom/same_ecg_Example.dcm"), PATIENT, origin())
    for reading in (from_aecg, from_scp):
        recording = reading.recordings[0][1]
        assert recording.leads == from_dicom.leads == LEADS
        assert recording.sampling_rate_hz == from_dicom.sampling_rate_hz == 500
        assert recording.started_at == from_dicom.started_at
        # A quantum of this cart is 2.5 microvolts.
        assert np.abs(recording.samples_uv - from_dicom.samples_uv).max() <= 2
        values = {o.code: o.value for o in reading.reports[0].observations}
        assert values | {o.code: o.value for o in report.observations} == values
    assert from_aecg.reports[0].patient == from_scp.reports[0].patient
    patient = from_scp.reports[0].patient
    assert (patient.key.value, patient.name.text, str(patient.birth_date), patient.sex) == (
        "SBJ-123",
        "Clark",
        "1953-05-08",
        "male",
    )


def test_an_examination_reads_the_same_from_whatever_cart_sent_it() -> None:
    made = examination()
    from_dicom = read_waveform(dataset(ecg_files.part10(made)), PATIENT, origin())
    from_aecg, from_scp = read(aecg.read, ecg_files.xml(made)), read(scp_ecg.read, ecg_files.record(made))
    pairs = [from_dicom, *((r.reports[0], r.recordings[0][1]) for r in (from_aecg, from_scp))]
    for report, recording in pairs:
        assert np.array_equal(recording.samples_uv, made.signal.recording.samples_uv)
        assert recording.leads == LEADS
        assert report.observed_at == OBSERVED_AT == recording.started_at
        assert report.patient == PATIENT
        assert report.conclusion == "窦性心律\n前壁导联ST段抬高，提示急性心肌梗死可能，请结合临床\n异常心电图"
        assert report.status == "preliminary"
        assert report.recording == ""
        values = {o.code.code: str(getattr(o.value, "value", "")) for o in report.observations}
        measured = made.signal.measurements
        assert values["8867-4"] == str(measured.heart_rate)
        assert values["8625-6"] == str(measured.pr_ms)
        assert values["8633-0"] == str(measured.qrs_ms)
        assert values["8634-8"] == str(measured.qt_ms)
        assert values["8636-3"] == str(measured.qtc_ms)
        assert values["8632-2"] == str(measured.axis_deg)


def test_a_doctors_confirmation_makes_the_report_final_in_every_format() -> None:
    made = examination(confirmed_by="李医师")
    report, _ = read_waveform(dataset(ecg_files.part10(made)), PATIENT, origin())
    assert report.status == "final"
    assert report.performers == ("李医师",)
    assert read(aecg.read, ecg_files.xml(made)).reports[0].status == "final"
    scp = read(scp_ecg.read, ecg_files.record(made)).reports[0]
    assert (scp.status, scp.performers) == ("final", ("李医师",))
