"""One destination's reports, one after another: the next only goes when it is known what became of the one before."""

import threading
import time
from contextlib import suppress

import structlog

from hub import audit
from hub.metrics import count_dispatch
from schemas.dispatch import Answer, Destination, DispatchState, Line, Sender
from schemas.faults import Busy, Fault
from storage import destinations, dispatches
from storage.database import Database
from storage.dispatches import Pending

from .pace import Pace
from .queueing import on_behalf_of

log = structlog.get_logger()


class Courier:
    """Sends what is due, in order, over one connection. owner: names this process among those that send."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        pace: Pace,
        owner: str,
        destination_id: int,
        stopping: threading.Event,
    ) -> None:
        self._database = database
        self._sender = sender
        self._pace = pace
        self._owner = owner
        self._id = destination_id
        self._stopping = stopping
        self._line: Line | None = None

    def run(self) -> None:
        """Returns when nothing more is due, an attempt came to nothing, or the hub stops."""
        with self._database.read() as tx:
            destination = destinations.destination(tx, self._id).destination
        try:
            while not self._stopping.is_set():
                pending = self._next(destination)
                if pending is None or not self._attempt(pending, destination):
                    break
        finally:
            self._hang_up()
            with suppress(Fault), self._database.write() as tx:
                destinations.remove_lease(tx, self._id, self._owner)

    def _next(self, destination: Destination) -> Pending | None:
        """The next that is due; None also where another process sends there."""
        now = audit.now()
        with self._database.write() as tx:
            if not destinations.put_lease(tx, self._id, self._owner, now, now + self._pace.lease):
                return None
            return dispatches.first_due(tx, on_behalf_of(destination.organization), self._id, now)

    def _attempt(self, pending: Pending, destination: Destination) -> bool:
        """Whether the next may go."""
        began = time.monotonic()
        try:
            answer = self._exchange(pending.message, destination)
        except Busy as fault:
            self._put_off(pending, Answer("", taken=False, later=True, text=fault.text))
            return False
        took_ms = round((time.monotonic() - began) * 1e3, 1)
        log.info("dispatch.answered", dispatch=pending.id, destination=self._id, code=answer.code, took_ms=took_ms)
        if answer.later and pending.rejections + 1 < self._pace.most_rejections:
            self._put_off(pending, answer)
            return False
        state = DispatchState.DELIVERED if answer.taken else DispatchState.DEAD
        with self._database.write() as tx:
            dispatches.settle(tx, pending.id, state, answer.code, answer.text, audit.now())
        count_dispatch(state.value)
        return True

    def _exchange(self, message: bytes, destination: Destination) -> Answer:
        if self._line is not None:
            try:
                return self._line.send(message)
            except Busy:
                # Many receivers hang up after each answer: nothing is wrong, and the same bytes may come again.
                self._hang_up()
        self._line = self._sender.connect(destination)
        return self._line.send(message)

    def _put_off(self, pending: Pending, answer: Answer) -> None:
        next_attempt_at = audit.now() + self._pace.wait(pending.attempts)
        with self._database.write() as tx:
            dispatches.put_off(tx, pending.id, answer.code, answer.text, next_attempt_at, rejected=bool(answer.code))
        count_dispatch("put-off")
        log.warning("dispatch.put_off", dispatch=pending.id, destination=self._id, code=answer.code)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
