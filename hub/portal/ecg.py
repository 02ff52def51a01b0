"""The tracing on paper: 25 mm/s and 10 mm/mV unless the reader wants it otherwise."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from schemas.report import ReportRecord

from . import ecg_paper
from .i18n import N_, translator
from .render import fragment
from .session import Visit, Visiting

router = APIRouter(include_in_schema=False)

NO_FILTER = N_("no filter")


@dataclass(frozen=True, slots=True)
class Paper:
    """A drawn tracing and the settings it was drawn with. svg: made by us from numbers and lead names alone."""

    svg: Markup
    layout: str
    gain: float
    speed: float


def paper(visit: Visit, record: ReportRecord, layout: str = "", gain: float = 10, speed: float = 25) -> Paper:
    """The recording of a report on ECG paper; settings nobody offers fall back to the usual ones."""
    recording = visit.verbs.retrieve.recording(visit.disclosure, record.id, record.version)
    layout = layout if layout in ecg_paper.LAYOUTS else next(iter(ecg_paper.LAYOUTS))
    gain = gain if gain in ecg_paper.GAINS_MM_MV else 10
    speed = speed if speed in ecg_paper.SPEEDS_MM_S else 25
    note = translator(visit.language)(NO_FILTER)
    svg = ecg_paper.draw(recording, layout=layout, gain_mm_mv=gain, speed_mm_s=speed, note=note)
    return Paper(Markup(svg), layout, gain, speed)  # noqa: S704 - the drawing escapes what is not a number


@router.get("/reports/{report_id}/ecg")
def ecg(
    visit: Visiting,
    report_id: int,
    version: Annotated[int | None, Query(ge=1)] = None,
    layout: str = "",
    gain: float = 10,
    speed: float = 25,
) -> Response:
    """The tracing again with another layout, gain or paper speed."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    drawn = paper(visit, record, layout, gain, speed)
    return fragment(visit, "_ecg_paper.html", record=record, report=record.report, paper=drawn)
