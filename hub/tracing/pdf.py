"""The same paper as PDF: A4 on its side, vectors, true millimetres."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from .layout import CALIBRATION_MM, PRIOR, Sheet, pages
from .svg import Drawing, scale_line
from .trace import strokes

_FONT = "NotoSansSC"
PAGE = landscape(A4)
_WIDTH, _HEIGHT = (side / mm for side in PAGE)
_LEFT, _TOP, _FOOT, _LINE = 8.0, 8.0, 12.0, 5.0
# What a sheet may measure below a heading of so many lines; on the report's own printed page, too.
WIDTH_MM = _WIDTH - 2 * _LEFT
_INK, _EARLIER, _MINOR, _MAJOR = (HexColor(c) for c in ("#14181f", "#1d5a9e", "#f8d3d3", "#eda3a3"))


@dataclass(frozen=True, slots=True)
class Words:
    """lines: above the tracing, the first as a heading. note: what was done to the signal. mark: across the sheet."""

    lines: Sequence[str]
    note: str
    mark: str = ""


def render(drawing: Drawing, words: Words, font: Path) -> bytes:
    """On as many sheets as it takes. font: a TrueType file that holds Chinese. The same gives the same bytes."""
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FONT, str(font)))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=PAGE, invariant=1, pageCompression=1, lang="zh-CN")
    canvas.setTitle(words.lines[0] if words.lines else "ECG")
    for draw in sheets(drawing, words):
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def sheets(drawing: Drawing, words: Words) -> list[Callable[[Canvas], None]]:
    """What draws each of the sheets on a page of PAGE's size; the font is registered by then."""
    top = _TOP + len(words.lines) * _LINE
    parts = pages(drawing.sheet, drawing.speed_mm_s, WIDTH_MM, _HEIGHT - top - _FOOT)

    def drawer(number: int, part: Sheet) -> Callable[[Canvas], None]:
        piece = Drawing(drawing.recordings, part, drawing.speed_mm_s, drawing.start_s)

        def draw(canvas: Canvas) -> None:
            _paper(canvas, piece, top)
            _words(canvas, piece, words, top, f"{number} / {len(parts)}")

        return draw

    return [drawer(number, part) for number, part in enumerate(parts, 1)]


def _words(canvas: Canvas, drawing: Drawing, words: Words, top: float, page: str) -> None:
    for number, line in enumerate(words.lines):
        canvas.setFont(_FONT, 11 if number == 0 else 8.5)
        canvas.drawString(_LEFT * mm, (_HEIGHT - _TOP - number * _LINE - 2) * mm, _printable(line))
    canvas.setFont(_FONT, 8)
    foot = _HEIGHT - top - drawing.sheet.height_mm - 5
    canvas.drawString(_LEFT * mm, foot * mm, _printable(scale_line(drawing, words.note).replace("\u2003", "    ")))
    canvas.drawRightString((_WIDTH - _LEFT) * mm, foot * mm, page)
    if words.mark:
        canvas.saveState()
        canvas.setFont(_FONT, 60)
        canvas.setFillColor(HexColor("#ab2430"), alpha=0.13)
        canvas.translate(_WIDTH / 2 * mm, _HEIGHT / 2 * mm)
        canvas.rotate(16)
        canvas.drawCentredString(0, -20, words.mark)
        canvas.restoreState()


def _paper(canvas: Canvas, drawing: Drawing, top: float) -> None:
    """Millimetres from the upper left corner of the grid, y downwards."""
    sheet = drawing.sheet
    canvas.saveState()
    canvas.transform(mm, 0, 0, -mm, _LEFT * mm, (_HEIGHT - top) * mm)
    width, height = sheet.width_mm(drawing.speed_mm_s), sheet.height_mm
    for step, colour, stroke in ((1, _MINOR, 0.1), (5, _MAJOR, 0.2)):
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(stroke)
        across = [(x, 0, x, height) for x in range(0, round(width) + 1, step)]
        canvas.lines(across + [(0, y, width, y) for y in range(0, round(height) + 1, step)])
    canvas.setLineWidth(0.3)
    canvas.setLineJoin(1)
    canvas.setStrokeColor(_INK)
    for baseline in sheet.baselines_mm:
        _line(canvas, _calibration(sheet.gain_mm_mv, baseline))
    for strip in sheet.strips:
        x, baseline = drawing.x_mm(strip), sheet.baselines_mm[strip.row]
        colour = _EARLIER if strip.source == PRIOR else _INK
        canvas.setStrokeColor(colour)
        canvas.setFillColor(colour)
        found = drawing.samples(strip)
        for xs, ys in strokes(found, *drawing.scale(strip)) if found is not None else ():
            _line(canvas, list(zip((xs + x).tolist(), (ys + baseline).tolist(), strict=True)))
        if strip.at_s:
            canvas.lines([(x, baseline - 3, x, baseline - 1), (x, baseline + 1, x, baseline + 3)])
        _name(
            canvas,
            strip.lead if found is not None else f"{strip.lead} —",
            x + sheet.label_x_mm,
            sheet.labels_mm[strip.row],
        )
    canvas.restoreState()


def _calibration(gain: float, baseline: float) -> list[tuple[float, float]]:
    """One millivolt for five millimetres, within the room that every row has for it."""
    corners = ((1.0, 0.0), (2.5, 0.0), (2.5, -gain), (7.5, -gain), (7.5, 0.0), (CALIBRATION_MM - 1.0, 0.0))
    return [(x, baseline + y) for x, y in corners]


def _line(canvas: Canvas, points: list[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.drawPath(path)


def _name(canvas: Canvas, name: str, x: float, y: float) -> None:
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(1, -1)
    canvas.setFont(_FONT, 3.6)
    canvas.drawString(0, 0, _printable(name))
    canvas.restoreState()


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
