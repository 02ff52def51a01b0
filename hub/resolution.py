"""Answering identity questions."""

from collections.abc import Iterable

from sqlalchemy import Connection

from hub import audit, identity, merges
from hub.access import Permission, require
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict
from storage import contests, deliveries, doubts, orders, outbox, patients
from storage import merges as known_merges
from storage.database import Database


class Resolution:
    """The verb of whoever settles identity questions; every answer can be taken back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, disclosure: Disclosure, doubt_id: int, link: bool, reason: str = "") -> None:
        """One person (`link`), or two. Raises NotFound, Conflict where it was answered already."""
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        with self._database.write() as tx:
            identity.decide(tx, disclosure, doubt_id, link=link, now=audit.now())
            if link:
                _tell_who_ordered(tx, doubt_id)
            else:
                _tell_who_relied(tx, doubts.known_members(tx, doubt_id)[:2])
            detail = f"{'link' if link else 'keep apart'} {reason}"[:200].strip()
            audit.record(tx, disclosure, Action.LINK, f"IdentityDoubt/{doubt_id}", detail=detail)

    def reopen(self, disclosure: Disclosure, doubt_id: int) -> None:
        """Takes an answer back."""
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        with self._database.write() as tx:
            identity.reopen(tx, disclosure, doubt_id, now=audit.now())
            _tell_who_relied(tx, doubts.known_members(tx, doubt_id)[:2])
            audit.record(tx, disclosure, Action.LINK, f"IdentityDoubt/{doubt_id}", detail="reopen")

    def undo_merge(self, disclosure: Disclosure, merge_id: int, reason: str = "") -> None:
        """Takes back what an institution said of two of its numbers. Raises NotFound, Conflict where it holds not."""
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        with self._database.write() as tx:
            merges.undo(tx, disclosure, merge_id, reason, now=audit.now())
            undone = known_merges.known_by_id(tx, merge_id)
            _tell_who_relied(tx, (undone.prior_id, undone.surviving_id))
            audit.record(tx, disclosure, Action.LINK, f"Merge/{merge_id}", detail=f"undo {reason}"[:200].strip())

    def keep(self, disclosure: Disclosure, delivery_id: int, reason: str = "") -> None:
        """Says that the reports which a held delivery contests are right as they stand; the delivery stays as it is.

        Raises NotFound, Conflict where it contests none (any more).
        """
        require(disclosure.principal, Permission.RESOLVE_IDENTITY)
        with self._database.write() as tx:
            if not deliveries.record(tx, disclosure, delivery_id).contests:
                raise Conflict("this delivery contests no report", where="delivery")
            contests.settle(tx, delivery_id, audit.now())
            detail = f"the report stands {reason}"[:200].strip()
            audit.record(tx, disclosure, Action.LINK, f"Delivery/{delivery_id}", detail=detail)


def _tell_who_relied(tx: Connection, patient_ids: Iterable[int]) -> None:
    """What was reused for one of them may have been the other's."""
    outbox.add(tx, "identity.changed", {"patients": list(patient_ids)}, audit.now())


def _tell_who_ordered(tx: Connection, doubt_id: int) -> None:
    """Results that contradicted their order's patient answer it, now that both are one person."""
    one, _, _ = doubts.known_members(tx, doubt_id)
    for report_id, version in orders.known_settled(tx, patients.known_by_id(tx, one).person_id):
        outbox.add(tx, "report.ordered", {"report": report_id, "version": version}, audit.now())
