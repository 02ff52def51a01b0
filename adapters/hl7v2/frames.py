"""MLLP framing: 0x0B … 0x1C 0x0D, out of whatever pieces a socket gives. Source: HL7 MLLP release 1, 2.

Bytes outside frames (heartbeats, stray line ends) mean nothing and are skipped. An end block without its carriage
return ends the frame all the same, once it is clear that no text follows it.
"""

from schemas.faults import InvalidPayload

from .batch import END, START

_END, _CARRIAGE_RETURN, _FIRST_PRINTABLE = 0x1C, 0x0D, 0x20
_RESTART = b"\x0bMSH"


def framed(payload: bytes) -> bytes:
    """`payload` as a frame to send."""
    return START + payload + END + b"\r"


class FrameDecoder:
    """Give it bytes as they come, ask it for frames. Holds at most one frame and one read beyond it.

    strays: bytes seen outside frames. abandoned: frames that were begun and never ended before the next began.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._scanned = 0
        self.strays = 0
        self.abandoned = 0

    @property
    def inside(self) -> bool:
        """A frame has begun and has not ended."""
        return self._inside

    @property
    def held(self) -> int:
        """How many bytes it keeps."""
        return len(self._buffer)

    @property
    def begun(self) -> bytes:
        """The beginning of an unfinished frame: enough to find out who sends it."""
        return bytes(self._buffer[:4096]) if self._inside else b""

    @property
    def undecided(self) -> bool:
        """An end block is the last byte that came: the carriage return behind it may be late or may never come."""
        return self._inside and self._buffer[-1:] == END

    def feed(self, content: bytes | memoryview) -> None:
        """Takes what the socket gave."""
        self._buffer += content

    def next_frame(self, *, settle: bool = False) -> bytes | None:
        """The next complete frame's payload, None when more bytes are needed.

        settle: nothing more is coming for now, so an end block at the end of the buffer counts. Raises InvalidPayload
        for a frame that is longer than the limit.
        """
        if not self._inside and not self._enter():
            return None
        stop = self._find_end(settle=settle)
        if stop < 0:
            self._check(len(self._buffer))
            return None
        self._check(stop)
        with memoryview(self._buffer) as whole:
            payload = bytes(whole[:stop])
        del self._buffer[: stop + 1 + (self._buffer[stop + 1 : stop + 2] == b"\r")]
        self._inside = False
        return self._last_begun(payload)

    def _enter(self) -> bool:
        start = self._buffer.find(START)
        self.strays += start if start >= 0 else len(self._buffer)
        del self._buffer[: start + 1 if start >= 0 else len(self._buffer)]
        self._inside = start >= 0
        self._scanned = 0
        return self._inside

    def _find_end(self, *, settle: bool) -> int:
        """Where the frame ends. An end block with text behind it is part of a text, as some free texts hold one."""
        while (stop := self._buffer.find(END, self._scanned)) >= 0:
            if stop + 1 == len(self._buffer):
                self._scanned = stop
                return stop if settle else -1
            if self._buffer[stop + 1] < _FIRST_PRINTABLE:
                return stop
            self._scanned = stop + 1
        self._scanned = len(self._buffer)
        return -1

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise InvalidPayload(f"expected a frame of at most {self._limit} bytes")

    def _last_begun(self, payload: bytes) -> bytes:
        # A sender that lost its line begins again: what it had begun was never acknowledged and comes whole now.
        restart = payload.rfind(_RESTART)
        if restart < 0:
            return payload
        self.abandoned += 1
        return payload[restart + 1 :]
