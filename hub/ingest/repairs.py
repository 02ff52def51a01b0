"""What a person does about deliveries that wait: corrected copies, and reading many again. No original ever changes."""

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from hub import audit
from hub.access import Permission, require
from schemas.delivery import (
    WAITING,
    Channel,
    Delivery,
    DeliveryCriteria,
    DeliveryRecord,
    Format,
    Receipt,
    RepairReason,
    State,
)
from schemas.disclosure import Action, Disclosure
from schemas.faults import Category, Conflict, Fault, Forbidden, InvalidPayload
from storage import deliveries
from storage.database import Database
from storage.objects import Objects

from .prepared import Repair, fingerprint
from .senders import Senders
from .service import Ingest

# Of one click: a person waits for the answer.
MOST_AT_ONCE = 500
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of deliveries that were read again. `faults`: how often each category kept one from being indexed.

    left: how many more match what was asked for and were not read this time.
    """

    states: Mapping[State, int] = field(default_factory=dict)
    faults: Mapping[Category, int] = field(default_factory=dict)
    left: int = 0

    @property
    def total(self) -> int:
        return sum(self.states.values())


class Repairs:
    """Corrected copies and replays of many. `sniff`: which format a content's head announces."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        senders: Senders,
        ingest: Ingest,
        sniff: Callable[[bytes], Format],
    ) -> None:
        self._database = database
        self._objects = objects
        self._senders = senders
        self._ingest = ingest
        self._sniff = sniff

    def repair(self, disclosure: Disclosure, delivery_id: int, content: bytes, reason: RepairReason) -> Receipt:
        """Takes in a corrected copy of a delivery that waits, as from the same sender.

        Once the copy is indexed, now or later, the original is `repaired`. Raises Conflict where the original does
        not wait or these bytes are known already, InvalidPayload where nothing was changed.
        """
        require(disclosure.principal, Permission.MANAGE_DELIVERIES)
        delivery = self._copy(disclosure, delivery_id, content)
        return self._ingest.deliver(delivery, repair=Repair(delivery_id, disclosure, reason))

    def _copy(self, disclosure: Disclosure, delivery_id: int, content: bytes) -> Delivery:
        with self._database.read() as tx:
            record = deliveries.record(tx, disclosure, delivery_id)
            source, _, hint = deliveries.known_origin(tx, delivery_id)
        if record.state not in WAITING:
            raise Conflict("this delivery does not wait; there is nothing to repair", where="delivery")
        if content == self._objects.read(record.digest):
            raise InvalidPayload("expected a change; the copy equals the original", where="copy")
        origin = self._senders.of_account(source, disclosure.principal.account, disclosure.address)
        delivery = Delivery(
            replace(origin, channel=Channel.REPAIR, hint=hint),
            self._sniff(content[:_HEAD]),
            io.BytesIO(content),
            record.message_id,
        )
        self._require_new(delivery, content)
        return delivery

    def _require_new(self, delivery: Delivery, content: bytes) -> None:
        mark = fingerprint(hashlib.sha256(content).hexdigest(), delivery.origin.hint)
        with self._database.read() as tx:
            known = deliveries.known_receipt(tx, delivery.origin.source.id, mark)
        if known:
            raise Conflict(f"these bytes were received before, as delivery {known.delivery_id}", where="copy")

    def replay(
        self, disclosure: Disclosure, which: Iterable[int] | DeliveryCriteria, most: int = MOST_AT_ONCE
    ) -> Replayed:
        """Reads waiting deliveries again: those named, or those that a search finds, oldest first."""
        require(disclosure.principal, Permission.MANAGE_DELIVERIES)
        wanted, left = self._wanted(disclosure, which, most)
        states: Counter[State] = Counter()
        faults: Counter[Category] = Counter()
        for delivery_id in wanted:
            state, category = self._one(disclosure, delivery_id)
            states[state] += 1
            if category:
                faults[category] += 1
        return Replayed(dict(states), dict(faults), left)

    def _wanted(
        self, disclosure: Disclosure, which: Iterable[int] | DeliveryCriteria, most: int
    ) -> tuple[list[int], int]:
        if not isinstance(which, DeliveryCriteria):
            named = sorted(set(which))
            return named[:most], len(named[most:])
        with self._database.write() as tx:
            found = deliveries.waiting(tx, disclosure, which)
            audit.record(tx, disclosure, Action.SEARCH, "Delivery", detail=f"replay of {len(found[:most])}")
        return found[:most], len(found[most:])

    def _one(self, disclosure: Disclosure, delivery_id: int) -> tuple[State, Category | None]:
        try:
            receipt = self._ingest.replay(disclosure, delivery_id)
        except Forbidden:
            raise
        except Fault as fault:
            # It was dealt with meanwhile, or its source is registered no longer: the others are read all the same.
            return self._state(disclosure, delivery_id), fault.category
        return receipt.state, Category(receipt.category) if receipt.category else None

    def _state(self, disclosure: Disclosure, delivery_id: int) -> State:
        with self._database.read() as tx:
            record: DeliveryRecord = deliveries.record(tx, disclosure, delivery_id)
        return record.state
