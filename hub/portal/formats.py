"""How values are written for a person: times, dates, identity numbers, results."""

import datetime as dt
from decimal import Decimal

from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier
from schemas.observation import Quantity
from schemas.trend import Point
from schemas.wording import ZONE as ZONE
from schemas.wording import moment as moment
from schemas.wording import number as number
from schemas.wording import result as result
from schemas.wording import spelled as spelled
from schemas.wording import unit as unit

_VISIBLE_DIGITS = 4


def now() -> dt.datetime:
    """Our clock, UTC."""
    return dt.datetime.now(dt.UTC)


def day(value: dt.date | None) -> str:
    """`1980-02-03`; a dash where the date was never told."""
    return value.isoformat() if value else "—"


def study_moment(date: str, time: str) -> str:
    """A modality's own clock (`YYYYMMDD`, `HHMMSS…`) as people write it, without claiming a zone."""
    if len(date) != len("YYYYMMDD") or not date.isdigit():
        return date or "—"
    clock = f" {time[:2]}:{time[2:4]}" if len(time) >= len("HHMM") and time[:4].isdigit() else ""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}{clock}"


def age(birth_date: dt.date | None, at: dt.datetime | None = None) -> int | None:
    """Completed years at a moment (now, when none is given); None without a birth date."""
    if birth_date is None:
        return None
    today = (at or now()).astimezone(ZONE).date()
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def masked(identifier: Identifier) -> str:
    """An identifier as lists show it: of a resident number only the last digits."""
    if identifier.system != RESIDENT_ID:
        return identifier.value
    hidden = max(0, len(identifier.value) - _VISIBLE_DIGITS)
    return "•" * min(hidden, _VISIBLE_DIGITS) + identifier.value[hidden:]


def resident_identifier(identifiers: tuple[Identifier, ...]) -> Identifier | None:
    """The resident identity number among a person's identifiers."""
    return next((i for i in identifiers if i.system == RESIDENT_ID), None)


def card_identifiers(identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """What institutions know a person by: every identifier but the resident number, health cards first."""
    cards = [i for i in identifiers if i.system != RESIDENT_ID]
    return tuple(sorted(cards, key=lambda i: i.system != HEALTH_CARD))


def comparable(point: Point) -> str:
    """A measured number in the unit of its series, with no more digits than a conversion can vouch for."""
    value = point.record.observation.value
    sign = value.comparator if isinstance(value, Quantity) else ""
    shown = point.value.quantize(Decimal(1).scaleb(point.value.adjusted() - 3)) if point.converted else point.value
    return sign + (number(shown.normalize()) if point.converted else number(shown))


def size(octets: int) -> str:
    """`512 B`, `12.4 KB`, `3.0 MB`."""
    amount, name = float(octets), "B"
    for name in ("B", "KB", "MB", "GB"):
        if amount < 1024 or name == "GB":
            break
        amount /= 1024
    return f"{octets} B" if name == "B" else f"{amount:.1f} {name}"
