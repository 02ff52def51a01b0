"""Reading again what waited of a sender, a bounded piece at a time, so that a page can show how far it has come."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from schemas.delivery import Receipt, State
from schemas.disclosure import Disclosure
from schemas.faults import Category, Fault
from schemas.organization import Source
from storage import waiting
from storage.database import Database

_TOGETHER = 50
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a piece. last: id of the last delivery that was read. more: there are others behind it."""

    indexed: int = 0
    held: int = 0
    quarantined: int = 0
    last: int = 0
    more: bool = False

    @property
    def total(self) -> int:
        return self.indexed + self.held + self.quarantined


def replay_some(
    database: Database, replay: Callable[[Disclosure, int], Receipt], disclosure: Disclosure, source: Source, after: int
) -> Replayed:
    """Those behind delivery `after`, in the order in which they came, until enough are read or time is up.

    Raises Busy where the hub cannot go on: what was read until then stays read.
    """
    with database.read() as tx:
        ids = waiting.of_source(tx, disclosure, source.id, after=after, limit=_TOGETHER + 1)
    found = dict.fromkeys(State, 0)
    last, until = after, time.monotonic() + _PATIENCE_S
    for number, delivery_id in enumerate(ids[:_TOGETHER]):
        if number and time.monotonic() > until:
            break
        state = _replay_one(replay, disclosure, delivery_id)
        if state is not None:
            found[state] += 1
        last = delivery_id
    more = bool(ids) and last != ids[-1]
    return Replayed(found[State.INDEXED], found[State.HELD], found[State.QUARANTINED], last, more)


def _replay_one(replay: Callable[[Disclosure, int], Receipt], disclosure: Disclosure, delivery_id: int) -> State | None:
    try:
        return replay(disclosure, delivery_id).state
    except Fault as fault:
        if fault.category in (Category.CONFLICT, Category.NOT_FOUND):
            return None  # Somebody else has just dealt with it.
        raise
