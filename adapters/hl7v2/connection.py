"""One MLLP connection: frames in, messages on to custody, acknowledgements back, in the order in which they came."""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import structlog

from adapters.tls import identities
from schemas.faults import Busy, Fault, InvalidPayload

from .ack import acknowledgements
from .batch import messages
from .budget import Budget
from .frames import FrameDecoder, framed
from .header import header
from .intake import Sent

log = structlog.get_logger()

MAX_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
# Two reads: most messages are done with by then, and never ask for a part of what all connections share.
FREE_BYTES = 2 * READ_BYTES
# How long an end block waits for its carriage return, which some senders leave out, before it counts without.
_SETTLE_S = 0.1
# How long, and how much, is read after a refusal: closing with unread bytes would reset the line before the peer has
# read the answer.
_HEAR_OUT_S = 1.0
_HEAR_OUT_BYTES = 64 * READ_BYTES


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


@dataclass(frozen=True, slots=True)
class House:
    """What the connections of a listener have in common. buffer: what the line gives, taken out before the next read.

    take: brings a message to custody. over: told of a connection that has ended.
    """

    loop: asyncio.AbstractEventLoop
    limits: Limits
    budget: Budget
    buffer: memoryview
    take: Callable[[Sent], None]
    over: Callable[["Connection"], None]


