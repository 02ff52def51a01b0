"""Whose turn it is to accept, of several processes that listen at one door."""

import mmap
from copy import copy
from typing import Self


class Turns:
    """How many peers each process has, in memory that they share. Make it before they are forked.

    The first process takes peers until it has a party, then the next; when all have, the first again. For what comes
    at the same moment costs less together, and a processor that has enough to do leaves the rest to another.
    """

    _PARTY = 4

    def __init__(self, processes: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * processes)).cast("I")
        self._place = 0

    def sit(self, place: int) -> Self:
        """The same as that one of them sees it, from 0, which has no peers yet."""
        seat = copy(self)
        seat._place = place
        seat.count(0)
        return seat

    def count(self, peers: int) -> None:
        """This process has so many."""
        self._counts[self._place] = peers

    def mine(self) -> bool:
        """Whether the next peer is for this process."""
        parties = [peers // self._PARTY for peers in self._counts]
        return parties.index(min(parties)) == self._place
