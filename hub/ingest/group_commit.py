"""Deliveries that wait at the same moment share one transaction: the only way to be both durable and fast."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from schemas.delivery import Receipt, State
from schemas.faults import Busy, Fault, Internal

from .prepared import Arrived, Prepared

log = structlog.get_logger()

# More would not be faster, and would make everybody wait for the slowest.
_TOGETHER = 64
_PATIENCE_S = 60.0

Outcome = Receipt | Fault
_T = TypeVar("_T")
_R = TypeVar("_R")


class _Turn:
    """Deliveries that wait. Their thread sleeps until they are over, or until it is to work for all that wait."""

    __slots__ = ("_woken", "leads", "outcomes", "submitted")

    def __init__(self, submitted: Sequence[Arrived | Prepared]) -> None:
        self.submitted = submitted
        self.outcomes: list[Outcome] = []
        self.leads = False
        # A lock is the cheapest thing a thread can sleep on.
        self._woken = threading.Lock()
        self._woken.acquire()

    def sleep(self, timeout_s: float) -> None:
        self._woken.acquire(timeout=timeout_s)

    def wake(self) -> None:
        self._woken.release()


class GroupCommit:
    """Whoever comes first works for all who come meanwhile, then lets the next of them do so.

    The others sleep. In an interpreter that runs one thread at a time they could do nothing but take turns with the
    one at work, and each of these hand-overs costs about as much as a delivery.

    archive: keeps short deliveries and reads them, in order. index: takes deliveries through one transaction and
    returns their receipts, in order, once committed. make_durable: returns when what was committed may be promised;
    what is enclosed may be at once. Meanwhile the next are worked for.
    """

    def __init__(
        self,
        archive: Callable[[Sequence[Arrived]], Sequence[Prepared | Fault]],
        index: Callable[[Sequence[Prepared]], Sequence[Receipt]],
        make_durable: Callable[[], None],
    ) -> None:
        self._archive = archive
        self._index = index
        self._make_durable = make_durable
        self._waiting: deque[_Turn] = deque()
        self._state = threading.Condition()
        # busy: somebody leads. unsettled: how many wait for the disk behind them.
        self._busy = False
        self._unsettled = 0

    def submit(self, *submitted: Arrived | Prepared) -> list[Outcome]:
        """Waits until the deliveries are committed; their receipts, or why nothing could be promised."""
        turn = _Turn(submitted)
        with self._state:
            if self._busy:
                self._waiting.append(turn)
            else:
                self._busy = turn.leads = True
        if not turn.leads:
            self._wait(turn)
        if turn.leads:
            self._lead(turn)
        return turn.outcomes

    def close(self) -> None:
        """Returns when what waits is committed."""
        with self._state:
            self._state.wait_for(lambda: not self._busy and not self._unsettled, _PATIENCE_S)

    def _wait(self, turn: _Turn) -> None:
        turn.sleep(_PATIENCE_S)
        with self._state:
            if turn.leads or turn.outcomes:
                return
            if turn in self._waiting:
                self._waiting.remove(turn)
        turn.outcomes = [Busy("the index did not keep up; send again later", where="index") for _ in turn.submitted]

    def _lead(self, turn: _Turn) -> None:
        together = [turn]
        with self._state:
            while self._waiting and sum(len(each.submitted) for each in together) < _TOGETHER:
                together.append(self._waiting.popleft())
        outcomes: list[list[Outcome]] = [[] for _ in together]
        try:
            try:
                outcomes, enclosed = self._work(together)
            finally:
                self._hand_over()
            if not enclosed:
                outcomes = self._settle(outcomes)
        finally:
            # Not before: whoever is tired of waiting looks whether there is an outcome already.
            for each, outcome in zip(together, outcomes, strict=True):
                each.outcomes = outcome
            self._settled()
            for other in together[1:]:
                other.wake()

    def _hand_over(self) -> None:
        with self._state:
            self._unsettled += 1
            if self._waiting:
                following = self._waiting.popleft()
                following.leads = True
                following.wake()
            else:
                self._busy = False

    def _settle(self, outcomes: list[list[Outcome]]) -> list[list[Outcome]]:
        """The same once the disk has them. Where it does not keep them, nothing is promised to anybody."""
        try:
            self._make_durable()
        except Exception as error:
            log.exception("ingest.not_durable", turns=len(outcomes))
            fault = error if isinstance(error, Fault) else Internal("the delivery could not be kept", where="index")
            return [[fault] * len(each) for each in outcomes]
        return outcomes

    def _settled(self) -> None:
        with self._state:
            self._unsettled -= 1
            self._state.notify_all()

    def _work(self, together: Sequence[_Turn]) -> tuple[list[list[Outcome]], bool]:
        """The outcomes of each, and whether all that was indexed is enclosed."""
        archived = iter(
            _all_or_none(self._archive, [each for t in together for each in t.submitted if isinstance(each, Arrived)])
        )
        prepared = [[next(archived) if isinstance(e, Arrived) else e for e in turn.submitted] for turn in together]
        indexed = [each for part in prepared for each in part if isinstance(each, Prepared)]
        indexes = _all_or_none(self._index, indexed)
        receipts = iter(indexes)
        outcomes = [[each if isinstance(each, Fault) else next(receipts) for each in part] for part in prepared]
        return outcomes, all(map(_enclosed, indexed, indexes))


def _enclosed(prepared: Prepared, outcome: Outcome) -> bool:
    """Whether its envelope says all: not of what was refused beside another, nor of what came once more."""
    return (
        prepared.enclosed
        and isinstance(outcome, Receipt)
        and outcome.state is State.INDEXED
        and outcome.received_at == prepared.delivery.origin.received_at
    )


def _all_or_none(work: Callable[[Sequence[_T]], Sequence[_R | Fault]], together: Sequence[_T]) -> Sequence[_R | Fault]:
    """What the work makes of them, or the same fault for each where it could not be done."""
    if not together:
        return ()
    try:
        return work(together)
    except Exception as error:
        log.exception("ingest.commit_failed", deliveries=len(together))
        fault = error if isinstance(error, Fault) else Internal("the delivery could not be indexed", where="index")
        return [fault] * len(together)
