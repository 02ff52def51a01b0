"""Reading ECGs: the list of those that wait, and the panel beside the tracing in which a doctor confirms one."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission
from hub.names import word_keys
from hub.reading.composing import MEASURES
from schemas.ecg_severity import Reason, reason
from schemas.ecg_statements import Severity, Statement, recognised, statement, statements
from schemas.faults import Category, Fault, InvalidPayload
from schemas.observation import Quantity
from schemas.reading import Draft, ReadingRecord
from schemas.report import WITHDRAWN, ReportCategory, ReportCriteria, ReportRecord

from .formats import now
from .i18n import N_
from .render import page_or_fragment
from .session import Fields, Posting, Visit, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50
SEVERITY = {
    Severity.CRITICAL: (N_("Critical"), "bad"),
    Severity.URGENT: (N_("Urgent"), "warn"),
    Severity.ABNORMAL: (N_("Abnormal"), "plain"),
    Severity.BORDERLINE: (N_("Borderline"), "quiet"),
    Severity.NORMAL: (N_("Normal"), "quiet"),
}
_SHORT = {"8867-4": "HR", "8625-6": "PR", "8633-0": "QRS", "8634-8": "QT", "8636-3": "QTc", "8632-2": N_("QRS axis")}


@dataclass(frozen=True, slots=True)
class Measurable:
    """A measurement that the reader may replace. machine: the cart's value, value: the one that stands; else empty."""

    code: str
    name: str
    unit: str
    machine: str
    value: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What the reader sees beside the tracing. taken_by: who else is reading it now."""

    reading: ReadingRecord
    machine: ReportRecord
    chosen: tuple[Statement, ...]
    text: str
    measures: tuple[Measurable, ...]
    prior: ReportRecord | None
    taken_by: str = ""
    keys: dict[str, str] = field(default_factory=dict)


def panel(visit: Visit, record: ReportRecord) -> Panel | None:
    """For the page of an ECG; None for whoever does not read ECGs, and beside an earlier version."""
    if not (record.current and record.report.category is ReportCategory.ECG and visit.may(Permission.READ_ECGS)):
        return None
    if record.report.status in WITHDRAWN:
        return None
    reading: ReadingRecord = visit.verbs.readings.reading(visit.disclosure, record.id)
    machine = _machine(visit, record)
    if record.report.statements:
        chosen = tuple(each for coding in record.report.statements if (each := statement(coding.code)))
        text = "\n".join(record.report.conclusion.split("\n")[len(record.report.statements) :])
    else:
        chosen, text = recognised(record.report.conclusion)
    claim = reading.claim
    taken = claim.name if claim and claim.keeps_out(visit.principal.account, now()) else ""
    return Panel(reading, machine, chosen, text, _measures(record, machine), _prior(visit, record), taken, _keys())


def bound(why: Reason) -> str:
    """A measurement that passed its bound, and the bound: `HR 152 > 150`; empty for any other reason."""
    rule = why.rule
    if rule is None:
        return ""
    passed = next(
        f"{sign} {limit:f}"
        for sign, limit in (("<", rule.below), (">", rule.above), ("≥", rule.least))
        if limit is not None
    )
    return f"{_SHORT.get(rule.measure, rule.measure)} {why.value:f} {passed}"


def _machine(visit: Visit, record: ReportRecord) -> ReportRecord:
    """The newest version that a person of ours did not make: what the cart said."""
    versions = visit.verbs.query.report_versions(visit.disclosure, record.id, listed=True)
    return next((each for each in versions if each.report.overread is None), record)


def _values(record: ReportRecord) -> dict[str, str]:
    return {
        each.code.code: f"{each.value.value:f}"
        for each in record.report.observations
        if isinstance(each.value, Quantity)
    }


def _measures(record: ReportRecord, machine: ReportRecord) -> tuple[Measurable, ...]:
    now, cart = _values(record), _values(machine)
    return tuple(
        Measurable(code, _SHORT[code], unit, cart.get(code, ""), now.get(code, ""))
        for code, (_, unit, _) in MEASURES.items()
    )


def _prior(visit: Visit, record: ReportRecord) -> ReportRecord | None:
    criteria = ReportCriteria(patient_id=record.patient_id, category=ReportCategory.ECG, until=record.observed_at)
    found = visit.verbs.query.reports(visit.disclosure, criteria).items
    return next((each for each in found if each.id != record.id and each.report.status not in WITHDRAWN), None)


def _keys() -> dict[str, str]:
    """By code: everything under which a statement is searched, in one text."""
    return {
        each.code: " ".join(
            {
                each.acronym.casefold(),
                each.en.casefold(),
                *(key for name in (each.zh, *each.also) for key in word_keys(name)),
            }
        )
        for each in statements()
    }


@router.get("/ecg")
def waiting(
    visit: Visiting, level: str = "", organization: str = "", offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> Response:
    """ECGs that nobody has confirmed: critical first, then the longest waiting."""
    no_less = Severity(level) if level in set(Severity) else None
    found = visit.verbs.readings.waiting(
        visit.disclosure, no_less=no_less, organization=organization, limit=PAGE_SIZE, offset=offset
    )
    return page_or_fragment(
        visit,
        "ecg_list.html",
        "_ecg_list.html",
        found=found,
        level=no_less or "",
        organization=organization,
        organizations=organizations(visit),
        severities=SEVERITY,
        reason_of=lambda each: reason(each.record.report),
        bound=bound,
        page_size=PAGE_SIZE,
    )


@router.post("/reports/{report_id}/overread")
def overread(visit: Posting, report_id: int, fields: Fields) -> Response:
    """Takes the ECG, leaves it, confirms it, or withdraws it; after that comes the next of the list."""
    readings, said = visit.verbs.readings, fields.get("do", "")
    here = f"/reports/{report_id}"
    try:
        if said == "claim":
            readings.claim(visit.disclosure, report_id)
            return _to(f"{here}#overread")
        if said == "release":
            readings.release(visit.disclosure, report_id)
            return _to("/ecg")
        if said == "withdraw":
            readings.withdraw(visit.disclosure, report_id, _version(fields), fields.get("reason", ""))
            return _to(here)
        readings.confirm(visit.disclosure, report_id, _draft(fields))
    except Fault as fault:
        if fault.category is not Category.CONFLICT:
            raise
        # Somebody was quicker: their reading is what this person must see now.
        return _to(f"{here}?taken=1#overread")
    return _to(_next(visit) if said == "next" else here)


def _next(visit: Visit) -> str:
    free = visit.verbs.readings.waiting(visit.disclosure, limit=PAGE_SIZE).items
    own = visit.principal.account
    found = next((e for e in free if not (e.reading.claim and e.reading.claim.keeps_out(own, now()))), None)
    return f"/reports/{found.record.id}#overread" if found else "/ecg"


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, status_code=303)


def _version(fields: dict[str, str]) -> int:
    try:
        return int(fields.get("version", ""))
    except ValueError as error:
        raise InvalidPayload("expected the version that was on the screen", where="version") from error


def _draft(fields: dict[str, str]) -> Draft:
    measured = {}
    for code in MEASURES:
        typed = fields.get(f"m-{code}", "").strip()
        if typed and typed != fields.get(f"was-{code}", ""):
            try:
                measured[code] = Decimal(typed)
            except InvalidOperation as error:
                raise InvalidPayload("expected a number", where=code) from error
    codes = tuple(filter(None, fields.get("statements", "").split(",")))
    return Draft(_version(fields), codes, fields.get("text", ""), measured)
