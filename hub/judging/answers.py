"""What there is for an order: panels item by item, the most useful result of each first. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from schemas.catalogue import Item
from schemas.region import RegionRules
from schemas.verdict import Advice, Asked, Judged, Line, Newer, Prior, Relation

from .state import is_critical, relation
from .verdict import judge

_BEST = (Advice.REUSABLE, Advice.WITH_CAUTION, Advice.NOT_SUGGESTED)
_EARLIEST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_WITHDRAWN = frozenset({"cancelled", "entered-in-error"})


def line(asked: Asked, item: Item, priors: Sequence[Prior], rules: RegionRules, judged_at: dt.datetime) -> Line:
    """The prior results of one item, judged and in order, however they came; and near matches apart."""
    by_relation = [(relation(item, prior.item, rules), prior) for prior in priors]
    same = [prior for how, prior in by_relation if how is Relation.SAME]
    near = [prior for how, prior in by_relation if how is Relation.NEAR]
    related = (*same, *near)
    return Line(
        item,
        # A later near match counts too: yesterday's critical CT with contrast is not undone by last week's plain one.
        _ordered(_judged(asked, _with_newer(asked, same, related, rules), rules, judged_at, Relation.SAME)),
        _ordered(_judged(asked, _with_newer(asked, near, related, rules), rules, judged_at, Relation.NEAR)),
    )


def _judged(
    asked: Asked, priors: Iterable[Prior], rules: RegionRules, judged_at: dt.datetime, how: Relation
) -> list[Judged]:
    return [Judged(prior, judge(asked, prior, rules, judged_at), how) for prior in priors]


def _with_newer(asked: Asked, priors: Sequence[Prior], among: Sequence[Prior], rules: RegionRules) -> list[Prior]:
    # By number too: which of two results of the same minute is named must not depend on how they came.
    latest_first = sorted((each for each in among if _counts(asked, each, rules)), key=_latest, reverse=True)
    return [replace(prior, newer=_newer(prior, latest_first)) for prior in priors]


def _counts(asked: Asked, prior: Prior, rules: RegionRules) -> bool:
    """Whether this is a result at all that could be newer than another: not taken back, and not of the future."""
    taken_back = prior.record.report.status in _WITHDRAWN or (
        prior.observation is not None and prior.observation.status in _WITHDRAWN
    )
    at = prior.sampled_at
    return prior.record.current and not taken_back and at is not None and at <= asked.at + rules.clock_tolerance


def _newer(prior: Prior, latest_first: Sequence[Prior]) -> Newer | None:
    """The later result that matters most: a critical one, else the latest."""
    if prior.sampled_at is None:
        return None
    later = [each for each in latest_first if _time(each) > _time(prior) and _answers(prior, each)]
    found = next((each for each in later if is_critical(each)), later[0] if later else None)
    return Newer(found.record.id, _time(found), is_critical(found)) if found else None


def _answers(prior: Prior, later: Prior) -> bool:
    """Whether the later one is another examination of the same thing: not of this study, not of the other side."""
    same_study = prior.record.report.study_instance_uid
    if later.record.id == prior.record.id or (same_study and same_study == later.record.report.study_instance_uid):
        return False
    return not (prior.laterality and later.laterality) or prior.laterality == later.laterality


def _latest(prior: Prior) -> tuple[dt.datetime, int, int, tuple[str, ...]]:
    return _time(prior), prior.record.id, prior.record.version, tuple(str(part) for part in prior.slot or ())


def _time(prior: Prior) -> dt.datetime:
    return prior.sampled_at or _EARLIEST


def _ordered(judged: list[Judged]) -> tuple[Judged, ...]:
    def key(each: Judged) -> tuple[int, float, int, int, tuple[str, ...]]:
        age = -_time(each.prior).timestamp() if each.prior.sampled_at else float("inf")
        slot = tuple(str(part) for part in each.prior.slot or ())
        return _BEST.index(each.verdict.advice), age, each.prior.record.id, each.prior.record.version, slot

    return tuple(sorted(judged, key=key))
