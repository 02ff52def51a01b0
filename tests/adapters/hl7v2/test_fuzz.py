"""A small share of tests/benchmarks/fuzz.py every day: other messages each time, by a seed that a failure prints."""

import random
from pathlib import Path

import pytest

from tests.benchmarks.fuzz import run

SEED = random.SystemRandom().randrange(10**9)
COUNT = 120


def _seeds(name: str) -> list[str]:
    return [f"{name}/{SEED}/{number}" for number in range(COUNT)]


def test_generated_messages_gone_wrong_are_read_or_refused_and_accounted_for() -> None:
    outcome = run(iter(_seeds("generated")), None, examined_every=8)
    assert not outcome.broken
    assert outcome.read
    assert outcome.refused


@pytest.mark.parametrize("part", range(2))
def test_samples_gone_wrong_are_read_or_refused_and_accounted_for(samples: Path, part: int) -> None:
    outcome = run(iter(_seeds(f"samples{part}")), samples, examined_every=8)
    assert not outcome.broken
    assert outcome.read
    assert outcome.refused
