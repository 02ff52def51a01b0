"""Before ordering: pick what is to be ordered, see what exists and whether it holds, decide in two clicks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from hub.advising import picking
from schemas.catalogue import Item, Setting
from schemas.codes import CATALOGUE, Coding
from schemas.faults import Category, Fault, InvalidPayload, NotFound
from schemas.ledger import Shown
from schemas.observation import Quantity
from schemas.ordering import PlannedOrder
from schemas.recognition import Decision, Order, reason_list
from schemas.verdict import Answer, Context, Judged, Line

from . import decision_box
from .i18n import N_
from .render import fragment, page
from .session import Fields, Posting, Visit, Visiting, remember
from .timeline import organizations

router = APIRouter(include_in_schema=False)

COOKIE = "dxhub_setting"
_YEAR_S = 365 * 24 * 3600
EMERGENCY = "emergency"
SETTINGS = (
    (Setting.OUTPATIENT.value, N_("Outpatient")),
    (Setting.INPATIENT.value, N_("Inpatient")),
    (Setting.ACUTE.value, N_("Acute or critical care")),
    (EMERGENCY, N_("Emergency, rescue")),
)
CONTEXTS = (
    (Context.OPERATION.value, N_("Before an operation")),
    (Context.TRANSFUSION.value, N_("Before a transfusion")),
    (Context.FORENSIC.value, N_("Forensic assessment")),
)
_MOST = 12
_PAIR = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,8})", re.ASCII)
_TEXT = 200

Codes = Annotated[list[str], Query(max_length=_MOST)]
Word = Annotated[str, Query(max_length=60)]


@dataclass(frozen=True, slots=True)
class Picked:
    """What the page was asked: codes of items, a setting or empty, contexts; number: of the order, if it is known."""

    patient_id: int
    codes: tuple[str, ...]
    setting: str = ""
    contexts: tuple[str, ...] = ()
    number: str = ""

    def address(self, **changed: object) -> str:
        """The page with something changed."""
        values: dict[str, object] = {"item": self.codes, "setting": self.setting, "context": self.contexts}
        values |= {"order": self.number} | changed
        told = {name: value for name, value in values.items() if value}
        return f"/patients/{self.patient_id}/ordering" + (f"?{urlencode(told, doseq=True)}" if told else "")

    def with_item(self, code: str) -> str:
        """The page with one more item, or without it where it was picked."""
        rest = tuple(each for each in self.codes if each != code)
        return self.address(item=rest if code in self.codes else (code, *rest))

    def with_context(self, context: str) -> str:
        """The page with one more context, or without it."""
        rest = tuple(each for each in self.contexts if each != context)
        return self.address(context=rest if context in self.contexts else (*rest, context))

    def order(self, code: str) -> PlannedOrder:
        """One item as it would be ordered."""
        emergency = self.setting == EMERGENCY
        contexts = {Context(each) for each in self.contexts} | ({Context.EMERGENCY} if emergency else set())
        setting = Setting.ACUTE if emergency else Setting(self.setting)
        return PlannedOrder((Coding(code, "", CATALOGUE),), setting, frozenset(contexts), self.number)


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one report that answer an order. judged: its own, as the order asks for them."""

    judged: tuple[Judged, ...]

    @property
    def first(self) -> Judged:
        return self.judged[0]


@dataclass(frozen=True, slots=True)
class View:
    """One order as the page shows it. rests_on: `12:1 14:2`, the versions that a decision would be about."""

    answer: Answer
    groups: tuple[Group, ...]
    rests_on: str

    @property
    def leading(self) -> tuple[Judged, ...]:
        return tuple(each for group in self.groups for each in group.judged)


@router.get("/patients/{patient_id}/ordering")
def ordering(
    visit: Visiting,
    patient_id: int,
    item: Codes = [],  # noqa: B006 FastAPI copies it
    context: Codes = [],  # noqa: B006
    setting: Word = "",
    order: Word = "",
) -> Response:
    """What is picked, and what there is of it; without a setting the page asks for that first."""
    told = setting if setting in dict(SETTINGS) else visit.request.cookies.get(COOKIE, "")
    picked = _picked(patient_id, item, context, told, order)
    record = visit.verbs.query.patient(visit.disclosure, patient_id)
    items = visit.verbs.advising.items(visit.disclosure)
    answers = _answers(visit, picked)
    response = page(
        visit,
        "ordering.html",
        record=record,
        picked=picked,
        chosen=_named(items, picked.codes),
        common=_named(items, picking.COMMON),
        views=[_view(each) for each in answers],
        settings=SETTINGS,
        contexts=CONTEXTS,
        organizations=organizations(visit),
        reasons=reason_list(),
        trend=trend,
    )
    if picked.setting and setting:
        # Who orders in a ward does so tomorrow as well; an emergency is said each time.
        remember(response, visit.request, COOKIE, "" if setting == EMERGENCY else setting, _YEAR_S)
    return response


