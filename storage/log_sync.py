"""SQLite's write-ahead log made durable by ourselves, after the writer's turn instead of within it.

A sync takes a disk up to a few milliseconds, in which nobody could write: with two processes that is half of all time.
So SQLite commits without one (`synchronous=NORMAL`: its own syncs come before each checkpoint, which keeps the file
whole whatever happens), lets the next writer in, and whoever has committed waits for the disk beside them. What stands
in the log before a synced commit is synced with it, so nobody is promised what rests on something that could be lost.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from schemas.faults import Busy

log = structlog.get_logger()


class LogSync:
    """The log of one database. Used from any thread.

    checkpoint: copies all of the log into the database, durably; whether it could. After a sync that failed the system
    may take for written what never reached the disk, and only what is written anew is certain.
    """

    def __init__(self, database: str, checkpoint: Callable[[], bool]) -> None:
        self._path = Path(f"{database}-wal")
        self._checkpoint = checkpoint
        # The log, by its number in the file system. Kept open, also the one before it, which a thread may be syncing:
        # the system tells of an error once to each who had the file open when it came.
        self._files: dict[int, int] = {}
        self._doubtful = False
        self._opening = threading.Lock()

    def __call__(self) -> None:
        """Returns when everything that was committed before is durable. Raises Busy where the disk does not do it."""
        try:
            if self._doubtful:
                self._mend()
            if (file := self._opened()) >= 0:
                os.fdatasync(file)
        except OSError as error:
            self._doubtful = True
            log.error("database.log_not_synced", error=os.strerror(error.errno or 0))
            raise _not_synced() from error

    def close(self) -> None:
        """Lets the files go."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _mend(self) -> None:
        if not self._checkpoint():
            raise _not_synced()
        self._doubtful = False

    def _opened(self) -> int:
        """The log as it is now; -1 where the last connection has gone, and left all that it held in the database."""
        try:
            number = self._path.stat().st_ino
            return self._files[number] if number in self._files else self._open()
        except FileNotFoundError:
            return -1

    def _open(self) -> int:
        with self._opening:
            file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            _sync_name(self._path.parent)
            self._files[os.fstat(file).st_ino] = file
            return file


def _sync_name(folder: Path) -> None:
    # A new file must be found again under its name, too.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_synced() -> Busy:
    return Busy("the database's disk did not keep what was written; nothing was promised", where="database")
