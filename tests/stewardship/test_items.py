"""Keeping the catalogue: found as people search, changed with a reason, from a sheet only as a whole."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import disclosure_for
from hub.stewardship import item_sheet
from schemas import sheet
from schemas.catalogue import Catalogue, ItemVersion, Setting
from schemas.codes import LOINC, Coding
from schemas.disclosure import Principal, Role
from schemas.faults import Conflict, Fault, Forbidden, InvalidPayload, NotFound
from schemas.quality import QualityRecord, Standing
from schemas.report import ReportCategory
from schemas.shipped_catalogue import shipped
from storage import catalogue

from .conftest import Desks

HAEMOGLOBIN = "L-718-7"
ITEMS = Catalogue(ItemVersion(1, item, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) for item in shipped().items)


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("718-7", HAEMOGLOBIN),
        ("l-718-7", HAEMOGLOBIN),
        ("血红蛋白", HAEMOGLOBIN),
        ("xhdb", HAEMOGLOBIN),
        ("xuehongdanbai", HAEMOGLOBIN),
        ("haemoglobin blood", HAEMOGLOBIN),
        ("HGB", HAEMOGLOBIN),
        ("xcg", "P-CBC"),
        ("胸部 CT 增强", "R-CT-CHEST-C"),
        ("xdt", "E-REST12"),
    ],
)
def test_an_item_is_found_as_people_search(desks: Desks, text: str, first: str) -> None:
    found = desks.items.items(text=text).items
    assert first in [each.item.code for each in found][:3]


def test_the_whole_catalogue_can_be_paged_through(desks: Desks) -> None:
    codes: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = desks.items.items(limit=100, offset=offset)
        codes += [each.item.code for each in page.items]
        offset = page.next_offset
    assert codes == [item.code for item in shipped().items]
    ecg = desks.items.items(category=ReportCategory.ECG)
    assert {each.item.category for each in ecg.items} == {ReportCategory.ECG}


def test_a_change_has_a_reason_and_makes_a_version(desks: Desks) -> None:
    was = desks.items.history(HAEMOGLOBIN)[0]
    dearer = replace(was.item, price_fen=400)
    with pytest.raises(InvalidPayload):
        desks.items.save(desks.officer, dearer, "  ", 1)
    desks.items.save(desks.officer, dearer, "物价调整", 1)
    with pytest.raises(Conflict):
        desks.items.save(desks.officer, replace(dearer, price_fen=500), "又一次", 1)
    newest = desks.items.history(HAEMOGLOBIN)[0]
    assert (newest.version, newest.item.price_fen, newest.changed_by) == (2, 400, "quality")
    assert desks.items.catalogue(was.since).get(HAEMOGLOBIN) == was.item


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.TECHNICIAN, Role.AUDITOR, Role.LAB_REVIEWER])
def test_only_those_who_keep_the_catalogue_change_it(desks: Desks, role: Role) -> None:
    somebody = disclosure_for(Principal("x", "", role, "CHC01"))
    with pytest.raises(Forbidden):
        desks.items.save(somebody, shipped().items[0], "因为", 1)
    with pytest.raises(Forbidden):
        desks.items.preview(somebody, b"")


def test_nobody_passes_the_assessment_of_their_own_house(desks: Desks) -> None:
    local = disclosure_for(Principal("q2", "", Role.QUALITY, "CHC01"))
    item = desks.items.history(HAEMOGLOBIN)[0].item
    record = QualityRecord("CHC01", HAEMOGLOBIN, Standing.PASSED, dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    for refused in (
        lambda: desks.items.save(local, item, "因为", 1),
        lambda: desks.items.preview(local, b""),
        lambda: desks.items.apply(local, b"", "因为", 0),
        lambda: desks.quality.save(local, record, "因为", 0),
        lambda: desks.quality.preview(local, b""),
        lambda: desks.quality.apply(local, b"", "因为", 0),
    ):
        with pytest.raises(Forbidden):
            refused()
    assert not desks.items.keeps(local.principal)
    admin = disclosure_for(Principal("a", "", Role.ADMIN, "CHC01"))
    desks.quality.save(admin, record, "年度质评", 0)


def test_of_two_who_save_at_the_same_moment_one_is_asked_to_look_again(desks: Desks) -> None:
    item = desks.items.history(HAEMOGLOBIN)[0].item
    with ThreadPoolExecutor(1) as pool:
        with desks.database.write() as tx:
            catalogue.put(tx, item, changed_by="a", reason="先", now=dt.datetime.now(dt.UTC))
            second = pool.submit(desks.items.save, desks.officer, item, "后", 1)
            # Time for it to stand behind the first; where it comes later still, the outcome is the same.
            time.sleep(0.3)
        with pytest.raises(Conflict):
            second.result(timeout=20)
    assert len(desks.items.history(HAEMOGLOBIN)) == 2


def test_an_item_that_a_panel_is_made_of_stays_until_the_panel_goes(desks: Desks) -> None:
    (was, panel) = (desks.items.history(code)[0].item for code in (HAEMOGLOBIN, "P-CBC"))
    with pytest.raises(InvalidPayload):
        desks.items.save(desks.officer, was, "停用", 1, retired=True)
    desks.items.save(desks.officer, panel, "停用", 1, retired=True)
    desks.items.save(desks.officer, was, "停用", 1, retired=True)
    assert desks.items.catalogue().get(HAEMOGLOBIN) is None
    assert [each.item.code for each in desks.items.items(retired=True).items] == [HAEMOGLOBIN, "P-CBC"]
    with pytest.raises(NotFound):
        desks.items.history("L-NONE")


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"code": "718-7"}, "code"),
        ({"zh": ""}, "zh"),
        ({"codes": (Coding("718-8", "", LOINC),)}, "loinc"),
        ({"codes": (Coding("6690-2", "", LOINC),)}, "loinc"),
        ({"unit": "克/升"}, "unit"),
        ({"price_fen": -1}, "price"),
        ({"members": ("L-NONE",)}, "members"),
        ({"members": ("P-CBC",)}, "members"),
        ({"modality": "CT"}, "modality"),
    ],
)
def test_an_item_that_nothing_could_match_is_refused(desks: Desks, wrong: dict[str, object], where: str) -> None:
    item = replace(desks.items.history(HAEMOGLOBIN)[0].item, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidPayload) as refused:
        desks.items.save(desks.officer, item, "试", 0 if "code" in wrong else 1)
    assert refused.value.where == where


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_catalogue_as_a_sheet_changes_nothing_when_it_is_read_back(language: str) -> None:
    found = item_sheet.read(ITEMS, item_sheet.write(shipped().items, language))
    assert (found.changes, found.problems, found.unchanged) == ((), (), len(shipped().items))


def test_a_sheet_changes_what_it_names_and_leaves_the_rest(desks: Desks) -> None:
    content = csv(
        "编码,中文名,英文名,类别,门诊有效期,价格（元）,期限来源",
        'L-718-7,血红蛋白,"Haemoglobin, blood",检验,14d,3.50,省卫健委2027年目录',
        "R-CT-TOE,足趾CT,CT toe,检验,,12,",
    )
    found, stamp = desks.items.preview(desks.officer, content)
    assert [(each.row, each.after.code) for each in found.changes] == [(2, HAEMOGLOBIN), (3, "R-CT-TOE")]
    haemoglobin = found.changes[0].after
    clocks = haemoglobin.clocks_in(Setting.OUTPATIENT)
    assert (clocks.valid, clocks.valid_source) == (dt.timedelta(days=14), "省卫健委2027年目录")
    assert clocks.too_early == dt.timedelta(hours=12)
    assert "minimum retest interval: blood count" in clocks.early_source
    assert (haemoglobin.price_fen, haemoglobin.codes) == (350, ITEMS.items[HAEMOGLOBIN].codes)
    assert desks.items.catalogue().get("R-CT-TOE") is None, "a preview saves nothing"
    assert desks.items.apply(desks.officer, content, "新目录", stamp) == 2
    assert desks.items.catalogue().items[HAEMOGLOBIN] == haemoglobin
    with pytest.raises(Conflict):
        desks.items.apply(desks.officer, content, "新目录", stamp)


def test_a_sheet_with_one_wrong_row_says_where_and_saves_nothing(desks: Desks) -> None:
    content = csv(
        "编码,中文名,LOINC,单位,门诊有效期,价格,从不建议",
        "L-718-7,血红蛋白,718-7,g/L,7d,5,急诊",
        "L-6690-2,白细胞计数,6690-3,个,三天,免费,夜间",
        "L-718-7,血红蛋白,718-7,g/L,8d,5,",
    )
    found, stamp = desks.items.preview(desks.officer, content)
    told = {(each.row, each.column, each.found) for each in found.problems}
    assert told == {
        (3, "outpatient_valid", "三天"),
        (3, "price", "免费"),
        (3, "never", "夜间"),
        (4, "code", "L-718-7"),
    }
    with pytest.raises(InvalidPayload):
        desks.items.apply(desks.officer, content, "试", stamp)
    with desks.database.read() as tx:
        assert len(catalogue.history(tx, HAEMOGLOBIN)) == 1


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_sheet_is_read_as_spreadsheets_save_it(charset: str, delimiter: str) -> None:
    content = f"编码{delimiter}中文名\r\nL-718-7{delimiter}血色素\r\n{delimiter}\r\n".encode(charset)
    (change,) = item_sheet.read(ITEMS, content).changes
    assert change.after.zh == "血色素"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"PK\x03\x04\x00\x00", "编码,编码\n".encode()]
)
def test_what_is_no_sheet_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidPayload):
        item_sheet.read(ITEMS, content)


def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text_and_read_back() -> None:
    item = replace(ITEMS.items[HAEMOGLOBIN], zh="=1+1")
    content = item_sheet.write([item])
    assert b",'=1+1," in content
    (change,) = item_sheet.read(ITEMS, content).changes
    assert change.after.zh == "=1+1"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"编码,中文名,价格\n{text}".encode()))
def test_any_bytes_are_a_sheet_or_refused(content: bytes) -> None:
    try:
        found = item_sheet.read(ITEMS, content)
    except Fault:
        return
    assert all(problem.row >= 2 for problem in found.problems)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["a", "b"]), st.text(st.characters(exclude_categories=["C", "Z"])), min_size=1)
    )
)
def test_a_sheet_gives_back_what_was_written(rows: list[dict[str, str]]) -> None:
    columns = (sheet.Column("a", "甲", "first"), sheet.Column("b", "乙", "second"))
    told = [row for row in rows if any(row.values())]
    read = sheet.read(sheet.write(columns, told), columns)
    expected = [{key: row.get(key, "")[:2000] for key in "ab"} for row in told]
    assert [dict(each.cells) for each in read] == expected