class Connection(asyncio.BufferedProtocol):
    """Serves one peer until it goes, breaks a limit, or is told to end. One message of it is in custody at a time."""

    def __init__(self, house: House, address: str) -> None:
        self._house = house
        self._address = address
        # What the peer has proven of itself; None where nobody asked.
        self._certificate: frozenset[str] | None = None
        self._share = house.budget.share(self._go_on)
        self._decoder = FrameDecoder(house.limits.max_bytes)
        # Of the frame in hand, a batch perhaps: what is still to be brought to custody, and what goes back.
        self._waiting: deque[bytes] = deque()
        self._answers: list[bytes] = []
        self._in_custody = False
        self._told_to_end = self._peer_ended = False
        # Of a refused frame: how many bytes came since; None before that.
        self._heard_out: int | None = None
        # By the loop's clock: since when the peer takes no answers, when it last sent, when its frame began. 0: not.
        self._choked_since = self._fed_at = self._frame_began = 0.0
        # Since when it waits for a peer that has begun nothing; None while there is work on it.
        self.idle_since: float | None = house.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._line: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From here on it is served."""
        self._line = cast(asyncio.Transport, transport)
        encrypted: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if encrypted and encrypted.context.verify_mode is ssl.CERT_REQUIRED:
            self._certificate = identities(encrypted)
        self._go_on()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        del sizehint
        return self._house.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """The next bytes are there."""
        if self._heard_out is not None:
            self._heard_out += nbytes
            if self._heard_out > _HEAR_OUT_BYTES:
                self._close()
            return
        self.idle_since = None
        self._fed_at = self._house.loop.time()
        self._decoder.feed(self._house.buffer[:nbytes])
        self._go_on()

    def eof_received(self) -> bool:
        """The peer sends nothing more. What it sent is answered, where it still listens."""
        if self._heard_out is not None:
            return False
        self._peer_ended = True
        self._go_on()
        return True

    def pause_writing(self) -> None:
        """The peer is slow to take its answers."""
        self._choked_since = self._house.loop.time()
        self._watch()

    def resume_writing(self) -> None:
        """The peer has taken them."""
        self._choked_since = 0.0
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone. What is in custody stays there."""
        if exc is not None:
            log.debug("mllp.connection_lost", error=type(exc).__name__)
        if self._decoder.strays or self._decoder.abandoned:
            log.debug("mllp.noise", strays=self._decoder.strays, abandoned=self._decoder.abandoned)
        self._line = None
        self._waiting.clear()
        self._share.give_back()
        if self._timer:
            self._timer.cancel()
        if not self._in_custody:
            self._house.over(self)

    def abort(self) -> None:
        """Ends at once."""
        if self._line:
            self._line.abort()

    def end(self) -> None:
        """Takes nothing more; the frame that is in custody is answered still."""
        self._told_to_end = True
        self._go_on()

    def _go_on(self) -> None:
        """Whatever can be done now: bring the next message to custody, wait for more, or end."""
        if self._line is None or self._in_custody or self._choked_since or self._heard_out is not None:
            self._read_on()
            return
        try:
            found = bool(self._waiting) or self._next_frame(settle=self._peer_ended)
        except InvalidPayload as fault:
            self._refuse(fault)
            return
        if found:
            self._bring()
        elif self._told_to_end or self._peer_ended:
            self._close()
        else:
            self._wait()

    def _next_frame(self, *, settle: bool) -> bool:
        """Whether there is one with something in it."""
        while not self._told_to_end and (frame := self._decoder.next_frame(settle=settle)) is not None:
            self._frame_began = 0.0
            # An empty frame is a heartbeat of sorts: nothing to keep, nothing to answer.
            if frame and not frame.isspace():
                self._waiting.extend(messages(frame))
                return True
        return False

    def _bring(self) -> None:
        self._in_custody = True
        self._read_on()
        # It is let go as it is brought: the reader must not need its memory beside that of the bytes.
        self._house.take(Sent(self._waiting.popleft(), self._address, self._certificate, self._answered))

    def _answered(self, answers: list[bytes]) -> None:
        self._in_custody = False
        self._answers += answers
        if self._line is None:
            self._house.over(self)
            return
        if not self._waiting:
            self._share.give_back(self._decoder.held)
            # Before the answer is out: whoever has it knows that nothing is begun here any more.
            self.idle_since = self._house.loop.time()
            self._line.write(b"".join(framed(answer) for answer in self._answers))
            self._answers.clear()
        self._go_on()

    def _wait(self) -> None:
        now = self._house.loop.time()
        if self._decoder.inside:
            self._frame_began = self._frame_began or now
        elif self.idle_since is None:
            self.idle_since = now
        self._read_on()
        self._watch()

    def _read_on(self) -> None:
        """Reads, unless there is enough to do already or no room for more."""
        if self._line is None:
            return
        ahead = self._in_custody and self._decoder.held >= READ_BYTES
        if self._heard_out is not None or (not ahead and self._share.cover(self._decoder.held + READ_BYTES)):
            self._line.resume_reading()
        else:
            self._line.pause_reading()

    def _deadline(self) -> float:
        """When its patience ends, by the loop's clock."""
        limits = self._house.limits
        if self._choked_since:
            return self._choked_since + limits.send_timeout_s
        if self._in_custody or self._waiting:
            return math.inf
        if self._decoder.undecided:
            return self._fed_at + _SETTLE_S
        if self._decoder.inside:
            return self._frame_began + limits.frame_timeout_s
        return (self.idle_since or self._fed_at) + limits.idle_timeout_s

    def _watch(self) -> None:
        """Looks at the connection again when its patience ends. A timer that comes too early is left as it is."""
        at = self._deadline()
        if at < math.inf and (self._timer is None or self._timer.when() > at):
            if self._timer:
                self._timer.cancel()
            self._timer = self._house.loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline() > self._house.loop.time():
            self._watch()
        elif self._choked_since:
            self.abort()
        elif self._decoder.undecided and self._next_frame(settle=True):
            self._bring()
        elif self._share.waits:
            self._refuse(Busy("too many large messages at this moment; send it again later"))
        elif self._decoder.inside:
            self._refuse(Busy("expected the end of the frame, it did not come in time"))
        else:
            self._close()

    def _refuse(self, fault: Fault) -> None:
        """Tells the sender of an unfinished frame as much as its beginning allows, AR, before the line is closed."""
        log.warning("mllp.frame_refused", reason=fault.text)
        if self._line is None:
            return
        refusal = fault if isinstance(fault, Busy) else Busy(fault.text)
        answers = acknowledgements(header(self._decoder.begun), refusal, None)
        self._line.write(b"".join(framed(answer) for answer in answers))
        if self._line.can_write_eof():
            self._line.write_eof()
        self._heard_out = 0
        self._share.give_back()
        self._read_on()
        if self._timer:
            self._timer.cancel()
        self._timer = self._house.loop.call_later(_HEAR_OUT_S, self._close)

    def _close(self) -> None:
        if self._line:
            self._line.close()
