"""A hub's DICOMweb service on a real port."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.engines import Engines
from tests.imaging import AUDITOR, CLINICIAN, TECHNICIAN, ImagingHub, imaging_hub


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[ImagingHub]:
    """A hub on SQLite and a folder, then on PostgreSQL and MinIO."""
    with imaging_hub(migrated_urls) as made:
        yield made


@pytest.fixture(scope="module")
def small_hub(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImagingHub]:
    """A hub on SQLite and a folder that a module's tests share, for what does not depend on the engine."""
    folder = tmp_path_factory.mktemp("hub")
    shutil.copy(migrated_sqlite, folder / "hub.db")
    urls = Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
    with imaging_hub(urls, max_upload_mb=1) as made:
        yield made


@pytest.fixture(scope="module")
def technician(small_hub: ImagingHub) -> Iterator[httpx.Client]:
    with small_hub.client(TECHNICIAN) as client:
        yield client


@pytest.fixture(scope="module")
def clinician(small_hub: ImagingHub) -> Iterator[httpx.Client]:
    with small_hub.client(CLINICIAN) as client:
        yield client


@pytest.fixture(scope="module")
def auditor(small_hub: ImagingHub) -> Iterator[httpx.Client]:
    with small_hub.client(AUDITOR) as client:
        yield client
