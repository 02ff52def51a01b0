"""How values are written for a person: times, dates, identity numbers, results."""

import datetime as dt
import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from schemas.codes import Coding
from schemas.identifiers import HEALTH_CARD, RESIDENT_ID, Identifier
from schemas.observation import Interval, Moment, Observation, Quantity, Ratio
from schemas.trend import Point

# The district's wall clock: every institution of the country keeps this one zone.
ZONE = ZoneInfo("Asia/Shanghai")
_VISIBLE_DIGITS = 4
_POWER = re.compile(r"^[×xX]?(?:10\*|10\^)(\d+)(?=/|$)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MICRO = re.compile(r"\bu(?=(?:mol|g|L|m|V|s|kat)\b)")


def moment(value: dt.datetime | None) -> str:
    """`2026-11-21 10:30` on the district's clock; a dash where the time was never told."""
    return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if value else "—"


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


def number(value: Decimal) -> str:
    """A measured number with the digits that the source gave it, never in scientific notation."""
    return format(value, "f")


def result(observation: Observation) -> str:
    """A result as its report shows it, without the unit."""
    match observation.value:
        case Quantity(value=value, comparator=comparator):
            return comparator + number(value)
        case Coding(code=code, display=display):
            return display or code
        case Interval(low=low, high=high):
            return _ends(low, high)
        case Ratio(numerator=one, denominator=other, comparator=comparator):
            return f"{comparator}{number(one)}:{number(other)}"
        case Moment(iso=iso):
            return moment(dt.datetime.fromisoformat(iso)) if "T" in iso else iso
        case str(text):
            return text
        case _:
            return "—"


def _ends(low: Decimal | None, high: Decimal | None) -> str:
    if low is None or high is None:
        return f"≤{number(high)}" if high is not None else f"≥{number(low)}" if low is not None else "—"
    return f"{number(low)}–{number(high)}"


def comparable(point: Point) -> str:
    """A measured number in the unit of its series, with no more digits than a conversion can vouch for."""
    value = point.record.observation.value
    sign = value.comparator if isinstance(value, Quantity) else ""
    shown = point.value.quantize(Decimal(1).scaleb(point.value.adjusted() - 3)) if point.converted else point.value
    return sign + (number(shown.normalize()) if point.converted else number(shown))


def unit(observation: Observation) -> str:
    """The unit that goes with `result`."""
    if isinstance(observation.value, Quantity | Interval | Ratio):
        return observation.value.unit or observation.unit
    return observation.unit


def spelled(unit: str) -> str:
    """A unit as people write it: sources send UCUM, `10*9/L`, `umol/L`, `m[IU]/L`, `mL/min/{1.73_m2}`."""
    unit = _POWER.sub(lambda found: "×10" + found[1].translate(_RAISED), unit.strip())
    for written, read in (("{1.73_m2}", "1.73 m²"), ("[IU]", "IU"), ("[pH]", "pH"), ("Cel", "°C")):
        unit = unit.replace(written, read)
    return "°" if unit == "deg" else _MICRO.sub("μ", unit)


def size(octets: int) -> str:
    """`512 B`, `12.4 KB`, `3.0 MB`."""
    amount, name = float(octets), "B"
    for name in ("B", "KB", "MB", "GB"):
        if amount < 1024 or name == "GB":
            break
        amount /= 1024
    return f"{octets} B" if name == "B" else f"{amount:.1f} {name}"
