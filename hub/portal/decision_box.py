"""Two clicks: recognised, or not and why. What others decided stands beside it."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission
from schemas.faults import Category, Fault, InvalidPayload
from schemas.organization import Organization
from schemas.recognition import Decided, Decision, Order, ReasonList, reason_list
from schemas.report import SUPPLEMENT, ReportRecord

from .cautions import cautions, withdrawn
from .imaging import readings
from .render import fragment
from .session import Fields, Posting, Visit
from .timeline import organizations

router = APIRouter(include_in_schema=False)

_TEXT_LIMIT = 1000
# What a person can put right in the form itself; anything else is shown as its own page.
_SHOWN_IN_PLACE = frozenset({Category.INVALID, Category.CONFLICT})


@dataclass(frozen=True, slots=True)
class Box:
    """The recognition box of one version of a report.

    mine: the latest decision of the asker's own institution about this version; decisions: all, newest first.
    readings: where this is images alone, what was written of them.
    """

    may_decide: bool
    may_recognise: bool
    reasons: ReasonList
    cautions: tuple[str, ...]
    mine: Decision | None
    decisions: tuple[Decision, ...]
    organizations: dict[str, Organization]
    readings: tuple[ReportRecord, ...] = ()


def box(visit: Visit, record: ReportRecord) -> Box:
    """What the box shows to this person about this version."""
    decisions = visit.verbs.query.decisions(visit.disclosure, report_id=record.id)
    decisions = tuple(sorted(decisions, key=lambda d: (d.decided_at, d.id), reverse=True))
    here = [d for d in decisions if d.organization == visit.principal.organization and d.version == record.version]
    written = readings(visit, record)
    may_decide = visit.may(Permission.DECIDE) and SUPPLEMENT not in record.report.flags
    out_of_quality = may_decide and visit.verbs.advising.out_of_quality(visit.disclosure, record)
    return Box(
        may_decide=may_decide,
        may_recognise=record.current and not record.doubtful and not withdrawn(record),
        reasons=reason_list(),
        cautions=cautions(record, read=bool(written), out_of_quality=out_of_quality),
        mine=here[0] if here else None,
        decisions=decisions,
        organizations=organizations(visit),
        readings=written,
    )


@router.post("/reports/{report_id}/decisions")
def decide(visit: Posting, report_id: int, fields: Fields) -> Response:
    """Records the decision about exactly the version that was on the screen."""
    version = _version(fields)
    fault = _decide(visit, report_id, version, fields)
    if visit.request.headers.get("hx-request") != "true" and fault is None:
        return RedirectResponse(f"/reports/{report_id}?version={version}", status_code=303)
    record = visit.verbs.query.report(visit.disclosure, report_id, version)
    shown = box(visit, record)
    return fragment(visit, "_recognition.html", record=record, box=shown, fault=fault, said=fields, fresh=fault is None)


def _decide(visit: Visit, report_id: int, version: int, fields: dict[str, str]) -> Fault | None:
    try:
        verdict, reason = choice(fields)
        visit.verbs.recognition.decide(
            visit.disclosure,
            report_id=report_id,
            version=version,
            verdict=verdict,
            reason=reason,
            comment=fields.get("comment", "").strip()[:_TEXT_LIMIT],
            order=_order(fields),
        )
    except Fault as fault:
        if fault.category not in _SHOWN_IN_PLACE:
            raise
        return fault
    return None


def choice(fields: dict[str, str]) -> tuple[Decided, str]:
    """One list of choices, so that two clicks decide: `recognised`, or the code of the reason why not."""
    said = fields.get("choice", "")
    if not said:
        raise InvalidPayload("expected a choice: recognised, or a reason why not", where="choice")
    return (Decided.RECOGNISED, "") if said == Decided.RECOGNISED else (Decided.NOT_RECOGNISED, said)


def _version(fields: dict[str, str]) -> int:
    said = fields.get("version", "")
    if not (said.isascii() and said.isdigit() and len(said) < 8):
        raise InvalidPayload("expected the number of the version that was judged", where="version")
    return int(said)


def _order(fields: dict[str, str]) -> Order:
    setting = fields.get("setting", "")
    return Order(
        display=fields.get("order", "").strip()[:200],
        setting=setting if setting in {"outpatient", "inpatient", "emergency"} else "",
        department=fields.get("department", "").strip()[:200],
        diagnosis=fields.get("diagnosis", "").strip()[:20],
    )
