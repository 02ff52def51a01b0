"""What changed between two ECGs of a person: the numbers that their sources measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from schemas.observation import WITHDRAWN, Quantity
from schemas.report import ReportRecord

from .formats import number
from .i18n import N_

# LOINC code, as ECG people write it, unit.
_COMPARED = (
    ("8867-4", "HR", "/min"),
    ("8625-6", "PR", "ms"),
    ("8633-0", "QRS", "ms"),
    ("8634-8", "QT", "ms"),
    ("8636-3", "QTc", "ms"),
    ("8632-2", N_("QRS axis"), "°"),
)
_AXIS = "8632-2"
# A change that a cart's own scatter does not explain; between them lies what reading the same tracing twice gives.
_NOTABLE = {"8867-4": 20, "8625-6": 20, "8633-0": 10, "8634-8": 40, "8636-3": 30, "8632-2": 20}


@dataclass(frozen=True, slots=True)
class Difference:
    """One measurement of both. change: with its sign, empty where one of the two is missing."""

    name: str
    code: str
    unit: str
    before: str
    now: str
    change: str
    notable: bool


def values(record: ReportRecord) -> dict[str, Decimal]:
    """By LOINC code, those that stand."""
    return {
        each.code.code: each.value.value
        for each in reversed(record.report.observations)
        if isinstance(each.value, Quantity) and not each.value.comparator and each.status not in WITHDRAWN
    }


def measures(record: ReportRecord) -> list[tuple[str, str]]:
    """Those that a paper's heading shows: abbreviation, value with its unit."""
    found = values(record)
    return [(name, f"{number(found[code])} {unit}") for code, name, unit in _COMPARED if code in found]


def differences(now: ReportRecord, before: ReportRecord) -> tuple[Difference, ...]:
    """Every one of them, also where only one of the two has it."""
    return tuple(_differences(values(now), values(before)))


def _differences(now: dict[str, Decimal], before: dict[str, Decimal]) -> Iterator[Difference]:
    for code, name, unit in _COMPARED:
        one, other = now.get(code), before.get(code)
        step = None if one is None or other is None else one - other
        if step is not None and code == _AXIS:
            # From 170 to -170 degrees is twenty, not three hundred and forty.
            step = (step + 180) % 360 - 180 if (step + 180) % 360 >= 0 else (step + 180) % 360 + 180
        yield Difference(
            name,
            code,
            unit,
            "—" if other is None else number(other),
            "—" if one is None else number(one),
            "" if step is None else f"{'+' if step > 0 else '−' if step < 0 else '±'}{number(abs(step))}",
            step is not None and abs(step) >= _NOTABLE[code],
        )
