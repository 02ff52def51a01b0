"""Heart rate and R-R interval from the recording itself, where its cart sent neither; or why nothing can be said.

Beats are found by sleepecg (after Pan and Tompkins 1985, in C) in each lead that was recorded independently. What most
leads show at the same moment is a beat. Nothing is said of noise, of flat lines, of fewer than three beats, and of
a pacemaker, whose spikes count like beats.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import cast

import numpy as np
import numpy.typing as npt

from schemas.codes import LOINC, UCUM, Coding
from schemas.ecg import NO_SAMPLE_UV, EcgRecording
from schemas.observation import Observation, Quantity
from schemas.report import Report

HEART_RATE = Coding("8867-4", "Heart rate", LOINC)
RR_INTERVAL = Coding("MDC_ECG_TIME_PD_RR", "R-R interval", "urn:oid:2.16.840.1.113883.6.24")
# Flags: why a report has no rate.
NOISE, FLAT, FEW, PACED = "rate-none-unclear", "rate-none-flat", "rate-none-few-beats", "rate-none-paced"

Floats = npt.NDArray[np.float64]
_Detect = Callable[[Floats, float], npt.NDArray[np.int64]]

# The others follow from these by addition: their noise is the same noise, and must not vote.
_INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_FEWEST_BEATS = 3
_SHORTEST_S, _SLOWEST_HZ = 2.0, 100.0
_LONGEST_S, _FASTEST_HZ, _MOST_LEADS = 60.0, 1000.0, 24
_LEAST_SWING_UV = 100.0
# Leads show the same beat within so long: the vector of the heart does not peak in all of them at once.
_TOGETHER_S, _REFRACTORY_S = 0.12, 0.2
# How well a usual lead must show the beats of all and no others.
_AGREEMENT = 0.8
# A whole period of the mains, so that nothing of it is left; and how long a beat changes the voltage.
_SMOOTH_S, _QRS_S = 0.02, 0.1
# Of the largest beat: what moves less is no ventricle, though it may be a T wave or a trembling line.
_LEAST_SHARE = 0.15
# Of a usual beat: what moves more and was found by nobody is a beat that was missed; T waves stay below 0.1.
_MISSED_SHARE = 0.15
# How much more the voltage changes in beats than at most times: 1 or 2 in noise and in a sine, 10 to 1000 in an ECG.
_SHARPNESS = 5.0
_RATES = (20.0, 300.0)
# No heart moves so far and back within a few milliseconds: a pacemaker's spike does, a few times a second at most.
_SPIKE_UV, _SPIKE_S, _MOST_SPIKES, _MOST_SPIKES_S = 400.0, 0.004, 2, 8
# No two electrodes see a heart alike: it would be a simulator's pulses, or an amplifier that follows the room.
_ALIKE = 0.9999
_PACED_WORDS = ("起搏", "paced", "pacemaker", "pacing")


@dataclass(frozen=True, slots=True)
class Beats:
    """at_s: when each beat is, from the recording's start."""

    at_s: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Per minute, over the whole recording."""
        return 60 * (len(self.at_s) - 1) / (self.at_s[-1] - self.at_s[0])


@dataclass(frozen=True, slots=True)
class _Lead:
    """A stretch without a gap. volts: microvolts. start: the sample of the recording at which it begins."""

    volts: Floats
    start: int

    def covers(self, moment: float, rate: float) -> bool:
        """Whether it was recorded at this moment, in seconds from the recording's start."""
        return self.start <= moment * rate <= self.start + len(self.volts)


def measured(report: Report, recording: EcgRecording) -> Report:
    """The report with what its cart did not measure, marked as computed; or flagged with the reason."""
    known = {each.code.code for each in report.observations}
    if known & {HEART_RATE.code, RR_INTERVAL.code}:
        return report
    said = report.conclusion.casefold()
    found = PACED if any(word in said for word in _PACED_WORDS) else beats(recording)
    if isinstance(found, str):
        return replace(report, flags=(*report.flags, found))
    rate = Decimal(round(found.rate))
    interval = Decimal(round(60_000 / found.rate))
    made = (_observation(HEART_RATE, rate, "/min"), *report.observations, _observation(RR_INTERVAL, interval, "ms"))
    return replace(report, observations=made)


