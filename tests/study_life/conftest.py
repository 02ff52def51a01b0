"""A hub for images, on both engines."""

from collections.abc import Iterator

import pytest

from tests.engines import Engines
from tests.imaging import ImagingHub, imaging_hub


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[ImagingHub]:
    """A hub on SQLite and a folder, then on PostgreSQL and MinIO."""
    with imaging_hub(migrated_urls) as made:
        yield made
