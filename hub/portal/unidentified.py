"""Recordings of which nobody knows yet whose they are: the queue, and saying whose one is."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission
from schemas.ecg_severity import reason
from schemas.faults import Category, Fault, InvalidPayload
from schemas.patient import PatientCriteria

from .overread import SEVERITY, bound
from .render import page, page_or_fragment
from .session import Fields, Posting, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50
_FOUND = 10


@router.get("/ecg/unidentified")
def unidentified(
    visit: Visiting, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0, quicker: bool = False
) -> Response:
    """Critical ones first, then the longest waiting; below, what was attached of late."""
    verb = visit.verbs.unidentified
    return page_or_fragment(
        visit,
        "unidentified.html",
        "_unidentified_list.html",
        found=verb.waiting(visit.disclosure, limit=PAGE_SIZE, offset=offset),
        attached=verb.attached(visit.disclosure) if not offset else (),
        organizations=organizations(visit),
        severities=SEVERITY,
        reason_of=lambda each: reason(each.record.report),
        bound=bound,
        may_read=visit.may(Permission.READ_REPORTS),
        page_size=PAGE_SIZE,
        quicker=quicker,
    )


@router.get("/ecg/unidentified/{report_id}")
def one(visit: Visiting, report_id: int, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The recording, and a search for the patient whose it is."""
    try:
        record = visit.verbs.unidentified.recording(visit.disclosure, report_id)
    except Fault as fault:
        return _beaten(fault)
    text = q.strip()
    criteria = PatientCriteria(text=text, limit=_FOUND)
    return page(
        visit,
        "unidentified_one.html",
        record=record,
        q=text,
        people=visit.verbs.query.find_patients(visit.disclosure, criteria) if text else None,
        organizations=organizations(visit),
        level=SEVERITY[reason(record.report).severity],
        may_read=visit.may(Permission.READ_REPORTS),
    )


@router.post("/ecg/unidentified/{report_id}/attach")
def attach(visit: Posting, report_id: int, fields: Fields) -> Response:
    """Gives it to the patient who was picked."""
    patient = fields.get("patient", "")
    if not patient.isdecimal() or len(patient) > 18:
        raise InvalidPayload("expected the number of a patient's record", where="patient")
    try:
        visit.verbs.unidentified.attach(visit.disclosure, report_id, int(patient), fields.get("reason", ""))
    except Fault as fault:
        return _beaten(fault)
    return RedirectResponse("/ecg/unidentified#attached", status_code=303)


@router.post("/ecg/unidentified/studies/{study_id}/detach")
def detach(visit: Posting, study_id: int, fields: Fields) -> Response:
    """Takes it back."""
    try:
        visit.verbs.unidentified.detach(visit.disclosure, study_id, fields.get("reason", ""))
    except Fault as fault:
        return _beaten(fault)
    return RedirectResponse("/ecg/unidentified", status_code=303)


def _beaten(fault: Fault) -> Response:
    """Somebody was quicker: the queue as it is now, which says so."""
    if fault.category is not Category.CONFLICT:
        raise fault
    return RedirectResponse("/ecg/unidentified?quicker=1", status_code=303)
