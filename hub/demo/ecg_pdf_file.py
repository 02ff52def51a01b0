"""An examination as a one-page PDF, which is all that a cheap cart sends. Source: ISO 32000-1."""

import re
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from schemas.ecg import EcgRecording
from schemas.patient import Sex

from .ecg_examination import Examination

_MM = 72 / 25.4
_WIDTH_MM, _HEIGHT_MM = 297, 210
_ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",))
_LEFT, _BOTTOM, _ROW_MM, _PAPER_MM = 18.5, 15.0, 35.0, 260.0
# Chinese by a font that every reader knows by name: no cart embeds twenty megabytes of it.
_FONTS = (
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [6 0 R] >>",
    "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R /DW 1000 "
    "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
    "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 "
    "/Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
)


def pdf(examination: Examination) -> bytes:
    """The page: who, when, what was measured and said, and twelve leads true to scale on A4."""
    content = "\n".join((*_text_block(examination), *_paper(), *_leads(examination.signal.recording))).encode("ascii")
    stream = zlib.compress(content, 9)
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH_MM * _MM:.2f} {_HEIGHT_MM * _MM:.2f}] "
        "/Resources << /Font << /L 4 0 R /C 5 0 R >> >> /Contents 8 0 R >>"
    )
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, *_FONTS]
    bodies = [body.encode("ascii") for body in objects]
    bodies.append(b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _file(bodies)


def _file(bodies: list[bytes]) -> bytes:
    written = bytearray(b"%PDF-1.5\n%\xe4\xb8\xad\xe6\n")
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(bodies) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return bytes(written) + f"{end}startxref\n{len(written)}\n%%EOF\n".encode("ascii")


def _text_block(examination: Examination) -> Iterator[str]:
    measured = examination.signal.measurements
    sex = {Sex.MALE: "男", Sex.FEMALE: "女"}.get(examination.sex, "")
    when = examination.observed_at.strftime("%Y-%m-%d %H:%M")
    pr = "—" if measured.pr_ms is None else str(measured.pr_ms)
    state = f"审核医师：{examination.confirmed_by}" if examination.confirmed_by else "机器诊断，未经医师审核"
    yield _text(_LEFT, 198, 15, f"{examination.institution} 常规心电图报告".strip())
    born = examination.birth_date.isoformat()
    yield _text(
        _LEFT, 190, 10, f"姓名：{examination.name}   {sex}   出生：{born}   编号：{examination.patient_id}   {when}"
    )
    numbers = f"心率 {measured.heart_rate} /min   PR {pr} ms   QRS {measured.qrs_ms} ms   "
    yield _text(_LEFT, 184, 10, numbers + f"QT/QTc {measured.qt_ms}/{measured.qtc_ms} ms   电轴 {measured.axis_deg}°")
    yield _text(_LEFT, 178, 10, "；".join(examination.statements))
    yield _text(_LEFT, 172, 9, state)
    yield _text(_LEFT, 9, 8, "25 mm/s   10 mm/mV   0.05-150 Hz")


def _text(x_mm: float, y_mm: float, size: float, text: str) -> str:
    """One line; Latin runs in Helvetica, all else in the Chinese font, each advancing by its own widths."""
    shown = []
    for run in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", text):
        if run.isascii():
            escaped = re.sub(r"([\\()])", r"\\\1", run)
            shown.append(f"/L {size} Tf ({escaped}) Tj")
        else:
            shown.append(f"/C {size} Tf <{run.encode('utf-16-be').hex()}> Tj")
    return f"BT 0 0 0 rg {x_mm * _MM:.2f} {y_mm * _MM:.2f} Td {' '.join(shown)} ET"


def _paper() -> Iterator[str]:
    height = len(_ROWS) * _ROW_MM
    for step, colour, width in ((1, "0.97 0.84 0.84", 0.1), (5, "0.92 0.64 0.64", 0.2)):
        yield f"{colour} RG {width * _MM:.2f} w"
        for x in range(0, round(_PAPER_MM) + 1, step):
            yield _line(_LEFT + x, _BOTTOM, _LEFT + x, _BOTTOM + height)
        for y in range(0, round(height) + 1, step):
            yield _line(_LEFT, _BOTTOM + y, _LEFT + _PAPER_MM, _BOTTOM + y)
        yield "S"


def _line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"{x0 * _MM:.2f} {y0 * _MM:.2f} m {x1 * _MM:.2f} {y1 * _MM:.2f} l"


def _leads(recording: EcgRecording) -> Iterator[str]:
    yield f"0.08 0.09 0.12 RG {0.3 * _MM:.2f} w 1 j 1 J"
    rate = recording.sampling_rate_hz
    for number, row in enumerate(_ROWS):
        baseline = _BOTTOM + (len(_ROWS) - number) * _ROW_MM - 20
        mark = ((1.0, 0.0), (2.5, 0.0), (2.5, 10.0), (7.5, 10.0), (7.5, 0.0), (9.0, 0.0))
        yield _polyline([(_LEFT + x, baseline + y) for x, y in mark])
        seconds = 10 / len(row)
        for column, lead in enumerate(row):
            begin = round(column * seconds * rate)
            samples = recording.samples_uv[recording.leads.index(lead)][begin : begin + round(seconds * rate)]
            x = _LEFT + 10 + column * seconds * 25
            yield _polyline(_points(samples, x, baseline, rate))
            yield _text(x + 1.5, baseline + 12, 10, lead)


def _points(samples: npt.NDArray[np.int32], x: float, y: float, rate: float) -> list[tuple[float, float]]:
    level = int(np.median(samples))
    return [(x + at * 25 / rate, y + (value - level) / 100) for at, value in enumerate(samples.tolist())]


def _polyline(points: list[tuple[float, float]]) -> str:
    first, *rest = (f"{x * _MM:.2f} {y * _MM:.2f}" for x, y in points)
    return f"{first} m " + " ".join(f"{point} l" for point in rest) + " S"
