"""The beat that a cart made of a recording is kept beside it, and never drawn as rhythm."""

import datetime as dt
from pathlib import Path

import numpy as np
import pydicom
import pytest

from adapters.ecg.dicom_waveform import read_waveform
from schemas.ecg import LEADS, EcgRecording, MedianBeat, decode, encode
from tests.adapters.ecg.examples import PATIENT, origin


def recorded(median: MedianBeat | None) -> EcgRecording:
    samples = np.arange(-6, 18, dtype=np.int32).reshape(2, 12)
    return EcgRecording(("I", "II"), 500.0, samples, dt.datetime(2026, 3, 1, tzinfo=dt.UTC), median)


@pytest.mark.parametrize("fiducials", [(), (("p-onset", 4.0), ("t-offset", 620.5))])
def test_the_canonical_form_keeps_the_median_beat(fiducials: tuple[tuple[str, float], ...]) -> None:
    beat = MedianBeat(("V1",), 1000.0, np.array([[5, -7, 900]], np.int32), fiducials)
    again = decode(encode(recorded(beat)))
    assert again.median is not None
    assert np.array_equal(again.samples_uv, recorded(None).samples_uv)
    assert np.array_equal(again.median.samples_uv, beat.samples_uv)
    assert (again.median.leads, again.median.sampling_rate_hz) == (("V1",), 1000.0)
    assert again.median.fiducials_ms == fiducials


def test_a_recording_kept_before_there_were_median_beats_is_still_opened() -> None:
    content = encode(recorded(None))
    assert b"median" not in content
    assert decode(content).median is None


def test_the_derived_group_of_a_waveform_object_is_its_median_beat(samples: Path) -> None:
    dataset = pydicom.dcmread(samples / "ecg/dicom/waveform_ecg.dcm")
    _, recording = read_waveform(dataset, PATIENT, origin())
    assert recording.median is not None
    assert recording.median.leads == recording.leads == LEADS
    assert recording.median.samples_uv.shape == (12, 1200)
    assert recording.samples_uv.shape == (12, 10000)
