"""Whether another process is receiving into the same stores: only a hub that is alone may judge strays."""

import fcntl
from pathlib import Path
from typing import Protocol

from sqlalchemy import text

from .database import Database

# A key of our own among PostgreSQL's advisory locks.
_KEY = 0x6478_6870


class Presence(Protocol):
    """Held as long as the process receives; lost with it, even when it is killed.

    alone: nobody else was there when this process came; newcomers wait until `share` or `close`.
    """

    alone: bool

    def share(self) -> None: ...

    def close(self) -> None: ...


class FilePresence:
    """By a lock on a file beside the embedded database."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        except BlockingIOError:
            fcntl.flock(self._file, fcntl.LOCK_SH)
            self.alone = False

    def share(self) -> None:
        """Lets other processes in."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        self._file.close()


class PostgresPresence:
    """By an advisory lock that lives with a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._session = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.alone = bool(self._session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}))
        if not self.alone:
            self._session.execute(text("SET lock_timeout = 0"))
            self._session.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _KEY})

    def share(self) -> None:
        """Lets other processes in."""
        if self.alone:
            self._session.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _KEY})
            self._session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})

    def close(self) -> None:
        # Not back to the pool: the locks must end now.
        self._session.invalidate()
        self._session.close()


def enter(database: Database, data: Path) -> Presence:
    """Marks this process as one that receives."""
    if database.engine.dialect.name == "postgresql":
        return PostgresPresence(database)
    return FilePresence(data / "hub.lock")
