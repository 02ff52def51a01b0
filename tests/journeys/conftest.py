"""A hub in a process of its own, seeded and serving, on both engines."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engines, MinioServer, Postgres
from tests.journeys.process import Hub, seed, serving


@pytest.fixture(scope="module", params=["embedded", "servers"])
def module_urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """As `migrated_urls`, one for the tests of a module: a process takes seconds to start."""
    folder = tmp_path_factory.mktemp("hub")
    if request.param == "embedded":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "hub.db")
        yield Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
        return
    server: Postgres = request.getfixturevalue("postgres")
    store: MinioServer = request.getfixturevalue("minio")
    name = server.create(template=request.getfixturevalue("migrated_postgres"))
    yield Engines("servers", server.url(name), store.url(store.create()))
    server.drop(name)


@pytest.fixture(scope="module")
def hub(module_urls: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """`dxhub serve` on a seeded district. Its tests share it: each sends patients and orders of its own."""
    data: Path = tmp_path_factory.mktemp("data")
    with serving(module_urls, data, seed(module_urls)) as running:
        yield running
