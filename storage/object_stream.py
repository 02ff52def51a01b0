"""What every store shares when it gives bytes back."""

import re
from collections.abc import Callable, Iterator

from schemas.faults import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether this is the SHA-256 of something, written as we write it."""
    return _DIGEST.fullmatch(text) is not None


def known(digest: str) -> str:
    """The digest itself, once it is sure to be one: nothing else ever becomes a path or a key."""
    if not is_digest(digest):
        raise absent()
    return digest


def absent() -> NotFound:
    """The one answer for an object that is not here."""
    return NotFound("no object of that digest in the store")


class Pieces(Iterator[bytes]):
    """A range in pieces, from a source that is already open.

    Not a generator: a missing object shows before the first piece, and the source is closed at the end of the range, on
    `close`, and when a reader that went away is forgotten.
    """

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None], length: int | None, chunk: int) -> None:
        self._read = read
        self._close: Callable[[], None] | None = close
        self._left = length
        self._chunk = chunk

    def __next__(self) -> bytes:
        want = self._chunk if self._left is None else min(self._chunk, self._left)
        piece = self._read(want) if want and self._close else b""
        if not piece:
            self.close()
            raise StopIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Let go of the source; what was not read stays unread."""
        close, self._close = self._close, None
        if close:
            close()

    def __del__(self) -> None:
        self.close()
