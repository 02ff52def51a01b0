"""Dates in searches: a value of lesser precision is a period. Source: https://hl7.org/fhir/R4/search.html#date"""

import datetime as dt
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from schemas.faults import InvalidPayload

from .parameters import Given

# A day without a zone is a day in the district.
DISTRICT = ZoneInfo("Asia/Shanghai")
_FORM = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(?P<fraction>\.\d+)?)?(?P<zone>Z|[+ -]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
Interval = tuple[dt.datetime | None, dt.datetime | None]


def interval(values: Iterable[Given]) -> Interval:
    """The half open [since, until) in which all hold of a moment; None where a side is open.

    Raises InvalidPayload for what is no date, and for `ne` and `ap`, which are no interval.
    """
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    for given in values:
        after, before = _one(given)
        since = max(filter(None, (since, after)), default=None)
        until = min(filter(None, (until, before)), default=None)
    return since, until


def days(values: Iterable[Given]) -> tuple[str, str]:
    """First and last day (`YYYYMMDD`, inclusive, empty where open). Raises InvalidPayload for a time of day."""
    listed = list(values)
    if timed := next((given for given in listed if "T" in given.value), None):
        raise InvalidPayload("expected a date without a time: studies are indexed by day", where=timed.where)
    since, until = interval(listed)
    last = until - dt.timedelta(days=1) if until else None
    return since.strftime("%Y%m%d") if since else "", last.strftime("%Y%m%d") if last else ""


def _one(given: Given) -> Interval:
    match = _FORM.fullmatch(given.value)
    if match is None:
        raise InvalidPayload("expected a date such as ge2024-05-06", where=given.where)
    try:
        begin, end = _period(match)
    except (ValueError, OverflowError) as error:
        raise InvalidPayload("expected a date of the calendar", where=given.where) from error
    match match["prefix"] or "eq":
        case "eq":
            return begin, end
        case "gt" | "sa":
            return end, None
        case "ge":
            return begin, None
        case "lt" | "eb":
            return None, begin
        case "le":
            return None, end
    raise InvalidPayload("expected one of the prefixes eq gt ge lt le sa eb", where=given.where)


def _period(match: re.Match[str]) -> tuple[dt.datetime, dt.datetime]:
    """The first moment of what was written, and the first after it."""
    parts = {name: int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")}
    zone = _zone(match["zone"])
    year, month = parts["year"], parts["month"] or 1
    if not match["month"]:
        return dt.datetime(year, 1, 1, tzinfo=zone), dt.datetime(year + 1, 1, 1, tzinfo=zone)
    if not match["day"]:
        after = dt.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
        return dt.datetime(year, month, 1, tzinfo=zone), after
    begin = dt.datetime(**parts, tzinfo=zone)
    if match["fraction"]:
        # Sources that know fractions of a second are few; within one, a search is never meant to tell two apart.
        return begin, begin + dt.timedelta(seconds=1)
    length = "seconds" if match["second"] else "minutes" if match["hour"] else "days"
    return begin, begin + dt.timedelta(**{length: 1})


def _zone(text: str | None) -> dt.tzinfo:
    if not text:
        return DISTRICT
    # A plus sign in an address that nobody escaped arrives as a space.
    return dt.datetime.fromisoformat("2000-01-01T00:00:00" + text.replace(" ", "+")).tzinfo or DISTRICT
