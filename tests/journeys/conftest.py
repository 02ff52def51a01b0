"""A hub in a process of its own, seeded and serving, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engines
from tests.journeys.process import Hub, seed, serving


@pytest.fixture
def tokens(migrated_urls: Engines) -> dict[str, str]:
    """A seeded district; a token for each role."""
    return seed(migrated_urls)


@pytest.fixture
def hub(migrated_urls: Engines, tmp_path: Path, tokens: dict[str, str]) -> Iterator[Hub]:
    """`dxhub serve` on a seeded district."""
    with serving(migrated_urls, tmp_path, tokens) as running:
        yield running
