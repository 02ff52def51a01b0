"""One transaction at a time, on SQLite or PostgreSQL, durable when `write` returns."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.faults import Busy, Internal

BUSY_TIMEOUT_S = 5


class Collision(Internal):
    """A row contradicts another that is already there: most often another process has just written the same."""


class Database:
    """The index, custody and audit records. `url`: as SQLAlchemy writes it."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        # SQLite lets one writer in and has the others knock with growing pauses; threads of ours rather queue.
        self._turn: AbstractContextManager[object] = _Turn() if url.startswith("sqlite") else nullcontext()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when the block has ended; rolled back when it raises.

        Raises Busy when the database is locked, full or away: trying again later is right.
        """
        with _faults(), self._turn, self._connect("BEGIN IMMEDIATE") as tx, tx.begin():
            yield tx

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
        self.engine.dispose()


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
    """A queue for the one who may write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_S * 2):
            raise Busy("the database is busy; nothing was promised", where="database")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


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
    engine = create_engine(url, hide_parameters=True, pool_size=8, max_overflow=32, pool_timeout=30)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-16384",  # KiB a connection,
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once: a lock taken halfway can only fail, not wait.
        connection.exec_driver_sql(connection.get_execution_options().get("dxhub_begin", "BEGIN"))

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
