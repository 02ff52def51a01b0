"""Opens a task for each code and unit that nobody has mapped, in the transaction of the first result that has it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import chain

from sqlalchemy import Connection

from hub.catalogue import items_of_order
from hub.vocabulary import Sent, coding, foreign, ordered
from schemas.mapping import MappingKind
from schemas.order import ServiceOrder
from schemas.report import Report
from storage import catalogue, mappings, tasks

# A sender that makes up codes must not fill the memory.
_MOST = 200_000


class Unmapped:
    """Remembers, in this process, which codes have had their task: all but the first result cost one look-up each."""

    def __init__(self) -> None:
        self._seen: set[Sent] = set()

    def unseen(self, reports: Iterable[Report], orders: Iterable[ServiceOrder] = ()) -> dict[Sent, str]:
        """Those that are new to this process, with their names as sent.

        Asked before the transaction: to tell whether a text is a unit may take a while, once.
        """
        fresh: dict[Sent, str] = {}
        for sent, display in chain(foreign(reports), ordered(reports, orders)):
            if sent not in self._seen:
                fresh.setdefault(sent, display)
        return fresh

    @staticmethod
    def notice(tx: Connection, unseen: Mapping[Sent, str], source_id: int, now: dt.datetime) -> None:
        """Makes sure that there is a task for each, but for examinations whose name says what they are."""
        for sent, display in unseen.items():
            code = coding(sent, display)
            if sent[0] is MappingKind.ORDER and items_of_order(catalogue.catalogue(tx), mappings.concepts(tx), [code]):
                continue
            tasks.add(tx, sent[0], code, source_id, now)

    def committed(self, noticed: Iterable[Sent]) -> None:
        """Their tasks are there for good; what is rolled back has none, and is not to be told here."""
        if len(self._seen) > _MOST:
            self._seen.clear()
        self._seen.update(noticed)
