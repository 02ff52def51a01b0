"""Twelve leads on ECG paper as SVG: true to scale in mm, without scripts, styles or ids, for screen and print alike.

Conventions: AHA/ACCF/HRS recommendations for the standardization and interpretation of the electrocardiogram, part I
(2007): 25 mm/s, 10 mm/mV, grid of 1 and 5 mm, calibration mark, leads in the order of the limb and the chest.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording

from .ecg_trace import UNIT_MM, trace

SPEEDS_MM_S: Final = (12.5, 25.0, 50.0)
GAINS_MM_MV: Final = (5.0, 10.0, 20.0)

_MARGIN = 5
_CALIBRATION = 10
_LINE = 5.0
_FOOTER = 8
_INK, _MINOR, _MAJOR, _FAINT = "#14181f", "#f8d3d3", "#eda3a3", "#8a8f98"
_FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"


@dataclass(frozen=True, slots=True)
class _Layout:
    """rows: leads from left to right. rhythm: whether a row with one lead over the whole time follows.

    baseline_mm: of the first row. All are multiples of 5, so that baselines lie on heavy lines of the grid.
    """

    rows: tuple[tuple[str, ...], ...]
    row_mm: int
    baseline_mm: int
    rhythm: bool = False

    @property
    def height_mm(self) -> int:
        rows = len(self.rows) + self.rhythm
        return self.baseline_mm + (rows - 1) * self.row_mm + max(10, self.row_mm - self.baseline_mm)


LAYOUTS: Final = {
    "3x4+1": _Layout(
        (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")), 35, 20, rhythm=True
    ),
    "6x2": _Layout(tuple(zip(LEADS[:6], LEADS[6:], strict=True)), 25, 15),
    "12x1": _Layout(tuple((lead,) for lead in LEADS), 15, 15),
}


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One drawing: what is shown, at which scale."""

    recording: EcgRecording
    speed_mm_s: float
    gain_mm_mv: float
    start_s: float
    seconds: float

    def samples(self, lead: str, start_s: float, seconds: float) -> npt.NDArray[np.int32] | None:
        """A stretch of a lead; None where nothing of it was recorded."""
        if lead not in self.recording.leads:
            return None
        rate = self.recording.sampling_rate_hz
        begin = round((self.start_s + start_s) * rate)
        row = self.recording.samples_uv[self.recording.leads.index(lead)]
        # One sample more than the stretch, so that neighbours meet.
        found = row[begin : begin + round(seconds * rate) + 1]
        return found if (found != NO_SAMPLE_UV).any() else None

    def path(self, lead: str, start_s: float, seconds: float) -> str:
        """The trace of a stretch, or nothing; shifted so that its middle (median) lies on the row's baseline.

        Carts differ in how they treat the electrodes' constant voltage; the shift keeps every trace on its row and
        leaves all differences as they are.
        """
        found = self.samples(lead, start_s, seconds)
        if found is None:
            return ""
        recorded = found != NO_SAMPLE_UV
        level = np.int32(np.median(found[recorded]))
        shifted = np.where(recorded, found - level, NO_SAMPLE_UV).astype(np.int32)
        return trace(shifted, self.speed_mm_s / self.recording.sampling_rate_hz, self.gain_mm_mv / 1000)


def draw(
    recording: EcgRecording,
    *,
    layout: str = "3x4+1",
    speed_mm_s: float = 25,
    gain_mm_mv: float = 10,
    lines: Sequence[str] = (),
    note: str = "no filter",
    label: str = "",
    start_s: float = 0.0,
) -> str:
    """The recording on paper: ten seconds from `start_s`, as an SVG element whose units are mm.

    lines: printed above, the first as a heading. note: what was done to the signal, printed beside speed and gain.
    label: what a screen reader says. A lead that was not recorded keeps its place, named and empty.
    Raises ValueError for a layout, speed or gain that paper does not have.
    """
    if layout not in LAYOUTS or speed_mm_s not in SPEEDS_MM_S or gain_mm_mv not in GAINS_MM_MV:
        raise ValueError(f"expected one of {', '.join(LAYOUTS)} at {SPEEDS_MM_S} mm/s and {GAINS_MM_MV} mm/mV")
    plan = LAYOUTS[layout]
    sheet = _Sheet(recording, speed_mm_s, gain_mm_mv, start_s, 10.0)
    header = round(_MARGIN + len(lines) * _LINE)
    width, height = _CALIBRATION + 10 * speed_mm_s, plan.height_mm
    scale = f"{speed_mm_s:g} mm/s   {gain_mm_mv:g} mm/mV   {note}   {recording.sampling_rate_hz:g} Hz"
    body = [
        *_heading(lines),
        f'<svg x="{_MARGIN}" y="{header}" width="{width:g}" height="{height}" viewBox="0 0 {width:g} {height}">',
        *_grid(width, height),
        *_traces(sheet, plan),
        "</svg>",
        _text(_MARGIN, header + height + 5, scale.replace("   ", "\u2003"), size=3, fill="#3b4048"),
    ]
    names = label or f"ECG, {len(recording.leads)} leads, {speed_mm_s:g} mm/s, {gain_mm_mv:g} mm/mV"
    return _svg(width + 2 * _MARGIN, header + height + _FOOTER, names, body)


