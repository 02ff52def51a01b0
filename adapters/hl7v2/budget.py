"""Memory that unfinished frames of all connections share, so that many large ones at once cannot take all there is.

Small frames need none of it and always get through. Of the large ones, the one that began first may always go on:
so one of them gets done at any time, and the others wait, unread, or are told to come again.
"""

import threading
import time

from schemas.faults import Busy

# In steps: a frame that grows by every read would ask a thousand times.
_STEP = 256 * 1024
_LOOKS_EVERY_S = 0.5


class Budget:
    """total_bytes: what large frames may hold together, besides the one that began first. free_bytes: what each
    connection may hold without asking.
    """

    def __init__(self, total_bytes: int, free_bytes: int) -> None:
        self._total = total_bytes
        self._free = free_bytes
        self._used = 0
        # In the order in which their frames began.
        self._shares: dict[Share, None] = {}
        self._changed = threading.Condition()

    @property
    def used_bytes(self) -> int:
        """What is held now."""
        return self._used

    def share(self, stopping: threading.Event) -> "Share":
        """A connection's part, nothing at first."""
        return Share(self, stopping)

    def take(self, share: "Share", size: int, deadline: float, stopping: threading.Event) -> None:
        missing = size - self._free - share.held
        if missing <= 0:
            return
        missing = -(-missing // _STEP) * _STEP
        with self._changed:
            self._shares.setdefault(share)
            while self._used + missing > self._total and next(iter(self._shares)) is not share:
                left = deadline - time.monotonic()
                if left <= 0 or stopping.is_set():
                    raise Busy("too many large messages at this moment; send it again later")
                self._changed.wait(min(left, _LOOKS_EVERY_S))
            self._used += missing
            share.held += missing

    def give_back(self, share: "Share", size: int) -> None:
        if share not in self._shares:
            return
        with self._changed:
            kept = min(share.held, max(0, size - self._free))
            self._used -= share.held - kept
            share.held = kept
            # What is left belongs to the next frame, which began after all others.
            self._shares.pop(share, None)
            if kept:
                self._shares[share] = None
            self._changed.notify_all()


class Share:
    """One connection's part of the budget. held: bytes."""

    def __init__(self, budget: Budget, stopping: threading.Event) -> None:
        self._budget = budget
        self._stopping = stopping
        self.held = 0

    def cover(self, size: int, deadline: float) -> None:
        """Before the connection holds so many bytes. Waits until `deadline` (monotonic); then raises Busy."""
        self._budget.take(self, size, deadline, self._stopping)

    def give_back(self, size: int = 0) -> None:
        """When a frame is done with: the connection holds only so many bytes still."""
        self._budget.give_back(self, size)
