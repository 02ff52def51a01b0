"""Each hand-made case gives the advice that a clinician would, and names the reason that decides."""

from typing import Any

import pytest

from hub.judging import judge
from schemas.verdict import Judged, Rule

from .building import NOW, RULES, one
from .cases import CASES


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_case(case: tuple[Any, ...]) -> None:
    _, order, results, advice, rule, *region = case
    found = one(order, *results, rules=region[0] if region else RULES) if order.item else _unknown(case)
    assert (found.verdict.advice, found.verdict.rule) == (advice, rule)


def _unknown(case: tuple[Any, ...]) -> Judged:
    """What is ordered is in no catalogue: no result is of it, and the rule is asked all the same."""
    return Judged(case[2][0], judge(case[1], case[2][0], RULES, NOW))


def test_there_are_cases_enough_and_none_twice() -> None:
    assert len(CASES) >= 120
    assert len({case[0] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES[::7], ids=[case[0] for case in CASES[::7]])
def test_every_rule_is_always_asked_and_speaks_both_languages(case: tuple[Any, ...]) -> None:
    _, order, results, *_ = case
    found = (one(order, *results) if order.item else _unknown(case)).verdict
    assert [each.rule for each in found.findings] == list(Rule)
    assert all(each.zh and each.en and each.looked_at and each.found for each in found.findings)


def test_every_rule_decides_some_case() -> None:
    decided = {case[4] for case in CASES}
    # A method asked for by the catalogue: no shipped item does; see the properties.
    assert set(Rule) - decided == {Rule.METHOD}
