"""Keeping quality records: from a sheet only as a whole, and whoever relied on what failed since is told."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stewardship import record_sheet
from hub.stewardship.records import worsened
from schemas.catalogue import Catalogue, ItemVersion, Scope
from schemas.faults import Conflict, Fault, InvalidPayload, NotFound
from schemas.quality import Assessed, QualityBook, QualityRecord, QualityVersion, Standing, assess
from schemas.shipped_catalogue import shipped
from schemas.wording import ZONE

from .conftest import Desks

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=ZONE)
TODAY = NOW.date()
DAY = dt.timedelta(days=1)
ITEMS = Catalogue(ItemVersion(1, item, NOW) for item in shipped().items)
PASSED = QualityRecord(
    "CHC01", "L-718-7", Standing.PASSED, dt.date(2026, 1, 1), dt.date(2027, 1, 1), "", Scope.CITY, "省临检中心"
)
HEADINGS = "机构,项目,方法,结果,开始日期,截止日期,互认范围,质评组织"


def csv(*lines: str) -> bytes:
    return "\n".join((HEADINGS, *lines)).encode()


def test_a_sheet_is_shown_before_it_is_saved(desks: Desks) -> None:
    content = csv(
        "CHC01,L-718-7,,合格,2026-01-01,2026-12-31,市,省临检中心",
        "CHC02,718-7,,不合格,2026/1/1,2026年12月31日,,",
    )
    found, stamp = desks.quality.preview(desks.officer, content)
    assert [each.after for each in found.changes] == [
        PASSED,
        QualityRecord("CHC02", "L-718-7", Standing.FAILED, dt.date(2026, 1, 1), dt.date(2027, 1, 1)),
    ]
    assert desks.quality.book().about() == ()
    assert desks.quality.apply(desks.officer, content, "2026年度质评", stamp) == 2
    assert desks.quality.book().standing("CHC01", "L-718-7", "", NOW).assessed is Assessed.PASSED
    again, stamp = desks.quality.preview(desks.officer, content)
    assert (again.changes, again.unchanged) == ((), 2)
    back, _ = desks.quality.preview(desks.officer, desks.quality.sheet("", "zh"))
    assert (back.changes, back.problems, back.unchanged) == ((), (), 2)


def test_a_sheet_with_wrong_rows_says_where_and_saves_nothing(desks: Desks) -> None:
    content = csv(
        "CHC99,L-718-7,,合格,2026-01-01,2026-12-31,市,",
        "CHC01,血红,,良好,2026-02-30,2025-12-31,世界,",
        "CHC01,L-718-7,,合格,2026-05-01,2026-04-01,市,",
        "CHC01,L-718-7,,合格,2026-01-01,2026-12-31,市,",
        "CHC01,L-718-7,,暂停,2026-01-01,2026-12-31,市,",
    )
    found, stamp = desks.quality.preview(desks.officer, content)
    assert [(each.row, each.column) for each in found.problems] == [
        (2, "organization"),
        (3, "item"),
        (3, "standing"),
        (3, "scope"),
        (3, "since"),
        (4, "until"),
        (6, "since"),
    ]
    with pytest.raises(InvalidPayload):
        desks.quality.apply(desks.officer, content, "试", stamp)
    assert desks.quality.book().about() == ()


def test_a_row_may_name_a_panel_or_all_examinations_of_a_modality(desks: Desks) -> None:
    content = csv(
        "CHC01,P-CBC,,合格,2026-01-01,2026-12-31,市,",
        "CHC01,R-MG-*,,合格,2026-01-01,2026-12-31,市,",
        "CHC01,R-XX-*,,合格,2026-01-01,2026-12-31,市,",
    )
    found, _ = desks.quality.preview(desks.officer, content)
    assert {each.after.item for each in found.changes} == {*ITEMS.items["P-CBC"].members, "R-MG-BREAST"}
    assert [(each.row, each.column) for each in found.problems] == [(4, "item")]


def test_a_preview_that_is_out_of_date_is_not_saved(desks: Desks) -> None:
    content = csv("CHC01,L-718-7,,合格,2026-01-01,2026-12-31,市,")
    _, stamp = desks.quality.preview(desks.officer, content)
    desks.quality.save(desks.officer, PASSED, "先录入", 0)
    with pytest.raises(Conflict):
        desks.quality.apply(desks.officer, content, "导入", stamp)


def test_a_record_is_edited_with_a_reason_and_keeps_its_history(desks: Desks) -> None:
    desks.quality.save(desks.officer, PASSED, "年度质评", 0)
    failed = replace(PASSED, standing=Standing.FAILED)
    with pytest.raises(Conflict):
        desks.quality.save(desks.officer, failed, "复核", 0)
    with pytest.raises(InvalidPayload):
        desks.quality.save(desks.officer, failed, "", 1)
    with pytest.raises(NotFound):
        desks.quality.save(desks.officer, replace(PASSED, organization="CHC99"), "错", 0)
    with pytest.raises(InvalidPayload):
        desks.quality.save(desks.officer, replace(PASSED, until=PASSED.since), "错", 1)
    desks.quality.save(desks.officer, failed, "复核不合格", 1)
    desks.quality.save(desks.officer, failed, "录入有误", 2, withdrawn=True)
    assert [each.reason for each in desks.quality.book().versions("CHC01", "L-718-7")] == [
        "年度质评",
        "复核不合格",
        "录入有误",
    ]
    assert desks.quality.book().in_force("CHC01", "L-718-7") == ()


def test_a_record_that_fails_afterwards_is_told_with_the_days_that_it_is_about(desks: Desks) -> None:
    today = dt.datetime.now(ZONE).date()
    since = today - 100 * DAY
    passed = replace(PASSED, since=since, until=today + 100 * DAY)
    desks.quality.save(desks.officer, passed, "年度质评", 0)
    assert desks.told() == []
    desks.quality.save(desks.officer, replace(passed, standing=Standing.FAILED), "复核不合格", 1)
    (told,) = desks.told()
    assert {key: told[key] for key in ("organization", "item", "standing", "since", "until")} == {
        "organization": "CHC01",
        "item": "L-718-7",
        "standing": "failed",
        "since": since.isoformat(),
        "until": (today + DAY).isoformat(),
    }
    desks.quality.save(desks.officer, replace(PASSED, item="L-6690-2", since=today + DAY), "明年", 0)
    assert len(desks.told()) == 1, "what lies ahead concerns nobody yet"


_RECORDS = st.builds(
    lambda standing, since, days: replace(PASSED, standing=standing, since=since, until=since + days * DAY),
    st.sampled_from(Standing),
    st.dates(dt.date(2026, 1, 1), dt.date(2026, 9, 1)),
    st.integers(1, 300),
)


@given(_RECORDS, st.none() | st.tuples(st.sampled_from(Standing), st.integers(1, 300)))
def test_every_day_that_a_change_made_worse_is_told_and_no_other(
    before: QualityRecord, change: tuple[Standing, int] | None
) -> None:
    after = replace(before, standing=change[0], until=before.since + change[1] * DAY) if change else None

    def on(record: QualityRecord | None, day: dt.date) -> Assessed:
        versions = [QualityVersion(1, record, NOW)] if record else []
        return assess(versions, "", dt.datetime.combine(day, dt.time(12), ZONE)).assessed

    told = {
        since + n * DAY: standing
        for standing, since, until in worsened(before, after, NOW)
        for n in range((until - since).days)
    }
    bad = {Assessed.FAILED, Assessed.SUSPENDED}
    for n in range(620):
        day = dt.date(2026, 1, 1) + n * DAY
        was, now = on(before, day), on(after, day)
        lost = was is Assessed.PASSED and now is not Assessed.PASSED
        worse = lost or (now in bad and was not in {*bad, Assessed.PASSED})
        expected = (now if now in bad else Assessed.EXPIRED) if worse and day <= TODAY else None
        assert told.get(day) is expected, day


@given(st.text(max_size=200))
def test_any_text_is_a_sheet_or_refused(text: str) -> None:
    try:
        found = record_sheet.read(QualityBook(), ITEMS, {"CHC01"}, csv(text))
    except Fault:
        return
    assert not found.changes or found.changes[0].after.organization == "CHC01"
