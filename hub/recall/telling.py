"""The background part of recall: raises notices, and escalates those that nobody acknowledges."""

import datetime as dt
import threading
from collections.abc import Callable

import structlog

from hub import audit
from schemas.faults import Fault
from storage import notices
from storage.database import Database

from .raising import Raising

log = structlog.get_logger()
_EVERY_S = 1.0
_ESCALATES_EVERY = 30


def _nobody() -> None:
    """Where no system is to be called."""


class Telling:
    """A thread. patience: how long a reused result may have been wrong without anybody's word. hooks: calls the
    systems that want to know. port: none, 0.
    """

    port = 0

    def __init__(self, database: Database, patience: dt.timedelta, hooks: Callable[[], None] = _nobody) -> None:
        self._database = database
        self._patience = patience
        self._hooks = hooks
        self._raising = Raising(database)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recall", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present round."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(_EVERY_S):
            number += 1
            try:
                while self._raising() and not self._stopping.is_set():
                    pass
                self._hooks()
                if number % _ESCALATES_EVERY == 0:
                    self.escalate()
            except Fault as fault:
                log.warning("recall.round_failed", fault=fault.category.value)

    def escalate(self) -> int:
        """Shows what waits for too long to the institution's quality officer. Returns how many are new there."""
        now = audit.now()
        with self._database.write() as tx:
            late = notices.put_escalated(tx, now - self._patience, now)
        if late:
            log.warning("notices.escalated", notices=late)
        return late
