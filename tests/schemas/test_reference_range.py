"""Reference ranges: which one is whose, and never a guess."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.patient import Sex
from schemas.reference_range import Age, applicable, parts

TODAY = dt.date(2026, 11, 21)
ADULT, CHILD = dt.date(1980, 5, 1), dt.date(2020, 5, 1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3.5-9.5", "3.5", "9.5"),
        ("3.5--9.5", "3.5", "9.5"),
        ("3.5～9.5", "3.5", "9.5"),
        (" 130 - 175 ", "130", "175"),
        ("-2-2", "-2", "2"),
        ("<5.2", None, "5.2"),
        ("≤ 5.2", None, "5.2"),
        ("≥1.0", "1.0", None),
        ("阴性", None, None),
        ("<1:20", None, None),
        ("1:20-1:40", None, None),
        ("见报告单", None, None),
    ],
)
def test_numbers_of_a_range(text: str, low: str | None, high: str | None) -> None:
    (only,) = parts(text)
    assert (only.low, only.high) == tuple(Decimal(each) if each else None for each in (low, high))
    assert only.text.strip() == text.strip()


@pytest.mark.parametrize(
    ("text", "sex", "born", "shown"),
    [
        ("男:3.5-9.5 女:3.0-9.0", Sex.FEMALE, ADULT, "女:3.0-9.0"),
        ("男0-15；女0-20", Sex.MALE, ADULT, "男0-15"),
        ("男性：4.3-5.8，女性：3.8-5.1", Sex.FEMALE, None, "女性：3.8-5.1"),
        ("M:130-175 F:115-150", Sex.MALE, ADULT, "M:130-175"),
        ("0-14岁 5-15；15岁以上 3-9", Sex.MALE, CHILD, "0-14岁 5-15"),
        ("0-14岁 5-15；15岁以上 3-9", Sex.MALE, ADULT, "15岁以上 3-9"),
        ("<1岁:10-20;≥1岁:5-15", Sex.FEMALE, CHILD, "≥1岁:5-15"),
        ("男(>60岁)0-20；男(≤60岁)0-15；女0-20", Sex.MALE, ADULT, "男(≤60岁)0-15"),
        ("3.5-9.5", Sex.UNKNOWN, None, "3.5-9.5"),
        # Nothing is shown as the patient's own where it is not certain.
        ("男:3.5-9.5 女:3.0-9.0", Sex.UNKNOWN, ADULT, None),
        ("0-14岁 5-15；15岁以上 3-9", Sex.MALE, None, None),
        ("14岁以下 5-15；14岁以上 3-9", Sex.MALE, dt.date(2012, 5, 1), None),
        ("卵泡期 3.5-12.5；黄体期 1.7-7.7", Sex.FEMALE, ADULT, None),
        ("女:3.0-9.0；孕妇:2.0-8.0", Sex.FEMALE, ADULT, None),
        ("男:3.5-9.5；见附注", Sex.MALE, ADULT, "男:3.5-9.5；见附注"),
    ],
)
def test_the_part_that_holds_for_a_patient(text: str, sex: Sex, born: dt.date | None, shown: str | None) -> None:
    found = applicable(parts(text), sex, born, TODAY)
    assert (found.text if found else None) == shown


def test_age_is_in_completed_years_months_and_days() -> None:
    born = dt.date(2025, 11, 22)
    assert Age(None, 0, "a").holds(born, TODAY)
    assert Age(11, 11, "mo").holds(born, TODAY)
    assert Age(364, 364, "d").holds(born, TODAY)


@given(st.text(max_size=40) | st.text("男女岁月0123456789.-~<>≤;；: ", max_size=30))
def test_no_text_is_lost_or_too_strange(text: str) -> None:
    found = parts(text)
    assert bool(found) == bool(text.strip())
    assert all(each.text in text for each in found)