def _observation(what: Coding, value: Decimal, unit: str) -> Observation:
    method = f"computed by the hub from the recording: mean of all beats, found by sleepecg {_version()}"
    return Observation(what, Quantity(value, unit, unit_system=UCUM), unit=unit, method=method, computed=True)


def beats(recording: EcgRecording) -> Beats | str:
    """The beats that most leads show; else one of the flags above. Of a long recording its first minute counts."""
    recording = _bounded(recording)
    rate = recording.sampling_rate_hz
    stretches = [each for row in _rows(recording) if (each := _stretch(row, rate))]
    if not stretches or rate < _SLOWEST_HZ:
        return FEW
    leads = [each for each in stretches if np.ptp(each.volts) >= _LEAST_SWING_UV]
    if not leads:
        return FLAT
    return _unlike_a_heart(leads, rate) or _agreed(leads, rate)


def _bounded(recording: EcgRecording) -> EcgRecording:
    """At most so many seconds and samples a second as beats need: a hostile file must not cost minutes."""
    step = max(1, int(recording.sampling_rate_hz // _FASTEST_HZ))
    most = int(_LONGEST_S * recording.sampling_rate_hz)
    return replace(
        recording,
        samples_uv=recording.samples_uv[:_MOST_LEADS, :most:step],
        leads=recording.leads[:_MOST_LEADS],
        sampling_rate_hz=recording.sampling_rate_hz / step,
    )


def _rows(recording: EcgRecording) -> npt.NDArray[np.int32]:
    """The independent leads; all of them where those leave some moment out, as where leads were recorded in turn."""
    samples = recording.samples_uv
    own = samples[[lead in _INDEPENDENT for lead in recording.leads]]
    whole = len(own) > 0 and ((own != NO_SAMPLE_UV).any(axis=0) == (samples != NO_SAMPLE_UV).any(axis=0)).all()
    return own if whole else samples


def _stretch(row: npt.NDArray[np.int32], rate: float) -> _Lead | None:
    """The longest part of a lead without a gap; None where that is too short for anything."""
    valid = np.concatenate([[False], row != NO_SAMPLE_UV, [False]])
    edges = np.flatnonzero(np.diff(valid.astype(np.int8)))
    spans = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    return _Lead(row[start:end].astype(np.float64), start) if end - start >= _SHORTEST_S * rate else None


def _unlike_a_heart(leads: list[_Lead], rate: float) -> str:
    """Why the shape of the lines alone forbids to count beats; empty where it does not."""
    spikes = float(np.median([_spikes(lead.volts, rate) for lead in leads]))
    if spikes > _MOST_SPIKES:
        return PACED if spikes <= _MOST_SPIKES_S * len(leads[0].volts) / rate else NOISE
    lines = [lead.volts for lead in leads]
    comparable = len(lines) >= _FEWEST_BEATS and len({len(line) for line in lines}) == 1
    return NOISE if comparable and bool((np.abs(np.atleast_2d(np.corrcoef(lines))[0]) > _ALIKE).all()) else ""


def _spikes(volts: Floats, rate: float) -> int:
    """Places from which the voltage has jumped up and will fall back, or the reverse, within a few milliseconds."""
    found = np.zeros(len(volts), bool)
    for reach in range(1, max(1, round(_SPIKE_S * rate)) + 1):
        here = volts[reach:-reach]
        before, behind = here - volts[: -2 * reach], here - volts[2 * reach :]
        jumps = (np.minimum(before, behind) > _SPIKE_UV) | (np.maximum(before, behind) < -_SPIKE_UV)
        found[reach:-reach] |= jumps
    # Neighbours are of one spike.
    return int((np.diff(found.astype(np.int8)) == 1).sum())


def _agreed(leads: list[_Lead], rate: float) -> Beats | str:
    shown = [(lead.start + _detected(lead.volts, rate)) / rate for lead in leads]
    unrest = _unrest(leads, rate)
    voted = _peaks(unrest, _voted(leads, shown, rate), rate)
    strength = [_around(unrest, moment, rate) for moment in voted]
    real = [pair for pair in zip(voted, strength, strict=True) if pair[1] >= _LEAST_SHARE * max(strength)]
    if len(real) < _FEWEST_BEATS:
        return FEW if len(real) == len(voted) else NOISE
    at = [moment for moment, _ in real]
    usual = float(np.median([each for _, each in real]))
    sure = (
        np.median([_agreement(lead, found, at, rate) for lead, found in zip(leads, shown, strict=True)]) >= _AGREEMENT
        and usual >= _SHARPNESS * np.median(unrest)
        and _elsewhere(unrest, at, rate) < _MISSED_SHARE * usual
    )
    made = Beats(tuple(at))
    return made if sure and _RATES[0] <= made.rate <= _RATES[1] else NOISE


def _detected(volts: Floats, rate: float) -> npt.NDArray[np.int64]:
    """The samples at which one lead shows beats."""
    try:
        return _detector()(volts, rate)
    except ValueError:
        # A line that is flat but for a step.
        return np.empty(0, np.int64)


def _unrest(leads: list[_Lead], rate: float) -> Floats:
    """How fast the voltage changes from moment to moment in the middle one of the leads, mains and trembling apart."""
    length = max(lead.start + len(lead.volts) for lead in leads)
    rows = np.full((len(leads), length), np.nan)
    width, long = max(1, round(_SMOOTH_S * rate)), max(1, round(_QRS_S * rate))
    for row, lead in zip(rows, leads, strict=True):
        smooth = np.convolve(lead.volts, np.ones(width) / width, "valid")
        change = np.convolve(np.diff(smooth) ** 2, np.ones(long) / long, "same")
        start = lead.start + width // 2
        row[start : start + len(change)] = change / max(float(np.quantile(change, 0.99)), 1e-9)
    known = np.isfinite(rows).any(axis=0)
    found = np.zeros(length)
    found[known] = np.nanmedian(rows[:, known], axis=0)
    return found


def _peaks(unrest: Floats, at: list[float], rate: float) -> list[float]:
    """The moments moved to where the voltage changes most: leads that are still learning see a first beat too early."""
    found: list[float] = []
    for moment in at:
        first, last = _span(moment, _REFRACTORY_S, rate)
        peak = (first + int(unrest[first:last].argmax())) / rate
        if not found or peak - found[-1] >= _REFRACTORY_S:
            found.append(peak)
    return found


def _around(unrest: Floats, moment: float, rate: float) -> float:
    first, last = _span(moment, _QRS_S, rate)
    return float(unrest[first:last].max())


def _span(moment: float, reach: float, rate: float) -> tuple[int, int]:
    """The samples around a moment, at least one."""
    first = max(0, round((moment - reach) * rate))
    return first, max(first, round((moment + reach) * rate)) + 1


def _elsewhere(unrest: Floats, at: list[float], rate: float) -> float:
    """The most that the voltage changes where nobody saw a beat."""
    apart = np.ones(len(unrest), bool)
    for moment in at:
        first, last = _span(moment, _REFRACTORY_S, rate)
        apart[first:last] = False
    return float(unrest[apart].max()) if apart.any() else 0.0


def _voted(leads: list[_Lead], shown: list[Floats], rate: float) -> list[float]:
    """Moments at which at least half of the leads that were recorded then show a beat."""
    pooled = sorted((at, number) for number, each in enumerate(shown) for at in each.tolist())
    found: list[tuple[float, int]] = []
    place = 0
    while place < len(pooled):
        together = [
            each for each in pooled[place : place + 4 * len(leads)] if each[0] - pooled[place][0] <= _TOGETHER_S
        ]
        place += len(together)
        middle = float(np.median([at for at, _ in together]))
        there = sum(lead.covers(middle, rate) for lead in leads)
        votes = len({number for _, number in together})
        if found and middle - found[-1][0] < _REFRACTORY_S:
            # One beat that leads show a little apart: a heart does not beat again so soon.
            found[-1] = max(found[-1], (middle, votes), key=lambda each: each[1])
        elif votes * 2 >= there:
            found.append((middle, votes))
    return [at for at, _ in found]


def _agreement(lead: _Lead, shown: Floats, at: list[float], rate: float) -> float:
    """1 where a lead shows these beats and no others, 0 where it shows none of them."""
    mine = [each for each in at if lead.covers(each, rate)]
    if not mine:
        return 1.0
    near = np.abs(shown[:, None] - np.array(mine)[None, :]) <= _REFRACTORY_S
    return float(2 * near.any(axis=0).sum() / (len(shown) + len(mine)))


@cache
def _detector() -> _Detect:
    # Its package brings scipy along, almost a second: paid for by the first recording and not by every start.
    return cast("_Detect", importlib.import_module("sleepecg").detect_heartbeats)


@cache
def _version() -> str:
    return version("sleepecg")
