"""Waiting for a disk or a store with several things at the same time: their waits become one."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas.faults import Fault

_AT_ONCE = 8
_T = TypeVar("_T")
_R = TypeVar("_R")


class AtOnce:
    """Threads that wait. They begin with the first work there is: a process that forks must have none."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "at-once")

    def __call__(self, work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R | Fault]:
        """What the work gives for each item, in their order, or the Fault that it raised."""

        def attempt(item: _T) -> _R | Fault:
            try:
                return work(item)
            except Fault as fault:
                return fault

        if len(items) < 2:
            return [attempt(item) for item in items]
        return list(self._threads.map(attempt, items))
