"""P-DATA as fragments of commands and data sets, in and out. Source: DICOM PS3.8 section 9.3.5, annex E."""

import io
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from .line import Line
from .pdu import (
    ABORT,
    HEAD,
    MAX_PDU,
    P_DATA,
    RELEASE_REPLY,
    RELEASE_RQ,
    UNEXPECTED_PDU,
    UNRECOGNISED_PDU,
    Ended,
    Violation,
)

# A command set holds a few UIDs and AE titles.
MAX_COMMAND = 64 << 10
# What we send at a time to a peer that takes anything.
_LARGEST = 128 << 10
_SMALLEST = 32
COMMAND, LAST = 0x01, 0x02
PDV = Struct(">LBB")
_OUT = Struct(">BxLLBB")
_TYPES = range(1, 8)


class Inbound:
    """The fragments of one peer, in the order in which they come. None ever stands in memory because it says so."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._in_pdu = 0
        self.left = 0
        self.context = self.control = 0

    @property
    def between_pdus(self) -> bool:
        """Whether nothing of a PDU is left to be read."""
        return not (self._in_pdu or self.left)

    def command(self) -> tuple[int, bytes]:
        """The next command set and the number of its context. Raises Ended where the peer has come to its end."""
        self.next()
        context, found = self.context, bytearray()
        while True:
            if not self.control & COMMAND:
                raise Violation("a data set came without a command")
            if len(found) + self.left > MAX_COMMAND:
                raise Violation("a command set is longer than any")
            found += self._line.exactly(self.left)
            self.left = 0
            if self.control & LAST:
                return context, bytes(found)
            self.next(context)

    def next(self, context: int | None = None) -> None:
        """Go to the next fragment, within the message of that context where one is begun."""
        while not self._in_pdu:
            self._pdu(within=context is not None)
        length, number, self.control = PDV.unpack(self._line.exactly(6))
        if length < 2 or length + 4 > self._in_pdu:
            raise Violation("a fragment does not fit its PDU")
        if context is not None and number != context:
            raise Violation("fragments of two messages are mixed")
        self.context = number
        self.left = length - 2
        self._in_pdu -= length + 4

    def _pdu(self, *, within: bool) -> None:
        if within:
            self._line.allow()
        kind, length = HEAD.unpack(self._line.exactly(6))
        self._line.allow()
        if kind == P_DATA:
            if length > MAX_PDU or 0 < length < 6:
                raise Violation("a P-DATA of a length that cannot be")
            self._in_pdu = length
            return
        if kind not in _TYPES:
            raise Violation("no PDU of the upper layer", UNRECOGNISED_PDU)
        if kind == ABORT:
            raise Ended("the peer aborted")
        if kind != RELEASE_RQ or within or length != 4:
            raise Violation("a PDU that has no place here", UNEXPECTED_PDU)
        self._line.exactly(length)
        self._line.send(RELEASE_REPLY)
        raise Released("released")

    def take(self, most: int) -> bytes:
        """Some of the fragment that is being read."""
        piece = self._line.some(min(most, self.left))
        self.left -= len(piece)
        return piece

    @property
    def last(self) -> bool:
        """Whether it is the last one of its data set. Raises Violation for one of a command."""
        if self.control & COMMAND:
            raise Violation("a command stands within a data set")
        return bool(self.control & LAST)


class Released(Ended):
    """The peer asked for the association's release and was answered."""


class DataSet(io.RawIOBase):
    """A data set as it arrives, still encoded; read once. Whoever reads it waits for the peer.

    Raises Ended, also where the peer breaks the protocol in the middle: what was read then is worth nothing.
    """

    def __init__(self, inbound: Inbound, context: int) -> None:
        super().__init__()
        self._inbound = inbound
        self._context = context
        self._begun = self._last = self._done = False
        self._before = b""

    def preceded(self, before: bytes) -> BinaryIO:
        """The same with these bytes before it."""
        self._before = before
        return self  # type: ignore[return-value]

    def readable(self) -> bool:
        """It is for reading alone."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """At most so many bytes, what has come first; none at the end. All of them for -1."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        before, self._before = self._before[:size], self._before[size:]
        size -= len(before)
        if not size or not self._more():
            return before
        piece = self._inbound.take(size)
        return before + piece if before else piece

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        """For readers that bring their own place."""
        piece = self.read(len(target))
        target[: len(piece)] = piece
        return len(piece)

    def _more(self) -> bool:
        """Whether there is more to read; goes on to the next fragment where one is at its end."""
        inbound = self._inbound
        while not self._done:
            if self._begun and inbound.left:
                return True
            if self._begun and self._last:
                self._done = True
                break
            inbound.next(self._context)
            self._begun, self._last = True, inbound.last
        return False

    def drain(self) -> None:
        """Read what is left, for the message behind it."""
        self._before = b""
        while self.read(1 << 20):
            pass


def outgoing(context: int, command: bytes, data: bytes | BinaryIO | None, max_length: int) -> Iterator[bytes]:
    """A message as P-DATA PDUs, each no longer than `max_length` (0: whatever we like)."""
    room = max(min(max_length or _LARGEST, _LARGEST) - 6, _SMALLEST)
    yield b"".join(_fragments(context, COMMAND, [command[at : at + room] for at in range(0, len(command), room)]))
    if data is None:
        return
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    piece = source.read(room)
    while True:
        following = source.read(room) if piece else b""
        control = 0 if following else LAST
        yield _OUT.pack(P_DATA, len(piece) + 6, len(piece) + 2, context, control) + piece
        if not following:
            return
        piece = following


def _fragments(context: int, control: int, pieces: list[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces, start=1):
        last = LAST if number == len(pieces) else 0
        yield _OUT.pack(P_DATA, len(piece) + 6, len(piece) + 2, context, control | last) + piece
