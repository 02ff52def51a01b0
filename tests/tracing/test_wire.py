"""What the browser is sent: small, complete, and the same samples when it is put together again."""

import gzip
import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.demo.ecg_signal import Pattern, Rhythm, generate
from hub.tracing.wire import Packing, pack
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording, MedianBeat


def unpacked(content: bytes) -> tuple[dict[str, Any], list[npt.NDArray[np.int64]]]:
    """As the browser reads it: head, and each block's microvolts."""
    raw = gzip.decompress(content)
    (length,) = struct.unpack_from("<I", raw)
    assert length % 2 == 0
    head = json.loads(raw[4 : 4 + length])
    at, found = 4 + length, []
    for block in head["blocks"]:
        shape = (len(block["leads"]), block["samples"])
        steps = np.frombuffer(raw, "<i2", shape[0] * shape[1], at).reshape(shape)
        at += steps.nbytes
        rows = dict(zip(block["leads"], np.cumsum(steps, axis=1, dtype=np.int16), strict=True))
        for lead in block["predicted"]:
            one, two = rows["I"].astype(np.int64), rows["II"].astype(np.int64)
            guess = {"III": two - one, "aVR": -((one + two) >> 1), "aVL": one - (two >> 1), "aVF": two - (one >> 1)}
            rows[lead] = (rows[lead] + guess[lead]).astype(np.int16)
        whole = np.stack([rows[lead] for lead in block["leads"]]).astype(np.int64) * block["scale_uv"]
        whole += np.array(block["offsets_uv"]).reshape(-1, 1)
        for lead, runs in block["gaps"].items():
            for begin, end in runs:
                whole[block["leads"].index(lead), begin:end] = NO_SAMPLE_UV
        found.append(whole)
    assert at == len(raw)
    return head, found


@pytest.mark.parametrize("pattern", [Pattern(), Pattern(rate=150), Pattern(rate=90, rhythm=Rhythm.ATRIAL_FIBRILLATION)])
def test_ten_seconds_of_twelve_leads_travel_in_fifty_kilobytes_without_loss(pattern: Pattern) -> None:
    recording = generate(pattern, seed=7).recording
    packed = pack(recording)
    assert len(packed.content) <= 50_000
    _, (samples,) = unpacked(packed.content)
    assert np.array_equal(samples, recording.samples_uv)


@given(
    st.lists(st.integers(-400_000, 400_000), min_size=1, max_size=60),
    st.sets(st.integers(0, 59), max_size=20),
    st.permutations(LEADS),
)
def test_any_samples_come_back_within_one_step(values: list[int], gaps: set[int], leads: list[str]) -> None:
    samples = np.stack([np.roll(np.array(values, np.int32), n) for n in range(12)])
    for gap in gaps:
        samples[0, gap % len(values)] = NO_SAMPLE_UV
    head, (found,) = unpacked(pack(EcgRecording(tuple(leads), 500.0, samples)).content)
    missing = samples == NO_SAMPLE_UV
    assert np.array_equal(found == NO_SAMPLE_UV, missing)
    step = head["blocks"][0]["scale_uv"]
    assert step <= 25
    assert (np.abs(found - samples)[~missing] <= step / 2).all()


def test_the_cart_s_beat_and_its_fiducials_travel_along() -> None:
    beat = MedianBeat(("I", "II"), 250.0, np.array([[1, 2, 3], [4, 5, 6]], np.int32), (("qrs-onset", 212.0),))
    head, (_, median) = unpacked(pack(EcgRecording(("V1",), 500.0, np.zeros((1, 5), np.int32), None, beat)).content)
    assert head["blocks"][1]["fiducials_ms"] == {"qrs-onset": 212.0}
    assert median.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_what_is_known_is_known_by_its_content() -> None:
    packing = Packing()
    one, other = (generate(Pattern(), seed=seed).recording for seed in (1, 2))
    assert packing.of(one) is packing.of(EcgRecording(one.leads, one.sampling_rate_hz, one.samples_uv.copy()))
    assert packing.of(one).etag != packing.of(other).etag
    assert packing.of(other).content == pack(other).content
    assert packing.of(EcgRecording(one.leads, 250.0, one.samples_uv)).etag != packing.of(one).etag


def test_every_layout_at_every_gain_is_described() -> None:
    head, _ = unpacked(pack(generate(Pattern(), seed=1).recording).content)
    assert {(s["layout"], s["gain"]) for s in head["sheets"]} == {
        (layout, gain) for layout in ("3x4+1", "6x2", "12x1") for gain in (5, 10, 20)
    }
