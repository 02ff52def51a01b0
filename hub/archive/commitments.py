"""Storage commitment: taken down durably, checked against the very bytes, told to who asked. Source: PS3.4 annex J."""

import datetime as dt

from sqlalchemy import Connection

from hub import audit
from schemas.delivery import Origin
from schemas.disclosure import Action
from schemas.faults import InvalidPayload, NotFound
from schemas.network import Commitment, Failure, FailureReason, Outcome, Reference
from storage import audit as trail
from storage import commitments
from storage.audit import Entry
from storage.commitments import KnownInstance
from storage.database import Database
from storage.object_stream import sha256_of
from storage.objects import Objects

# So long the requester's own association has to take the answer, before one of ours tries.
GRACE = dt.timedelta(seconds=30)
MOST_REFERENCES = 20_000
_AT_ONCE = 500


class Committing:
    """What the association asks of storage commitment."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    def commit(self, origin: Origin, ae_title: str, transaction_uid: str, references: tuple[Reference, ...]) -> int:
        """Takes a request down; its id. The same request again is answered again.

        The same Transaction UID with other references is a request of its own, of which everything fails.
        """
        if not references or len(references) > MOST_REFERENCES:
            raise InvalidPayload(f"expected between 1 and {MOST_REFERENCES} references", where="(0008,1199)")
        now = audit.now()
        with self._database.write() as tx:
            known = commitments.known(tx, origin.source.id, transaction_uid)
            if known is None:
                return self._added(tx, origin, ae_title, transaction_uid, references, now)
            kept, named = known
            if set(named) == set(references):
                commitments.put_again(tx, kept, now + GRACE)
                return kept
            # The key of a request is its Transaction UID; one that was used already needs another to be kept under.
            again = f"{transaction_uid}#{now.timestamp():.6f}"
            added = self._added(tx, origin, ae_title, again, references, now)
            failed = tuple(Failure(each, FailureReason.DUPLICATE_TRANSACTION) for each in references)
            commitments.put_outcome(tx, added, Outcome((), failed))
            return added

    @staticmethod
    def _added(
        tx: Connection, origin: Origin, ae_title: str, uid: str, references: tuple[Reference, ...], now: dt.datetime
    ) -> int:
        due = now + GRACE
        added = commitments.add(tx, uid, origin.source.id, ae_title, references, now=now, next_attempt_at=due)
        entry = Entry(
            now,
            Action.READ,
            entity=f"StorageCommitment/{added}",
            organization=origin.source.organization,
            address=origin.address,
            detail=f"asked by {origin.source.name} for {len(references)} instances",
        )
        trail.add(tx, [entry])
        return added

    def commitment(self, commitment_id: int) -> Commitment:
        """The request with its outcome, which is found out now if it was not yet. Raises NotFound."""
        with self._database.read() as tx:
            found = commitments.commitment(tx, commitment_id)
        if found.outcome is not None:
            return found
        self._find_out(commitment_id)
        with self._database.read() as tx:
            return commitments.commitment(tx, commitment_id)

    def report_elsewhere(self, commitment_id: int) -> None:
        """The requester has hung up: it is to be told on an association of ours, at once."""
        with self._database.write() as tx:
            commitments.put_now(tx, commitment_id, audit.now())

    def reported(self, commitment_id: int) -> None:
        """The requester has been told and has confirmed it."""
        with self._database.write() as tx:
            commitments.settle(tx, commitment_id, commitments.SETTLED, audit.now())

    def _find_out(self, commitment_id: int) -> None:
        known: dict[str, KnownInstance] = {}
        with self._database.read() as tx:
            asked = commitments.requested(tx, commitment_id)
            for some in _batches([each.sop_instance_uid for each in asked.references]):
                known |= commitments.known_instances(tx, asked.organization, some)
        committed: list[Reference] = []
        failed: list[Failure] = []
        for each in dict.fromkeys(asked.references):
            reason = self._wrong(each, known.get(each.sop_instance_uid))
            if reason:
                failed.append(Failure(each, reason))
            else:
                committed.append(each)
        with self._database.write() as tx:
            commitments.put_outcome(tx, commitment_id, Outcome(tuple(committed), tuple(failed)))

    def _wrong(self, reference: Reference, known: KnownInstance | None) -> int:
        """The Failure Reason; 0 where the instance is what was named, and its bytes are what they were."""
        if known is None:
            return FailureReason.NO_SUCH_INSTANCE
        if known.sop_class_uid != reference.sop_class_uid:
            return FailureReason.CLASS_INSTANCE_CONFLICT
        try:
            found = sha256_of(self._objects.stream(known.digest))
        except NotFound:
            return FailureReason.NO_SUCH_INSTANCE
        return 0 if found == known.digest else FailureReason.PROCESSING_FAILURE


def _batches(uids: list[str]) -> list[list[str]]:
    return [uids[at : at + _AT_ONCE] for at in range(0, len(uids), _AT_ONCE)]
