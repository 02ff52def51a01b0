"""Memory that unfinished frames of all connections share, so that many large ones at once cannot take all there is.

Small frames need none of it and always get through. Of the large ones, the one that began first may always go on:
so one of them gets done at any time, and the others wait, unread, or are told to come again.
"""

from collections.abc import Callable

# In steps: a frame that grows by every read would ask a thousand times.
_STEP = 256 * 1024


class Budget:
    """total_bytes: what large frames may hold together, besides the one that began first. free_bytes: what each
    connection may hold without asking. For one thread.
    """

    def __init__(self, total_bytes: int, free_bytes: int) -> None:
        self._total = total_bytes
        self._free = free_bytes
        self._used = 0
        # In the order in which their frames began.
        self._shares: dict[Share, None] = {}

    @property
    def used_bytes(self) -> int:
        """What is held now."""
        return self._used

    def share(self, again: Callable[[], None]) -> "Share":
        """A connection's part, nothing at first. again: called when it is worth to ask once more for what was not
        given."""
        return Share(self, again)

    def take(self, share: "Share", size: int) -> bool:
        missing = size - self._free - share.held
        if missing <= 0:
            return True
        missing = -(-missing // _STEP) * _STEP
        self._shares.setdefault(share)
        if self._used + missing > self._total and next(iter(self._shares)) is not share:
            return False
        self._used += missing
        share.held += missing
        return True

    def give_back(self, share: "Share", size: int) -> None:
        if share not in self._shares:
            return
        kept = min(share.held, max(0, size - self._free))
        self._used -= share.held - kept
        share.held = kept
        # What is left belongs to the next frame, which began after all others.
        self._shares.pop(share)
        if kept:
            self._shares[share] = None
        for other in [each for each in self._shares if each.waits]:
            other.waits = False
            other.again()


class Share:
    """One connection's part of the budget. held: bytes. waits: it asked for more than there was."""

    def __init__(self, budget: Budget, again: Callable[[], None]) -> None:
        self._budget = budget
        self.again = again
        self.held = 0
        self.waits = False

    def cover(self, size: int) -> bool:
        """Before the connection holds so many bytes. False where it has to wait until it is called."""
        self.waits = not self._budget.take(self, size)
        return not self.waits

    def give_back(self, size: int = 0) -> None:
        """When a frame is done with: the connection holds only so many bytes still."""
        self.waits = False
        self._budget.give_back(self, size)
