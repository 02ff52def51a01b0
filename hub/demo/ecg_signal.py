"""Twelve leads of a heart that nobody has: a moving dipole seen from where the electrodes are.

Each wave is a bell curve in time with a direction in the body (x to the left, y to the feet, z to the back). The leads
are its projections by Dower's coefficients (G. E. Dower et al., J. Electrocardiol. 13:81, 1980), so what is elevated in
front is depressed behind, as in a patient. The limb leads keep Einthoven's law exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from schemas.ecg import LEADS, EcgRecording

Floats = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

_RATE_HZ = 500
_SECONDS = 10
_DOWER = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
_TERRITORIES: dict[str, Vector] = {"anterior": (0.35, 0.0, -0.75), "inferior": (-0.25, 0.95, 0.1)}


class Rhythm(StrEnum):
    """Where the beats come from. PVC: sinus rhythm with single premature ventricular beats."""

    SINUS = "sinus"
    ATRIAL_FIBRILLATION = "atrial-fibrillation"
    PVC = "pvc"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the recording is to show. st_elevation_mv: in the middle of `territory` (`anterior`, `inferior`)."""

    rate: float = 72
    rhythm: Rhythm = Rhythm.SINUS
    left_bundle_branch_block: bool = False
    st_elevation_mv: float = 0.0
    territory: str = "anterior"
    axis_deg: float = 45
    pr_ms: int = 158
    qtc_ms: int = 412

    @property
    def qrs_ms(self) -> int:
        return 152 if self.left_bundle_branch_block else 92


@dataclass(frozen=True, slots=True)
class Measurements:
    """What a cart would print: rate per minute, times in ms, axis in degrees. pr_ms: None where no P wave leads."""

    heart_rate: int
    pr_ms: int | None
    qrs_ms: int
    qt_ms: int
    qtc_ms: int
    axis_deg: int


@dataclass(frozen=True, slots=True)
class Signal:
    """A recording, what a cart would measure in it, and what it was made to show."""

    recording: EcgRecording
    measurements: Measurements
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class _Wave:
    """at_s: of the peak, from the onset of QRS. before_s, after_s: widths of its two sides. mv: along x, y, z."""

    at_s: float
    before_s: float
    after_s: float
    mv: Vector


def generate(pattern: Pattern, seed: int) -> Signal:
    """Ten seconds at 500 Hz; the same for the same pattern and seed."""
    chance = np.random.default_rng(seed)
    time = np.arange(_SECONDS * _RATE_HZ) / _RATE_HZ
    beats = list(_beats(pattern, chance))
    heart = np.zeros((3, time.size))
    qt_s = pattern.qtc_ms / 1000 * np.sqrt(60 / pattern.rate)
    normal, premature = _waves(pattern, qt_s), _ventricular(qt_s)
    for onset, ectopic in beats:
        # Breathing moves the heart: amplitudes change a little from beat to beat.
        strength = 1 + 0.04 * np.sin(2 * np.pi * 0.25 * onset) + 0.01 * chance.standard_normal()
        for wave in premature if ectopic else normal:
            heart += np.outer(wave.mv, _bell(time - onset, wave)) * strength
    if pattern.rhythm is Rhythm.ATRIAL_FIBRILLATION:
        heart += np.outer((0.03, 0.045, -0.05), _fibrillation(time, chance))
    recording = EcgRecording(LEADS, float(_RATE_HZ), _leads(heart, time, chance))
    return Signal(recording, _measured(pattern, [at for at, _ in beats], qt_s), pattern)


def _beats(pattern: Pattern, chance: np.random.Generator) -> Iterator[tuple[float, bool]]:
    """Onsets of QRS in seconds, and whether the beat is ectopic; begins before the recording and ends behind it."""
    at, number = -0.7, 0
    mean = 60 / pattern.rate
    every = int(chance.integers(4, 7))
    while at < _SECONDS + 1:
        number += 1
        ectopic = pattern.rhythm is Rhythm.PVC and number % every == 0
        yield at, ectopic
        if pattern.rhythm is Rhythm.ATRIAL_FIBRILLATION:
            at += mean * float(np.clip(chance.lognormal(-0.02, 0.2), 0.55, 1.7))
            continue
        step = mean * (1 + 0.025 * np.sin(2 * np.pi * 0.25 * at) + 0.008 * chance.standard_normal())
        if pattern.rhythm is Rhythm.PVC:
            # Premature by a third, and after it the pause that makes up for it.
            step *= 0.64 if (number + 1) % every == 0 else 1.36 if ectopic else 1.0
        at += float(step)


def _waves(pattern: Pattern, qt_s: float) -> list[_Wave]:
    qrs = pattern.qrs_ms / 1000
    turn = np.deg2rad(pattern.axis_deg - 45)
    x, y = np.cos(turn) * 1.05 - np.sin(turn) * 0.72, np.sin(turn) * 1.05 + np.cos(turn) * 0.72
    waves = [] if pattern.rhythm is Rhythm.ATRIAL_FIBRILLATION else list(_atrial(pattern.pr_ms / 1000))
    if pattern.left_bundle_branch_block:
        waves += [
            _Wave(qrs * 0.30, qrs * 0.13, qrs * 0.13, (0.75 * x, 0.55 * y, 0.95)),
            _Wave(qrs * 0.66, qrs * 0.13, qrs * 0.14, (0.85 * x, 0.35 * y, 0.75)),
        ]
        repolarisation: Vector = (-0.34, -0.10, -0.42)
    else:
        waves += [
            _Wave(qrs * 0.22, qrs * 0.10, qrs * 0.10, (-0.16, -0.10, -0.26)),
            _Wave(qrs * 0.47, qrs * 0.115, qrs * 0.115, (x, y, 0.34)),
            _Wave(qrs * 0.68, qrs * 0.12, qrs * 0.12, (-0.16, -0.18, 0.60)),
        ]
        repolarisation = (0.24, 0.20, -0.20)
    return waves + _repolarisation(pattern, qrs, qt_s, repolarisation)


