"""Volumes: files of short objects, one behind the other, in which each is found by its digest. Any process may look.

A volume is written over from its start when what it held has got files of its own. A salt in its head tells what
belongs to it now from what is left of before; zeros in its place say that nothing does.
"""

import hashlib
import os
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

# At the start: the salt. Before each content: the salt again, its length in bytes, its SHA-256.
SALT_BYTES = 16
_RECORD = struct.Struct(f"<{SALT_BYTES}sQ32s")
HEAD_BYTES = _RECORD.size
_NOTHING = bytes(SALT_BYTES)
_LARGEST = 1 << 40


@dataclass(slots=True)
class Volume:
    """What one file holds, as far as it was looked through. places: offset and length by digest."""

    path: Path
    salt: bytes = _NOTHING
    end: int = SALT_BYTES
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, file: int) -> Self:
        """Looks through what has come since. The last one may be still on its way; nobody knows its digest then."""
        salt = os.pread(file, SALT_BYTES, 0)
        if salt != self.salt:
            self.salt, self.end, self.places = salt, SALT_BYTES, {}
        while salt != _NOTHING and len(record := os.pread(file, HEAD_BYTES, self.end)) == HEAD_BYTES:
            own, length, digest = _RECORD.unpack(record)
            if own != salt or length > _LARGEST:
                break
            # The first that came is whole; the same again may have been cut short.
            self.places.setdefault(digest.hex(), (self.end + HEAD_BYTES, length))
            self.end += HEAD_BYTES + length
        return self


def contents_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every whole content of a volume with its digest, up to the first that is not whole.

    There the machine stopped, and what it was writing then was promised to nobody.
    """
    with _opened(path) as file:
        for digest, place in Volume(path).look(file).places.items():
            content = _read(file, digest, place)
            if content is None:
                return
            yield digest, content


def _read(file: int, digest: str, place: tuple[int, int]) -> bytes | None:
    """The content there; None where it is not whole, or another by now."""
    content = os.pread(file, place[1], place[0])
    return content if hashlib.sha256(content).hexdigest() == digest else None


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
        for path in self._paths():
            with suppress(FileNotFoundError), _opened(path) as file:
                place = self._look(path, file).get(digest)
                content = _read(file, digest, place) if place else None
                if content is not None:
                    return content
        return None

    def digests(self) -> set[str]:
        """All that they hold."""
        found: set[str] = set()
        for path in self._paths():
            with suppress(FileNotFoundError), _opened(path) as file:
                found.update(self._look(path, file))
        return found

    def _paths(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [each for each in self._folder.iterdir() if not each.suffix]
        return []

    def _look(self, path: Path, file: int) -> Mapping[str, tuple[int, int]]:
        with self._looking:
            return self._known.setdefault(path, Volume(path)).look(file).places.copy()


def pack(salt: bytes, contents: Sequence[bytes]) -> tuple[list[str], list[bytes]]:
    """The digests of the contents, and what is written of them: each once."""
    digests: list[str] = []
    pieces: list[bytes] = []
    for content in contents:
        digest = hashlib.sha256(content)
        name = digest.hexdigest()
        if name not in digests:
            pieces += (_RECORD.pack(salt, len(content), digest.digest()), content)
        digests.append(name)
    return digests, pieces
