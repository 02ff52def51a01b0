"""One transaction at a time, on SQLite or PostgreSQL, durable when `write` returns."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.faults import Busy, Internal

from .log_sync import LogSync
from .statement import execute

BUSY_TIMEOUT_S = 5
# How often a process looks whether another has written: a transaction takes a millisecond, seldom more.
_PAUSE_S, _LONG_PAUSE_S, _PATIENT_AFTER_S = 0.000_1, 0.001, 0.01


class Collision(Internal):
    """A row contradicts another that is already there: most often another process has just written the same."""


class Database:
    """The index, custody and audit records. `url`: as SQLAlchemy writes it."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        # SQLite lets one writer in and has the others knock with pauses that grow to 0.1 s; ours rather queue.
        sqlite = str(self.engine.url.database) if url.startswith("sqlite") else ""
        self._turn = _Turn(sqlite) if sqlite else None
        self._sync = LogSync(sqlite, self._checkpoint) if sqlite else None
        self._writer = _Writer(lambda: self._connect("BEGIN IMMEDIATE")) if sqlite else None
        # How many transactions of this process have changed something; counted in the writer's turn.
        self.changes = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block has ended; rolled back when it raises.

        Raises Busy when the database is locked, full or away: trying again later is right.
        """
        changed = self.changes
        with self.write_soon() as tx:
            yield tx
        if self.changes != changed:
            self.make_durable()

    @contextmanager
    def write_soon(self) -> Iterator[Connection]:
        """The same, durable only when `make_durable` has returned; nothing that is in it may be promised before."""
        with _faults(), self._turn or nullcontext(), self._writer or self._connect("BEGIN IMMEDIATE") as tx:
            before = _changes(tx) if self._sync else 0
            with tx.begin():
                yield tx
            if self._sync and _changes(tx) != before:
                self.changes += 1

    @property
    def syncs_itself(self) -> bool:
        """Whether `make_durable` has something to do."""
        return self._sync is not None

    def make_durable(self) -> None:
        """Returns when all that was committed before is durable. Raises Busy where the disk does not do it."""
        if self._sync:
            self._sync()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, for what is no patient's data; patients' data are read in `write`, with their audit."""
        with _faults(), self._connect("BEGIN") as tx, tx.begin():
            yield tx

    def _connect(self, begin: str) -> Connection:
        return self.engine.connect().execution_options(dxhub_begin=begin)

    def ready(self) -> None:
        """Raises Busy when the database does not answer."""
        with self.read() as tx:
            tx.execute(text("SELECT 1"))

    def close(self) -> None:
        if self._writer:
            self._writer.close()
        self.engine.dispose()
        if self._turn:
            self._turn.close()
        if self._sync:
            self._sync.close()

    def _checkpoint(self) -> bool:
        with closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            said = cursor.fetchone()
            return said is not None and not said[0]


def _engine(url: str) -> Engine:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        # Only the scheme is repeated: the rest of the address may hold a secret.
        scheme = f"{urlsplit(url).scheme or 'no scheme'}://…"
        said = f"the database is at sqlite:///… or postgresql+psycopg://…, not at {scheme}"
        raise Internal(said, where="DXHUB_DATABASE_URL")
    try:
        return _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
    except (ArgumentError, ValueError):
        raise Internal("the database's address cannot be understood", where="DXHUB_DATABASE_URL") from None


class _Turn:
    """A queue for the one who may write: threads of ours by a lock, processes of ours by two locks on files.

    Who has the place at the gate goes in next. Without it the process that has just written would be back before
    another, which looks only now and then, has seen that the room was free.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._gate, self._room = _FileLock(f"{path}.gate"), _FileLock(f"{path}.turn")

    def __enter__(self) -> None:
        deadline = time.monotonic() + BUSY_TIMEOUT_S * 2
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_S * 2):
            raise _busy()
        try:
            self._gate.acquire(deadline)
            try:
                self._room.acquire(deadline)
            finally:
                self._gate.release()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._room.release()
        self._lock.release()

    def close(self) -> None:
        """Lets the files go."""
        self._gate.close()
        self._room.close()


class _Writer:
    """The connection of whoever has the turn, kept for the next: it has its pages and its statements at hand, and to
    take one from the pool and give it back costs as much as a short transaction.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._kept: Connection | None = None

    def __enter__(self) -> Connection:
        if self._kept is None:
            self._kept = self._connect()
        return self._kept

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After a failure nobody knows what state it is in.
        if kind:
            self.close()

    def close(self) -> None:
        """Gives it back."""
        kept, self._kept = self._kept, None
        if kept:
            kept.close()


class _FileLock:
    """A lock among processes, gone with the process that has it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def acquire(self, deadline: float) -> None:
        """Raises Busy where it cannot be had until then (monotonic seconds)."""
        # Opened here and not before: a fork would share the lock with it.
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        patient = time.monotonic() + _PATIENT_AFTER_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()
                if now > deadline:
                    raise _busy() from None
                time.sleep(_PAUSE_S if now < patient else _LONG_PAUSE_S)
            else:
                return

    def release(self) -> None:
        """Lets the next one have it; nothing where it was not had."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def stamp(tx: Connection) -> object:
    """Equal to an earlier one of the same process if nothing was written since; None where the database cannot tell."""
    driver: Any = tx.connection.driver_connection
    if tx.dialect.name != "sqlite":
        return None
    # The one counts what other connections have written, the other what this one has.
    (others,) = driver.execute("PRAGMA data_version").fetchone()
    return driver, others, driver.total_changes


def _changes(tx: Connection) -> int:
    """How many rows the connection has written in its life."""
    driver: Any = tx.connection.driver_connection
    return int(driver.total_changes)


def _busy() -> Busy:
    return Busy("the database is busy; nothing was promised", where="database")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Collision("the database refused a row that contradicts another", where=_columns(error)) from error
    except (OperationalError, PoolTimeout) as error:
        raise Busy("the database is locked, full or does not answer; nothing was promised", where="database") from error
    except DBAPIError as error:
        raise Internal("the database refused a statement", where=type(error.orig).__name__) from error


def _columns(error: IntegrityError) -> str:
    # SQLite names columns only; PostgreSQL's message holds values, its diagnostics do not.
    diagnostics = getattr(error.orig, "diag", None)
    return str(diagnostics.constraint_name) if diagnostics else str(error.orig)


def _sqlite(url: str) -> Engine:
    # hide_parameters: an error's text must never carry a patient's data into a log.
    # The connection last used has its pages at hand: each of them may keep some megabytes of them.
    engine = create_engine(url, hide_parameters=True, pool_size=8, max_overflow=32, pool_timeout=30, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
            "journal_mode=WAL",
            "synchronous=NORMAL",  # a commit is synced behind the writer's turn, see storage.log_sync
            "foreign_keys=ON",
            "cache_size=-8192",  # KiB a connection
            "temp_store=MEMORY",  # what a savepoint may have to bring back, too: else a file for each delivery
            "wal_autocheckpoint=8000",  # pages: hot ones are not copied back for every few messages
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once: a lock taken halfway can only fail, not wait.
        execute(connection, connection.get_execution_options().get("dxhub_begin", "BEGIN"))

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=32,
        pool_timeout=30,
        pool_pre_ping=True,
        connect_args={"connect_timeout": BUSY_TIMEOUT_S, "options": f"-c lock_timeout={BUSY_TIMEOUT_S}s"},
    )
