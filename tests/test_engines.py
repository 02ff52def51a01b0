"""The servers that the other tests rely on."""

import pytest
from sqlalchemy import inspect

from storage.database import Database
from storage.objects import objects_from_url
from tests.engines import Engines


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_a_database_and_a_store_of_its_own(migrated_urls: Engines, time: str) -> None:
    objects = objects_from_url(migrated_urls.objects_url)
    objects.sweep()
    assert not list(objects.digests()), f"what the {time} test finds was left by another"
    with objects.spool() as spool:
        spool.write(b"left behind")
        spool.keep()
    database = Database(migrated_urls.database_url)
    try:
        database.ready()
        assert "delivery" in inspect(database.engine).get_table_names()
    finally:
        database.close()