def _atrial(pr_s: float) -> Iterator[_Wave]:
    """The right atrium to the front and the feet, then the left one to the left and the back."""
    yield _Wave(-pr_s + 0.036, 0.015, 0.017, (0.035, 0.075, -0.045))
    yield _Wave(-pr_s + 0.064, 0.017, 0.016, (0.055, 0.060, 0.035))


def _repolarisation(pattern: Pattern, qrs_s: float, qt_s: float, t_mv: Vector) -> list[_Wave]:
    after = 0.034
    peak = qt_s - 2.4 * after
    waves = [_Wave(peak, 0.060, after, t_mv)]
    if pattern.st_elevation_mv:
        direction = _TERRITORIES[pattern.territory]
        scale = pattern.st_elevation_mv
        raised: Vector = (direction[0] * scale, direction[1] * scale, direction[2] * scale)
        # From the end of QRS into a broad, tall T: the dome of an acute infarction.
        waves += [_Wave((qrs_s + peak) / 2, 0.055, 0.075, raised), _Wave(peak - 0.01, 0.05, 0.04, raised)]
    return waves


def _ventricular(qt_s: float) -> list[_Wave]:
    """A beat from the right ventricle: wide, to the left and the feet, its T the other way, no P before it."""
    return [
        _Wave(0.055, 0.024, 0.026, (0.9, 1.25, 0.8)),
        _Wave(0.105, 0.022, 0.024, (0.35, 0.6, 0.75)),
        _Wave(max(0.30, qt_s - 0.06), 0.075, 0.045, (-0.32, -0.42, -0.45)),
    ]


def _bell(time: Floats, wave: _Wave) -> Floats:
    distance = time - wave.at_s
    width = np.where(distance < 0, wave.before_s, wave.after_s)
    curve: Floats = np.exp(-0.5 * (distance / width) ** 2)
    return curve


def _fibrillation(time: Floats, chance: np.random.Generator) -> Floats:
    """Waves of 4.5 to 8 per second that never repeat; about 1 at their highest."""
    total = np.zeros_like(time)
    for frequency in chance.uniform(4.5, 8.0, 4):
        drift = np.cumsum(chance.standard_normal(time.size)) * 0.02
        total += np.sin(2 * np.pi * frequency * time + drift + chance.uniform(0, 6)) / 2
    return total


def _leads(heart: Floats, time: Floats, chance: np.random.Generator) -> npt.NDArray[np.int32]:
    """All twelve in microvolts; what the skin and the muscles add is added before the limb leads are combined."""
    seen: dict[str, npt.NDArray[np.int32]] = {}
    for lead, row in _DOWER.items():
        breath = 0.025 * chance.uniform(0.4, 1) * np.sin(2 * np.pi * 0.22 * time + chance.uniform(0, 6))
        muscle = np.convolve(chance.standard_normal(time.size), np.ones(4) / 4, mode="same") * 0.012
        millivolts = np.asarray(row) @ heart + breath + muscle
        seen[lead] = np.rint(millivolts * 1000).astype(np.int32)
    one, two = seen["I"], seen["II"]
    seen |= {"III": two - one, "aVR": -(one + two) // 2, "aVL": one - two // 2, "aVF": two - one // 2}
    return np.stack([seen[lead] for lead in LEADS])


def _measured(pattern: Pattern, onsets: list[float], qt_s: float) -> Measurements:
    within = [at for at in onsets if 0 <= at < _SECONDS]
    rate = 60 * (len(within) - 1) / (within[-1] - within[0])
    return Measurements(
        heart_rate=round(rate),
        pr_ms=None if pattern.rhythm is Rhythm.ATRIAL_FIBRILLATION else pattern.pr_ms,
        qrs_ms=pattern.qrs_ms,
        qt_ms=round(qt_s * 1000),
        qtc_ms=round(qt_s * 1000 * np.sqrt(rate / 60)),
        axis_deg=_axis(pattern, qt_s),
    )


def _axis(pattern: Pattern, qt_s: float) -> int:
    """Of QRS in the frontal plane, from the net areas in I and aVF."""
    time = np.arange(0, pattern.qrs_ms) / 1000
    waves = [wave for wave in _waves(pattern, qt_s) if 0 < wave.at_s < pattern.qrs_ms / 1000]
    area = sum((np.asarray(wave.mv) * _bell(time, wave).sum() for wave in waves), np.zeros(3))
    one, two = (float(np.asarray(_DOWER[lead]) @ area) for lead in ("I", "II"))
    return round(float(np.degrees(np.arctan2((2 * two - one) / np.sqrt(3), one))))
