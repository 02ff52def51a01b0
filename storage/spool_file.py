"""A delivery as a local file while it arrives; each store decides what keeping it means."""

import errno
import fcntl
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from schemas.faults import Busy, Fault, Internal

# EFBIG is how a limit on file size shows; to a sender it is the same as a full disk.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


# What is no longer than this is read back from memory: opening its file again would cost more.
_REMEMBERED_BYTES = 256 * 1024


@contextmanager
def disk_faults() -> Iterator[None]:
    """Turn an OSError into a Fault that names the trouble, not the path."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Busy("the object store's disk is full; send again later") from error
        raise Internal(f"the object store's disk failed: {os.strerror(error.errno or 0)}") from error


class SpoolFile:
    """The local file of one delivery.

    It is locked while its process lives: so a sweep tells a leftover from a delivery that another process is writing.
    """

    def __init__(self, incoming: Path) -> None:
        with disk_faults():
            self._temporary, self._fd = _create(incoming)
        self._path = self._temporary
        self._hash = hashlib.sha256()
        self._remembered: bytearray | None = bytearray()
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Append all of `data`; on a full disk free the file and raise Busy."""
        with self._freed_on_fault():
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        self._hash.update(data)
        self.size += len(data)
        if self._remembered is not None:
            self._remembered += data
            if self.size > _REMEMBERED_BYTES:
                self._remembered = None
        return len(data)

    def open(self) -> BinaryIO:
        """Read the bytes back from their start."""
        if self._remembered is not None:
            return io.BytesIO(self._remembered)
        with disk_faults():
            return self._path.open("rb")

    def close(self) -> None:
        """Free the file, unless it has become an object."""
        if self._fd < 0:
            return
        if self._path == self._temporary:
            with suppress(OSError):
                self._temporary.unlink()
        os.close(self._fd)
        self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _freed_on_fault(self) -> Iterator[None]:
        # A disk that is full needs the room back at once, not when the sender's connection ends.
        try:
            with disk_faults():
                yield
        except Fault:
            self.close()
            raise


def make_private(folder: Path) -> None:
    """Create a folder and those above it that are missing, for our own account only."""
    # mkdir(parents=True) would give the mode to the last one alone.
    if not folder.parent.is_dir():
        make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _create(incoming: Path) -> tuple[Path, int]:
    while True:
        path = incoming / secrets.token_hex(16)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            make_private(incoming)
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        # A sweep may have come between the two calls above and taken it for a leftover.
        if os.fstat(handle).st_nlink:
            return path, handle
        os.close(handle)


def sweep(incoming: Path) -> int:
    """Remove the files of processes that died, and say how many; create the folder where it is missing."""
    with disk_faults():
        make_private(incoming)
        return sum(_removed_if_left(path) for path in list(incoming.iterdir()))


def _removed_if_left(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)
