"""Twelve leads on ECG paper as SVG: true to scale in mm, without scripts, styles or ids, for screen and print alike.

Conventions: AHA/ACCF/HRS recommendations for the standardization and interpretation of the electrocardiogram, part I
(2007): 25 mm/s, 10 mm/mV, grid of 1 and 5 mm, calibration mark, leads in the order of the limb and the chest.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV, EcgRecording

from . import layout as paper
from .layout import CALIBRATION_MM, GAINS_MM_MV, LAYOUTS, NOW, PRIOR, SPEEDS_MM_S, Sheet, Strip, rhythm_lead
from .trace import UNIT_MM, trace

_MARGIN = 5
_LINE = 5.0
_FOOTER = 8
_INK, _EARLIER, _MINOR, _MAJOR, _FAINT = "#14181f", "#1d5a9e", "#f8d3d3", "#eda3a3", "#8a8f98"
_FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: the recordings by the source that a strip names, on a sheet at a speed, from `start_s`."""

    recordings: Mapping[str, EcgRecording]
    sheet: Sheet
    speed_mm_s: float
    start_s: float = 0.0

    def samples(self, strip: Strip) -> npt.NDArray[np.int32] | None:
        """A strip's stretch of its lead, its middle (median) at nought; None where nothing of it was recorded.

        Carts differ in how they treat the electrodes' constant voltage; the shift keeps every trace on its row and
        leaves all differences as they are.
        """
        recording = self.recordings[strip.source]
        if strip.lead not in recording.leads:
            return None
        rate = recording.sampling_rate_hz
        begin = round((self.start_s + strip.start_s) * rate)
        row = recording.samples_uv[recording.leads.index(strip.lead)]
        # One sample more than the stretch, so that neighbours meet.
        found = row[begin : begin + round(strip.seconds * rate) + 1]
        recorded = found != NO_SAMPLE_UV
        if not recorded.any():
            return None
        level = np.int32(np.median(found[recorded]))
        return np.where(recorded, found - level, NO_SAMPLE_UV).astype(np.int32)

    def scale(self, strip: Strip) -> tuple[float, float]:
        """Millimetres for a sample, millimetres for a microvolt."""
        return self.speed_mm_s / self.recordings[strip.source].sampling_rate_hz, self.sheet.gain_mm_mv / 1000

    def x_mm(self, strip: Strip) -> float:
        return CALIBRATION_MM + strip.at_s * self.speed_mm_s


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
    sheet = paper.sheet(layout, gain_mm_mv, paper.reach(recording), rhythm_lead(recording))
    return on_sheet(Drawing({NOW: recording}, sheet, speed_mm_s, start_s), lines=lines, note=note, label=label)


def on_sheet(
    drawing: Drawing,
    *,
    lines: Sequence[str] = (),
    note: str = "no filter",
    label: str = "",
    margin_mm: float = _MARGIN,
) -> str:
    """What `draw` makes, of any sheet: a piece of one, or one with two recordings on it."""
    sheet, now = drawing.sheet, drawing.recordings[NOW]
    header = margin_mm + len(lines) * _LINE
    width, height = sheet.width_mm(drawing.speed_mm_s), sheet.height_mm
    body = [
        *_heading(lines),
        f'<svg x="{margin_mm:g}" y="{header:g}" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">',
        *_grid(width, height),
        *(_calibration(sheet.gain_mm_mv, baseline) for baseline in sheet.baselines_mm),
        *(part for strip in sheet.strips for part in _strip(drawing, strip)),
        "</svg>",
        _text(margin_mm, header + height + 5, scale_line(drawing, note), size=3, fill="#3b4048"),
    ]
    scale = f"{drawing.speed_mm_s:g} mm/s, {sheet.gain_mm_mv:g} mm/mV"
    return _svg(
        width + 2 * margin_mm, header + height + _FOOTER, label or f"ECG, {len(now.leads)} leads, {scale}", body
    )


def scale_line(drawing: Drawing, note: str) -> str:
    """What paper says at its lower edge: speed, gain, filter, sampling rate."""
    rate = drawing.recordings[NOW].sampling_rate_hz
    parts = (f"{drawing.speed_mm_s:g} mm/s", f"{drawing.sheet.gain_mm_mv:g} mm/mV", note, f"{rate:g} Hz")
    return "\u2003".join(parts)


def thumbnail(recording: EcgRecording, *, seconds: float = 4.0, label: str = "") -> str:
    """One lead, lead II where there is one, at 25 mm/s and 10 mm/mV: small enough for every row of a list."""
    lead = rhythm_lead(recording)
    width, height = 25 * seconds, 20
    strip = Strip(lead, 0, 0, 0, seconds)
    drawing = Drawing({NOW: recording}, Sheet("", 10, seconds, height, (height / 2 + 2,), (0,), (strip,)), 25)
    path = _path(drawing, strip) if lead else ""
    lines = "".join(f"M{x} 0v{height}" for x in range(0, round(width) + 1, 5))
    lines += "".join(f"M0 {y}h{width:g}" for y in range(0, height + 1, 5))
    body = [
        f'<path d="{lines}" fill="none" stroke="{_MINOR}" stroke-width=".2"/>',
        _trace(path, 0, height / 2 + 2) if path else _text(width / 2, height / 2, "—", size=5, fill=_FAINT),
    ]
    return _svg(width, height, label or f"ECG, {lead or 'no lead'}", body)


def _path(drawing: Drawing, strip: Strip) -> str:
    found = drawing.samples(strip)
    return "" if found is None else trace(found, *drawing.scale(strip))


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


def _strip(drawing: Drawing, strip: Strip) -> Iterator[str]:
    """A lead's name and its stretch; a tick where it follows another in the same row."""
    x, baseline = drawing.x_mm(strip), drawing.sheet.baselines_mm[strip.row]
    path = _path(drawing, strip)
    ink = _EARLIER if strip.source == PRIOR else _INK
    if strip.at_s:
        yield f'<path d="M{x:g} {baseline - 3:g}v2M{x:g} {baseline + 1:g}v2" stroke="{_INK}" stroke-width=".3"/>'
    if path:
        yield _trace(path, x, baseline, ink)
    else:
        end = x + strip.seconds * drawing.speed_mm_s
        dashes = f'd="M{x + 1:g} {baseline:g}H{end - 1:g}" stroke="{_FAINT}" stroke-width=".3" stroke-dasharray="2 2"'
        yield f"<path {dashes}/>"
    name = strip.lead if path else f"{strip.lead} —"
    yield _text(x + drawing.sheet.label_x_mm, drawing.sheet.labels_mm[strip.row], name, size=3.6, bold=True, fill=ink)


def _trace(path: str, x: float, y: float, ink: str = _INK) -> str:
    return (
        f'<path transform="translate({x:g} {y:g})scale({UNIT_MM:g})" d="{path}" fill="none" stroke="{ink}" '
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
