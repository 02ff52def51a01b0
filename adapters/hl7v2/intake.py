"""Messages of all connections on their way to custody, and the acknowledgements on their way back."""

import asyncio
import io
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from schemas.delivery import Channel, Claim, Deliver, DeliverTogether, Delivery, Format, Identify, Origin, Receipt
from schemas.faults import Fault, Internal

from .ack import acknowledgements
from .header import Header, header

log = structlog.get_logger()

# What is longer is read beside the others, who would wait for it.
_SMALL = 128 << 10
_TOGETHER = 64
_BESIDE = 16


@dataclass(slots=True)
class Sent:
    """A message as it came. answer: called once, with the acknowledgements that its sender is owed."""

    content: bytes
    address: str
    certificate: frozenset[str] | None
    answer: Callable[[list[bytes]], None]

    def let_go(self) -> "_Content":
        """The content, kept here no longer: the reader must not need its memory beside that of the bytes."""
        content, self.content = _Content(self.content), b""
        return content


class Intake:
    """Takes what connections of one event loop hand in: small messages together, large ones each in a thread.

    together: takes several deliveries at once, in the loop's own thread: a second thread would make both slower, as
      an interpreter runs one at a time. Without it every message has a thread of its own.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deliver: Deliver,
        identify: Identify,
        together: DeliverTogether | None = None,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._identify = identify
        self._together = together
        self._waiting: deque[Sent] = deque()
        self._called = False
        self._beside = ThreadPoolExecutor(_BESIDE, "mllp-delivery")

    def take(self, sent: Sent) -> None:
        """Brings it to custody, soon."""
        if self._together is None or len(sent.content) > _SMALL:
            self._beside.submit(self._alone, sent)
            return
        self._waiting.append(sent)
        if not self._called:
            self._called = True
            # Not at once: other connections may have something too, and all is cheaper together.
            self._loop.call_soon(self._loop.call_soon, self._work)

    def close(self) -> None:
        """Frees the threads; nothing is handed in any more."""
        self._beside.shutdown(wait=False, cancel_futures=True)

    def _work(self) -> None:
        begun = time.perf_counter()
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
        heads = [header(sent.content) for sent in batch]
        outcomes = self._delivered(batch, heads)
        took_s = time.perf_counter() - begun
        for sent, head, outcome in zip(batch, heads, outcomes, strict=True):
            sent.answer(_acknowledged(head, outcome, took_s))
        self._called = bool(self._waiting)
        if self._called:
            self._loop.call_soon(self._work)

    def _delivered(self, batch: Sequence[Sent], heads: Sequence[Header]) -> list[Receipt | Fault]:
        assert self._together is not None
        origins: dict[Claim, Origin | Fault] = {}
        outcomes: list[Receipt | Fault | Delivery] = []
        for sent, head in zip(batch, heads, strict=True):
            claim = _claim(sent, head)
            if claim not in origins:
                origins[claim] = self._known(claim)
            origin = origins[claim]
            delivery = origin if isinstance(origin, Fault) else _delivery(origin, head, io.BytesIO(sent.content))
            outcomes.append(delivery)
        deliveries = [each for each in outcomes if isinstance(each, Delivery)]
        try:
            taken = iter(self._together(deliveries))
        except Exception as error:  # noqa: BLE001 - the edge, see _fault_of
            taken = iter([_fault_of(error)] * len(deliveries))
        return [next(taken) if isinstance(each, Delivery) else each for each in outcomes]

    def _known(self, claim: Claim) -> Origin | Fault:
        try:
            return self._identify(claim)
        except Exception as error:  # noqa: BLE001 - the edge, see _fault_of
            return _fault_of(error)

    def _alone(self, sent: Sent) -> None:
        """In a thread of its own."""
        begun = time.perf_counter()
        head = header(sent.content)
        outcome: Receipt | Fault
        try:
            outcome = self._deliver(_delivery(self._identify(_claim(sent, head)), head, sent.let_go()))
        except Exception as error:  # noqa: BLE001 - the edge, see _fault_of
            outcome = _fault_of(error)
        answers = _acknowledged(head, outcome, time.perf_counter() - begun)
        self._loop.call_soon_threadsafe(sent.answer, answers)


class _Content(io.BytesIO):
    """A message's bytes, let go when they have been read to their end: by then custody has them."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found and size:
            self.seek(0)
            self.truncate()
        return found


def _claim(sent: Sent, head: Header) -> Claim:
    return Claim(Channel.MLLP, head.facility[:200], sent.address, sent.certificate)


def _delivery(origin: Origin, head: Header, content: BinaryIO) -> Delivery:
    return Delivery(origin, Format.HL7V2, content, head.control_id[:200])


def _fault_of(error: Exception) -> Fault:
    """The edge: a fault of ours must not cost the sender its connection. Its text could hold patient data."""
    if isinstance(error, Fault):
        return error
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    log.error("mllp.delivery_failed", error=type(error).__name__, at=places)
    return Internal("something went wrong here, send again later")


def _acknowledged(head: Header, outcome: Receipt | Fault, took_s: float) -> list[bytes]:
    receipt = None if isinstance(outcome, Fault) else outcome
    fault = outcome if isinstance(outcome, Fault) else outcome.fault
    if fault:
        took_ms = round(took_s * 1e3, 1)
        log.info("mllp.refused", category=fault.category.value, where=fault.where, took_ms=took_ms)
    return acknowledgements(head, fault, receipt)
