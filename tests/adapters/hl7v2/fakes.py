"""A custody that remembers, and a listener in front of it."""

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from adapters.hl7v2.connection import Limits
from adapters.hl7v2.mllp import MllpListener, listener
from adapters.hl7v2.reader import read
from schemas.delivery import Claim, Delivery, Origin, Receipt, State
from schemas.faults import Fault, Forbidden
from tests.adapters.hl7v2.values import origin


class Custody:
    """Reads what is delivered, as the hub does, and keeps the bytes in the order in which they came.

    before: is called with each delivery's bytes, to wait or to raise.
    """

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.claims: list[Claim] = []
        self.deliveries: list[Delivery] = []
        self.before: Callable[[bytes], None] = lambda content: None
        self._receipts: dict[str, Receipt] = {}
        self._lock = threading.Lock()

    def identify(self, claim: Claim) -> Origin:
        self.claims.append(claim)
        if claim.name == "STRANGER":
            raise Forbidden("sender is not registered", where="MSH-4")
        return replace(origin(), address=claim.address)

    def deliver(self, delivery: Delivery) -> Receipt:
        content = delivery.content.read()
        self.before(content)
        with self._lock:
            self.kept.append(content)
            self.deliveries.append(delivery)
            digest = hashlib.sha256(content).hexdigest()
            number = len(self._receipts) + 1
            at = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
            receipt = self._receipts.setdefault(digest, Receipt(number, digest, State.INDEXED, at))
        delivery.content.seek(0)
        try:
            read(delivery.content, delivery.origin)
        except Fault as fault:
            return replace(
                receipt, state=State.QUARANTINED, category=fault.category.value, text=fault.text, where=fault.where
            )
        return receipt

    def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Receipt | Fault]:
        """One after another, as the hub does with what is short."""
        return [self._attempt(delivery) for delivery in deliveries]

    def _attempt(self, delivery: Delivery) -> Receipt | Fault:
        try:
            return self.deliver(delivery)
        except Fault as fault:
            return fault


@contextmanager
def listening(custody: Custody, limits: Limits | None = None, *, together: bool = False) -> Iterator[MllpListener]:
    """A listener on a free port. together: short messages are taken in the listener's own thread."""
    server = listener(
        "127.0.0.1",
        0,
        custody.deliver,
        custody.identify,
        limits=limits,
        together=custody.deliver_together if together else None,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
