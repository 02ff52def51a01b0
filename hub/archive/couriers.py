"""Telling requesters what became of their storage commitments, on associations of our own, until they have heard it."""

import datetime as dt
import threading

import structlog

from hub import audit
from schemas.faults import Fault
from schemas.network import Courier
from storage import commitments
from storage.database import Database
from storage.objects import Objects

from .commitments import Committing

log = structlog.get_logger()
# The first tries follow closely, the later ones an hour apart; after two days nobody waits for the answer any more.
_FIRST = dt.timedelta(minutes=1)
_LONGEST = dt.timedelta(hours=1)
_MOST_ATTEMPTS = 55
_STOPS_WITHIN_S = 60.0


class Commitments:
    """A thread that looks every `tick_s` for requesters who have not been told yet. port: none, 0."""

    port = 0

    def __init__(self, database: Database, objects: Objects, courier: Courier, *, tick_s: float = 5.0) -> None:
        self._database = database
        self._committing = Committing(database, objects)
        self._courier = courier
        self._tick_s = tick_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commitments", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the report that is on its way."""
        self._stop.set()
        self._thread.join(_STOPS_WITHIN_S)

    def _run(self) -> None:
        while not self._stop.wait(self._tick_s):
            try:
                self.tell()
            except Fault as fault:
                log.warning("commitment.round-failed", fault=fault.category.value)
            except Exception:  # the edge: what fails once must not end the telling for good
                log.exception("commitment.failed")

    def tell(self) -> None:
        """Tells everybody whose turn it is, once."""
        with self._database.read() as tx:
            due = commitments.due(tx, audit.now())
        for each in due:
            if self._stop.is_set():
                return
            self._tell(each)

    def _tell(self, commitment_id: int) -> None:
        found = self._committing.commitment(commitment_id)
        pause = min(_FIRST * 2 ** min(found.attempts, 10), _LONGEST)
        with self._database.write() as tx:
            mine = commitments.put_due(tx, commitment_id, found.attempts, audit.now() + pause)
        if not mine:
            return
        try:
            if found.node is None or not found.node.host:
                log.info("commitment.no-address", commitment=commitment_id)
            else:
                self._courier.report(found.node, found)
                self._committing.reported(commitment_id)
                return
        except Fault as fault:
            log.warning("commitment.untold", commitment=commitment_id, fault=fault.category.value)
        if found.attempts + 1 >= _MOST_ATTEMPTS:
            with self._database.write() as tx:
                commitments.settle(tx, commitment_id, commitments.GIVEN_UP, audit.now())
