"""One hub for each set of engines, shared by all cases."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines import Engines, MinioServer, Postgres
from tests.journeys.cases.desk import Desk, open_desk, seed

Another = Callable[[], Engines]


@pytest.fixture(scope="session", params=["embedded", "servers"])
def another_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Another]:
    """As `migrated_urls`, as many as are asked for, and for all cases: what is slow is to start, not to send."""
    if request.param == "embedded":
        migrated = request.getfixturevalue("migrated_sqlite")

        def embedded() -> Engines:
            folder = tmp_path_factory.mktemp("cases")
            shutil.copy(migrated, folder / "hub.db")
            return Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")

        yield embedded
        return
    server: Postgres = request.getfixturevalue("postgres")
    store: MinioServer = request.getfixturevalue("minio")
    template, made = request.getfixturevalue("migrated_postgres"), []

    def servers() -> Engines:
        made.append(server.create(template=template))
        return Engines("servers", server.url(made[-1]), store.url(store.create()))

    yield servers
    for name in made:
        server.drop(name)


@pytest.fixture(scope="session")
def desk(another_store: Another, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The hub at which the cases arrive."""
    folder: Path = tmp_path_factory.mktemp("desk")
    urls = another_store()
    seed(urls)
    with open_desk(urls, folder) as opened:
        yield opened
