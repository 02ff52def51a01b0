"""What the shipped catalogue promises: enough items, codes that are codes, both clocks, and no reuse where it harms."""

import datetime as dt

import pytest

from schemas.analytes import analytes
from schemas.catalogue import Item, Setting
from schemas.codes import LOINC, UCUM
from schemas.report import ReportCategory
from schemas.shipped_catalogue import shipped
from schemas.units import ucum

ITEMS = {item.code: item for item in shipped().items}
BLOOD_GAS = ("2744-1", "2019-8", "2703-7", "1960-4", "1925-7", "2708-6", "2518-9")
TROPONIN = ("10839-9", "89579-7", "6598-7", "67151-1")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def check_digit_holds(code: str) -> bool:
    """Source: LOINC Users' Guide, appendix C: odd digits from the right doubled as one number, even ones put before."""
    number, digit = code.split("-")
    odd = str(int(number[::-1][::2][::-1]) * 2)
    even = number[::-1][1::2][::-1]
    total = sum(map(int, even + odd))
    return (10 - total % 10) % 10 == int(digit)


def test_there_are_at_least_300_items_and_no_code_twice() -> None:
    assert len(shipped().items) == len(ITEMS) >= 300
    by_category = {category: [i for i in ITEMS.values() if i.category is category] for category in ReportCategory}
    assert len(by_category[ReportCategory.LABORATORY]) >= 200
    assert len(by_category[ReportCategory.IMAGING]) >= 100
    assert by_category[ReportCategory.ECG]


def test_every_loinc_code_has_its_check_digit_and_stands_for_one_item() -> None:
    codes = [c.code for item in ITEMS.values() for c in item.codes]
    assert len(codes) == len(set(codes)) > 200
    assert {c.system for item in ITEMS.values() for c in item.codes} == {LOINC}
    assert [code for code in codes if not check_digit_holds(code)] == []
    assert not check_digit_holds("718-8")


def test_every_analyte_that_the_hub_knows_is_an_item() -> None:
    assert {f"L-{each.code}" for each in analytes()} <= ITEMS.keys()


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS.keys())
def test_an_item_can_be_read_by_people_and_judged_by_its_clocks(item: Item) -> None:
    assert item.zh
    assert item.en.isascii()
    assert item.price_fen > 0
    for setting in Setting:
        clocks = item.clocks_in(setting)
        assert clocks.valid is not None
        assert clocks.valid >= (clocks.too_early or HOUR)
        assert not clocks.early_source or clocks.too_early
        assert not clocks.valid_source or setting is not Setting.ACUTE, "nobody published a window for acute care"
    if item.category is ReportCategory.LABORATORY:
        assert item.specimen
        assert not item.unit or ucum(item.unit, UCUM)
    if item.category is ReportCategory.IMAGING:
        assert item.modality
        assert item.body_part
    assert set(item.members) <= ITEMS.keys()
    assert not any(ITEMS[code].members for code in item.members), "a panel is made of items, not of panels"


def test_what_changes_by_the_hour_is_never_suggested_in_acute_care() -> None:
    glucose = ("14749-6", "14771-0", "15074-8", "14995-5")
    for code in (*TROPONIN, *BLOOD_GAS, *glucose, "2823-3"):
        item = ITEMS[f"L-{code}"]
        assert item.clocks_in(Setting.ACUTE).never, item.zh
        assert not item.clocks_in(Setting.OUTPATIENT).never, item.zh
        assert item.volatile, item.zh
    assert ITEMS["P-ABG"].clocks_in(Setting.ACUTE).never
    assert ITEMS["P-ELEC"].clocks_in(Setting.ACUTE).never


def test_a_blood_group_is_information_only() -> None:
    assert {code for code, item in ITEMS.items() if item.information_only} == {"L-883-9", "L-10331-7", "P-GROUP"}


# (LOINC, too early outpatient, too early inpatient, window outpatient), as the sources publish them.
PUBLISHED = [
    ("718-7", 12 * HOUR, 24 * HOUR, None),
    ("22664-7", 12 * HOUR, 24 * HOUR, None),
    ("2823-3", 12 * HOUR, 24 * HOUR, 7 * DAY),
    ("2951-2", 12 * HOUR, 24 * HOUR, 7 * DAY),
    ("1988-5", 24 * HOUR, 48 * HOUR, None),
    ("1742-6", 36 * HOUR, 48 * HOUR, None),
    ("1751-7", 36 * HOUR, 48 * HOUR, 30 * DAY),
    ("2000-8", 36 * HOUR, 48 * HOUR, 7 * DAY),
    ("4537-7", 7 * DAY, 7 * DAY, None),
    ("15067-2", 7 * DAY, 7 * DAY, None),
    ("1834-1", 6 * DAY, 6 * DAY, None),
    ("2857-1", 13 * DAY, 13 * DAY, None),
    ("10334-1", 21 * DAY, 21 * DAY, None),
    ("8061-4", 20 * DAY, 20 * DAY, None),
    ("14732-2", 21 * DAY, 21 * DAY, None),
    ("2276-4", 21 * DAY, 21 * DAY, 30 * DAY),
    ("14647-2", 28 * DAY, 28 * DAY, 30 * DAY),
    ("62292-8", 28 * DAY, 28 * DAY, None),
    ("3016-3", 28 * DAY, 28 * DAY, None),
    ("4548-4", 40 * DAY, 40 * DAY, 60 * DAY),
    ("14685-2", 56 * DAY, 56 * DAY, None),
    ("4485-9", 90 * DAY, 90 * DAY, None),
    ("14771-0", None, None, 30 * DAY),
]


@pytest.mark.parametrize(("code", "outpatient", "inpatient", "window"), PUBLISHED)
def test_clocks_are_the_published_ones_and_say_so(
    code: str, outpatient: dt.timedelta | None, inpatient: dt.timedelta | None, window: dt.timedelta | None
) -> None:
    item = ITEMS[f"L-{code}"]
    for setting, early in ((Setting.OUTPATIENT, outpatient), (Setting.INPATIENT, inpatient)):
        clocks = item.clocks_in(setting)
        assert bool(clocks.early_source) == (early is not None)
        assert early is None or clocks.too_early == early
        assert bool(clocks.valid_source) == (window is not None)
        assert window is None or clocks.valid == window
    assert item.source
