"""What a rule answers, in a form that every rule is written in."""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from schemas.region import RegionRules
from schemas.verdict import Asked, Outcome, Prior
from schemas.wording import ZONE

HOLDS, SUPPORTS, NONE = Outcome.HOLDS, Outcome.SUPPORTS, Outcome.NONE
CAUTION, EXCLUDES = Outcome.CAUTION, Outcome.EXCLUDES


class Said(NamedTuple):
    """outcome, what was looked at, what was found there; zh, en: for people."""

    outcome: Outcome
    looked_at: str
    found: str
    zh: str
    en: str


RuleFunction = Callable[[Asked, Prior, RegionRules], Said]


def age(asked: Asked, prior: Prior) -> dt.timedelta | None:
    """From sampling or acquisition to the moment of ordering; None where sampling was never told."""
    return asked.at - prior.sampled_at if prior.sampled_at else None


def long_zh(span: dt.timedelta) -> str:
    """A span as people say it: 3 天, 5 小时, 20 分钟."""
    return _long(span, (" 天", " 小时", " 分钟"))


def long_en(span: dt.timedelta) -> str:
    """The same in English."""
    return _long(span, (" d", " h", " min"))


def _long(span: dt.timedelta, units: tuple[str, str, str]) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours = divmod(minutes // 60, 24)
    if days >= 3 or (days and not hours):
        return f"{days}{units[0]}"
    if days:
        return f"{days}{units[0]} {hours}{units[1]}"
    return f"{hours}{units[1]}" if hours else f"{minutes}{units[2]}"


def moment(at: dt.datetime) -> str:
    """On the district's clock."""
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
