"""Filters for looking at a recording; what is stored is never touched. The browser runs the same coefficients.

Butterworth of second order and a notch, forwards and backwards, so that no wave is shifted in time. Source: R.
Bristow-Johnson, Cookbook formulae for audio equalizer biquad filter coefficients; AHA/ACCF/HRS (2007) part I.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV

Section = tuple[float, float, float, float, float]
# Low and high edge in Hz (-3 dB). The second is for watching a rhythm: it changes ST and the height of QRS.
BANDS: Final = {"0.05-150": (0.05, 150.0), "0.5-40": (0.5, 40.0)}
MAINS_HZ: Final = 50.0
# Two passes are 3 dB down where one pass of the moved edge is 1.5 dB down: (sqrt(2) - 1) ** (1 / 4).
_MOVED = (math.sqrt(2) - 1) ** 0.25
_MAINS_Q = 12.0


def sections(band: str, mains: bool, rate_hz: float) -> tuple[Section, ...]:
    """(b0, b1, b2, a1, a2) of each filter. An edge that the sampling rate cannot hold is left out."""
    made = []
    if band in BANDS:
        low, high = BANDS[band]
        made.append(_edge(low, rate_hz, high_pass=True))
        if high < 0.45 * rate_hz:
            made.append(_edge(high, rate_hz, high_pass=False))
    if mains and 0.45 * rate_hz > MAINS_HZ:
        made.append(_notch(MAINS_HZ, rate_hz))
    return tuple(made)


def _edge(hertz: float, rate_hz: float, *, high_pass: bool) -> Section:
    # Moved before the bilinear transform bends it.
    moved = _MOVED if high_pass else 1 / _MOVED
    turn = 2 * math.atan(math.tan(math.pi * hertz / rate_hz) * moved)
    cosine, alpha = math.cos(turn), math.sin(turn) / math.sqrt(2)
    middle = -(1 + cosine) if high_pass else 1 - cosine
    side = abs(middle) / 2
    return _section(side, middle, side, 1 + alpha, -2 * cosine, 1 - alpha)


def _notch(hertz: float, rate_hz: float) -> Section:
    turn = 2 * math.pi * hertz / rate_hz
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * _MAINS_Q)
    return _section(1, -2 * cosine, 1, 1 + alpha, -2 * cosine, 1 - alpha)


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Section:
    return b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0


def filtered(samples_uv: npt.NDArray[np.int32], rate_hz: float, chain: Sequence[Section]) -> npt.NDArray[np.int32]:
    """Each lead through the chain in both directions; gaps stay gaps and nothing is carried over them."""
    if not chain:
        return samples_uv
    out = samples_uv.copy()
    for row in out:
        valid = row != NO_SAMPLE_UV
        edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            row[start:end] = _both_ways(row[start:end].astype(np.float64), rate_hz, chain)
    return out


def _both_ways(values: npt.NDArray[np.float64], rate_hz: float, chain: Sequence[Section]) -> npt.NDArray[np.int32]:
    """By the square of the chain's magnitude; the ends continue as they would in a mirror."""
    pad = min(len(values) - 1, round(10 * rate_hz))
    if pad < 1:
        return np.rint(values).astype(np.int32)
    head, tail = values[pad:0:-1], values[-2 : -pad - 2 : -1]
    longer = np.concatenate([head, values, tail])
    turn = np.exp(-2j * np.pi * np.arange(len(longer) // 2 + 1) / len(longer))
    power = np.ones(len(turn))
    for b0, b1, b2, a1, a2 in chain:
        power *= np.abs((b0 + b1 * turn + b2 * turn**2) / (1 + a1 * turn + a2 * turn**2)) ** 2
    back = np.fft.irfft(np.fft.rfft(longer) * power, len(longer))
    return np.rint(back[pad : pad + len(values)]).astype(np.int32)
