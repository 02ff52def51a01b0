"""Quality records are seen as soon as they are saved, and what was known at a moment can be read again."""

import datetime as dt
from dataclasses import replace

import pytest

from schemas.catalogue import Scope
from schemas.quality import Assessed, QualityRecord, Standing
from storage import quality
from storage.database import Database
from tests.engines import Engines

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
JUNE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
PASSED = QualityRecord(
    "CHC01", "L-718-7", Standing.PASSED, dt.date(2026, 1, 1), dt.date(2027, 1, 1), "", Scope.CITY, "省临检中心"
)
FAILED = replace(PASSED, standing=Standing.FAILED)


def save(store: Database, *records: QualityRecord, at: dt.datetime = NOW, withdrawn: bool = False) -> None:
    with store.write() as tx:
        quality.put(tx, records, changed_by="quality", reason="年度室间质评", now=at, withdrawn=withdrawn)


def assessed(store: Database, record: QualityRecord, known_at: dt.datetime | None = None) -> Assessed:
    with store.read() as tx:
        return quality.standing(tx, record.organization, record.item, "", JUNE, known_at).assessed


def test_a_record_holds_as_soon_as_it_is_saved_wherever_that_was(migrated_urls: Engines) -> None:
    store, elsewhere = Database(migrated_urls.database_url), Database(migrated_urls.database_url)
    other = replace(PASSED, organization="CHC02", standing=Standing.SUSPENDED)
    assert assessed(store, PASSED) is Assessed.UNKNOWN
    save(elsewhere, PASSED)
    assert assessed(store, PASSED) is Assessed.PASSED
    save(store, other)
    assert (assessed(elsewhere, PASSED), assessed(elsewhere, other)) == (Assessed.PASSED, Assessed.SUSPENDED)
    with store.read() as tx:
        book = quality.book(tx)
        assert quality.book(tx) is book
        (version,) = book.in_force("CHC01", "L-718-7")
        assert (version.record, version.changed_by, version.reason) == (PASSED, "quality", "年度室间质评")
    store.close()
    elsewhere.close()


def test_a_record_that_changed_later_leaves_what_was_known_before(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    save(store, PASSED)
    save(store, FAILED, at=JUNE)
    save(store, FAILED, at=JUNE + dt.timedelta(days=1), withdrawn=True)
    assert assessed(store, PASSED) is Assessed.UNKNOWN
    assert assessed(store, PASSED, known_at=JUNE) is Assessed.FAILED
    assert assessed(store, PASSED, known_at=JUNE - dt.timedelta(seconds=1)) is Assessed.PASSED
    with store.read() as tx:
        history = quality.history(tx, PASSED)
    assert [(each.version, each.withdrawn) for each in history] == [(3, True), (2, False), (1, False)]
    store.close()


def test_a_record_that_was_rolled_back_is_seen_by_nobody(migrated_urls: Engines) -> None:
    store, elsewhere = Database(migrated_urls.database_url), Database(migrated_urls.database_url)

    def fail() -> None:
        with store.write() as tx:
            quality.put(tx, [FAILED], changed_by="q", reason="x", now=NOW)
            assert quality.standing(tx, "CHC01", "L-718-7", "", JUNE).assessed is Assessed.FAILED
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    save(elsewhere, PASSED)
    assert assessed(store, PASSED) is Assessed.PASSED
    store.close()
    elsewhere.close()
