"""Short objects made durable together: one sync of a volume for all of them, and files of their own later.

To make and sync a new file costs a disk a millisecond, and a processor half of one, a message at a time. So the bytes
of all messages that wait together go into a volume with one sync, and are read from there. When it is quiet, or the
volume is full or old, each gets its file, all files are synced at once, and the volume is written over.
"""

import ctypes
import errno
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from schemas.faults import Fault, Internal
from storage.object_volumes import SALT_BYTES, Stretch, contents_of, pack, stretches_of, whole_stretches_of
from storage.spool_file import disk_faults, make_private

log = structlog.get_logger()
_QUIET_S, _OLD_S, _RETRY_S = 1.0, 30.0, 5.0
# After that a volume that is kept to be written over (which costs half of what it costs to grow), and the thread that
# waits to settle, are let go.
_IDLE_S = 20.0
_FULL_BYTES = 512 << 20
_TOGETHER = 500

# The volume of a process that died, once its contents are objects, for the sake of its envelopes.
_ENVELOPES = ".envelopes"

# Makes a content an object with a file of its own; durably, or with this file for its first form and one sync later.
Put = Callable[[bytes], None]
PutSoon = Callable[[Stretch, Path], None]


class _Written:
    """A volume as the one who writes it knows it; locked while its process lives."""

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._salt = b""
        while True:
            self.path = folder / secrets.token_hex(8)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            if os.fstat(self._fd).st_nlink:
                break
            # Whoever recovers had it first, and has removed it.
            os.close(self._fd)
        # Its name must outlive a crash as surely as what is in it.
        _sync_folder(folder)
        _sync_folder(folder.parent)
        self.begin()

    def begin(self) -> None:
        """From its start."""
        self.begun = time.monotonic()
        self.end = 0
        self._salt = secrets.token_bytes(SALT_BYTES)

    def append(self, contents: Sequence[bytes], envelopes: Sequence[bytes]) -> list[str]:
        """Durable when it returns. After an OSError nothing more may be appended: half a record may stand there."""
        digests, pieces = pack(self._salt, contents, envelopes)
        if not self.end:
            pieces.insert(0, self._salt)
        size = sum(map(len, pieces))
        done = os.pwritev(self._fd, pieces, self.end)
        if done < size:
            self._write_on(b"".join(pieces)[done:], self.end + done)
        os.fdatasync(self._fd)
        self.end += size
        return digests

    def _write_on(self, records: bytes, offset: int) -> None:
        rest = memoryview(records)
        while rest:
            done = os.pwrite(self._fd, rest, offset)
            rest, offset = rest[done:], offset + done

    def cut(self) -> None:
        """Gives the room back that half a record takes."""
        with suppress(OSError):
            os.ftruncate(self._fd, self.end)

    def clear(self) -> None:
        """It holds nothing any more, also after a crash."""
        if self.end:
            os.pwrite(self._fd, bytes(SALT_BYTES), 0)
            os.fdatasync(self._fd)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._fd)


