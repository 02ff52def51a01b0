"""A connection read in large pieces and never for longer than a peer may take. Plain or TLS."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from struct import pack
from typing import TypeVar

from .pdu import Ended

# What is shorter is read through the buffer, many pieces at a time; what is longer comes straight into its own place.
_BUFFER = 1 << 16
_DIRECT = 1 << 14
# A wait is looked at so often at least: whether its time is up.
_TICK_S = 5.0
_Got = TypeVar("_Got", int, bytes)


class Line:
    """One peer's bytes. What it is waited for is counted, not what we take to work on what came."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        self._socket = connection
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._timeout_s = timeout_s
        self._patience_s = timeout_s
        self._encrypted = isinstance(connection, ssl.SSLSocket)
        # MSG_WAITALL: one call a fragment instead of one a packet.
        self._whole = () if self._encrypted else (socket.MSG_WAITALL,)
        self._limit()

    def _limit(self) -> None:
        """Time limits in the kernel, where there is no TLS: Python's own cost another system call each time."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        tick = min(_TICK_S, self._timeout_s)
        if self._encrypted:
            self._socket.settimeout(tick)
            return
        self._socket.settimeout(None)
        for option, seconds in ((socket.SO_RCVTIMEO, tick), (socket.SO_SNDTIMEO, self._timeout_s)):
            limit = pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, option, limit)

    @property
    def plain(self) -> socket.socket | None:
        """The connection, where it has no TLS and nothing of it is read already."""
        return None if self._encrypted or self._start < self._end else self._socket

    def restore(self, come: bytes) -> None:
        """Bytes of the peer that somebody else has read: they are the next."""
        if come:
            self._buffer = bytearray(max(len(come), _BUFFER))
            self._buffer[: len(come)] = come
            self._view = memoryview(self._buffer)
            self._start, self._end = 0, len(come)

    def allow(self, seconds: float | None = None) -> None:
        """From now on so long, or the usual time, may be waited for what is read next."""
        self._patience_s = self._timeout_s if seconds is None else seconds

    def exactly(self, count: int) -> bytes:
        """So many bytes, no more than a PDU's. Raises Ended."""
        if self._end - self._start < count:
            return self._gathered(count)
        start = self._start
        self._start = start + count
        return bytes(self._view[start : self._start])

    def _gathered(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            found += self.some(count - len(found))
        return bytes(found)

    def some(self, most: int) -> bytes:
        """Between one byte and `most`, as they come. Raises Ended."""
        if self._start == self._end:
            if most >= _DIRECT:
                return self._received(most)
            self._fill()
        start = self._start
        self._start = min(self._end, start + most)
        return bytes(self._view[start : self._start])

    def _fill(self) -> None:
        self._start, self._end = 0, self._waited(lambda: self._socket.recv_into(self._buffer))

    def _received(self, most: int) -> bytes:
        return self._waited(lambda: self._socket.recv(most, *self._whole))

    def _waited(self, receive: Callable[[], _Got]) -> _Got:
        while True:
            began = time.monotonic()
            got: _Got | None = None
            try:
                got = receive()
            except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
                pass
            except (OSError, ValueError) as error:
                raise Ended("the connection was lost") from error
            self._patience_s -= time.monotonic() - began
            if got is not None and not got:
                raise Ended("the peer closed the connection")
            if self._patience_s <= 0:
                raise Ended("the peer was too slow")
            if got is not None:
                return got

    def ready(self) -> bool:
        """Whether something can be read without waiting."""
        if self._start < self._end or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return True
        try:
            return bool(select.select([self._socket], [], [], 0)[0])
        except (OSError, ValueError):
            return True  # reading will tell

    def send(self, content: bytes) -> None:
        """All of it, or Ended."""
        try:
            if self._encrypted:
                self._socket.settimeout(self._timeout_s)
            self._socket.sendall(content)
            if self._encrypted:
                self._socket.settimeout(min(_TICK_S, self._timeout_s))
        except (OSError, ValueError) as error:
            raise Ended("the peer does not read what is sent to it") from error
