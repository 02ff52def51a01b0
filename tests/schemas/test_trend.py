"""What may stand on one curve: like with like, and nothing left out."""

import datetime as dt
from decimal import Decimal

import pytest

from schemas.codes import Coding
from schemas.observation import Observation, ObservationRecord, Quantity
from schemas.trend import Measure, Reason, Trend, compared, measure_of

MORNING = dt.datetime(2026, 11, 20, 1, tzinfo=dt.UTC)
_CODE = Coding("14749-6", "葡萄糖", "http://loinc.org")


def result(
    value: str,
    unit: str,
    *,
    day: int = 0,
    method: str = "",
    organization: str = "DH1",
    status: str = "final",
    unit_code: str = "",
) -> ObservationRecord:
    said = Observation(_CODE, Quantity(Decimal(value), unit), unit=unit, method=method, status=status)
    at = MORNING + dt.timedelta(days=day)
    return ObservationRecord(day, 1, day, 1, organization, at, at, said, "laboratory", unit_code=unit_code)


def values(trend: Trend) -> list[str]:
    return [str(point.value.normalize()) for point in trend.series.points]


def reasons(trend: Trend) -> list[Reason | None]:
    return [series.reason for series in trend.apart]


def test_units_of_the_same_thing_are_one_curve_in_the_unit_that_was_asked() -> None:
    found = [result("5.1", "mmol/L", day=2), result("4900", "μmol/L", day=1, organization="CHC01")]
    trend = compared(measure_of(found[0]), found)
    assert values(trend) == ["4.9", "5.1"]
    assert [point.converted for point in trend.series.points] == [True, False]
    assert trend.apart == ()


def test_mass_and_substance_stand_side_by_side() -> None:
    found = [result("5.1", "mmol/L", day=2), result("92", "mg/dL", day=1)]
    trend = compared(measure_of(found[0]), found)
    assert (values(trend), reasons(trend)) == (["5.1"], [Reason.UNIT_DIFFERS])
    assert [point.value for point in trend.apart[0].points] == [Decimal(92)]


@pytest.mark.parametrize("unit", ["", "碗"])
def test_an_unknown_unit_means_the_same_within_one_institution_only(unit: str) -> None:
    found = [result("1", unit, day=1), result("2", unit, day=2), result("3", unit, day=3, organization="CHC01")]
    trend = compared(measure_of(found[0]), found)
    assert (values(trend), reasons(trend)) == (["1", "2"], [Reason.UNIT_UNKNOWN])


def test_a_unit_that_a_person_mapped_is_known() -> None:
    found = [result("5.1", "mmol/L", day=2), result("4.9", "毫摩", day=1, organization="CHC01", unit_code="mmol/L")]
    assert values(compared(measure_of(found[0]), found)) == ["4.9", "5.1"]


def test_methods_that_differ_stand_apart_and_those_not_told_do_not() -> None:
    found = [
        result("10", "ng/mL", day=1, method="化学发光法"),
        result("11", "ng/mL", day=2, method="酶联免疫法"),
        result("12", "ng/mL", day=3),
        result("13", "ng/mL", day=4, method=" 化学发光法"),
    ]
    trend = compared(measure_of(found[0]), found)
    assert (values(trend), reasons(trend)) == (["1E+1", "12", "13"], [Reason.METHOD_DIFFERS])


def test_a_result_without_a_method_joins_one_method_and_not_two() -> None:
    one = [result("12", "ng/mL", day=3), result("10", "ng/mL", day=1, method="化学发光法")]
    assert values(compared(measure_of(one[0]), one)) == ["1E+1", "12"]
    two = [*one, result("11", "ng/mL", day=2, method="酶联免疫法")]
    trend = compared(measure_of(two[0]), two)
    assert (values(trend), len(trend.apart)) == (["12"], 2)


def test_what_was_taken_back_and_what_is_no_number_is_no_point() -> None:
    word = ObservationRecord(9, 1, 9, 1, "DH1", MORNING, MORNING, Observation(_CODE, "阴性"))
    trend = compared(Measure("g/L", "g/L"), [result("1", "g/L", status="cancelled"), word])
    assert (trend.series.points, trend.apart) == ((), ())
