"""A database that another process holds: a clear not-now in each protocol's words, and the hub goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import storage.database
from tests.api.served import Served
from tests.schemas.fhir.values import validated


@pytest.fixture
def locked(fresh: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """The hub's database, held for writing by somebody else; the hub waits for it only a little."""
    fresh.authorization("technician")
    fresh.authorization("clinician")
    monkeypatch.setattr(storage.database, "BUSY_TIMEOUT_S", 0.1)
    fresh.kernel.database.close()
    with closing(sqlite3.connect(tmp_path / "hub.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_nothing_is_promised_while_the_database_is_locked(fresh: Served, locked: sqlite3.Connection) -> None:
    before = fresh.request("POST", "/deliveries", "technician", content=b'{"mr": "P1", "born": "1985-03-07"}')
    assert (before.status_code, before.json()["receipts"][0]["category"]) == (503, "busy")
    assert int(before.headers["retry-after"]) > 0
    asked = fresh.get("Patient")
    assert (asked.status_code, validated(asked.json())["issue"][0]["code"]) == (503, "transient")
    assert int(asked.headers["retry-after"]) > 0

    locked.execute("ROLLBACK")
    after = fresh.request("POST", "/deliveries", "technician", content=b'{"mr": "P1", "born": "1985-03-07"}')
    assert after.status_code == 200, after.text
    assert fresh.found("Patient")["total"] == 2
