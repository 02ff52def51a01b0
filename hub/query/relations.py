"""How reports hang together: the order that one answers, the culture that susceptibilities belong to; and merges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.access import Permission
from hub.disclosing import Asked
from schemas.disclosure import Action, Disclosure
from schemas.identifiers import Identifier
from schemas.observation import Observation
from schemas.order import OrderRecord
from schemas.patient import MergeRecord
from schemas.report import Parent, ReportCriteria, ReportRecord
from storage import merges, observations, orders, relations, reports

from .reading import Reading

_READ = Permission.READ_REPORTS
_MOST = 50


@dataclass(frozen=True, slots=True)
class Related:
    """What a report hangs together with. `parent`: None also where one is named that has not come."""

    order: OrderRecord | None = None
    parent: ReportRecord | None = None
    children: tuple[ReportRecord, ...] = ()


class Relations(Reading):
    """Questions across reports. A report hangs together only with those of the same issuer and the same person."""

    def related(self, disclosure: Disclosure, record: ReportRecord) -> Related:
        """The order that a report answers, its parent, and those whose parent it is, oldest first."""
        entity = f"DiagnosticReport/{record.id}"
        with self._reading(disclosure, Action.READ, entity, _READ, patient_id=record.patient_id) as asked:
            order = orders.answered(asked.tx, disclosure, [record.id]).get(record.id)
            return Related(order, _parent(asked, disclosure, record), _children(asked, disclosure, record))

    def parents(self, disclosure: Disclosure, records: Sequence[ReportRecord]) -> dict[int, ReportRecord]:
        """The parents of those reports that name one, by report."""
        naming = [record for record in records if record.report.parent]
        if not naming:
            return {}
        with self._reading(disclosure, Action.SEARCH, "DiagnosticReport", _READ) as asked:
            asked.shows(record.patient_id for record in naming)
            found = ((record.id, _parent(asked, disclosure, record)) for record in naming)
            return {report_id: parent for report_id, parent in found if parent}

    def derived_from(self, disclosure: Disclosure, report_ids: Iterable[int]) -> dict[int, int]:
        """By report: id of the observation within its parent that its results go on from, as an organism grown."""
        with self._database.read() as tx:
            naming = relations.naming_a_parent(tx, disclosure, report_ids)
        if not naming:
            return {}  # and nobody was shown anything
        with self._reading(disclosure, Action.SEARCH, "DiagnosticReport", _READ) as asked:
            criteria = ReportCriteria(ids=tuple(naming), limit=len(naming))
            children = reports.search(asked.tx, disclosure, criteria).items
            asked.shows(record.patient_id for record in children)
            found = ((child.id, _origin(asked, disclosure, child)) for child in children)
            return {report_id: observation_id for report_id, observation_id in found if observation_id}

    def merges(self, disclosure: Disclosure) -> tuple[MergeRecord, ...]:
        """What institutions said of their own numbers, newest first, whatever became of it."""
        with self._reading(disclosure, Action.SEARCH, "Merge", Permission.RESOLVE_IDENTITY) as asked:
            found = merges.records(asked.tx, disclosure)
            asked.shows(each for merge in found for each in (merge.patient_id, merge.prior_patient_id))
            return found


def _named(asked: Asked, disclosure: Disclosure, record: ReportRecord, number: str) -> list[ReportRecord]:
    """The reports of the same issuer and person that go by this number, oldest first."""
    criteria = ReportCriteria(
        patient_id=record.patient_id,
        identifier=Identifier("", number),
        organization=record.organization,
        newest_first=False,
        limit=_MOST,
    )
    return [each for each in reports.search(asked.tx, disclosure, criteria).items if each.id != record.id]


def _parent(asked: Asked, disclosure: Disclosure, record: ReportRecord) -> ReportRecord | None:
    named = record.report.parent
    if named is None:
        return None
    found = {each.id: each for number in named.numbers for each in _named(asked, disclosure, record, number)}
    fitting = sorted(found.values(), key=lambda each: _likelihood(named, each), reverse=True)
    # Brothers share the placer's number: one that is itself a child, and lacks the result, is no parent.
    return next((each for each in fitting if _has_result(named, each) or not each.report.parent), None)


def _is_named(named: Parent, result: Observation) -> bool:
    """Whether this is the result that the child goes on from."""
    return bool(named.code.code) and result.code.code == named.code.code and named.sub_id in ("", result.sub_id)


def _has_result(named: Parent, record: ReportRecord) -> bool:
    return any(_is_named(named, each) for each in record.report.observations)


def _likelihood(named: Parent, record: ReportRecord) -> tuple[bool, bool, bool]:
    report = record.report
    return (
        _has_result(named, record),
        named.filler_order_number in (report.filler_order_number, report.key) and bool(named.filler_order_number),
        report.parent is None,
    )


def _children(asked: Asked, disclosure: Disclosure, record: ReportRecord) -> tuple[ReportRecord, ...]:
    report = record.report
    numbers = (report.filler_order_number, report.placer_order_number, report.key)
    ids = relations.children(asked.tx, disclosure, numbers)
    if not ids:
        return ()
    criteria = ReportCriteria(
        ids=tuple(ids),
        patient_id=record.patient_id,
        organization=record.organization,
        newest_first=False,
        limit=_MOST,
    )
    found = [each for each in reports.search(asked.tx, disclosure, criteria).items if each.id != record.id]
    mine = [each for each in found if (parent := _parent(asked, disclosure, each)) and parent.id == record.id]
    return tuple(mine)


def _origin(asked: Asked, disclosure: Disclosure, child: ReportRecord) -> int:
    parent, named = _parent(asked, disclosure, child), child.report.parent
    if parent is None or named is None:
        return 0
    (known,) = observations.with_ids(asked.tx, [parent])
    pairs = zip(known.report.observations, known.observation_ids, strict=False)
    return next((key for each, key in pairs if _is_named(named, each)), 0)
