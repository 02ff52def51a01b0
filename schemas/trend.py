"""One analyte of one person over time: what may stand on one curve, and what may not, and why.

Rules alone. Numbers are compared where their units are proved alike (schemas.units) and their methods agree or are not
told; everything else is shown beside, never left out.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .observation import ObservationRecord, Quantity
from .units import factor, ucum


class Reason(StrEnum):
    """Why numbers of the same analyte stand apart."""

    UNIT_DIFFERS = "unit-differs"  # nothing proves that one unit can be converted into the other
    UNIT_UNKNOWN = "unit-unknown"  # not told, or written in a way that nobody has mapped
    METHOD_DIFFERS = "method-differs"


@dataclass(frozen=True, slots=True)
class Measure:
    """How a number was measured. unit, method: as sent. code: the unit in UCUM, empty where it is not known.

    organization: code of the institution, within which the same words mean the same unit.
    """

    unit: str = ""
    code: str = ""
    method: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """value: the number in the unit of its series; converted: that is not as it was sent."""

    record: ObservationRecord
    value: Decimal
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that may be compared, oldest first. reason: why they stand apart, None for the asked series."""

    measure: Measure
    points: tuple[Point, ...]
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """The numbers comparable with what was asked, and the others of the same analyte, side by side."""

    series: Series = field(default_factory=lambda: Series(Measure(), ()))
    apart: tuple[Series, ...] = ()


def measure_of(record: ObservationRecord) -> Measure:
    """How the result was measured; a person's mapping of its unit goes before what we read ourselves."""
    observation = record.observation
    told = observation.value if isinstance(observation.value, Quantity) else None
    unit = (told.unit if told else "") or observation.unit
    code = record.unit_code or ucum(unit, told.unit_system if told else "")
    return Measure(unit, code, observation.method, record.organization)


def compared(asked: Measure, records: Iterable[ObservationRecord]) -> Trend:
    """The numbers among the records of one analyte; what a source took back is none."""
    numbers = sorted(
        (r for r in records if isinstance(r.observation.value, Quantity) and not r.withdrawn),
        key=lambda r: (r.observed_at, r.id),
    )
    measured = [(record, measure_of(record)) for record in numbers]
    same: list[Point] = []
    apart: dict[tuple[Reason, str, str], list[tuple[ObservationRecord, Measure]]] = {}
    methods = {_method(m) for _, m in measured if _times(m, asked)} - {""}
    for record, measure in measured:
        times = _times(measure, asked)
        reason = _unlike_units(measure, asked) if times is None else _unlike_methods(measure, asked, methods)
        if reason is None and times is not None:
            same.append(_point(record, times))
        elif reason is not None:
            method = _method(measure) if reason is Reason.METHOD_DIFFERS else ""
            apart.setdefault((reason, measure.code or measure.unit, method), []).append((record, measure))
    return Trend(Series(asked, tuple(same)), tuple(_apart(key[0], each) for key, each in apart.items()))


def _apart(reason: Reason, found: list[tuple[ObservationRecord, Measure]]) -> Series:
    return Series(found[-1][1], tuple(_point(record, Decimal(1)) for record, _ in found), reason)


def _point(record: ObservationRecord, times: Decimal) -> Point:
    value = record.observation.value
    assert isinstance(value, Quantity)
    return Point(record, value.value * times, times != 1)


def _times(measure: Measure, asked: Measure) -> Decimal | None:
    """By what the number becomes one in the asked unit; None where nothing proves the two alike."""
    if measure.code and asked.code:
        return factor(measure.code, asked.code)
    same_words = measure.unit == asked.unit and not (measure.code or asked.code)
    # The same unknown word, or none, means the same within one institution, and may mean anything in another.
    return Decimal(1) if same_words and measure.organization == asked.organization else None


def _unlike_units(measure: Measure, asked: Measure) -> Reason:
    return Reason.UNIT_DIFFERS if measure.code and asked.code else Reason.UNIT_UNKNOWN


def _unlike_methods(measure: Measure, asked: Measure, methods: set[str]) -> Reason | None:
    own, wanted = _method(measure), _method(asked)
    if not own or own == wanted:
        return None
    # Where the asked result tells no method, one method of the others may be its own; of several, none is known to be.
    return None if not wanted and len(methods) == 1 else Reason.METHOD_DIFFERS


def _method(measure: Measure) -> str:
    return "".join(unicodedata.normalize("NFKC", measure.method).casefold().split())
