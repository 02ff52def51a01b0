"""A report among those that it hangs together with: its order, its culture, the susceptibilities behind it."""

from dataclasses import dataclass

from hub.query.relations import Related
from schemas.codes import Coding
from schemas.observation import Observation
from schemas.order import OrderStatus
from schemas.report import Parent, ReportRecord

from . import formats
from .session import Visit

# An order that runs says nothing beside its result; one that was stopped does.
_STOPPED = frozenset({OrderStatus.REVOKED, OrderStatus.ON_HOLD, OrderStatus.ENTERED_IN_ERROR})


@dataclass(frozen=True, slots=True)
class Child:
    """A report under the one that it goes on from. heading: what it goes on from there, as an organism's name."""

    record: ReportRecord
    heading: str


@dataclass(frozen=True, slots=True)
class Kin:
    """What the page of a report says of others.

    heading: the result of the parent that this report goes on from. orphaned: it names a parent that has not come.
    order_stopped: the order was cancelled or held.
    """

    related: Related
    heading: str
    orphaned: bool
    children: tuple[Child, ...]
    order_stopped: bool


def kin(visit: Visit, record: ReportRecord) -> Kin:
    """Everything that hangs together with a report, in one question."""
    found = visit.verbs.query.related(visit.disclosure, record)
    named = record.report.parent
    return Kin(
        found,
        heading(named, found.parent) if named else "",
        orphaned=named is not None and found.parent is None,
        children=tuple(_child(each, record) for each in found.children),
        order_stopped=found.order is not None and found.order.order.status in _STOPPED,
    )


def _child(record: ReportRecord, parent: ReportRecord) -> Child:
    named = record.report.parent
    return Child(record, heading(named, parent) if named else "")


def heading(named: Parent, parent: ReportRecord | None) -> str:
    """What a report goes on from, in its source's words: the value that it names, else that of the parent's result."""
    if named.value:
        return named.value
    results = parent.report.observations if parent else ()
    found = next((each for each in results if _is_named(named, each)), None)
    if found is None:
        return named.code.display or named.code.code
    return (found.value.display or found.value.code) if isinstance(found.value, Coding) else formats.result(found)


def _is_named(named: Parent, result: Observation) -> bool:
    return bool(named.code.code) and result.code.code == named.code.code and named.sub_id in ("", result.sub_id)
