"""Where everything lies on a sheet of ECG paper, in millimetres: described once, drawn as SVG, as PDF and on a canvas.

Conventions: AHA/ACCF/HRS recommendations for the standardization and interpretation of the electrocardiogram, part I
(2007): 25 mm/s, 10 mm/mV, grid of 1 and 5 mm, calibration mark, leads in the order of the limb and the chest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording

SPEEDS_MM_S: Final = (12.5, 25.0, 50.0)
GAINS_MM_MV: Final = (5.0, 10.0, 20.0)
SECONDS: Final = 10.0
# Before every row: room for the calibration mark.
CALIBRATION_MM: Final = 10
NOW, PRIOR = "now", "prior"
COMPARE = "compare"

# A lead that swings further (a loose electrode, a pacemaker's spike) may leave its row.
_WIDEST_MV = 3.0
_ROOM_MM = 3
_LABEL_MM = 12
_BESIDE_MM = 1.5
# Where every lead has a row of its own its name stands under the calibration mark: rows are too close for names.
_UNDER_MM, _UNDER_X_MM = 4.5, 1.0 - CALIBRATION_MM


@dataclass(frozen=True, slots=True)
class Strip:
    """A lead for a stretch of time. at_s: where on the row, from the calibration mark. start_s: where in the recording.

    source: NOW, or PRIOR where an earlier recording is shown beside it.
    """

    lead: str
    row: int
    at_s: float
    start_s: float
    seconds: float
    source: str = NOW


@dataclass(frozen=True, slots=True)
class Sheet:
    """baselines_mm, labels_mm: of each row from the top, zero volts and the foot of the lead's name.

    label_x_mm: where a name begins, from the beginning of its strip.
    """

    layout: str
    gain_mm_mv: float
    seconds: float
    height_mm: float
    baselines_mm: tuple[float, ...]
    labels_mm: tuple[float, ...]
    strips: tuple[Strip, ...]
    label_x_mm: float = _BESIDE_MM

    def width_mm(self, speed_mm_s: float) -> float:
        """Of the grid, the room for the calibration mark included."""
        return CALIBRATION_MM + self.seconds * speed_mm_s

    def as_json(self) -> dict[str, Any]:
        """For the canvas: the same numbers, strips as rows of a table."""
        return {
            "layout": self.layout,
            "gain": self.gain_mm_mv,
            "seconds": self.seconds,
            "height": self.height_mm,
            "baselines": self.baselines_mm,
            "labels": self.labels_mm,
            "labelX": self.label_x_mm,
            "strips": [[s.lead, s.row, s.at_s, s.start_s, s.seconds, s.source] for s in self.strips],
        }


@dataclass(frozen=True, slots=True)
class _Plan:
    """rows: leads from left to right. row_mm: two baselines' least distance; first_mm: the first one's from the top."""

    rows: tuple[tuple[str, ...], ...]
    row_mm: int
    first_mm: int
    rhythm: bool = False


_PLANS: Final = {
    "3x4+1": _Plan(
        (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")), 35, 20, rhythm=True
    ),
    "6x2": _Plan(tuple(zip(LEADS[:6], LEADS[6:], strict=True)), 25, 15),
    "12x1": _Plan(tuple((lead,) for lead in LEADS), 15, 15),
    COMPARE: _Plan(tuple(zip(LEADS[:6], LEADS[6:], strict=True)), 25, 15),
}
LAYOUTS: Final = ("3x4+1", "6x2", "12x1")

Reach = Mapping[str, tuple[float, float]]


def rhythm_lead(recording: EcgRecording) -> str:
    """Lead II, else the first that there is."""
    return "II" if "II" in recording.leads else next(iter(recording.leads), "")


def reach(recording: EcgRecording) -> dict[str, tuple[float, float]]:
    """How far each lead goes above and below its middle (median), in millivolts, both positive."""
    found = {}
    for lead, row in zip(recording.leads, recording.samples_uv, strict=True):
        recorded = row[row != NO_SAMPLE_UV]
        if recorded.size:
            level = float(np.median(recorded))
            up, down = (recorded.max() - level) / 1000, (level - recorded.min()) / 1000
            found[lead] = (min(float(up), _WIDEST_MV), min(float(down), _WIDEST_MV))
    return found


def sheet(layout: str, gain_mm_mv: float, reaches: Reach, rhythm: str = "II") -> Sheet:
    """Rows as far apart as their traces need, and never closer than the layout's usual distance.

    reaches: of the recording; where two are compared, the wider of both. All baselines are multiples of 5 mm, so that
    they lie on heavy lines of the grid. Raises ValueError for a layout or gain that paper does not have.
    """
    if layout not in _PLANS or gain_mm_mv not in GAINS_MM_MV:
        raise ValueError(f"expected one of {', '.join(_PLANS)} at {GAINS_MM_MV} mm/mV")
    plan = _PLANS[layout]
    rows = plan.rows + (((rhythm or "II",),) if plan.rhythm else ())
    above = [max(reaches.get(lead, (0, 0))[0] for lead in leads) * gain_mm_mv for leads in rows]
    below = [max(reaches.get(lead, (0, 0))[1] for lead in leads) * gain_mm_mv for leads in rows]
    baselines: list[float] = []
    labels: list[float] = []
    for number, up in enumerate(above):
        least = plan.row_mm if number else plan.first_mm
        needed = up + _ROOM_MM + (below[number - 1] if number else 0)
        gap = max(least, _fives(needed), _fives(gain_mm_mv + _ROOM_MM + 2))
        baselines.append((baselines[-1] if number else 0) + gap)
        # Above the row's tallest wave where that is nearer to this row than to the one above.
        above_mm = min(max(_LABEL_MM, up + 1.2), gap / 2 - 2 if number else gap - 5)
        labels.append(baselines[-1] + (_UNDER_MM if len(rows) == len(LEADS) else -above_mm))
    height = baselines[-1] + max(10, plan.row_mm - plan.first_mm, _fives(below[-1] + _ROOM_MM))
    strips = _compared(rows) if layout == COMPARE else _in_turn(rows)
    beside = _UNDER_X_MM if len(rows) == len(LEADS) else _BESIDE_MM
    return Sheet(layout, gain_mm_mv, SECONDS, height, tuple(baselines), tuple(labels), strips, beside)


def sheets(recording: EcgRecording) -> tuple[Sheet, ...]:
    """Every layout at every gain."""
    reaches, rhythm = reach(recording), rhythm_lead(recording)
    return tuple(sheet(layout, gain, reaches, rhythm) for layout in LAYOUTS for gain in GAINS_MM_MV)


def compared(now: EcgRecording, prior: EcgRecording, gain_mm_mv: float = 10.0) -> Sheet:
    """Lead by lead the earlier recording on the left and this one on the right, 2.5 s of each."""
    one, other = reach(now), reach(prior)
    wider = {
        lead: (
            max(one.get(lead, (0, 0))[0], other.get(lead, (0, 0))[0]),
            max(one.get(lead, (0, 0))[1], other.get(lead, (0, 0))[1]),
        )
        for lead in {*one, *other}
    }
    return sheet(COMPARE, gain_mm_mv, wider)


def pages(whole: Sheet, speed_mm_s: float, width_mm: float, height_mm: float) -> list[Sheet]:
    """The sheet in pieces that fit a paper of this size: first by rows, then by time. A row too high stands alone."""
    seconds = min(whole.seconds, math.floor((width_mm - CALIBRATION_MM) / speed_mm_s * 2) / 2)
    parts = []
    for first, last in _groups(whole, height_mm):
        starts = np.arange(0, whole.seconds, seconds)
        parts += [_part(whole, first, last, float(at), min(seconds, whole.seconds - float(at))) for at in starts]
    return parts


def _fives(distance_mm: float) -> int:
    return math.ceil(distance_mm / 5 - 1e-9) * 5


def _in_turn(rows: tuple[tuple[str, ...], ...]) -> tuple[Strip, ...]:
    """The leads of a row follow each other in time, as on paper."""
    return tuple(
        Strip(lead, number, at * SECONDS / len(leads), at * SECONDS / len(leads), SECONDS / len(leads))
        for number, leads in enumerate(rows)
        for at, lead in enumerate(leads)
    )


def _compared(rows: tuple[tuple[str, ...], ...]) -> tuple[Strip, ...]:
    share = SECONDS / 4
    return tuple(
        Strip(lead, number, (2 * at + second) * share, 0.0, share, NOW if second else PRIOR)
        for number, leads in enumerate(rows)
        for at, lead in enumerate(leads)
        for second in (0, 1)
    )


def _groups(whole: Sheet, height_mm: float) -> list[tuple[int, int]]:
    """Rows [first, last) of each page: as few pages as it takes, evenly filled."""
    tops = [_top(whole, n) for n in range(len(whole.baselines_mm))] + [whole.height_mm]
    count = len(whole.baselines_mm)
    for pieces in range(1, count + 1):
        edges = [round(count * n / pieces) for n in range(pieces + 1)]
        found = list(pairwise(edges))
        if all(tops[last] - tops[first] + 10 <= height_mm or last - first == 1 for first, last in found) or (
            pieces == 1 and whole.height_mm <= height_mm
        ):
            return found
    return [(n, n + 1) for n in range(count)]


def _top(whole: Sheet, row: int) -> float:
    """Above the row's name, its calibration mark and half of what parts it from the row above."""
    if row == 0:
        return 0.0
    own, above = whole.baselines_mm[row], whole.baselines_mm[row - 1]
    return min(whole.labels_mm[row] - 5, own - whole.gain_mm_mv - 2, (own + above) / 2)


def _part(whole: Sheet, first: int, last: int, at_s: float, seconds: float) -> Sheet:
    if (first, last, seconds) == (0, len(whole.baselines_mm), whole.seconds):
        return whole
    # What lies above the first row stays a multiple of 5, for the grid.
    lift = math.floor(_top(whole, first) / 5) * 5
    end = whole.height_mm if last == len(whole.baselines_mm) else _fives(_top(whole, last)) + 10
    cut = [_cut(s, at_s, seconds) for s in whole.strips if first <= s.row < last]
    return Sheet(
        whole.layout,
        whole.gain_mm_mv,
        seconds,
        end - lift,
        tuple(y - lift for y in whole.baselines_mm[first:last]),
        tuple(y - lift for y in whole.labels_mm[first:last]),
        tuple(replace(s, row=s.row - first) for s in cut if s.seconds > 0),
        whole.label_x_mm,
    )


def _cut(strip: Strip, at_s: float, seconds: float) -> Strip:
    begin, end = max(strip.at_s, at_s), min(strip.at_s + strip.seconds, at_s + seconds)
    return replace(strip, at_s=begin - at_s, start_s=strip.start_s + begin - strip.at_s, seconds=end - begin)
