"""Finding a patient, and the one timeline of everything the district knows of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hub.access import Permission
from schemas.patient import PatientCriteria
from schemas.report import ReportCategory

from .render import fragment, page_or_fragment
from .session import Visiting
from .timeline import timeline

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
PAGE_SIZE = 20


@router.get("/patients")
def patients(visit: Visiting, q: Text = "", offset: Offset = 0) -> Response:
    """One box: a name, pinyin or its initials, an identity number, a card number."""
    text = q.strip()
    criteria = PatientCriteria(text=text, limit=PAGE_SIZE, offset=offset)
    found = visit.verbs.query.find_patients(visit.disclosure, criteria) if text else None
    return page_or_fragment(visit, "patient_search.html", "_patient_results.html", q=text, found=found)


@router.get("/patients/{patient_id}")
def patient(visit: Visiting, patient_id: int, kind: str = "", offset: Offset = 0) -> Response:
    """Imaging, laboratory and ECG of one person from all institutions, newest first."""
    category = ReportCategory(kind) if kind in set(ReportCategory) else None
    record = visit.verbs.query.patient(visit.disclosure, patient_id)
    shown = timeline(visit, patient_id, category, offset)
    values: dict[str, Any] = {"record": record, "timeline": shown, "kind": kind if category else ""}
    values["may_decide"] = visit.may(Permission.DECIDE)
    if offset:
        return fragment(visit, "_timeline_entries.html", **values)
    return page_or_fragment(visit, "patient.html", "_timeline.html", **values)
