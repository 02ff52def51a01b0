"""Deliveries that wait at the same moment share one transaction: the only way to be both durable and fast."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue

import structlog

from schemas.delivery import Receipt
from schemas.faults import Busy, Fault, Internal

from .prepared import Prepared

log = structlog.get_logger()

# More would not be faster, and would make everybody wait for the slowest.
_TOGETHER = 64
_PATIENCE_S = 60.0
_Waiting = tuple[Prepared, "Future[Receipt]"]


class GroupCommit:
    """One thread that indexes whatever waits, commits once, and then lets every sender have its receipt.

    index: takes prepared deliveries through one transaction and returns their receipts, in order, once committed.
    """

    def __init__(self, index: Callable[[Sequence[Prepared]], list[Receipt]]) -> None:
        self._index = index
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, prepared: Prepared) -> Receipt:
        """Waits until the delivery is committed. Raises Busy or Internal when nothing could be promised."""
        future: Future[Receipt] = Future()
        self._queue.put((prepared, future))
        try:
            return future.result(_PATIENCE_S)
        except TimeoutError as error:
            raise Busy("the index did not keep up; send again later", where="index") from error

    def close(self) -> None:
        """Commits what waits and ends."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (waiting := self._take()) is not None:
            self._commit(waiting)

    def _take(self) -> list[_Waiting] | None:
        first = self._queue.get()
        if first is None:
            return None
        together = [first]
        while len(together) < _TOGETHER:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                self._queue.put(None)  # the end is near, but these came before it
                break
            together.append(following)
        return together

    def _commit(self, waiting: list[_Waiting]) -> None:
        try:
            receipts = self._index([prepared for prepared, _ in waiting])
        except Exception as error:
            log.exception("ingest.commit_failed", deliveries=len(waiting))
            fault = error if isinstance(error, Fault) else Internal("the delivery could not be indexed", where="index")
            for _, future in waiting:
                future.set_exception(fault)
            return
        for (_, future), receipt in zip(waiting, receipts, strict=True):
            future.set_result(receipt)
