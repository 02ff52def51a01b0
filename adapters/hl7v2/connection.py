"""One MLLP connection: frames in, deliveries on, acknowledgements back, in the order in which they came."""

import contextlib
import io
import socket
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from adapters.tls import hang_up
from schemas.delivery import Channel, Claim, Deliver, Delivery, Format, Identify, Receipt
from schemas.faults import Busy, Fault, Internal, InvalidPayload

from .ack import acknowledgements
from .batch import messages
from .budget import Share
from .frames import FrameDecoder, framed
from .header import Header, header

log = structlog.get_logger()

MAX_BYTES = 64 * 1024 * 1024
_READ = 64 * 1024
# Two reads: most messages are done with by then, and never ask for a part of what all connections share.
FREE_BYTES = 2 * _READ
# How long an end block waits for its carriage return, which some senders leave out, before it counts without.
_SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may ask of us. max_bytes, frame_timeout_s: of one frame, from its first byte to its last.

    memory_bytes: of the unfinished frames of all peers together.
    """

    max_bytes: int = MAX_BYTES
    memory_bytes: int = 4 * MAX_BYTES
    frame_timeout_s: float = 60.0
    idle_timeout_s: float = 3600.0
    send_timeout_s: float = 30.0
    max_connections: int = 200
    stop_timeout_s: float = 30.0
    handshake_timeout_s: float = 10.0


class _Content(io.BytesIO):
    """A message's bytes, let go when they have been read to their end: by then custody has them."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found and size:
            self.seek(0)
            self.truncate()
        return found


def _opened(message: bytes) -> tuple[Header, BinaryIO]:
    return header(message), _Content(message)


class Connection:
    """Serves one peer until it goes, breaks a limit, or `stopping` is set."""

    def __init__(
        self,
        line: socket.socket,
        address: str,
        deliver: Deliver,
        identify: Identify,
        limits: Limits,
        stopping: threading.Event,
        share: Share,
        certificate: frozenset[str] | None = None,
    ) -> None:
        self._line = line
        self._address = address
        self._certificate = certificate
        self._deliver = deliver
        self._identify = identify
        self._limits = limits
        self._stopping = stopping
        self._share = share
        self._decoder = FrameDecoder(limits.max_bytes)
        self._frame_began = 0.0
        # Since when it waits for a peer that has begun nothing; None while there is work on it. Monotonic seconds.
        self.idle_since: float | None = time.monotonic()

    def serve(self) -> None:
        """Returns when the connection is to be closed."""
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            while self._serve_once():
                pass
        except OSError as gone:
            log.debug("mllp.connection_lost", error=type(gone).__name__)
        finally:
            self._share.give_back()
        if self._decoder.strays or self._decoder.abandoned:
            log.debug("mllp.noise", strays=self._decoder.strays, abandoned=self._decoder.abandoned)

    def _serve_once(self) -> bool:
        """Reads once and answers every frame that is complete; False when the connection is to be closed."""
        settle = False
        try:
            self._line.settimeout(self._patience())
            self._share.cover(self._decoder.held + _READ, self._frame_began + self._limits.frame_timeout_s)
            content = self._line.recv(_READ)
            self.idle_since = None
            if not content:
                return False
            self._decoder.feed(content)
        except TimeoutError:
            if not self._decoder.undecided:
                return self._out_of_time()
            settle = True
        except Busy as fault:
            self._refuse(fault)
            return False
        return self._answer_frames(settle=settle)

    def _patience(self) -> float:
        """Seconds to wait for the next bytes."""
        if self._decoder.undecided:
            return _SETTLE_S
        if not self._decoder.inside:
            self._frame_began = 0.0
            return self._limits.idle_timeout_s
        self._frame_began = self._frame_began or time.monotonic()
        return max(0.001, self._frame_began + self._limits.frame_timeout_s - time.monotonic())

    def _out_of_time(self) -> bool:
        if self._decoder.inside:
            self._refuse(Busy("expected the end of the frame, it did not come in time"))
        return False

    def _answer_frames(self, *, settle: bool) -> bool:
        while not self._stopping.is_set():
            try:
                frame = self._decoder.next_frame(settle=settle)
            except InvalidPayload as fault:
                self._refuse(fault)
                return False
            if frame is None:
                if not self._decoder.inside:
                    self.idle_since = time.monotonic()
                return True
            self._frame_began = 0.0
            # An empty frame is a heartbeat of sorts: nothing to keep, nothing to answer.
            waiting = deque(messages(frame) if frame and not frame.isspace() else ())
            del frame
            if waiting:
                self._answer(waiting)
            self._share.give_back(self._decoder.held)
        return False

    def _answer(self, waiting: deque[bytes]) -> None:
        """Delivers the messages of a frame, a batch perhaps, one after another; the answers go in the same order."""
        self.idle_since = None
        # Each is let go as it is delivered: the reader must not need its memory beside that of the bytes.
        answers = b"".join(framed(answer) for _ in range(len(waiting)) for answer in self._taken(waiting))
        # Before the answer is out: whoever has it knows that nothing is begun here any more.
        self.idle_since = time.monotonic()
        if answers:
            self._send(answers)

    def _taken(self, waiting: deque[bytes]) -> list[bytes]:
        """Hands the next message to custody; the acknowledgements that its sender is owed."""
        began = time.perf_counter()
        head, content = _opened(waiting.popleft())
        receipt: Receipt | None = None
        fault: Fault | None
        try:
            receipt = self._deliver(self._delivery(head, content))
            fault = receipt.fault
        except Fault as refusal:
            fault = refusal
        except Exception as error:  # noqa: BLE001 - the edge, see below
            # The edge: a fault of ours must not cost the sender its connection. Its text could hold patient data.
            places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
            log.error("mllp.delivery_failed", error=type(error).__name__, at=places)
            fault = Internal("something went wrong here, send again later")
        if fault:
            took_ms = round((time.perf_counter() - began) * 1e3, 1)
            log.info("mllp.refused", category=fault.category.value, where=fault.where, took_ms=took_ms)
        return acknowledgements(head, fault, receipt)

    def _delivery(self, head: Header, content: BinaryIO) -> Delivery:
        origin = self._identify(Claim(Channel.MLLP, head.facility[:200], self._address, self._certificate))
        return Delivery(origin, Format.HL7V2, content, head.control_id[:200])

    def _refuse(self, fault: Fault) -> None:
        """Tells the sender of an unfinished frame as much as its beginning allows, AR, before the line is closed."""
        log.warning("mllp.frame_refused", reason=fault.text)
        head = header(self._decoder.begun)
        refusal = Busy(fault.text) if not isinstance(fault, Busy) else fault
        for answer in acknowledgements(head, refusal, None):
            self._send(framed(answer))
        # Closing with unread bytes in the buffer would reset the line before the answer is read.
        with contextlib.suppress(OSError):
            self._line.settimeout(1.0)
            hang_up(self._line)
            for _ in range(64):
                if not socket.socket.recv(self._line, _READ):
                    break

    def _send(self, content: bytes) -> None:
        self._line.settimeout(self._limits.send_timeout_s)
        self._line.sendall(content)