class Journal:
    """The journal of one process. Every method may be called from any thread.

    before_clearing: returns once what the envelopes stand for is durable elsewhere. Raises Busy.
    """

    def __init__(self, folder: Path, put: Put, put_soon: PutSoon) -> None:
        self._folder = folder
        self._put = put
        self._put_soon = put_soon
        self.before_clearing: Callable[[], None] = lambda: None
        self._volume: _Written | None = None
        self._full: list[_Written] = []
        self._spare: _Written | None = None
        self._last = 0.0
        self._changed = threading.Condition()
        self._settling = threading.Lock()
        self._thread: threading.Thread | None = None

    def append(self, contents: Sequence[bytes], envelopes: Sequence[bytes] = ()) -> list[str]:
        """The digests of the contents, now durable, each with its envelope if there are any.

        Raises Busy where the disk is full, Internal where it fails.
        """
        with self._changed, disk_faults():
            volume = self._volume or self._begin()
            try:
                digests = [
                    digest
                    for start in range(0, len(contents), _TOGETHER)
                    for digest in volume.append(
                        contents[start : start + _TOGETHER], envelopes[start : start + _TOGETHER]
                    )
                ]
            except OSError:
                volume.cut()
                self._set_aside(volume)
                raise
            self._last = time.monotonic()
            if volume.end > _FULL_BYTES:
                self._retire()
            return digests

    def _begin(self) -> _Written:
        volume, self._spare = self._spare, None
        if volume is None:
            volume = _Written(self._folder)
        else:
            volume.begin()
        self._volume = volume
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        self._changed.notify_all()
        return volume

    def _set_aside(self, volume: _Written) -> None:
        """One that could not be written: where it holds nothing, nothing needs it."""
        if volume.end:
            self._retire()
        else:
            self._volume = None
            volume.remove()

    def _retire(self) -> None:
        if self._volume:
            self._full.append(self._volume)
            self._volume = None
            self._changed.notify_all()

    def _run(self) -> None:
        while self._is_due():
            try:
                self.settle(everything=not self._full)
            except Fault as fault:
                # Nothing is lost: the volume stays, and is read until it can be settled.
                log.error("journal.not_settled", fault=fault.category.value)
                time.sleep(_RETRY_S)
                if not self._folder.is_dir():
                    return  # somebody has removed the store

    def _is_due(self) -> bool:
        """Waits until something is to be settled. False where nothing has come for long: there is no thread then."""
        with self._changed:
            while not self._full and (wait := self._wait_s()) != 0:
                woken = self._changed.wait(_IDLE_S if wait is None else wait)
                if not woken and self._volume is None:
                    self._let_go()
                    self._thread = None
                    return False
            return True

    def _let_go(self) -> None:
        spare, self._spare = self._spare, None
        if spare:
            spare.remove()

    def _wait_s(self) -> float | None:
        """How long the present volume need not be settled; None where there is none."""
        if self._volume is None:
            return None
        quiet, old = self._last + _QUIET_S, self._volume.begun + _OLD_S
        return max(0.0, min(quiet, old) - time.monotonic())

    def settle(self, *, everything: bool = True) -> None:
        """Gives what stands in full volumes, or in all, files of its own. Raises Busy or Internal."""
        with self._settling, disk_faults():
            with self._changed:
                if everything:
                    self._retire()
                full = list(self._full)
            for volume in full:
                self._settle(volume)

    def _settle(self, volume: _Written) -> None:
        part = volume.path.with_suffix(".part")
        reached = 0
        for stretch in stretches_of(volume.path):
            self._put_soon(stretch, part)
            reached = stretch.end
        if reached < volume.end:
            raise Internal("a volume of the journal cannot be read back; it is kept")
        if not _sync_file_system(self._folder):
            self._replay(volume.path)
        self.before_clearing()
        volume.clear()
        with self._changed:
            self._full.remove(volume)
            if self._spare is None:
                self._spare = volume
                return
        volume.remove()

    def close(self) -> None:
        """Settles everything, and lets the volumes go."""
        self.settle()
        with self._changed, disk_faults():
            self._let_go()

    def recover(self) -> int:
        """Makes files of what the volumes of processes that died hold; returns how many contents that was."""
        with disk_faults():
            left = list(self._folder.iterdir()) if self._folder.is_dir() else []
            found = sum(self._recover(path) for path in left if not path.suffix)
            for part in left:
                if part.suffix == ".part" and not part.with_suffix("").exists():
                    part.unlink(missing_ok=True)
            return found

    def _recover(self, path: Path) -> int:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(handle, path):
                return 0  # another has recovered it, or its process has let it go
            found, told = self._restored(path)
            if told:
                path.rename(path.with_suffix(_ENVELOPES))
                _sync_folder(self._folder)
            else:
                path.unlink(missing_ok=True)
        except BlockingIOError:
            return 0  # its process lives
        finally:
            os.close(handle)
        return found

    def _restored(self, path: Path) -> tuple[int, bool]:
        """Makes files of what it holds: of how many contents, and whether any has an envelope."""
        part, number, told = path.with_suffix(".part"), 0, False
        for stretch, _ in whole_stretches_of(path):
            self._put_soon(stretch, part)
            number, told = number + 1, told or bool(stretch.after)
        if not _sync_file_system(self._folder):
            self._replay(path)
        return number, told

    def _replay(self, path: Path) -> None:
        for content in contents_of(path):
            self._put(content)

    def recall(self, each: Callable[[Sequence[tuple[str, bytes]]], None]) -> None:
        """Hands over the digests and envelopes of what processes left that died, in the order of each; after that they
        are forgotten. Call it when `recover` has made objects of them. Raises what `each` raises; they stay then.
        """
        with disk_faults():
            left = sorted(self._folder.glob(f"*{_ENVELOPES}")) if self._folder.is_dir() else []
            told = [each for path in left for each in _envelopes(path)]
        if told:
            each(told)
        with disk_faults():
            for path in left:
                path.unlink(missing_ok=True)


def _envelopes(path: Path) -> Iterator[tuple[str, bytes]]:
    with suppress(FileNotFoundError):  # another process was quicker
        for stretch, _ in whole_stretches_of(path):
            if envelope := stretch.envelope():
                yield stretch.digest, envelope
            elif stretch.after:
                log.error("journal.envelope_damaged", digest=stretch.digest)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


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
