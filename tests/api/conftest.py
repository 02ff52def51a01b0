"""One hub for all questions that change nothing; a fresh one where something is sent."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.served import Served, seed, serve
from tests.engines import Engines


def _in(folder: Path) -> Engines:
    return Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")


@pytest.fixture(scope="session")
def seeded(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a seeded hub that nobody serves, to copy: passwords are slow to hash."""
    folder = tmp_path_factory.mktemp("seeded")
    shutil.copy(migrated_sqlite, folder / "hub.db")
    seed(_in(folder))
    return folder


@pytest.fixture(scope="session")
def hub(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub that tests only read from."""
    folder = tmp_path_factory.mktemp("api")
    shutil.copytree(seeded, folder, dirs_exist_ok=True)
    with serve(_in(folder)) as served:
        yield served


@pytest.fixture
def fresh(seeded: Path, tmp_path: Path) -> Iterator[Served]:
    """A hub of the test's own."""
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with serve(_in(tmp_path)) as served:
        yield served
