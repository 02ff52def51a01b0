"""Opens a task for each code and unit that nobody has mapped, in the transaction of the first result that has it."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection

from hub.vocabulary import Sent, coding, foreign
from schemas.report import Report
from storage import tasks

# A sender that makes up codes must not fill the memory.
_MOST = 200_000


class Unmapped:
    """Remembers, in this process, which codes have had their task: all but the first result cost one look-up each."""

    def __init__(self) -> None:
        self._seen: set[Sent] = set()

    def notice(self, tx: Connection, reports: Iterable[Report], source_id: int, now: dt.datetime) -> set[Sent]:
        """Makes sure that there is a task for each; returns those that were new to this process.

        To be told to `committed` once they are: what is rolled back has no task.
        """
        fresh: set[Sent] = set()
        for sent, display in foreign(reports):
            if sent not in self._seen and sent not in fresh:
                tasks.add(tx, sent[0], coding(sent, display), source_id, now)
                fresh.add(sent)
        return fresh

    def committed(self, fresh: set[Sent]) -> None:
        """Their tasks are there for good."""
        if fresh:
            if len(self._seen) > _MOST:
                self._seen.clear()
            self._seen |= fresh
