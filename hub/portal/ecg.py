"""The tracing of a report: for the canvas, on paper, as a PDF, as a small picture, beside an earlier one."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from markupsafe import Markup

from hub.tracing import filters, pdf, svg, wire
from hub.tracing import layout as sheets
from schemas.ecg import EcgRecording
from schemas.faults import NotFound
from schemas.paging import Page
from schemas.report import WITHDRAWN, ReportCategory, ReportCriteria, ReportRecord, ReportStatus
from schemas.wording import moment

from . import ecg_compare, ecg_scripts
from .ecg_words import words
from .formats import age, day, resident_identifier
from .i18n import N_, translator
from .labels import SEX
from .render import FONT, page, page_or_fragment
from .session import Visit, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)
_packing = wire.Packing()

NO_FILTER, MAINS, NOT_FOR_ST = N_("no filter"), N_("mains notch 50 Hz"), N_("not for judging ST")
UNCONFIRMED = frozenset({ReportStatus.PRELIMINARY, ReportStatus.REGISTERED, ReportStatus.PARTIAL})
# What the report's own page leaves free beneath its heading on A4 laid on its side.
_SHEET_MM = (277.0, 160.0)
_TOLD = {"hr": "8867-4", "pr": "8625-6", "qrs": "8633-0", "qt": "8634-8"}
_SVG = "image/svg+xml"

Version = Annotated[int | None, Query(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Look:
    """How a tracing is drawn. band: one of filters.BANDS, or empty. mains: whether the notch is on."""

    layout: str = "3x4+1"
    gain: float = 10
    speed: float = 25
    band: str = ""
    mains: bool = False

    def address(self, **changes: object) -> str:
        """The query of the same picture with something else about it."""
        look = replace(self, **changes)  # type: ignore[arg-type] # names and types are the template's
        name = look.layout.replace("+", "%2B")
        return f"layout={name}&gain={look.gain:g}&speed={look.speed:g}&band={look.band}&mains={int(look.mains)}"


def _look(layout: str = "", gain: float = 10, speed: float = 25, band: str = "", mains: str = "") -> Look:
    """Settings that nobody offers fall back to the usual ones."""
    usual = Look()
    return Look(
        layout if layout in sheets.LAYOUTS else usual.layout,
        gain if gain in sheets.GAINS_MM_MV else usual.gain,
        speed if speed in sheets.SPEEDS_MM_S else usual.speed,
        band if band in filters.BANDS else "",
        mains == "1",
    )


Looking = Annotated[Look, Depends(_look)]


@dataclass(frozen=True, slots=True)
class Bench:
    """What the viewer's scripts are told, as JSON: their words; the cart's rate (`hr`), PR, QRS and QT in ms.

    scripts: their address.
    """

    words: str
    measured: str
    scripts: str


def workbench(visit: Visit, record: ReportRecord) -> Bench:
    """For the page of a report that has a tracing."""
    found = ecg_compare.values(record)
    told = {name: float(found[code]) for name, code in _TOLD.items() if code in found}
    return Bench(words(translator(visit.language)), json.dumps(told), ecg_scripts.address())


@router.get("/reports/{report_id}/ecg/data")
def data(visit: Visiting, report_id: int, version: Version = None, beside: int | None = None) -> Response:
    """The samples, and the sheets on which they are drawn. beside: the report whose recording stands on the right."""
    recording = visit.verbs.retrieve.recording(visit.disclosure, report_id, version)
    drawn: tuple[sheets.Sheet, ...] = ()
    if beside is not None:
        other = visit.verbs.retrieve.recording(visit.disclosure, beside)
        drawn = tuple(sheets.compared(other, recording, gain) for gain in sheets.GAINS_MM_MV)
    packed = _packing.of(recording, drawn)
    headers = {"cache-control": "private, no-cache", "etag": packed.etag, "vary": "Accept-Encoding, Cookie"}
    # Asked again, the answer is shorter; who asked was looked at all the same.
    if packed.etag in visit.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" not in visit.request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(packed.content), media_type="application/octet-stream", headers=headers)
    headers["content-encoding"] = "gzip"
    return Response(packed.content, media_type="application/octet-stream", headers=headers)


@router.get("/reports/{report_id}/ecg/paper")
def paper(visit: Visiting, report_id: int, look: Looking, version: Version = None) -> Response:
    """The tracing on sheets of A4: what a printer gets, and whoever has no scripts."""
    record = _record(visit, report_id, version)
    recording = visit.verbs.retrieve.recording(visit.disclosure, record.id, record.version)
    drawing = _drawing(recording, look)
    parts = sheets.pages(drawing.sheet, look.speed, *_SHEET_MM)
    note = _note(visit, look)
    drawn = [svg.on_sheet(replace(drawing, sheet=part), note=note, margin_mm=0) for part in parts]
    return page(
        visit,
        "ecg_paper.html",
        record=record,
        report=record.report,
        patient=visit.verbs.query.patient(visit.disclosure, record.patient_id),
        organizations=organizations(visit),
        look=look,
        measures=ecg_compare.measures(record),
        sheets=[Markup(each) for each in drawn],  # noqa: S704 - the drawing escapes what is not a number
        unconfirmed=record.report.status in UNCONFIRMED,
    )


@router.get("/reports/{report_id}/ecg/paper.svg")
def picture(visit: Visiting, report_id: int, look: Looking, version: Version = None) -> Response:
    """The whole sheet as one picture."""
    recording = visit.verbs.retrieve.recording(visit.disclosure, report_id, version)
    return _picture(visit, svg.on_sheet(_drawing(recording, look), note=_note(visit, look)))


@router.get("/reports/{report_id}/ecg/thumbnail.svg")
def thumbnail(visit: Visiting, report_id: int, version: Version = None) -> Response:
    """A few beats of one lead."""
    recording = visit.verbs.retrieve.recording(visit.disclosure, report_id, version)
    return _picture(visit, svg.thumbnail(recording))


@router.get("/reports/{report_id}/ecg/pdf")
def as_pdf(visit: Visiting, report_id: int, look: Looking, version: Version = None) -> Response:
    """The tracing as a PDF in true millimetres."""
    record = _record(visit, report_id, version)
    recording = visit.verbs.retrieve.recording(visit.disclosure, record.id, record.version)
    translate = translator(visit.language)
    mark = translate(N_("Unconfirmed")) if record.report.status in UNCONFIRMED else ""
    said = pdf.Words(tuple(_lines(visit, record)), _note(visit, look), mark)
    headers = {
        "content-disposition": f'attachment; filename="ecg-{record.id}-v{record.version}.pdf"',
        "cache-control": "private, no-store",
    }
    made = pdf.render(_drawing(recording, look), said, FONT)
    return Response(made, media_type="application/pdf", headers=headers)


@router.get("/reports/{report_id}/ecg/prior")
def prior(visit: Visiting, report_id: int, version: Version = None, prior: int | None = None) -> Response:
    """This recording beside an earlier one of the same person, whichever institution made it."""
    record = _record(visit, report_id, version)
    found = _earlier(visit, record)
    chosen = next((each for each in found if each.id == prior), None if prior else next(iter(found), None))
    if prior and chosen is None:
        raise NotFound("this person has no such earlier ECG", where="prior")
    values = {
        "record": record,
        "priors": found,
        "chosen": chosen,
        "differences": ecg_compare.differences(record, chosen) if chosen else (),
        "organizations": organizations(visit),
        "sheet": None,
    }
    if chosen and visit.request.headers.get("hx-request-type") != "partial":
        values["sheet"] = Markup(_beside(visit, record, chosen))  # noqa: S704 - as above
    return page_or_fragment(visit, "ecg_prior.html", "_ecg_prior.html", **values)


def _beside(visit: Visit, record: ReportRecord, chosen: ReportRecord) -> str:
    now = visit.verbs.retrieve.recording(visit.disclosure, record.id, record.version)
    before = visit.verbs.retrieve.recording(visit.disclosure, chosen.id, chosen.version)
    drawing = svg.Drawing({sheets.NOW: now, sheets.PRIOR: before}, sheets.compared(now, before), 25)
    return svg.on_sheet(drawing, note=_note(visit, Look()))


def _earlier(visit: Visit, record: ReportRecord) -> tuple[ReportRecord, ...]:
    criteria = ReportCriteria(patient_id=record.patient_id, category=ReportCategory.ECG, until=record.observed_at)
    found: Page[ReportRecord] = visit.verbs.query.reports(visit.disclosure, criteria)
    return tuple(
        each
        for each in found.items
        if each.id != record.id
        and each.report.recording
        and each.report.status not in WITHDRAWN
        and each.observed_at <= record.observed_at
    )


def _record(visit: Visit, report_id: int, version: int | None) -> ReportRecord:
    found = visit.verbs.query.report(visit.disclosure, report_id, version)
    if not found.report.recording:
        raise NotFound("this report has no waveform", where="report")
    return found


def _drawing(recording: EcgRecording, look: Look) -> svg.Drawing:
    chain = filters.sections(look.band, look.mains, recording.sampling_rate_hz)
    shown = replace(recording, samples_uv=filters.filtered(recording.samples_uv, recording.sampling_rate_hz, chain))
    # Rows lie where they lie without a filter, as they do on the canvas.
    sheet = sheets.sheet(look.layout, look.gain, sheets.reach(recording), sheets.rhythm_lead(recording))
    return svg.Drawing({sheets.NOW: shown}, sheet, look.speed)


def _note(visit: Visit, look: Look) -> str:
    translate = translator(visit.language)
    parts = [f"{look.band.replace('-', '–')} Hz"] if look.band else []
    parts += [translate(MAINS)] if look.mains else []
    parts += [f"({translate(NOT_FOR_ST)})"] if look.band == "0.5-40" else []
    return " ".join(parts) or translate(NO_FILTER)


def _lines(visit: Visit, record: ReportRecord) -> Iterator[str]:
    """What stands above the tracing of a PDF: where, who, when, what was measured, what was said."""
    translate = translator(visit.language)
    known, report = organizations(visit).get(record.organization), record.report
    yield f"{known.name if known else record.organization}  {report.code.display or translate(N_('ECG'))}"
    who = visit.verbs.query.patient(visit.disclosure, record.patient_id).patient
    years, number = age(who.birth_date, record.observed_at), resident_identifier(who.identifiers)
    told = [who.name.text, translate(SEX[who.sex]), f"{years}" if years is not None else "", day(who.birth_date)]
    told += [f"…{number.value[-4:]}" if number else "", moment(record.observed_at), f"{record.id}/v{record.version}"]
    yield "  ".join(filter(None, told))
    yield "  ".join(f"{translate(name)} {value}" for name, value in ecg_compare.measures(record))
    yield report.conclusion.replace("\n", "；")[:110]


def _picture(visit: Visit, drawn: str) -> Response:
    headers = {"cache-control": "private, max-age=600", "vary": "Accept-Encoding, Cookie"}
    if "gzip" not in visit.request.headers.get("accept-encoding", ""):
        return Response(drawn, media_type=_SVG, headers=headers)
    return Response(gzip.compress(drawn.encode(), 6), media_type=_SVG, headers={**headers, "content-encoding": "gzip"})
