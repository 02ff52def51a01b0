"""The background part: what the outbox holds becomes messages, and each destination gets its own, in order."""

import secrets
import threading
from collections.abc import Callable
from functools import partial

import structlog

from hub import audit
from hub.metrics import WAITING
from schemas.dispatch import Sender
from schemas.faults import Fault
from storage import destinations, dispatches
from storage.database import Database
from storage.objects import Objects

from .courier import Courier
from .pace import Pace
from .queueing import Queueing

log = structlog.get_logger()
_STOPS_WITHIN_S = 60.0


def release(database: Database) -> None:
    """Voids the rights to send that killed processes left behind. Call it only while nobody sends."""
    with database.write() as tx:
        destinations.remove_leases(tx)


class Outbound:
    """A thread that looks for work, and one for each destination that has some: a slow one holds up nobody else.

    port: none, 0.
    """

    port = 0

    def __init__(self, database: Database, objects: Objects, sender: Sender, pace: Pace | None = None) -> None:
        self._database = database
        self._sender = sender
        self._pace = pace or Pace()
        self._queueing = Queueing(database, objects, sender)
        self._owner = secrets.token_hex(8)
        self._stopping = threading.Event()
        self._couriers: dict[int, threading.Thread] = {}
        self._thread = threading.Thread(target=self._run, name="outbound", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends when what is being sent has been answered, or its time is over."""
        self._stopping.set()
        for thread in (self._thread, *self._couriers.values()):
            thread.join(_STOPS_WITHIN_S)

    def _run(self) -> None:
        more = True
        while more or not self._stopping.wait(self._pace.tick_s):
            more = self._guarded(self._round) and not self._stopping.is_set()

    def _round(self) -> bool:
        more = self._queueing()
        with self._database.read() as tx:
            due = destinations.with_work(tx, audit.now())
            counts = dispatches.counts(tx)
        for state, number in counts.items():
            WAITING.labels(what=f"dispatches-{state.value}").set(number)
        for destination_id in due:
            self._send_off(destination_id)
        return more

    def _send_off(self, destination_id: int) -> None:
        known = self._couriers.get(destination_id)
        if known is not None and known.is_alive():
            return
        courier = Courier(self._database, self._sender, self._pace, self._owner, destination_id, self._stopping)
        work = partial(self._guarded, courier.run)
        thread = threading.Thread(target=work, name=f"outbound-{destination_id}", daemon=True)
        self._couriers[destination_id] = thread
        thread.start()

    def _guarded(self, work: Callable[[], bool | None]) -> bool:
        try:
            return bool(work())
        except Fault as fault:
            log.warning("dispatch.round_failed", fault=fault.category.value)
        except Exception:  # the edge: what fails once must not end the sending for good
            log.exception("dispatch.failed")
        return False
