"""Two years of the district: readable by the hub to the last message, and plausible to a doctor."""

import datetime as dt
from decimal import Decimal

import pytest

from hub.demo import history as planning
from hub.demo.er7 import ZONE
from hub.demo.laboratory import LabOrder, measure, result_message
from hub.demo.panels import PANELS
from hub.demo.people import find, people
from schemas.delivery import Format
from schemas.observation import Observation, Quantity
from schemas.report import ReportCategory, ReportStatus

from .reading import read

UNTIL = dt.date(2026, 11, 21)
PEOPLE = people()
HISTORY = planning.history(PEOPLE, UNTIL)


def test_the_same_seed_gives_the_same_bytes() -> None:
    again = planning.history(people(), UNTIL)
    assert [(s.at, s.sender, s.format) for s in again] == [(s.at, s.sender, s.format) for s in HISTORY]
    # Every seventh is enough, and holds some of every format.
    assert {sent.format for sent in HISTORY[::7]} >= {Format.HL7V2, Format.DICOM}
    assert [sent.make() for sent in again[::7]] == [sent.make() for sent in HISTORY[::7]]


def test_it_is_in_order_and_ends_before_its_last_day() -> None:
    moments = [sent.at for sent in HISTORY]
    assert moments == sorted(moments)
    assert moments[0] > dt.datetime.combine(UNTIL, dt.time(), ZONE) - dt.timedelta(days=planning.SPAN_DAYS)


def test_nobody_is_examined_before_they_were_born() -> None:
    born = {person.serial: person.birth_date for person in PEOPLE}
    assert all(sent.at.date() > born[sent.patient] for sent in HISTORY)


def test_the_readers_understand_all_of_it() -> None:
    categories = set()
    messages = [sent for sent in HISTORY if sent.format is Format.HL7V2]
    # Files are slower to make and more alike.
    files = [sent for sent in HISTORY if sent.format is not Format.HL7V2][::4]
    assert {sent.format for sent in files} == {Format.DICOM, Format.AECG, Format.SCP_ECG, Format.PDF}
    for sent in messages + files:
        reading = read(sent.sender, sent.make(), sent.hint)
        assert reading.reports or reading.patients
        assert not reading.accounting.flagged
        categories |= {report.category for report in reading.reports}
    assert categories == {ReportCategory.IMAGING, ReportCategory.LABORATORY, ReportCategory.ECG}


def _quantity(observation: Observation) -> Decimal:
    assert isinstance(observation.value, Quantity)
    return observation.value.value


def _measured(name: str, panel: str, elapsed: float) -> dict[str, Observation]:
    person = find(PEOPLE, name)
    sampled = dt.datetime(2026, 5, 4, 8, 20, tzinfo=ZONE)
    order = LabOrder(person, person.home, PANELS[panel], "N1", sampled, elapsed)
    report = read(person.home, result_message(order, measure(order, 1), "M1")).reports[0]
    assert report.observed_at == sampled
    return {observation.code.code: observation for observation in report.observations}


def test_treated_diabetes_comes_down_and_kidney_disease_goes_on() -> None:
    before, after = _measured("张玥", "HBA1C", 0)["4548-4"], _measured("张玥", "HBA1C", 1)["4548-4"]
    assert _quantity(before) > Decimal("8.5")
    assert _quantity(after) < Decimal("7.5")
    creatinine = [_quantity(_measured("王喆", "RFT", elapsed)["14682-9"]) for elapsed in (0, 1)]
    assert creatinine[0] < creatinine[1]


def test_flags_agree_with_value_and_range_as_printed() -> None:
    for name, panel in (("张玥", "LIPID"), ("李昞", "CBC"), ("王喆", "RFT"), ("欧阳静", "TFT")):
        for observation in _measured(name, panel, 0).values():
            low, _, high = observation.reference_range.strip("<>").partition("-")
            value = _quantity(observation)
            if observation.reference_range.startswith("<"):
                low, high = "0", low
            outside = "L" if value < Decimal(low) else "H" if high and value > Decimal(high) else "N"
            assert observation.interpretation[0][0] == outside, (name, observation.code.display)


def test_a_panel_does_not_contradict_itself() -> None:
    lipids = {code: float(_quantity(found)) for code, found in _measured("王弢", "LIPID", 0.5).items()}
    assert lipids["14647-2"] == pytest.approx(lipids["39469-2"] + lipids["14646-4"] + lipids["14927-8"] / 2.2, abs=0.03)
    cells = {code: float(_quantity(found)) for code, found in _measured("李昞", "CBC", 0.5).items()}
    assert cells["4544-3"] == pytest.approx(cells["789-8"] * cells["787-2"] / 10, rel=0.02)


def test_reference_ranges_follow_sex() -> None:
    assert _measured("张玥", "CBC", 1)["718-7"].reference_range == "115-150"
    assert _measured("王喆", "CBC", 1)["718-7"].reference_range == "130-175"


def test_corrections_and_withdrawals_occur_after_the_result_that_they_concern() -> None:
    issued: dict[str, ReportStatus] = {}
    seen = set()
    for sent in HISTORY:
        if sent.format is Format.HL7V2:
            for report in read(sent.sender, sent.make()).reports:
                if report.status is not ReportStatus.FINAL:
                    assert issued[report.key] is ReportStatus.FINAL
                    seen.add(report.status)
                issued[report.key] = report.status
    assert seen == {ReportStatus.CORRECTED, ReportStatus.CANCELLED}
