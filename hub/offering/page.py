"""A report as a PDF page that anybody can read and print: A4, Chinese, the font inside it.

The same version gives the same bytes, so nothing here asks for the time or for chance.
"""

import io
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    HRFlowable,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from hub.tracing import layout as layouts
from hub.tracing import pdf
from hub.tracing.svg import Drawing
from schemas.ecg import EcgRecording
from schemas.identifiers import RESIDENT_ID
from schemas.offered import Offered, Section
from schemas.patient import Patient, Sex
from schemas.report import ReportCategory, ReportStatus
from schemas.wording import moment, named

_FONT = "NotoSansSC"
# A page of text has about 2,000 characters; whoever writes a hundred pages is read in the original.
_LONGEST = 200_000
# reportlab's time for a paragraph grows with the square of its length; a cell must fit a page.
_PIECE, _CELL = 1000, 200
_MISSING = "〓"
_MARGIN = 18 * mm
# What reportlab keeps free on either side of a frame.
_PADDING = 6
_WIDTH = A4[0] - 2 * _MARGIN - 2 * _PADDING
_LEFT = _MARGIN + _PADDING
_SEXES = {Sex.MALE: "男", Sex.FEMALE: "女", Sex.OTHER: "其他", Sex.UNKNOWN: "未知"}
_OBSERVED = {ReportCategory.LABORATORY: "采样时间"}
_CHANGED = {ReportStatus.AMENDED: "修改报告", ReportStatus.CORRECTED: "更正报告"}
_COLUMNS = ("项目", "结果", "单位", "参考范围")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_LINE = colors.HexColor("#9aa7ad")


@cache
def _glyphs(font: Path) -> frozenset[int]:
    """Registers the font; which characters it can draw."""
    face = TTFont(_FONT, str(font))
    pdfmetrics.registerFont(face)
    return frozenset(face.face.charToGlyph)


def render(offered: Offered, font: Path, recording: EcgRecording | None = None) -> bytes:
    """The report on as many pages as it takes, then its tracing. font: a TrueType file that holds Chinese."""
    sheet = _Sheet(offered, _glyphs(font))
    target = io.BytesIO()
    document = BaseDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        title=sheet.plain(sheet.name),
        author=sheet.plain(offered.institution),
        creator="dxhub",
        lang="zh-CN",
        invariant=1,
        initialFontName=_FONT,
    )
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height)
    document.addPageTemplates([PageTemplate("words", [frame], onPage=sheet.foot)])
    story = list(sheet.story())
    for number, draw in enumerate(_tracing(sheet, recording) if recording else ()):
        document.addPageTemplates([_paper(f"tracing {number}", draw)])
        story += [NextPageTemplate(f"tracing {number}"), PageBreak(), Spacer(0, 1)]
    document.build(story)
    return target.getvalue()


def _paper(name: str, draw: Callable[[Canvas], None]) -> PageTemplate:
    """A page of nothing but ECG paper, laid on its side."""
    return PageTemplate(name, [Frame(0, 0, *pdf.PAGE)], onPage=lambda canvas, _: draw(canvas), pagesize=pdf.PAGE)


def _tracing(sheet: "_Sheet", recording: EcgRecording) -> list[Callable[[Canvas], None]]:
    """In true millimetres, 25 mm/s and 10 mm/mV, as on the report's own page in the portal."""
    layout = layouts.sheet("3x4+1", 10.0, layouts.reach(recording), layouts.rhythm_lead(recording))
    drawing = Drawing({layouts.NOW: recording}, layout, 25.0)
    return pdf.sheets(drawing, pdf.Words(tuple(map(sheet.plain, sheet.lines())), "未滤波"))


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:  # noqa: ANN401 reportlab's own properties
    return ParagraphStyle(name, fontName=_FONT, fontSize=size, leading=size * 1.55, wordWrap="CJK", **more)


_INSTITUTION = _style("institution", 17, alignment=TA_CENTER)
_TITLE = _style("title", 13, alignment=TA_CENTER, spaceAfter=2 * mm)
_HEADING = _style("heading", 11.5, spaceBefore=4 * mm, spaceAfter=1 * mm, textColor=colors.HexColor("#0b4a57"))
_BODY = _style("body", 10.5, spaceAfter=1 * mm)
_SMALL = _style("small", 9.5)


