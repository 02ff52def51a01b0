"""What `write` promises on SQLite is on the disk before it returns, and the next writer waits for no disk."""

import errno
import os
import shutil
import threading
from pathlib import Path

import pytest

from schemas.faults import Busy
from storage import organizations
from storage.database import Database


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path) -> Database:
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    return Database(f"sqlite:///{tmp_path / 'hub.db'}")


def put(store: Database, name: str) -> None:
    with store.write() as tx:
        organizations.put_setting(tx, name, "kept")


def test_what_was_written_is_synced_before_it_is_promised(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, saved = os.fdatasync, tmp_path / "saved"
    saved.mkdir()

    def sync(handle: int) -> None:
        # What a power cut behind this point leaves.
        assert Path(f"/proc/self/fd/{handle}").readlink() == tmp_path / "hub.db-wal"
        for name in ("hub.db", "hub.db-wal"):
            shutil.copy(tmp_path / name, saved / name)
        synced(handle)

    monkeypatch.setattr(os, "fdatasync", sync)
    put(store, "promised")
    store.close()
    left = Database(f"sqlite:///{saved / 'hub.db'}")
    with left.read() as tx:
        assert organizations.setting(tx, "promised") == "kept"
    left.close()


def test_the_next_writer_does_not_wait_for_the_disk_of_the_one_before(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, reached, go_on = os.fdatasync, threading.Event(), threading.Event()

    def sync(handle: int) -> None:
        if not reached.is_set():
            reached.set()
            assert go_on.wait(20)
        synced(handle)

    monkeypatch.setattr(os, "fdatasync", sync)
    slow = threading.Thread(target=put, args=(store, "first"))
    slow.start()
    assert reached.wait(20)
    other = Database(str(store.engine.url))
    put(other, "second")
    assert slow.is_alive()
    go_on.set()
    slow.join()
    other.close()
    store.close()


def test_a_disk_that_keeps_nothing_is_told_and_what_it_lost_is_written_anew_before_the_next_promise(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(Busy):
            put(store, "doubtful")
    put(store, "promised")
    # The log of that time may have a hole on the disk: what stood in it is in the database itself by now.
    shutil.copy(tmp_path / "hub.db", tmp_path / "alone.db")
    store.close()
    alone = Database(f"sqlite:///{tmp_path / 'alone.db'}")
    with alone.read() as tx:
        assert organizations.setting(tx, "doubtful") == "kept"
    alone.close()


def test_a_transaction_that_writes_nothing_asks_no_disk(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "before")
    monkeypatch.setattr(os, "fdatasync", lambda _: pytest.fail("nothing was to be synced"))
    with store.write() as tx:
        assert organizations.setting(tx, "before") == "kept"
    store.close()
