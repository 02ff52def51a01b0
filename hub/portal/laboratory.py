"""A laboratory report's table, the small curve beside each value, and the large one behind it."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.codes import Coding
from schemas.observation import Observation, ObservationCriteria, ObservationRecord, Quantity
from schemas.report import ReportCategory, ReportRecord

from . import formats
from .labels import INTERPRETATION
from .session import Visit
from .timeline import is_critical, is_flagged

_HISTORY = 1000
_SPARK_POINTS = 12
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 72, 20, 3
_BOUND = re.compile(r"^\s*(-?\d+(?:\.\d+)?)?\s*(-{1,2}|–|—|~|～|<=?|>=?|≤|≥)\s*(-?\d+(?:\.\d+)?)\s*$")

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One result. mark: the sign beside it; tone: `high`, `low`, `critical` or empty. spark: points of a polyline."""

    observation: Observation
    meaning: str
    mark: str
    tone: str
    spark: str
    measured: int

    @property
    def flagged(self) -> bool:
        return is_flagged(self.observation)


def rows(visit: Visit, record: ReportRecord) -> tuple[Row, ...]:
    """The results in the order in which the source sent them."""
    observations = record.report.observations
    if not observations or record.report.category is not ReportCategory.LABORATORY:
        return tuple(_row(o, ()) for o in observations)
    criteria = ObservationCriteria(
        patient_id=record.patient_id, category=record.report.category.value, newest_first=True, limit=_HISTORY
    )
    history = _by_key(visit.verbs.query.observations(visit.disclosure, criteria).items)
    return tuple(_row(o, history.get(_key(o), ())) for o in observations)


def _key(observation: Observation) -> _Key:
    return observation.code.system, observation.code.code, formats.unit(observation)


def _by_key(records: Iterable[ObservationRecord]) -> dict[_Key, tuple[ObservationRecord, ...]]:
    found: defaultdict[_Key, list[ObservationRecord]] = defaultdict(list)
    for record in records:
        if isinstance(record.observation.value, Quantity) and not record.withdrawn:
            found[_key(record.observation)].append(record)
    return {key: tuple(sorted(group, key=lambda r: r.observed_at)) for key, group in found.items()}


def _row(observation: Observation, history: tuple[ObservationRecord, ...]) -> Row:
    codes = [code for code in observation.interpretation if code in INTERPRETATION]
    meaning, mark, tone = INTERPRETATION[codes[0]] if codes else ("", "", "")
    if not codes and is_flagged(observation):
        mark, tone = " ".join(observation.interpretation), "high"
    tone = "critical" if is_critical(observation) else tone
    return Row(observation, meaning, mark, tone, _spark(history), len(history))


def _spark(history: tuple[ObservationRecord, ...]) -> str:
    """Points `x,y …` within the little picture; empty for fewer than two measurements."""
    values = [float(r.observation.value.value) for r in history if isinstance(r.observation.value, Quantity)]
    values = values[-_SPARK_POINTS:]
    if len(values) < 2:
        return ""
    low, spread = min(values), (max(values) - min(values)) or 1.0
    step = (_SPARK_WIDTH - 2 * _SPARK_MARGIN) / (len(values) - 1)
    height = _SPARK_HEIGHT - 2 * _SPARK_MARGIN
    return " ".join(
        f"{_SPARK_MARGIN + step * i:.1f},{_SPARK_MARGIN + height * (1 - (value - low) / spread):.1f}"
        for i, value in enumerate(values)
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """One analyte over time. data: JSON for the chart: points, reference limits, unit."""

    code: Coding
    unit: str
    reference_range: str
    points: tuple[ObservationRecord, ...]
    data: str


def trend(record: ReportRecord, points: tuple[ObservationRecord, ...], code: str, unit: str) -> Trend:
    """What the large chart shows, oldest first; the reference range is this report's own."""
    here = next((o for o in record.report.observations if o.code.code == code and formats.unit(o) == unit), None)
    numeric = tuple(p for p in points if isinstance(p.observation.value, Quantity))
    reference = here.reference_range if here else ""
    low, high = limits(reference)
    data = {"points": [_point(p) for p in numeric], "low": low, "high": high, "unit": formats.spelled(unit)}
    return Trend(here.code if here else Coding(code), unit, reference, numeric, json.dumps(data, ensure_ascii=False))


def _point(record: ObservationRecord) -> dict[str, object]:
    row = _row(record.observation, ())
    value = record.observation.value
    return {
        "at": formats.moment(record.observed_at),
        "value": float(value.value) if isinstance(value, Quantity) else None,
        "text": formats.result(record.observation),
        "tone": row.tone,
        "organization": record.organization,
    }


def limits(reference_range: str) -> tuple[float | None, float | None]:
    """Lower and upper limit of a range written `3.5-9.5`, `<5.2`, `≥1.0`; None where it states none."""
    found = _BOUND.match(reference_range)
    if not found:
        return None, None
    first, sign, second = found.groups()
    if first is not None:
        return (float(first), float(second)) if sign[0] in "-–—~～" else (None, None)
    return (None, float(second)) if sign[0] in "<≤" else (float(second), None) if sign[0] in ">≥" else (None, None)
