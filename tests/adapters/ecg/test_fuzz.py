"""A few hundred mutated files of every format; `tests.benchmarks.fuzz_ecg` runs as many as one likes."""

from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.fuzz_ecg import run


def test_mutated_files_of_every_format_end_in_a_reading_or_a_fault(samples: Path) -> None:
    # Others every day, and the same ones all day: what fails can be run again.
    day = datetime.now(UTC).date()
    outcome = run((f"{day}-{number}" for number in range(300)), samples)
    assert outcome.broken == []
    assert sum(outcome.read.values()) > 20
    assert sum(outcome.refused.values()) > 20
