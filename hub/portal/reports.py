"""One report as a clinician opens it: its values, images or tracing, its history, and what became of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from hub.retrieve.content import Content
from schemas.codes import Coding
from schemas.ecg_statements import statements
from schemas.offered import DocumentKind, has_words, is_offered, is_traced
from schemas.report import ReportRecord
from schemas.trend import Measure

from . import decision_box, ecg, imaging, laboratory, notices, overread
from .cautions import corrected, withdrawn
from .content_tree import document
from .contents import download, rendition, show
from .ecg_words import told
from .related import kin
from .render import fragment, page, page_or_fragment
from .segments import views
from .session import Visit, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

Version = Annotated[int | None, Query(ge=1, le=1_000_000)]
Word = Annotated[str, Query(max_length=300)]


@router.get("/reports/{report_id}")
def report(visit: Visiting, report_id: int, version: Version = None) -> Response:
    """The report in its current version, or in the one that was asked for."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    return page(
        visit,
        "report.html",
        record=record,
        report=record.report,
        patient=visit.verbs.query.patient(visit.disclosure, record.patient_id),
        versions=visit.verbs.query.report_versions(visit.disclosure, report_id, listed=True),
        organizations=organizations(visit),
        corrected=corrected(record),
        withdrawn=withdrawn(record),
        box=decision_box.box(visit, record),
        notices=notices.of_report(visit, report_id),
        kinds=notices.KIND,
        reliances=notices.RELIANCE,
        offered=record.current and is_offered(record.report),
        has_words=has_words(record.report),
        traced=is_traced(record.report),
        **_parts(visit, record),
    )


def _parts(visit: Visit, record: ReportRecord) -> dict[str, Any]:
    return {
        "rows": laboratory.rows(visit, record),
        "viewer": imaging.viewer(visit, record),
        "kin": kin(visit, record),
        "bench": ecg.workbench(visit, record) if record.report.recording else None,
        "unconfirmed": record.report.status in ecg.UNCONFIRMED,
        "recording_notes": told(record.report.flags),
        "panel": overread.panel(visit, record),
        "overread_statements": statements(),
    }


@router.get("/reports/{report_id}/trend")
def trend(
    visit: Visiting, report_id: int, code: Word, system: Word = "", unit: Word = "", version: Version = None
) -> Response:
    """One analyte over time, whichever institution measured it: what may be compared, and beside it what may not."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    here = laboratory.find(record, code, system, unit)
    asked = laboratory.asked_of(here, record) if here else Measure(unit, organization=record.organization)
    found = visit.verbs.query.trend(visit.disclosure, record.patient_id, Coding(code, system=system), asked)
    shown = laboratory.chart(record, found, here, code)
    return fragment(visit, "_trend.html", record=record, trend=shown, organizations=organizations(visit))


@router.get("/reports/{report_id}/original")
def original(visit: Visiting, report_id: int, version: Version = None) -> StreamingResponse:
    """The bytes from which this version was read, as they came."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    return download(visit.verbs.retrieve.original(visit.disclosure, record.delivery_id))


@router.get("/reports/{report_id}/segments")
def segments(visit: Visiting, report_id: int, version: Version = None) -> Response:
    """The message from which this version was read, as it came, and what became of every segment and field."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    examined = visit.verbs.examination.examined(visit.disclosure, record.delivery_id)
    return page_or_fragment(
        visit, "report_segments.html", "_segments.html", record=record, messages=views(examined) if examined else ()
    )


@router.get("/reports/{report_id}/content")
def content(visit: Visiting, report_id: int, version: Version = None) -> Response:
    """A structured report as it was written, item by item."""
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    made = document(visit, record)
    return page_or_fragment(visit, "report_content.html", "_content_tree.html", record=record, document=made)


@router.get("/reports/{report_id}/documents/{kind}")
def offered(visit: Visiting, report_id: int, kind: DocumentKind) -> Response:
    """The report as a document to be taken away: a PDF, or a DICOM instance."""
    return rendition(visit.verbs.offering.document(visit.disclosure, report_id, kind))


@router.get("/reports/{report_id}/attachments/{digest}")
def attachment(visit: Visiting, report_id: int, digest: str, version: Version = None) -> StreamingResponse:
    """A document that came with the report, shown inside our page where a browser can do so without harm."""
    content: Content = visit.verbs.retrieve.attachment(visit.disclosure, report_id, digest, version)
    return show(content)
