"""The kernel as a fixture, on both engines."""

from collections.abc import Iterator

import pytest

from tests.engines import Engines
from tests.hub.kernel import Kernel, kernel


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[Kernel]:
    """A seeded hub without adapters."""
    made = kernel(migrated_urls)
    yield made
    made.ingest.close()
    made.database.close()
