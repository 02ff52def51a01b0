"""The catalogue as of any moment; what is shipped never takes the place of what a person decided."""

import datetime as dt
from dataclasses import replace

import pytest

from schemas.catalogue import Clocks, Setting
from schemas.faults import NotFound
from schemas.shipped_catalogue import shipped
from storage import catalogue
from storage.database import Database
from tests.engines import Engines

NOW = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=30)
HAEMOGLOBIN = "L-718-7"


def test_a_new_hub_has_the_shipped_catalogue_and_had_it_from_the_beginning(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    with store.read() as tx:
        assert catalogue.items(tx) == shipped().items
        assert catalogue.items(tx, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)) == shipped().items
        (only,) = catalogue.history(tx, HAEMOGLOBIN)
    assert (only.version, only.changed_by, only.retired) == (1, "", False)
    store.close()


def test_an_item_that_a_person_changed_is_read_as_it_stood_at_any_moment(migrated_urls: Engines) -> None:
    store, elsewhere = Database(migrated_urls.database_url), Database(migrated_urls.database_url)
    with elsewhere.read() as tx:
        before = catalogue.catalogue(tx)
    was = before.items[HAEMOGLOBIN]
    dearer = replace(was, price_fen=999, clocks={Setting.ACUTE: Clocks(never=True)})
    with store.write() as tx:
        made = catalogue.put(tx, dearer, changed_by="quality", reason="物价调整", now=NOW)
        assert catalogue.catalogue(tx).get(HAEMOGLOBIN) == dearer, "the writer sees it at once"
        catalogue.put(tx, dearer, changed_by="quality", reason="停用", now=LATER, retired=True)
    assert made.version == 2
    for each in (store, elsewhere):
        with each.read() as tx:
            assert catalogue.catalogue(tx).get(HAEMOGLOBIN) is None
            assert catalogue.catalogue(tx, NOW).get(HAEMOGLOBIN) == dearer
            assert catalogue.catalogue(tx, NOW - dt.timedelta(seconds=1)).get(HAEMOGLOBIN) == was
            assert [each.reason for each in catalogue.history(tx, HAEMOGLOBIN)] == ["停用", "物价调整", ""]
            assert catalogue.version(tx, HAEMOGLOBIN, 2).item == dearer
            with pytest.raises(NotFound):
                catalogue.version(tx, HAEMOGLOBIN, 9)
    assert before.items[HAEMOGLOBIN] == was, "whoever has the old one judges by the old one to the end"
    store.close()
    elsewhere.close()


def test_the_catalogue_is_read_once_and_again_only_when_it_changed(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    with store.read() as tx:
        first = catalogue.catalogue(tx)
        assert catalogue.catalogue(tx) is first
    with store.write() as tx:
        catalogue.put(tx, replace(first.items[HAEMOGLOBIN], price_fen=1), changed_by="q", reason="x", now=NOW)
    with store.read() as tx:
        assert catalogue.catalogue(tx).items[HAEMOGLOBIN].price_fen == 1
    store.close()


def test_what_was_rolled_back_is_seen_by_nobody(migrated_urls: Engines) -> None:
    store, elsewhere = Database(migrated_urls.database_url), Database(migrated_urls.database_url)
    with store.read() as tx:
        was = catalogue.catalogue(tx).items[HAEMOGLOBIN]

    def change(database: Database, price: int, *, fail: bool) -> None:
        with database.write() as tx:
            catalogue.put(tx, replace(was, price_fen=price), changed_by="q", reason="x", now=NOW)
            assert catalogue.catalogue(tx).items[HAEMOGLOBIN].price_fen == price
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        change(store, 7, fail=True)
    # As many rows as the other saw for a moment, perhaps under the same numbers.
    change(elsewhere, 8, fail=False)
    with store.read() as tx:
        assert catalogue.catalogue(tx).items[HAEMOGLOBIN].price_fen == 8
    store.close()
    elsewhere.close()


def test_a_newer_hub_brings_its_items_and_leaves_alone_what_a_person_changed(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    ours = shipped().items
    theirs = replace(ours[0], price_fen=1)
    with store.write() as tx:
        catalogue.put(tx, theirs, changed_by="quality", reason="本区价格", now=NOW)
    newer = (replace(ours[0], en="other"), replace(ours[1], en="newer words"), *ours[3:])
    with store.write() as tx:
        assert catalogue.ship(tx, "next", newer, LATER) == 2
        assert catalogue.ship(tx, "next", newer, LATER) == 0
    with store.read() as tx:
        now = catalogue.catalogue(tx)
        assert now.get(ours[0].code) == theirs
        assert now.get(ours[1].code) == newer[1]
        assert now.get(ours[2].code) is None
        assert catalogue.catalogue(tx, NOW).get(ours[2].code) == ours[2]
        assert now.version(ours[2].code) == replace(catalogue.history(tx, ours[2].code)[0])
    store.close()
