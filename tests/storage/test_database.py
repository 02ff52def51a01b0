"""Many who write at once queue; whoever cannot be served is told to come again; nothing is half-written."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from schemas.faults import Busy
from storage import database, organizations
from storage.database import Collision, Database
from storage.kept import Touched
from storage.migrate import migrate
from storage.tables import metadata
from tests.engines import Engines


def test_writers_at_the_same_moment_all_succeed(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    with store.write() as tx:
        organizations.put_setting(tx, "count", "0")

    def count() -> None:
        for _ in range(5):
            with store.write() as tx:
                if tx.dialect.name == "postgresql":
                    tx.execute(text("LOCK TABLE setting"))
                organizations.put_setting(tx, "count", str(int(organizations.setting(tx, "count")) + 1))

    threads = [threading.Thread(target=count) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert organizations.setting(tx, "count") == "120"
    store.close()


def test_a_block_that_raises_leaves_nothing(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)

    def write_and_fail() -> None:
        with store.write() as tx:
            organizations.put_setting(tx, "half", "written")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.read() as tx:
        assert organizations.setting(tx, "half") == ""
    store.close()


def test_database_locked_by_another_process_is_busy(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    (tmp_path / "hub.db").write_bytes(migrated_sqlite.read_bytes())
    store, other = Database(url), create_engine(url)
    with other.connect() as holder:
        holder.execute(text("BEGIN EXCLUSIVE"))
        with pytest.raises(Busy), store.write():
            pass
        holder.rollback()
    with store.write():
        pass
    other.dispose()
    store.close()


def test_a_row_that_contradicts_another_is_told_without_its_values(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    insert = text("INSERT INTO setting (name, value) VALUES ('a secret', 'x')")
    with store.write() as tx:
        tx.execute(insert)
    with pytest.raises(Collision) as caught, store.write() as tx:
        tx.execute(insert)
    assert "a secret" not in str(caught.value)
    store.close()


def test_migrated_database_is_what_the_tables_say(engine_urls: Engines) -> None:
    store = Database(engine_urls.database_url)
    migrate(store)
    migrate(store)
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
    store.close()


def test_what_a_transaction_has_written_is_not_held_against_the_next_one(tmp_path: Path) -> None:
    # Both have the same connection: who writes to SQLite keeps it from turn to turn.
    database, touched = Database(f"sqlite:///{tmp_path}/hub.db"), Touched()
    with database.write() as one:
        touched.add(one)
        assert touched.by(one)
    with database.write() as other:
        assert other is one
        assert not touched.by(other)
    database.close()