def thumbnail(recording: EcgRecording, *, seconds: float = 4.0, label: str = "") -> str:
    """One lead, lead II where there is one, at 25 mm/s and 10 mm/mV: small enough for every row of a list."""
    lead = _rhythm_lead(recording)
    width, height = 25 * seconds, 20
    path = _Sheet(recording, 25, 10, 0, seconds).path(lead, 0, seconds) if lead else ""
    lines = "".join(f"M{x} 0v{height}" for x in range(0, round(width) + 1, 5))
    lines += "".join(f"M0 {y}h{width:g}" for y in range(0, height + 1, 5))
    body = [
        f'<path d="{lines}" fill="none" stroke="{_MINOR}" stroke-width=".2"/>',
        _trace(path, 0, height / 2 + 2) if path else _text(width / 2, height / 2, "—", size=5, fill=_FAINT),
    ]
    return _svg(width, height, label or f"ECG, {lead or 'no lead'}", body)


def _rhythm_lead(recording: EcgRecording) -> str:
    return "II" if "II" in recording.leads else next(iter(recording.leads), "")


def _svg(width: float, height: float, label: str, body: Iterable[str]) -> str:
    name = escape(_printable(label))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{name}" font-family="{_FONT}">'
        f'<title>{name}</title><rect width="{width:g}" height="{height:g}" fill="#fff"/>{"".join(body)}</svg>'
    )


def _heading(lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        first = number == 0
        size, limit = (4.2, 105) if first else (3.2, 140)
        yield _text(_MARGIN, _MARGIN + number * _LINE + 2.2, _cut(line, limit), size=size, bold=first)


def _grid(width: float, height: float) -> Iterator[str]:
    """Lines of 1 mm, and over them those of 5 mm. Paths: a pattern would need an id that is unique in its page."""
    for step, colour, stroke in ((1, _MINOR, 0.1), (5, _MAJOR, 0.2)):
        lines = "".join(f"M{x} 0v{height:g}" for x in range(0, round(width) + 1, step))
        lines += "".join(f"M0 {y}h{width:g}" for y in range(0, round(height) + 1, step))
        yield f'<path d="{lines}" fill="none" stroke="{colour}" stroke-width="{stroke:g}"/>'


def _traces(sheet: _Sheet, plan: _Layout) -> Iterator[str]:
    rhythm = ((_rhythm_lead(sheet.recording) or "II",),) if plan.rhythm else ()
    for number, leads in enumerate(plan.rows + rhythm):
        yield from _row(sheet, leads, plan.baseline_mm + number * plan.row_mm, plan.row_mm)


def _row(sheet: _Sheet, leads: tuple[str, ...], baseline: int, row_mm: int) -> Iterator[str]:
    """One line of paper: calibration mark, then each lead for its share of the time, one after the other."""
    yield _calibration(sheet.gain_mm_mv, baseline)
    seconds = sheet.seconds / len(leads)
    for number, lead in enumerate(leads):
        x = _CALIBRATION + number * seconds * sheet.speed_mm_s
        path = sheet.path(lead, number * seconds, seconds)
        if number:
            yield f'<path d="M{x:g} {baseline - 3}v2M{x:g} {baseline + 1}v2" stroke="{_INK}" stroke-width=".3"/>'
        if path:
            yield _trace(path, x, baseline)
        else:
            end = x + seconds * sheet.speed_mm_s
            dashes = f'd="M{x + 1:g} {baseline}H{end - 1:g}" stroke="{_FAINT}" stroke-width=".3" stroke-dasharray="2 2"'
            yield f"<path {dashes}/>"
        above = baseline - min(12, row_mm / 2 - 2)
        yield _text(x + 1.5, above, lead if path else f"{lead} —", size=3.6, bold=True)


def _trace(path: str, x: float, y: float) -> str:
    return (
        f'<path transform="translate({x:g} {y:g})scale({UNIT_MM:g})" d="{path}" fill="none" stroke="{_INK}" '
        f'stroke-width="{0.3 / UNIT_MM:g}" stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _calibration(gain_mm_mv: float, baseline: float) -> str:
    """One millivolt for five millimetres."""
    mark = f"M1 {baseline:g}h1.5v{-gain_mm_mv:g}h5v{gain_mm_mv:g}h1.5"
    return f'<path d="{mark}" fill="none" stroke="{_INK}" stroke-width=".3"/>'


def _text(x: float, y: float, text: str, *, size: float, bold: bool = False, fill: str = _INK) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}"{weight} fill="{fill}">{escape(_printable(text))}</text>'


def _printable(text: str) -> str:
    """Without control characters, which XML forbids even when escaped."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Cn") else " " for c in text)


def _cut(text: str, limit: int) -> str:
    """At most `limit` columns; a Chinese character takes two."""
    used = 0
    for at, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > limit:
            return text[:at].rstrip() + "…"
    return text
