"""Fixtures that every part of the suite shares, and the rule that a skip is a failure where all must be there."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.database import Database
from storage.migrate import migrate
from tests import engines
from tests.engines import Engines, MinioServer, Postgres

# How long it takes to think of an input says something of the machine, nothing of the hub.
settings.register_profile("dxhub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dxhub")
REQUIRE_ALL = os.environ.get("DXHUB_TEST_REQUIRE_ALL") == "1"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with engines.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def minio() -> Iterator[MinioServer]:
    """A running MinIO."""
    with engines.minio() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A new, empty PostgreSQL database."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def minio_url(minio: MinioServer) -> str:
    """A new, empty bucket."""
    return minio.url(minio.create())


@pytest.fixture(params=["embedded", "servers"])
def engine_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Engines:
    """A new, empty database and object store: SQLite and a folder, then PostgreSQL and MinIO."""
    if request.param == "servers":
        return Engines("servers", request.getfixturevalue("postgres_url"), request.getfixturevalue("minio_url"))
    return Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file of this version's tables, to copy: migrating once is enough."""
    path = tmp_path_factory.mktemp("migrated") / "hub.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The name of a PostgreSQL database of this version's tables, to use as a template."""
    name = postgres.create()
    _migrate(postgres.url(name))
    return name


@pytest.fixture(params=["embedded", "servers"])
def migrated_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    """As `engine_urls`, the database already at this version: what most tests want."""
    if request.param == "embedded":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "hub.db")
        yield Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template=request.getfixturevalue("migrated_postgres"))
    yield Engines("servers", server.url(name), request.getfixturevalue("minio_url"))
    server.drop(name)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample files from real devices and systems."""
    named = os.environ.get("DXHUB_SAMPLES", "")
    if not Path(named, "dicom").is_dir():
        pytest.skip("set DXHUB_SAMPLES to the folder of sample files")
    return Path(named).resolve()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in tests/benchmarks is a benchmark."""
    for item in items:
        if "benchmarks" in item.path.parts:
            item.add_marker(pytest.mark.benchmark)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything must be there, a skipped test has failed."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but DXHUB_TEST_REQUIRE_ALL=1: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, but DXHUB_TEST_REQUIRE_ALL=1: {_reason(report)}"
    return report


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