class _Sheet:
    """One report on paper."""

    def __init__(self, offered: Offered, glyphs: frozenset[int]) -> None:
        self.offered = offered
        self.report = offered.report
        self._drawable = glyphs
        self.name = named(self.report.code)

    def plain(self, text: str) -> str:
        """The text with a visible sign where the font has no glyph, without control characters."""
        cut = text[:_LONGEST] + ("\n（内容过长，其余见原件）" if len(text) > _LONGEST else "")
        printable = (c for c in cut.expandtabs(4) if c.isprintable() or c == "\n")
        return "".join(c if c == "\n" or ord(c) in self._drawable else _MISSING for c in printable)

    def _paragraph(self, text: str, style: ParagraphStyle) -> Paragraph:
        """As many lines as it takes. The font has no raised digits but 1 to 3, so all are raised alike."""
        pieces, at = [], 0
        for found in _RAISED.finditer(text):
            pieces += [escape(self.plain(text[at : found.start()])), f"<super>{found[0].translate(_DIGITS)}</super>"]
            at = found.end()
        pieces.append(escape(self.plain(text[at:])))
        return Paragraph("".join(pieces).replace("\n", "<br/>"), style)

    def story(self) -> Iterable[Any]:
        """Everything between the margins, from the top."""
        yield self._paragraph(self.offered.institution, _INSTITUTION)
        yield self._paragraph(self.name if self.name.endswith("报告") else f"{self.name}报告", _TITLE)
        yield HRFlowable(width="100%", thickness=1, color=colors.black, spaceAfter=2 * mm)
        yield self._facts()
        yield HRFlowable(width="100%", thickness=0.5, color=_LINE, spaceBefore=2 * mm)
        for section in self.offered.sections:
            yield self._paragraph(section.heading.display, _HEADING)
            yield from self._results(section) if section.lines[0].columns else self._words(section)
        yield Spacer(0, 6 * mm)
        yield self._signed()

    def lines(self) -> Iterable[str]:
        """Whose tracing it is, on the pages that hold nothing but it."""
        patient, report = self.report.patient, self.report
        yield f"{self.offered.institution}  {self.name}"
        born = f"{patient.birth_date:%Y-%m-%d}" if patient.birth_date else ""
        who = (patient.name.text, _SEXES[patient.sex], born, _number(patient), moment(report.observed_at))
        yield "  ".join(filter(None, who))

    def _words(self, section: Section) -> Iterable[Any]:
        for line in section.lines:
            for text in self.plain(line.text).splitlines():
                for start in range(0, max(len(text), 1), _PIECE):
                    yield self._paragraph(text[start : start + _PIECE] or " ", _BODY)

    def _facts(self) -> Table:
        report = self.report
        told = [
            ("姓名", report.patient.name.text or self.offered.patient.name.text),
            ("性别", _SEXES[report.patient.sex]),
            ("出生日期", f"{report.patient.birth_date:%Y-%m-%d}" if report.patient.birth_date else "—"),
            ("病人编号", _number(report.patient)),
            (_OBSERVED.get(report.category, "检查时间"), moment(report.observed_at)),
            ("报告时间", moment(report.issued_at)),
            ("检查号", report.accession_number),
            ("报告号", report.filler_order_number),
            ("标本", report.specimen),
        ]
        cells = [self._paragraph(f"{name}：{value}", _SMALL) for name, value in told if value]
        cells += [self._paragraph("", _SMALL)] * (-len(cells) % 3)
        rows = [cells[start : start + 3] for start in range(0, len(cells), 3)]
        tight = TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1)])
        return Table(rows, colWidths=[_WIDTH / 3] * 3, style=tight)

    def _results(self, section: Section) -> Iterable[Any]:
        short = [line for line in section.lines if max(map(len, line.columns)) <= _CELL]
        rows = [
            [self._paragraph(each, _SMALL) for each in columns] for columns in (_COLUMNS, *(s.columns for s in short))
        ]
        ruled = TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 1),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
        shares = (0.4, 0.24, 0.16, 0.2)
        if short:
            yield Table(rows, colWidths=[_WIDTH * share for share in shares], style=ruled, repeatRows=1)
        for line in section.lines:
            if line not in short:
                yield self._paragraph(line.columns[0][:_CELL], _HEADING)
                yield from self._words(Section(section.heading, section.item, (line,)))

    def _signed(self) -> Paragraph:
        names = "、".join(self.report.performers) or "来源机构未提供"
        return self._paragraph(f"报告医师：{names}", _SMALL)

    def foot(self, canvas: Canvas, document: Any) -> None:  # noqa: ANN401 reportlab's template of a document
        """The lower margin: which version of what this is."""
        version = f"第 {self.offered.record.version} 版"
        status = _CHANGED.get(self.report.status, "正式报告")
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_LEFT, 15 * mm, _LEFT + _WIDTH, 15 * mm)
        canvas.setFont(_FONT, 8)
        note = f"{status} · {version} · 由区域检查检验共享中枢依据来源机构的数据生成，内容由出具机构负责"
        canvas.drawString(_LEFT, 11 * mm, self.plain(note))
        canvas.drawRightString(_LEFT + _WIDTH, 11 * mm, f"第 {document.page} 页")
        canvas.restoreState()


def _number(patient: Patient) -> str:
    """A number that the reader may know the patient by; never the whole resident number, for paper lies about."""
    return next((each.value for each in patient.identifiers if each.system != RESIDENT_ID), "")
