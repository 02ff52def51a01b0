"""Volumes: files of short objects, one behind the other, in which each is found by its digest. Any process may look.

A volume is written over from its start when what it held has got files of its own. A salt in its head tells what
belongs to it now from what is left of before; zeros in its place say that nothing does.
"""

import errno
import hashlib
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Self

# At the start: the salt. Before each content: the salt again, its length in bytes, its SHA-256. Behind it its envelope,
# whose length stands above that of the content, and which begins with its own check sum.
SALT_BYTES = 16
_RECORD = struct.Struct(f"<{SALT_BYTES}sQ32s")
HEAD_BYTES = _RECORD.size
_NOTHING = bytes(SALT_BYTES)
_LENGTH_BITS = 40
_LONGEST, _LONGEST_ENVELOPE = (1 << _LENGTH_BITS) - 1, 1 << 16
_CHECK = struct.Struct("<I")


@dataclass(slots=True)
class Volume:
    """What one file holds, as far as it was looked through. places: offset and length by SHA-256."""

    path: Path
    salt: bytes = _NOTHING
    end: int = SALT_BYTES
    places: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def look(self, file: int) -> Self:
        """Looks through what has come since. The last one may be still on its way; nobody knows its digest then."""
        salt = os.pread(file, SALT_BYTES, 0)
        if salt != self.salt:
            self.salt, self.end, self.places = salt, SALT_BYTES, {}
        for digest, start, length, after in _records(file, salt, self.end):
            # The first that came is whole; the same again may have been cut short.
            self.places.setdefault(digest, (start, length))
            self.end = start + length + after
        return self


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a content lies, or is said to lie: `start` and `length` in bytes of the open file `file`.

    after: bytes of its envelope, behind it; 0 where it has none.
    """

    digest: str
    file: int
    start: int
    length: int
    after: int = 0

    @property
    def end(self) -> int:
        """Where the next begins."""
        return self.start + self.length + self.after

    def read(self) -> bytes:
        """What stands there."""
        return os.pread(self.file, self.length, self.start)

    def envelope(self) -> bytes:
        """What was told of it; nothing where that is not whole."""
        written = os.pread(self.file, self.after, self.start + self.length)
        envelope = written[_CHECK.size :]
        return envelope if written[: _CHECK.size] == _CHECK.pack(zlib.crc32(envelope)) else b""

    def copy(self, target: int) -> None:
        """Appends it to another file, without a look at it. Raises OSError where less is there."""
        done = 0
        while done < self.length:
            moved = os.sendfile(target, self.file, self.start + done, self.length - done)
            if not moved:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            done += moved


def stretches_of(path: Path) -> Iterator[Stretch]:
    """Where each content of a volume lies, in order."""
    with _opened(path) as file:
        for digest, start, length, after in _records(file, os.pread(file, SALT_BYTES, 0), SALT_BYTES):
            yield Stretch(digest.hex(), file, start, length, after)


def whole_stretches_of(path: Path) -> Iterator[tuple[Stretch, bytes]]:
    """The same with each content, up to the first that is not whole.

    There the machine stopped, and what it was writing then was promised to nobody.
    """
    for stretch in stretches_of(path):
        content = stretch.read()
        if hashlib.sha256(content).hexdigest() != stretch.digest:
            return
        yield stretch, content


def contents_of(path: Path) -> Iterator[bytes]:
    """Every whole content of a volume, in order."""
    for _, content in whole_stretches_of(path):
        yield content


def _records(file: int, salt: bytes, place: int) -> Iterator[tuple[bytes, int, int, int]]:
    """The digest, the offset and the length of each content from `place` on, and the length of its envelope."""
    while salt != _NOTHING and len(record := os.pread(file, HEAD_BYTES, place)) == HEAD_BYTES:
        own, lengths, digest = _RECORD.unpack(record)
        length, after = lengths & _LONGEST, lengths >> _LENGTH_BITS
        if own != salt or after > _LONGEST_ENVELOPE:
            return
        yield digest, place + HEAD_BYTES, length, after
        place += HEAD_BYTES + length + after


def _read(file: int, digest: bytes, place: tuple[int, int]) -> bytes | None:
    """The content there; None where it is not whole, or another by now."""
    content = os.pread(file, place[1], place[0])
    return content if hashlib.sha256(content).digest() == digest else None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


class Volumes:
    """The volumes of a folder, whichever processes write them. Used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, Volume] = {}
        self._looking = threading.Lock()

    def find(self, digest: str) -> bytes | None:
        """The content of that digest; None where no volume holds it."""
        name = bytes.fromhex(digest)
        for path in self._paths():
            with suppress(FileNotFoundError), _opened(path) as file:
                with self._looking:
                    place = self._looked(path, file).get(name)
                content = _read(file, name, place) if place else None
                if content is not None:
                    return content
        return None

    def digests(self) -> set[str]:
        """All that they hold."""
        found: set[str] = set()
        for path in self._paths():
            with suppress(FileNotFoundError), _opened(path) as file, self._looking:
                found.update(map(bytes.hex, self._looked(path, file)))
        return found

    def _paths(self) -> list[Path]:
        there: list[Path] = []
        with suppress(FileNotFoundError):
            there = [each for each in self._folder.iterdir() if not each.suffix]
        with self._looking:
            for gone in self._known.keys() - there:
                del self._known[gone]
        return there

    def _looked(self, path: Path, file: int) -> Mapping[bytes, tuple[int, int]]:
        return self._known.setdefault(path, Volume(path)).look(file).places


def pack(salt: bytes, contents: Sequence[bytes], envelopes: Sequence[bytes]) -> tuple[list[str], list[bytes]]:
    """The digests of the contents, and what is written of them: each once for each of its envelopes."""
    digests: list[str] = []
    pieces: list[bytes] = []
    for content, envelope in zip_longest(contents, envelopes, fillvalue=b""):
        digest = hashlib.sha256(content)
        name = digest.hexdigest()
        if envelope:
            after = _CHECK.pack(zlib.crc32(envelope)) + envelope
            pieces += (_RECORD.pack(salt, len(after) << _LENGTH_BITS | len(content), digest.digest()), content, after)
        elif name not in digests:
            pieces += (_RECORD.pack(salt, len(content), digest.digest()), content)
        digests.append(name)
    return digests, pieces
