"""Short objects made durable together: one sync of a journal for all of them, and one of their own files later.

To sync a new file and its name costs a disk half a millisecond or more, a message at a time. So the bytes of all
messages that wait together go into a journal with one sync; their files are written beside it, and synced all at once
a little later. Until then the journal stands for them: what a crash of the machine took is written again from it.
"""

import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from schemas.faults import Fault
from storage.spool_file import disk_faults, make_private

log = structlog.get_logger()
# What stands before each content: a mark, its length in bytes, its SHA-256.
_RECORD = struct.Struct("<4sQ32s")
_MARK = b"DXJ1"
_SETTLE_AFTER_S = 2.0

# Makes a content an object, durably, where it is none.
Put = Callable[[bytes], None]


class _Volume:
    """One file of the journal, locked while its process lives. users: who still write the files of what it holds."""

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self.path = folder / secrets.token_hex(8)
        self.users = 0
        self._end = 0
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        # Its name must outlive a crash as surely as what is in it.
        _sync_folder(folder)
        _sync_folder(folder.parent)

    def append(self, records: bytes) -> None:
        try:
            rest = memoryview(records)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fdatasync(self._fd)
        except OSError:
            # What follows half a record could not be found again.
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
                os.lseek(self._fd, self._end, os.SEEK_SET)
            raise
        self._end += len(records)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._fd)


class Journal:
    """The journal of one process. Every method may be called from any thread."""

    def __init__(self, folder: Path, put: Put) -> None:
        self._folder = folder
        self._put = put
        self._volume: _Volume | None = None
        self._changed = threading.Condition()
        self._settling = threading.Lock()

    @contextmanager
    def holding(self, contents: Sequence[bytes]) -> Iterator[None]:
        """The contents are durable when the block begins; within it their own files are written, unsynced.

        Raises Busy where the disk is full, Internal where it fails.
        """
        volume = self._append(contents)
        try:
            yield
        finally:
            with self._changed:
                volume.users -= 1
                self._changed.notify_all()

    def _append(self, contents: Sequence[bytes]) -> _Volume:
        records = b"".join(_record(content) for content in contents)
        with self._changed, disk_faults():
            volume = self._volume
            if volume is None:
                volume = self._volume = _Volume(self._folder)
                timer = threading.Timer(_SETTLE_AFTER_S, self._settle_soon)
                timer.daemon = True
                timer.start()
            volume.append(records)
            volume.users += 1
            return volume

    def _settle_soon(self) -> None:
        try:
            self.settle()
        except Fault as fault:
            # Nothing is lost: the volume stays, and the next start reads it.
            log.error("journal.not_settled", fault=fault.category.value)

    def settle(self) -> None:
        """Makes the files of everything so far durable, and lets the journal of them go. Raises Busy or Internal."""
        with self._settling, disk_faults():
            with self._changed:
                volume, self._volume = self._volume, None
                if volume is None:
                    return
                self._changed.wait_for(lambda: volume.users == 0)
            if not _sync_file_system(self._folder):
                _replay(volume.path, self._put)
            volume.remove()

    def recover(self) -> int:
        """Writes again what the journals of processes that died stand for; returns how many contents they held."""
        with disk_faults():
            left = list(self._folder.iterdir()) if self._folder.is_dir() else []
            return sum(self._recover(path) for path in left)

    def _recover(self, path: Path) -> int:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = _replay(path, self._put)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            return 0  # its process lives
        finally:
            os.close(handle)
        return found


def _record(content: bytes) -> bytes:
    return _RECORD.pack(_MARK, len(content), hashlib.sha256(content).digest()) + content


def _replay(path: Path, put: Put) -> int:
    number = 0
    for content in contents_of(path):
        put(content)
        number += 1
    return number


def contents_of(path: Path) -> Iterator[bytes]:
    """Every whole content of a volume, up to the first that is not."""
    with path.open("rb") as source:
        while len(head := source.read(_RECORD.size)) == _RECORD.size:
            mark, length, digest = _RECORD.unpack(head)
            content = source.read(length) if mark == _MARK else b""
            if len(content) != length or hashlib.sha256(content).digest() != digest:
                return  # where the machine stopped; nobody was promised what stands here
            yield content


def _sync_file_system(folder: Path) -> bool:
    """Everything that was written to the folder's file system is durable. False where the system cannot do that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if call is None:
            return False
        if call(handle):
            raise OSError(ctypes.get_errno() or errno.EIO, "syncfs")
        return True
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