@router.get("/patients/{patient_id}/ordering/items")
def items(
    visit: Visiting,
    patient_id: int,
    q: Word = "",
    item: Codes = [],  # noqa: B006
    context: Codes = [],  # noqa: B006
    setting: Word = "",
    order: Word = "",
) -> Response:
    """What can be ordered under such a name."""
    picked = _picked(patient_id, item, context, setting, order)
    found = picking.search(visit.verbs.advising.items(visit.disclosure), q)
    return fragment(visit, "_ordering_items.html", picked=picked, found=found, q=q.strip())


@router.post("/patients/{patient_id}/ordering/decisions")
def decide(visit: Posting, patient_id: int, fields: Fields) -> Response:
    """Records the decision about exactly the versions that were on the screen."""
    rests_on = _rests_on(fields.get("rests_on", ""))
    fault: Fault | None = None
    made: tuple[Decision, ...] = ()
    try:
        made = _decide(visit, patient_id, rests_on, fields)
    except Fault as found:
        if found.category not in (Category.INVALID, Category.CONFLICT):
            raise
        fault = found
    return fragment(
        visit,
        "_ordering_decided.html",
        made=made,
        fault=fault,
        reasons=reason_list(),
        fields=fields,
        patient_id=patient_id,
    )


def _decide(
    visit: Visit, patient_id: int, rests_on: tuple[tuple[int, int], ...], fields: dict[str, str]
) -> tuple[Decision, ...]:
    verdict, reason = decision_box.choice(fields)
    order = Order(
        number=fields.get("order", "")[:_TEXT],
        code=fields.get("item", "")[:_TEXT],
        display=fields.get("display", "")[:_TEXT],
        setting=fields.get("setting", "") if fields.get("setting") in ("outpatient", "inpatient", EMERGENCY) else "",
        diagnosis=fields.get("diagnosis", "").strip()[:20],
    )
    for report_id, version in rests_on:
        record = visit.verbs.query.report(visit.disclosure, report_id, version)
        if record.patient_id != patient_id:
            raise NotFound("no such report of this patient", where="report")
    return visit.verbs.recognition.decide_all(
        visit.disclosure,
        rests_on,
        verdict=verdict,
        reason=reason,
        comment=fields.get("comment", "").strip()[:1000],
        order=order,
        item=order.code,
    )


def _rests_on(said: str) -> tuple[tuple[int, int], ...]:
    pairs = [each.split(":") for each in said.split()]
    if not pairs or any(
        len(pair) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 18 for p in pair) for pair in pairs
    ):
        raise InvalidPayload("expected the versions that were judged", where="rests_on")
    return tuple((int(report), int(version)) for report, version in pairs[:_MOST])


def _picked(patient_id: int, codes: Iterable[str], contexts: Iterable[str], setting: str, order: str) -> Picked:
    known = {context for context, _ in CONTEXTS}
    return Picked(
        patient_id,
        tuple(dict.fromkeys(code for code in codes if code)),
        setting if setting in dict(SETTINGS) else "",
        tuple(dict.fromkeys(each for each in contexts if each in known)),
        order,
    )


def _named(items: Iterable[Item], codes: Iterable[str]) -> tuple[Item, ...]:
    by_code = {item.code: item for item in items}
    return tuple(by_code[code] for code in codes if code in by_code)


def _answers(visit: Visit, picked: Picked) -> tuple[Answer, ...]:
    if not (picked.codes and picked.setting):
        return ()
    orders = [picked.order(code) for code in picked.codes]
    return visit.verbs.advising.verdicts(visit.disclosure, orders, patient_id=picked.patient_id, where=Shown.PORTAL)


def _view(answer: Answer) -> View:
    leading = [each for line in answer.lines if (each := line.best or (line.near[0] if line.near else None))]
    by_report: dict[int, list[Judged]] = {}
    for each in leading:
        by_report.setdefault(each.prior.record.id, []).append(each)
    groups = tuple(Group(tuple(each)) for each in by_report.values())
    rests = (group.first.prior.record for group in groups)
    return View(answer, groups, " ".join(f"{record.id}:{record.version}" for record in rests))


def trend(line: Line) -> tuple[Judged, ...]:
    """The results of an item that have a number, oldest first; empty for fewer than two."""
    found = [each for each in line.judged if _is_number(each) and each.prior.sampled_at]
    found.sort(key=lambda each: str(each.prior.sampled_at))
    return tuple(found) if len(found) > 1 else ()


def _is_number(judged: Judged) -> bool:
    observation = judged.prior.observation
    return observation is not None and isinstance(observation.value, Quantity)
