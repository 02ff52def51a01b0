"""One hub for each set of engines, shared by all cases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engines, MinioServer, Postgres
from tests.journeys.cases.desk import Desk, open_desk, seed


@pytest.fixture(scope="session", params=["embedded", "servers"])
def case_urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """As `migrated_urls`, one for all cases: what is slow is to start, not to send."""
    folder = tmp_path_factory.mktemp("cases")
    if request.param == "embedded":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "hub.db")
        yield Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
        return
    server: Postgres = request.getfixturevalue("postgres")
    store: MinioServer = request.getfixturevalue("minio")
    name = server.create(template=request.getfixturevalue("migrated_postgres"))
    yield Engines("servers", server.url(name), store.url(store.create()))
    server.drop(name)


@pytest.fixture(scope="session")
def desk(case_urls: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The hub at which the cases arrive."""
    folder: Path = tmp_path_factory.mktemp("desk")
    seed(case_urls)
    with open_desk(case_urls, folder) as opened:
        yield opened
