"""HL7 v2 times and dates. A time without a zone is in the zone of the source: the only one we can defend."""

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# YYYYMMDD[HH[MM[SS[.S…]]]][+/-ZZ[ZZ]], and the punctuation of ISO 8601 that some senders add.
_TIME = re.compile(
    r"(\d{4})-?/?(\d\d)-?/?(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?"
    r"\s*(?:([+-])(\d\d):?(\d\d)?|Z)?",
    re.ASCII,
)

_DAY = re.compile(r"(\d{4})(?:[-/]?(\d\d)(?:[-/]?(\d\d))?)?", re.ASCII)
_CLOCK = re.compile(r"(\d\d):?(\d\d)(?::?(\d\d)(?:\.\d+)?)?", re.ASCII)

# Nobody alive was examined outside these; and arithmetic on zones breaks down at the ends of the calendar.
_FIRST_YEAR, _LAST_YEAR = 1850, 2200


@lru_cache(maxsize=32)
def zone(name: str) -> dt.tzinfo:
    """The zone of an IANA name; UTC where nobody knows the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


@lru_cache(maxsize=4096)
def moment(text: str, zone_name: str) -> dt.datetime | None:
    """The instant that a TS or DTM names, aware of its zone; None where it names none (`00000000`, 31 February).

    A date alone is taken as its midnight; a month or a year alone says too little.
    """
    found = _TIME.fullmatch(text[:40])
    if not found:
        return None
    if not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        where = zone(zone_name) if not sign else _offset(sign, hours, minutes)
        if text.endswith("Z"):
            where = dt.UTC
        micro = int((fraction or "0").ljust(6, "0"))
        return dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, where
        )
    except ValueError:
        return None


def _offset(sign: str, hours: str, minutes: str | None) -> dt.timezone:
    offset = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
    return dt.timezone(offset if sign == "+" else -offset)


def date(text: str) -> dt.date | None:
    """The day that a DT or TS names where it was written down: a zone does not move a birthday."""
    found = moment(text, "UTC")
    return found.date() if found else None


def iso_moment(text: str, zone_name: str) -> str | None:
    """A DT, TS or DTM in ISO 8601, no more exact than it was told; None where no such day or time exists."""
    if found := _DAY.fullmatch(text[:40]):
        told = [part for part in found.groups() if part]
        whole = date("".join([*told, "01", "01"][:3]))
        return "-".join(told) if whole else None
    at = moment(text, zone_name)
    if at is None:
        return None
    # Before 1928 the clocks of Shanghai stood seconds off a whole minute; ISO 8601 has none.
    offset = at.utcoffset() or dt.timedelta()
    return (at.astimezone(dt.UTC) if offset % dt.timedelta(minutes=1) else at).isoformat()


def iso_clock(text: str) -> str | None:
    """A TM as `10:30:00`; None where no clock shows it, or it names a zone, which a time without a day cannot have."""
    found = _CLOCK.fullmatch(text[:20])
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    return f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else None
