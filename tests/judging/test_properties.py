"""What holds of every verdict, whatever the order and the results."""

import random
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.judging import judge
from hub.judging.answers import line
from schemas.documents import from_json, to_json
from schemas.region import RegionRules
from schemas.verdict import Advice, Answer, Asked, Judged, Outcome, Prior, Rule, Verdict

from .building import CATALOGUE, NOW, RULES, asked, judged, one, prior
from .generated import as_hub, case

_RANK = {Advice.NOT_SUGGESTED: 0, Advice.WITH_CAUTION: 1, Advice.REUSABLE: 2}
seeds = st.integers(0, 2**32)


@given(seeds, st.integers(0, 60 * 24 * 90), st.integers(0, 60 * 24 * 90))
def test_an_older_result_is_never_better(seed: int, age_min: int, older_by_min: int) -> None:
    order, results = case(random.Random(seed))
    found = []
    for minutes in (age_min, age_min + older_by_min):
        made, priors, rules = as_hub(order, [{**results[0], "age_min": minutes}, *results[1:]])
        verdicts = [each.verdict for each in _all(made, priors, rules) if each.prior.record.id == 1]
        found.append(verdicts[0] if verdicts else judge(made, priors[0], rules, NOW))
    assert _RANK[found[1].advice] <= _RANK[found[0].advice]


@given(seeds)
def test_nothing_is_reusable_while_any_rule_excludes_it(seed: int) -> None:
    made, priors, rules = as_hub(*case(random.Random(seed)))
    for each in priors:
        verdict = judge(made, each, rules, NOW)
        outcomes = {finding.outcome for finding in verdict.findings}
        assert (Outcome.EXCLUDES in outcomes) == (verdict.advice is Advice.NOT_SUGGESTED)
        assert (outcomes & {Outcome.EXCLUDES, Outcome.CAUTION} == set()) == (verdict.advice is Advice.REUSABLE)
        assert [finding.rule for finding in verdict.findings] == list(Rule)


_SPOILT = [
    {"doubtful": True},
    {"status": "preliminary"},
    {"status": "cancelled"},
    {"current": False},
    {"critical": True},
    {"quality": "failed"},
    {"quality": "expired"},
    {"quality": "suspended"},
    {"age_min": None},
    {"supplement": True},
]


@pytest.mark.parametrize("spoilt", _SPOILT, ids=str)
@given(seed=seeds)
def test_one_exclusion_is_enough_however_good_the_rest_is(spoilt: dict[str, object], seed: int) -> None:
    order, results = case(random.Random(seed))
    made, priors, rules = as_hub(order, [{**results[0], **spoilt}])
    assert judge(made, priors[0], rules, NOW).advice is Advice.NOT_SUGGESTED


@pytest.mark.parametrize("context", ["emergency", "before-operation", "before-transfusion", "forensic"])
@given(seed=seeds)
def test_some_orders_are_never_answered_by_a_prior_result(context: str, seed: int) -> None:
    order, results = case(random.Random(seed))
    made, priors, rules = as_hub({**order, "contexts": (context,)}, results)
    assert all(each.verdict.advice is Advice.NOT_SUGGESTED for each in _all(made, priors, rules))


@example(5876, random.Random(1))
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_in_which_results_come_changes_nothing(seed: int, chance: random.Random) -> None:
    made, priors, rules = as_hub(*case(random.Random(seed)))
    shuffled = list(priors)
    chance.shuffle(shuffled)
    assert _all(made, priors, rules) == _all(made, shuffled, rules)


@given(seeds)
def test_the_evidence_pack_says_the_same_after_it_was_written_down(seed: int) -> None:
    made, priors, rules = as_hub(*case(random.Random(seed)))
    verdict = judge(made, priors[0], rules, NOW)
    assert from_json(Verdict, to_json(verdict)) == verdict


def test_the_reports_own_time_is_never_looked_at() -> None:
    fresh, stale = (prior(age="8d", issued=issued) for issued in ("0h", "8d"))
    assert one(asked(), fresh).verdict.findings == one(asked(), stale).verdict.findings


def test_a_method_that_the_catalogue_asks_for_makes_another_one_a_near_match() -> None:
    wanted = replace(CATALOGUE.items["L-718-7"], method="SLS")
    order = replace(asked(), item=wanted)
    same, other = (replace(prior(method=method), item=wanted) for method in ("sls", "cyanmethaemoglobin"))
    assert judge(order, same, RULES, NOW).advice is Advice.REUSABLE
    verdict = judge(order, other, RULES, NOW)
    assert (verdict.advice, verdict.rule) == (Advice.WITH_CAUTION, Rule.METHOD)


def test_a_panel_is_covered_when_all_its_items_are_also_from_several_reports() -> None:
    members = CATALOGUE.members_of(CATALOGUE.items["P-CBC"])
    results = [prior(each.code, "1d", id=1 if number % 2 else 2) for number, each in enumerate(members)]
    assert _panel(results).covered
    assert _panel(results).advice is Advice.REUSABLE
    without = _panel(results[1:])
    assert not without.covered
    assert without.missing == members[:1]
    spoilt = _panel([*results[1:], prior(members[0].code, "1d", quality="failed", id=3)])
    assert (spoilt.covered, spoilt.missing) == (False, members[:1])


def test_the_most_useful_result_of_an_item_stands_first() -> None:
    found = judged(asked(), prior(age="5d", id=1), prior(age="2d", id=2), prior(age="1d", id=3, quality="failed"))
    assert [each.prior.record.id for each in found.judged] == [2, 1, 3]
    assert found.judged[0].verdict.rule is Rule.NEWEST  # the latest of all is there as well, and said


def test_near_matches_stand_apart() -> None:
    found = judged(asked("R-CT-CHEST"), prior("R-CT-CHEST-C", "1d"))
    assert (found.judged, len(found.near)) == ((), 1)


def _panel(results: list[Prior]) -> Answer:
    panel = CATALOGUE.items["P-CBC"]
    lines = []
    for each in CATALOGUE.members_of(panel):
        order = asked(each.code)
        lines.append(line(order, each, [r for r in results if r.item and r.item.code == each.code], RULES, NOW))
    return Answer(panel, tuple(lines))


def _all(made: Asked, priors: list[Prior], rules: RegionRules) -> tuple[Judged, ...]:
    assert made.item
    found = line(made, made.item, priors, rules, NOW)
    return (*found.judged, *found.near)
