"""A laboratory report's table, the small curve beside each value, and the large one behind it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.codes import Coding
from schemas.observation import Observation, ObservationCriteria, ObservationRecord, Quantity
from schemas.reference_range import ReferenceRange, applicable, parts
from schemas.report import ReportCategory, ReportRecord
from schemas.trend import Measure, Point, Series, Trend, compared, measure_of
from schemas.units import ucum

from . import formats
from .labels import INTERPRETATION
from .session import Visit
from .timeline import is_critical, is_flagged

_HISTORY = 1000
_SPARK_POINTS = 12
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 72, 20, 3

_Code = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One result. mark: the sign beside it; tone: `high`, `low`, `critical` or empty. spark: points of a polyline.

    measured, apart: how many numbers of the analyte there are, comparable with this one and not. ranges: the parts of
    its reference range; own: the one that holds for this patient, None where that is not certain.
    """

    observation: Observation
    meaning: str
    mark: str
    tone: str
    spark: str = ""
    measured: int = 0
    apart: int = 0
    ranges: tuple[ReferenceRange, ...] = ()
    own: ReferenceRange | None = None

    @property
    def flagged(self) -> bool:
        return is_flagged(self.observation)


def rows(visit: Visit, record: ReportRecord) -> tuple[Row, ...]:
    """The results in the order in which the source sent them."""
    observations = record.report.observations
    if not observations or record.report.category is not ReportCategory.LABORATORY:
        return tuple(_row(o) for o in observations)
    criteria = ObservationCriteria(
        patient_id=record.patient_id, category=record.report.category.value, newest_first=True, limit=_HISTORY
    )
    history = _History(visit.verbs.query.observations(visit.disclosure, criteria).items)
    return tuple(_with_ranges(_with_history(_row(o), history.of(o, record)), record) for o in observations)


class _History:
    """What is known of each analyte of a person, whichever code it was sent under."""

    def __init__(self, records: Iterable[ObservationRecord]) -> None:
        self._analytes: dict[_Code, _Code] = {}
        self._measures: dict[tuple[str, str], Measure] = {}
        found: defaultdict[_Code, list[ObservationRecord]] = defaultdict(list)
        for each in records:
            sent, meant = each.observation.code, each.concept or each.observation.code
            self._analytes[sent.system, sent.code] = (meant.system, meant.code)
            found[meant.system, meant.code].append(each)
            measure = measure_of(each)
            self._measures[each.organization, measure.unit] = measure
        self._found: Mapping[_Code, list[ObservationRecord]] = found

    def of(self, observation: Observation, record: ReportRecord) -> Trend:
        """The numbers beside this one; none where it is no number."""
        if not isinstance(observation.value, Quantity):
            return Trend()
        sent = (observation.code.system, observation.code.code)
        asked = asked_of(observation, record)
        known = self._measures.get((record.organization, asked.unit))
        asked = replace(asked, code=known.code) if known else asked
        return compared(asked, self._found.get(self._analytes.get(sent, sent), ()))


def asked_of(observation: Observation, record: ReportRecord) -> Measure:
    """How a result of this report was measured, as far as the report itself says."""
    unit = formats.unit(observation)
    system = observation.value.unit_system if isinstance(observation.value, Quantity) else ""
    return Measure(unit, ucum(unit, system), observation.method, record.organization)


def _row(observation: Observation) -> Row:
    codes = [code for code in observation.interpretation if code in INTERPRETATION]
    meaning, mark, tone = INTERPRETATION[codes[0]] if codes else ("", "", "")
    if not codes and is_flagged(observation):
        mark, tone = " ".join(observation.interpretation), "high"
    return Row(observation, meaning, mark, "critical" if is_critical(observation) else tone)


def _with_history(row: Row, trend: Trend) -> Row:
    points = trend.series.points
    return replace(row, spark=_spark(points), measured=len(points), apart=sum(len(each.points) for each in trend.apart))


def _with_ranges(row: Row, record: ReportRecord) -> Row:
    ranges = parts(row.observation.reference_range)
    return replace(row, ranges=ranges, own=_own(ranges, record))


def _own(ranges: tuple[ReferenceRange, ...], record: ReportRecord) -> ReferenceRange | None:
    patient, on = record.report.patient, record.observed_at.astimezone(formats.ZONE).date()
    return applicable(ranges, patient.sex, patient.birth_date, on)


def _spark(points: tuple[Point, ...]) -> str:
    """Points `x,y …` within the little picture; empty for fewer than two measurements."""
    values = [float(point.value) for point in points[-_SPARK_POINTS:]]
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
class Chart:
    """One analyte over time. data: JSON for the curve: points, reference limits, unit. apart: what is not on it."""

    code: Coding
    series: Series
    apart: tuple[Series, ...]
    reference_range: str
    data: str


def find(record: ReportRecord, code: str, system: str, unit: str) -> Observation | None:
    """The result of the report that a trend is asked for."""
    same = [o for o in record.report.observations if o.code.code == code and formats.unit(o) == unit]
    return next((o for o in same if o.code.system == system), same[0] if same else None)


def chart(record: ReportRecord, found: Trend, here: Observation | None, code: str) -> Chart:
    """What the large chart shows, oldest first; the reference range is this report's own."""
    reference = here.reference_range if here else ""
    own = _own(parts(reference), record)
    low, high = limits(own.text if own else "")
    data = {
        "points": [_point(each) for each in found.series.points],
        "low": low,
        "high": high,
        "unit": formats.spelled(found.series.measure.unit),
    }
    shown = own.text if own else reference
    return Chart(
        here.code if here else Coding(code), found.series, found.apart, shown, json.dumps(data, ensure_ascii=False)
    )


def limits(reference_range: str) -> tuple[float | None, float | None]:
    """Lower and upper limit of a range written `3.5-9.5`, `<5.2`, `≥1.0`; None where it states none, or several."""
    ranges = parts(reference_range)
    if len(ranges) != 1:
        return None, None
    low, high = ranges[0].low, ranges[0].high
    return (None if low is None else float(low), None if high is None else float(high))


def _point(point: Point) -> dict[str, object]:
    record = point.record
    return {
        "at": formats.moment(record.observed_at),
        "value": float(point.value),
        "text": formats.comparable(point),
        "tone": _row(record.observation).tone,
        "organization": record.organization,
    }
