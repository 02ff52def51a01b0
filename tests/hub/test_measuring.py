"""The heart rate of a recording whose cart measured none: right, marked as ours, or not said at all and why."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.demo import ecg_signal
from hub.demo.ecg_signal import Pattern, Rhythm, generate
from hub.measuring import FEW, FLAT, NOISE, PACED, Beats, beats, measured
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording
from schemas.observation import Quantity
from schemas.report import Report
from tests.adapters.dicom.recordings import readable, report

CHANCE = np.random.default_rng(11)
SECONDS = np.arange(5000) / 500
HEART = generate(Pattern(rate=72), seed=3).recording


def recording(volts: object) -> EcgRecording:
    return EcgRecording(LEADS, 500.0, np.broadcast_to(np.asarray(volts), (12, 5000)).astype(np.int32))


def rate(of: EcgRecording) -> float | str:
    found = beats(of)
    return found.rate if isinstance(found, Beats) else found


def values(of: Report) -> dict[str, Decimal]:
    return {each.code.code: each.value.value for each in of.observations if isinstance(each.value, Quantity)}


def test_it_is_what_the_carts_of_the_samples_measured_or_nothing(samples: Path) -> None:
    compared = {}
    for name, told, of in readable(samples):
        sent = values(told).get("8867-4")
        found = rate(of)
        if sent and isinstance(found, float):
            compared[name] = abs(found - float(sent))
    assert len(compared) == 7
    assert max(compared.values()) <= 2, compared


def test_it_is_what_other_samples_show(samples: Path) -> None:
    found = {name: rate(of) for name, _, of in readable(samples)}
    assert found["scp/same_ecg_Example.scp"] == pytest.approx(71.6, abs=0.1)
    assert found["wfdb/s0010_re.hea"] == pytest.approx(81.8, abs=0.1)
    assert found["cpsc2018/A0005.hea"] == pytest.approx(119.8, abs=0.2)
    assert found["mfer/synthetic.mwf"] == NOISE  # a sine in every lead
    assert found["aecg/minimum_aecg.xml"] == FEW


@settings(max_examples=25, deadline=None)
@given(st.integers(40, 180), st.sampled_from(Rhythm), st.booleans(), st.integers(0, 1000))
@example(41, Rhythm.ATRIAL_FIBRILLATION, True, 201)  # a lone T wave after a long pause
@example(131, Rhythm.ATRIAL_FIBRILLATION, False, 851)
def test_whatever_is_said_is_right(per_minute: int, rhythm: Rhythm, block: bool, seed: int) -> None:
    pattern = Pattern(rate=per_minute, rhythm=rhythm, left_bundle_branch_block=block)
    found = beats(generate(pattern, seed=seed).recording)
    if isinstance(found, Beats):
        # Every beat between the first and the last that was found, and nothing else; one at the edge may be cut off.
        onsets = [at for at, _ in ecg_signal._beats(pattern, np.random.default_rng(seed))]
        real = [at for at in onsets if found.at_s[0] - 0.2 < at < found.at_s[-1] + 0.1]
        assert len(found.at_s) == len(real)
        assert found.at_s == pytest.approx(real, abs=0.2)


@pytest.mark.parametrize(
    ("volts", "why"),
    [
        (SECONDS * 0, FLAT),
        (CHANCE.integers(-20, 20, (12, 5000)), FLAT),
        (CHANCE.normal(0, 60, (12, 5000)), NOISE),
        (np.cumsum(CHANCE.normal(0, 20, (12, 5000)), axis=1), NOISE),
        (1000 * np.sin(2 * np.pi * 1.2 * SECONDS), NOISE),
        (1000 * np.sign(np.sin(2 * np.pi * SECONDS)), NOISE),  # a simulator's calibration pulses
        (500 * np.sin(2 * np.pi * 50 * SECONDS), NOISE),
    ],
    ids=["flat", "trembling", "noise", "wandering", "sine", "pulses", "mains"],
)
def test_nothing_is_said_of_what_is_no_heart(volts: object, why: str) -> None:
    assert rate(recording(volts)) == why


def test_two_beats_are_too_few() -> None:
    start = int(np.flatnonzero(HEART.samples_uv[1] > 0.6 * HEART.samples_uv[1].max())[0])
    assert rate(replace(HEART, samples_uv=HEART.samples_uv[:, : start + 700])) == FEW


def test_a_pacemaker_forbids_it_by_its_spikes_or_by_the_words() -> None:
    paced = HEART.samples_uv.copy()
    for at in range(100, 5000, 416):
        paced[:, at] += 1500
        paced[:, at + 1] += 1200
    assert rate(replace(HEART, samples_uv=paced)) == PACED
    said = replace(report(), observations=(), conclusion="心室起搏心律")
    assert measured(said, HEART).flags == (PACED,)


def test_leads_recorded_in_turn_and_noise_from_the_mains_do_no_harm() -> None:
    assert rate(HEART) == pytest.approx(72, abs=0.5)
    mains = HEART.samples_uv + 400 * np.sin(2 * np.pi * 50 * SECONDS) + 2000 * np.sin(2 * np.pi * 0.2 * SECONDS)
    assert rate(replace(HEART, samples_uv=mains.astype(np.int32))) == pytest.approx(72, abs=0.5)
    in_turn = np.full_like(HEART.samples_uv, NO_SAMPLE_UV)
    for row in range(12):
        stretch = slice(row // 3 * 1250, row // 3 * 1250 + 1250)
        in_turn[row, stretch] = HEART.samples_uv[row, stretch]
    assert rate(replace(HEART, samples_uv=in_turn)) == pytest.approx(72, abs=0.5)


def test_what_the_cart_measured_is_never_touched() -> None:
    told = report()
    assert measured(told, HEART) is told
    without = replace(told, observations=tuple(each for each in told.observations if each.code.code != "8867-4"))
    made = measured(without, HEART)
    assert made.observations[1:-1] == without.observations
    assert values(made)["8867-4"] == 72
    assert [each.computed for each in made.observations] == [True, False, True]
    assert "sleepecg" in made.observations[-1].method


def test_a_hostile_recording_costs_no_more_than_its_first_minute() -> None:
    endless = EcgRecording(("II",), 100_000.0, CHANCE.integers(-500, 500, (1, 20_000_000), np.int32))
    assert rate(endless) in (NOISE, PACED)
