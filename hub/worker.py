"""Housekeeping beside the listeners: what nobody asks for and everybody needs."""

import threading
from collections.abc import Callable
from itertools import count

import structlog

from hub import audit
from hub.completeness import Completeness
from hub.ingest.removed import finish
from hub.metrics import WAITING
from hub.retention import Retention
from schemas.delivery import WAITING as WAITING_STATES
from schemas.faults import Fault
from storage import accounts, deliveries, outbox
from storage.database import Database
from storage.objects import Objects

log = structlog.get_logger()
# A modality that lists what it made is believed as soon as that has come; the rest has time.
_EVERY_S = 5.0
_HOUSEKEEPING_EVERY = 6


class Worker:
    """Finds studies complete and hides those kept for long enough, removes what was to be removed, forgets expired
    tokens and counts what waits for somebody. port: none, 0.
    """

    port = 0

    def __init__(self, database: Database, objects: Objects, completeness: Completeness, retention: Retention) -> None:
        self._database = database
        self._objects = objects
        self._completeness = completeness
        self._retention = retention
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present round."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for number in count():
            self._try(self._completeness.round)
            self._try(self._retention.round)
            self._try(lambda: finish(self._database, self._objects))
            if number % _HOUSEKEEPING_EVERY == 0:
                self._try(self._housekeeping)
            if self._stop.wait(_EVERY_S):
                return

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Fault as fault:
            log.warning("worker.round_failed", fault=fault.category.value)

    def _housekeeping(self) -> None:
        with self._database.write() as tx:
            accounts.remove_expired_tokens(tx, audit.now())
        with self._database.read() as tx:
            waiting = {state.value: 0 for state in WAITING_STATES} | {"outbox": outbox.waiting(tx)}
            waiting |= {state.value: number for state, number in deliveries.waiting_counts(tx).items()}
        for what, number in waiting.items():
            WAITING.labels(what=what).set(number)
