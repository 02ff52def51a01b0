"""Making what was read findable, in one transaction with its custody record, its audit record and its outbox entry."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from hub import audit
from hub.identity import recognise
from hub.merges import merge
from hub.vocabulary import Sent
from schemas.delivery import Reading, Receipt, State
from schemas.disclosure import Action
from schemas.faults import Category, Fault, IdentityConflict, Internal, InvalidPayload
from storage import deliveries, repairs
from storage.audit import Entry
from storage.audit import add as add_audit
from storage.database import Collision, Database
from storage.statement import savepoint

from .contents import Contents
from .contested import contest
from .growing import Growing, NotGrowingError
from .images import index_instance, reports_of_stored
from .moves import follow_moves
from .orders import index_order
from .owners import owns
from .prepared import Prepared
from .rejections import came_again, index_note, note_of
from .relations import index_related
from .removed import came_back
from .unmapped import Unmapped

log = structlog.get_logger()
# What databases and encoders raise at a value that they cannot hold: NUL in a text, half a surrogate pair, 10^30.
_UNSTORABLE = (DataError, UnicodeError, OverflowError)


@dataclass(slots=True)
class _Batch:
    now: dt.datetime
    entries: list[Entry] = field(default_factory=list)
    # Codes that this process meets for the first time: by delivery, and those that have got their task.
    unseen: dict[int, dict[Sent, str]] = field(default_factory=dict)
    noticed: set[Sent] = field(default_factory=set)


class Index:
    """The writing side of the index. exists: whether an object is in the store."""

    def __init__(self, database: Database, contents: Contents, exists: Callable[[str], bool]) -> None:
        self._database = database
        self._contents = contents
        self._exists = exists
        self._unmapped = Unmapped()
        self._growing = Growing()

    def __call__(self, together: Sequence[Prepared]) -> list[Receipt]:
        """Indexes the deliveries and commits once, durable when `make_durable` has returned.

        A delivery that is refused does not sink the others.
        """
        try:
            return self._together(together)
        except NotGrowingError:
            # The ordinary way finds out which of them it is, and what to say of it.
            return self._together(together, growing=False)
        except Collision:
            # Another process has just taken one of the same deliveries: this time it is known.
            return self._together(together)

    def make_durable(self) -> None:
        """Returns when all that was indexed before can be promised. Raises Busy where the disk does not keep it."""
        self._database.make_durable()

    def _together(self, together: Sequence[Prepared], *, growing: bool = True) -> list[Receipt]:
        batch = _Batch(audit.now(), unseen=self._unseen(together))
        with self._database.write_soon() as tx:
            self._growing.begin(tx)
            receipts: list[Receipt] = []
            while left := together[len(receipts) :]:
                grown = self._growing_first(tx, left, batch) if growing else []
                receipts += grown or [self._one(tx, left[0], batch)]
            add_audit(tx, batch.entries)
            self._growing.end(tx)
        self._unmapped.committed(batch.noticed)
        return receipts

    def _unseen(self, together: Sequence[Prepared]) -> dict[int, dict[Sent, str]]:
        return {
            id(each): self._unmapped.unseen(each.outcome.reports, each.outcome.orders)
            for each in together
            if not isinstance(each.outcome, Fault)
        }

    def _growing_first(self, tx: Connection, together: Sequence[Prepared], batch: _Batch) -> list[Receipt]:
        """Takes as many of the first as go the short way; none where the first is for the ordinary one.

        Raises NotGrowingError where one of them cannot be written.
        """
        if batch.unseen.get(id(together[0])):
            return []
        plain = list(takewhile(lambda each: not batch.unseen.get(id(each)), together))
        try:
            pairs = self._growing.add(tx, plain, batch.now)
        except (Fault, *_UNSTORABLE, IntegrityError) as error:
            raise NotGrowingError from error
        return [
            _received(prepared, delivery_id, (report_id,), None, batch)
            for prepared, (delivery_id, report_id) in zip(together, pairs, strict=False)
        ]

    def _one(self, tx: Connection, prepared: Prepared, batch: _Batch) -> Receipt:
        self._growing.forget()
        origin = prepared.delivery.origin
        for digest in (prepared.digest, *(part for part, _ in prepared.parts)):
            batch.entries += came_back(tx, digest, self._exists, origin, batch.now)
        known = None if prepared.replay_of else deliveries.known_receipt(tx, origin.source.id, prepared.fingerprint)
        if known:
            if isinstance(prepared.outcome, Reading):
                came_again(tx, prepared.outcome, prepared, known.delivery_id, batch.now)
            batch.entries.append(audit.received(origin, known.delivery_id, detail="the same bytes again"))
            return known
        delivery_id = prepared.replay_of or _take(tx, prepared)
        if prepared.parts:
            deliveries.add_parts(tx, delivery_id, prepared.parts)
        report_ids, fault = self._read(tx, prepared, delivery_id, batch)
        if fault or prepared.replay_of:
            deliveries.settle(tx, delivery_id, _state(fault), prepared.accounting, fault)
        if prepared.repair or prepared.replay_of:
            _repaired(tx, prepared, delivery_id, fault, batch)
        return _received(prepared, delivery_id, report_ids, fault, batch)

    def _read(
        self, tx: Connection, prepared: Prepared, delivery_id: int, batch: _Batch
    ) -> tuple[tuple[int, ...], Fault | None]:
        """Indexes what was read, all of it or nothing: the ids of the reports, or why not."""
        if isinstance(prepared.outcome, Fault):
            return (), prepared.outcome
        unseen = batch.unseen[id(prepared)]
        for last in (False, True):
            try:
                with savepoint(tx):
                    reading = self._contents.with_digests(tx, prepared.outcome, prepared)
                    report_ids = _index(tx, prepared, reading, delivery_id, batch.now)
                    deliveries.add_reports(tx, [(delivery_id, each) for each in report_ids])
                    self._unmapped.notice(tx, unseen, prepared.delivery.origin.source.id, batch.now)
                batch.noticed.update(unseen)
                return report_ids, None
            except Fault as fault:
                if isinstance(fault, IdentityConflict):
                    organization_id = prepared.delivery.origin.source.organization_id
                    contest(tx, prepared.outcome, organization_id, delivery_id, batch.now)
                return (), fault
            except _UNSTORABLE as error:
                # Only its type: the message may quote the value.
                log.warning("ingest.unstorable", delivery=delivery_id, error=type(error).__name__)
                return (), InvalidPayload("it holds a value that no index can hold", where="index")
            except IntegrityError:
                # Another process has just written the same patient, study or report: look again, and now it is known.
                if last:
                    log.exception("ingest.contended", delivery=delivery_id)
        return (), Internal("the delivery could not be indexed beside another of the same kind", where="index")


def _received(
    prepared: Prepared, delivery_id: int, report_ids: tuple[int, ...], fault: Fault | None, batch: _Batch
) -> Receipt:
    origin = prepared.delivery.origin
    batch.entries.append(audit.received(origin, delivery_id, outcome=fault.category if fault else "success"))
    return Receipt(
        delivery_id=delivery_id,
        digest=prepared.digest,
        state=_state(fault),
        received_at=origin.received_at,
        report_ids=report_ids,
        category=fault.category.value if fault else "",
        text=fault.text if fault else "",
        where=fault.where if fault else "",
    )


def _take(tx: Connection, prepared: Prepared) -> int:
    return deliveries.add(
        tx,
        prepared.delivery,
        fingerprint=prepared.fingerprint,
        digest=prepared.digest,
        size=prepared.size,
        accounting=prepared.accounting,
    )


def _index(tx: Connection, prepared: Prepared, reading: Reading, delivery_id: int, now: dt.datetime) -> tuple[int, ...]:
    source = prepared.delivery.origin.source
    for patient in reading.patients:
        # Nobody corrects whom another institution registered: where that would contradict, a person decides.
        recognise(tx, patient, update=reading.update and owns(tx, source, patient.key), now=now)
    for told in reading.merges:
        own = all(owns(tx, source, each) for each in (told.prior.key, told.surviving.key))
        merge(tx, told, own=own, delivery_id=delivery_id, now=now)
    for order in reading.orders:
        index_order(tx, order, source, delivery_id, now)
    reading = follow_moves(tx, reading)
    if note := note_of(reading):
        return index_note(tx, note, prepared, source.organization_id, delivery_id, now)
    # Whoever sends an instance on, perhaps under a number of their own for the patient, adds nothing to it.
    if again := reports_of_stored(tx, reading.instances):
        came_again(tx, reading, prepared, delivery_id, now)
        return tuple(sorted(again))
    organization_id = source.organization_id
    ids = {index_related(tx, report, organization_id, delivery_id, now) for report in reading.reports}
    for instance in reading.instances:
        ids.add(index_instance(tx, instance, prepared, organization_id, delivery_id, now))
    return tuple(sorted(ids))


def _repaired(tx: Connection, prepared: Prepared, delivery_id: int, fault: Fault | None, batch: _Batch) -> None:
    """Ties a corrected copy to its original, which waits no longer once the copy is indexed, now or when replayed."""
    if told := prepared.repair:
        repairs.add(
            tx, delivery_id, told.original_id, account=told.disclosure.principal.account, reason=told.reason.value
        )
        detail = f"{told.reason.value} Delivery/{delivery_id}"
        batch.entries.append(audit.entry(told.disclosure, Action.REPAIR, f"Delivery/{told.original_id}", detail=detail))
    if fault is None:
        repairs.indexed(tx, delivery_id)


def _state(fault: Fault | None) -> State:
    if fault is None:
        return State.INDEXED
    return State.HELD if fault.category is Category.CONFLICT else State.QUARANTINED
