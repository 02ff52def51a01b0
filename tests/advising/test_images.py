"""Images answer an order as what they are: complete, good enough, not rejected; with their report judged once."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from hub.advising import Advising
from schemas.image_quality import Grade, Graded
from schemas.verdict import Advice, Rule
from storage import study_quality
from storage.database import Database
from tests.benchmarks import recognition_index
from tests.engines import Engines

from .laboratories import NOW, Desk, order

_REPORTS = 30


@pytest.fixture
def database(migrated_urls: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """One patient of the benchmark's index, with a few reports: chest CT among them, images and all."""
    monkeypatch.setattr(recognition_index, "EACH", _REPORTS)
    monkeypatch.setattr(recognition_index, "HEAVY", 1)
    monkeypatch.setattr(recognition_index, "_YEARS", 0.05)
    made = Database(migrated_urls.database_url)
    recognition_index.build(made, _REPORTS)
    yield made
    made.close()


def verdict(database: Database, code: str = "R-CT-CHEST") -> tuple[Advice, Rule]:
    (answer,) = Desk(Advising(database)).ask(order(code))
    first = (answer.lines[0].judged or answer.lines[0].near)[0]
    return first.verdict.advice, first.verdict.rule


def test_a_chest_ct_answers_the_order_and_one_with_contrast_only_nearly(database: Database) -> None:
    assert verdict(database) == (Advice.REUSABLE, Rule.WINDOW)
    assert verdict(database, "R-CT-CHEST-C") == (Advice.WITH_CAUTION, Rule.ITEM)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE study SET completed_at = NULL", Rule.COMPLETE),
        ("UPDATE study SET instance_count = 0", Rule.CONTENT),
        ("UPDATE study SET modalities = 'SR'", Rule.CONTENT),
    ],
)
def test_images_that_are_not_all_here_are_not_suggested(database: Database, change: str, rule: Rule) -> None:
    with database.write() as tx:
        tx.execute(text(change))
    assert verdict(database) == (Advice.NOT_SUGGESTED, rule)


def test_a_readers_grade_counts_and_a_later_one_takes_its_place(database: Database) -> None:
    doctor = Desk(Advising(database)).doctor
    with database.write() as tx:
        for study in tx.scalars(text("SELECT id FROM study")).all():
            study_quality.add_grade(tx, doctor, study, Graded(Grade.REJECT), NOW)
    assert verdict(database) == (Advice.NOT_SUGGESTED, Rule.GRADE)
    with database.write() as tx:
        study_quality.add_grade(tx, doctor, newest_study_in(tx), Graded(Grade.A), NOW)
    assert verdict(database) == (Advice.REUSABLE, Rule.WINDOW)


def newest_study_in(tx: Connection) -> int:
    return int(tx.scalar(text("SELECT id FROM study ORDER BY observed_at DESC LIMIT 1")) or 0)
