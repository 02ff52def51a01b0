"""How an institution's item stood when the specimen was taken, and how far the mark on its result reaches."""

import datetime as dt
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import Scope
from schemas.quality import (
    Assessed,
    Assessment,
    QualityBook,
    QualityRecord,
    QualityVersion,
    Standing,
    assess,
    hr_mark,
)
from schemas.shipped_catalogue import shipped
from schemas.wording import ZONE

ITEM = shipped().items[0]
JANUARY, JULY, NEXT = dt.date(2026, 1, 1), dt.date(2026, 7, 1), dt.date(2027, 1, 1)
KNOWN = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
PASSED = QualityRecord("CHC01", ITEM.code, Standing.PASSED, JANUARY, NEXT)
_SEVERITY = [Assessed.PASSED, Assessed.SUSPENDED, Assessed.FAILED]


def saved(*records: QualityRecord) -> list[QualityVersion]:
    return [QualityVersion(1, each, KNOWN, "quality") for each in records]


def on(day: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), ZONE)


def found(day: dt.date, *records: QualityRecord, method: str = "") -> Assessed:
    return assess(saved(*records), method, on(day)).assessed


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2025, 12, 31), Assessed.UNKNOWN),
        (JANUARY, Assessed.PASSED),
        (dt.date(2026, 12, 31), Assessed.PASSED),
        (NEXT, Assessed.EXPIRED),
    ],
)
def test_a_period_holds_from_its_first_day_to_the_day_before_its_last(day: dt.date, expected: Assessed) -> None:
    assert found(day, PASSED) is expected


def test_a_day_is_the_district_s_own() -> None:
    # 23:30 of the day before, in UTC; the first morning of the year where the blood was drawn.
    morning = dt.datetime(2025, 12, 31, 23, 30, tzinfo=dt.UTC)
    assert assess(saved(PASSED), "", morning).assessed is Assessed.PASSED


def test_a_suspension_within_a_passed_year_holds_while_it_lasts() -> None:
    suspended = replace(PASSED, standing=Standing.SUSPENDED, since=dt.date(2026, 5, 1), until=JULY)
    days = (dt.date(2026, 4, 30), dt.date(2026, 5, 1), dt.date(2026, 6, 30), JULY)
    assert [found(day, PASSED, suspended) for day in days] == [
        Assessed.PASSED,
        Assessed.SUSPENDED,
        Assessed.SUSPENDED,
        Assessed.PASSED,
    ]


def test_a_method_that_failed_is_told_of_its_own_results_and_of_those_that_do_not_say_theirs() -> None:
    dry = replace(PASSED, method="干化学", standing=Standing.FAILED)
    wet = replace(PASSED, method="酶法")
    assert found(JULY, dry, wet, method="酶法") is Assessed.PASSED
    assert found(JULY, dry, wet, method="干化学") is Assessed.FAILED
    assert found(JULY, dry, wet) is Assessed.FAILED
    assert found(JULY, wet, method="电极法") is Assessed.UNKNOWN
    assert found(JULY, PASSED, method="电极法") is Assessed.PASSED


def test_the_mark_reaches_no_further_than_the_item_and_the_record() -> None:
    def mark(item: Scope, record: Scope) -> Scope | None:
        version = saved(replace(PASSED, scope=record))
        return hr_mark(replace(ITEM, scope=item), assess(version, "", on(JULY)))

    assert mark(Scope.PROVINCE, Scope.NATION) is Scope.PROVINCE
    assert mark(Scope.NATION, Scope.CITY) is Scope.CITY
    assert mark(Scope.DISTRICT, Scope.DISTRICT) is Scope.DISTRICT


@pytest.mark.parametrize("standing", [Standing.FAILED, Standing.SUSPENDED])
def test_what_did_not_pass_at_sampling_bears_no_mark(standing: Standing) -> None:
    assert hr_mark(ITEM, assess(saved(replace(PASSED, standing=standing)), "", on(JULY))) is None
    assert hr_mark(ITEM, assess(saved(PASSED), "", on(NEXT))) is None
    assert hr_mark(ITEM, Assessment(Assessed.UNKNOWN)) is None


_DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 31))
_RECORDS = st.builds(
    lambda standing, first, days, method, scope: QualityRecord(
        "CHC01", ITEM.code, standing, first, first + dt.timedelta(days=days), method, scope
    ),
    st.sampled_from(Standing),
    _DAYS,
    st.integers(1, 400),
    st.sampled_from(["", "酶法", "电极法"]),
    st.sampled_from(Scope),
)


@given(st.lists(_RECORDS, max_size=6), _DAYS, st.sampled_from(["", "酶法", "干化学"]), st.randoms())
def test_an_assessment_does_not_depend_on_the_order_of_the_records(
    records: list[QualityRecord], day: dt.date, method: str, chance: Random
) -> None:
    versions = saved(*{each.key: each for each in records}.values())
    shuffled = list(versions)
    chance.shuffle(shuffled)
    assert assess(versions, method, on(day)) == assess(shuffled, method, on(day))


@given(st.lists(_RECORDS, max_size=6), _RECORDS, _DAYS, st.sampled_from(["", "酶法"]))
def test_one_more_bad_record_never_makes_an_item_better(
    records: list[QualityRecord], more: QualityRecord, day: dt.date, method: str
) -> None:
    before = assess(saved(*records), method, on(day)).assessed
    after = assess(saved(*records, replace(more, standing=Standing.FAILED)), method, on(day)).assessed
    if before in _SEVERITY:
        assert _SEVERITY.index(after) >= _SEVERITY.index(before)
    assert before is Assessed.PASSED or after is not Assessed.PASSED


@given(st.lists(st.tuples(_RECORDS, st.integers(0, 5), st.booleans()), max_size=8), st.integers(0, 6))
def test_a_book_that_grew_knows_what_one_made_at_once_knows(
    saves: list[tuple[QualityRecord, int, bool]], cut: int
) -> None:
    versions: list[QualityVersion] = []
    for record, hours, withdrawn in saves:
        number = sum(each.record.key == record.key for each in versions) + 1
        at = KNOWN + dt.timedelta(hours=hours)
        versions.append(QualityVersion(number, record, at, withdrawn=withdrawn))
    first = QualityBook.of(versions[:cut])
    grown, whole = QualityBook.of(versions[cut:], before=first), QualityBook.of(versions)
    assert set(grown.in_force("CHC01", ITEM.code)) == set(whole.in_force("CHC01", ITEM.code))
    assert first.versions("CHC01", ITEM.code) == tuple(versions[:cut]), "the older book stays as it was"
