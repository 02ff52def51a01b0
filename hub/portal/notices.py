"""The inbox of whoever relied on a result that is no longer so: what it was, what it is, and one click to say so."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission
from schemas.notice import Change, Notice, NoticeKind, Reliance
from schemas.patient import PatientRecord
from schemas.report import ReportCriteria, ReportRecord, ReportStatus

from . import labels
from .i18n import N_, Translate, translator
from .render import page
from .session import Fields, Posting, Visit, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

KIND = {
    NoticeKind.CORRECTED: N_("Corrected after you relied on it"),
    NoticeKind.WITHDRAWN: N_("Withdrawn by its institution"),
    NoticeKind.IMAGES: N_("Its images changed"),
    NoticeKind.QUALITY: N_("Its quality assessment failed"),
    NoticeKind.IDENTITY: N_("It may be another person's"),
}
RELIANCE = {
    Reliance.REUSED: N_("You reused version %(version)s"),
    Reliance.DECIDED: N_("You decided on version %(version)s"),
    Reliance.OPENED: N_("You read version %(version)s"),
}
_WHAT = {
    "status": N_("Report status"),
    "patient": N_("Patient"),
    "findings": N_("Findings"),
    "conclusion": N_("Conclusion"),
    "examination": N_("Examination"),
    "flag": N_("Mark"),
    "quality": N_("Quality assessment"),
    "images-replaced": N_("Images were replaced"),
    "images-rejected": N_("Images were rejected"),
    "images-graded": N_("Images were graded as useless"),
}
_STANDING = {"failed": N_("failed"), "suspended": N_("suspended"), "reject": N_("rejected")}


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice with what a person needs to know it by. report, patient: None where the asker may not see them now."""

    notice: Notice
    report: ReportRecord | None
    patient: PatientRecord | None
    changes: tuple[Change, ...]
    mine: bool


@router.get("/notices")
def inbox(visit: Visiting, whose: str = "mine") -> Response:
    """What waits for this person, or for everyone of the institution."""
    treats = visit.may(Permission.DECIDE)
    institution = whose == "institution" or not treats
    found = visit.verbs.recall.inbox(visit.disclosure, institution=institution)
    values: dict[str, Any] = {"entries": _entries(visit, found), "institution": institution, "treats": treats}
    return page(visit, "notices.html", kinds=KIND, reliances=RELIANCE, organizations=organizations(visit), **values)


@router.post("/notices/{notice_id}/acknowledgement")
def acknowledge(visit: Posting, notice_id: int, fields: Fields) -> Response:
    """This person knows; back to where the notice was read."""
    notice = visit.verbs.recall.acknowledge(visit.disclosure, notice_id, fields.get("remark", ""))
    back = f"/reports/{notice.report_id}" if fields.get("from") == "report" else "/notices"
    return RedirectResponse(back, status_code=303)


def of_report(visit: Visit, report_id: int) -> tuple[Entry, ...]:
    """What this person has not acknowledged about a report that is open on the screen."""
    if not visit.may(Permission.DECIDE):
        return ()
    found = visit.verbs.recall.of_report(visit.disclosure, report_id)
    waiting = [n for n in found if n.account == visit.principal.account and n.acknowledged_at is None]
    return tuple(_entry(visit, each, None, None) for each in waiting)


def _entries(visit: Visit, found: tuple[Notice, ...]) -> tuple[Entry, ...]:
    ids = tuple({each.report_id for each in found})
    criteria = ReportCriteria(ids=ids, limit=max(len(ids), 1))
    records = {r.id: r for r in visit.verbs.query.reports(visit.disclosure, criteria).items} if ids else {}
    persons = {each.patient_id for each in records.values()}
    patients = {each: visit.verbs.query.patient(visit.disclosure, each) for each in persons}
    return tuple(
        _entry(visit, each, record, patients.get(record.patient_id) if record else None)
        for each in found
        for record in [records.get(each.report_id)]
    )


def _entry(visit: Visit, notice: Notice, report: ReportRecord | None, patient: PatientRecord | None) -> Entry:
    words = translator(visit.language)
    changes = tuple(_told(words, change) for change in notice.changes)
    return Entry(notice, report, patient, changes, notice.account == visit.principal.account)


def _told(words: Translate, change: Change) -> Change:
    what = words(_WHAT[change.what]) if change.what in _WHAT else change.what
    if change.what == "status":
        before, after = (words(labels.STATUS[ReportStatus(each)]) for each in (change.before, change.after))
        return Change(what, before, after)
    return Change(what, change.before, words(_STANDING[change.after]) if change.after in _STANDING else change.after)
