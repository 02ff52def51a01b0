"""A hub's DICOM door, and files that a device could have written."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.delivery import Channel, Origin
from schemas.organization import Source
from tests.engines import Engines
from tests.imaging import ImagingHub, imaging_hub


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[ImagingHub]:
    """A hub on SQLite and a folder, then on PostgreSQL and MinIO."""
    with imaging_hub(migrated_urls) as made:
        yield made


@pytest.fixture
def small_hub(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ImagingHub]:
    """A hub on SQLite and a folder, for what does not depend on the engine."""
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    with imaging_hub(Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")) as made:
        yield made


@pytest.fixture
def origin() -> Origin:
    """A community centre in Shanghai time."""
    return Origin(Source(1, "CHC01", "CHC01", "CHC01"), Channel.C_STORE, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
