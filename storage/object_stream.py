"""What every store shares when it gives bytes back."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

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


def within(there: int, length: int | None) -> int:
    """How many bytes of a range there are: all from its start on where it has no length."""
    return max(there if length is None else min(length, there), 0)


class Pieces(Iterator[bytes]):
    """A range in pieces, from a source that is already open.

    Not a generator: a missing object shows before the first piece, and the source is closed at the end of the range, on
    `close`, and when a reader that went away is forgotten. left: how many bytes are still to come.
    """

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None], left: int, chunk: int) -> None:
        self._read = read
        self._close: Callable[[], None] | None = close
        self.left = left
        self._chunk = chunk
        self._ahead = b""

    def __next__(self) -> bytes:
        piece, self._ahead = self._ahead or self._take(), b""
        if not piece:
            self.close()
            raise StopIteration
        self.left -= len(piece)
        return piece

    def _take(self) -> bytes:
        want = min(self._chunk, self.left)
        return self._read(want) if want and self._close else b""

    def peek(self, count: int) -> bytes:
        """What comes first, so many bytes where there are so many, without taking them."""
        count = min(count, self.left)
        while len(self._ahead) < count and (more := self._read(count - len(self._ahead))):
            self._ahead += more
        return self._ahead[:count]

    def close(self) -> None:
        """Let go of the source; what was not read stays unread."""
        close, self._close = self._close, None
        if close:
            close()

    def __del__(self) -> None:
        self.close()


class FilePieces(Pieces):
    """The same of a file that nobody changes: whoever can take the bytes from there need not read them.

    offset: where the next byte stands.
    """

    def __init__(self, source: BinaryIO, offset: int, length: int | None, chunk: int) -> None:
        self._file, self.offset = source.fileno(), offset
        there = os.fstat(self._file).st_size - offset
        super().__init__(source.read, source.close, within(there, length), chunk)

    def _take(self) -> bytes:
        piece = os.pread(self._file, min(self._chunk, self.left), self.offset) if self._close else b""
        self.offset += len(piece)
        return piece

    def peek(self, count: int) -> bytes:
        """What comes first."""
        return os.pread(self._file, min(count, self.left), self.offset)

    def fileno(self) -> int:
        """Its descriptor, open until `close`."""
        return self._file


def sha256_of(pieces: Iterable[bytes]) -> str:
    """In hexadecimal, of what they are together."""
    counted = hashlib.sha256()
    for piece in pieces:
        counted.update(piece)
    return counted.hexdigest()
