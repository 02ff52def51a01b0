"""Numbers with something around them: SN, NR and CQ. Source: HL7 v2 chapter 2A."""

from schemas.observation import Interval, Quantity, Ratio

from .context import Context
from .numbers import decimal, quantity

_COMPARATORS = frozenset({"", "<", "<=", ">", ">="})
Unit = tuple[str, str]


def structured(raw: str, unit: Unit, context: Context) -> Quantity | Interval | Ratio | str | None:
    """SN: comparator, number, separator or suffix, number. A text such as `1+`; None where it holds no number."""
    comparator, first, separator, second = _parts(raw, context)
    comparator = "" if comparator == "=" else comparator
    if not second and not separator and (found := quantity(comparator + first, *unit)):
        return found
    low, high = decimal(first), decimal(second)
    if low is not None and high is not None and comparator in _COMPARATORS:
        if separator in (":", "/"):
            return Ratio(low, high, comparator, *unit)
        if separator == "-" and not comparator and low <= high:
            return Interval(low, high, *unit)
    text = f"{comparator}{first}{separator}{second}"
    return text if any(c.isdigit() for c in text) else None


def interval(raw: str, unit: Unit, context: Context) -> Interval | None:
    """NR: low and high, either of which may be missing."""
    first, second, *_ = _parts(raw, context)
    low, high = decimal(first), decimal(second)
    if (low is None and (first or high is None)) or (high is None and second):
        return None
    return Interval(low, high, *unit)


def composite(raw: str, unit: Unit, context: Context) -> Quantity | None:
    """CQ: a number and its unit, which counts where OBX-6 tells none."""
    first, own, *_ = _parts(raw, context)
    return quantity(first, *(unit if unit[0] else (own, "")))


def _parts(raw: str, context: Context) -> tuple[str, str, str, str]:
    repetitions = context.repetitions(raw)
    found = [*context.components(repetitions[0] if len(repetitions) == 1 else raw), "", "", "", ""]
    return found[0], found[1], found[2], found[3]
