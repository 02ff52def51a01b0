"""Quality records as a sheet: one row for an institution's item, method and period."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from schemas import sheet
from schemas.catalogue import Catalogue, Item, Scope
from schemas.quality import QualityBook, QualityRecord, QualityVersion, Standing
from schemas.sheet import Column, Problem, Row

from .item_sheet import SCOPES

COLUMNS = (
    Column("organization", "机构", "institution", ("机构代码", "机构编码")),
    Column("item", "项目", "item", ("项目编码", "项目代码", "LOINC")),
    Column("item_name", "项目名称", "item name"),
    Column("method", "方法", "method"),
    Column("standing", "结果", "result", ("质评结果",)),
    Column("since", "开始日期", "from", ("开始",)),
    Column("until", "截止日期", "until", ("截止", "有效期至")),
    Column("scope", "互认范围", "scope"),
    Column("scheme", "质评组织", "scheme"),
)
STANDINGS = {Standing.PASSED: "合格", Standing.FAILED: "不合格", Standing.SUSPENDED: "暂停"}
_ALSO = {"通过": Standing.PASSED, "未通过": Standing.FAILED, "暂停互认": Standing.SUSPENDED}
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_LONGEST = 100
_MOST_DAYS = 3660
T = TypeVar("T", Standing, Scope)


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What a row would do: `before` is None for a new record."""

    row: int
    before: QualityVersion | None
    after: QualityRecord


@dataclass(frozen=True, slots=True)
class RecordSheet:
    """What a sheet would do, and why it cannot: nothing of it is saved while anything is wrong."""

    changes: tuple[RecordChange, ...]
    problems: tuple[Problem, ...]
    unchanged: int


def write(records: Iterable[QualityRecord], catalogue: Catalogue, language: str = "zh") -> bytes:
    """Records as rows; read back, they change nothing."""
    return sheet.write(COLUMNS, (cells(each, catalogue) for each in records), language)


def read(book: QualityBook, catalogue: Catalogue, organizations: Collection[str], content: bytes) -> RecordSheet:
    """What the sheet says beside the records in force. Raises InvalidPayload for what is no sheet.

    A row may name a panel, or `R-CT-*`: then it stands for each of those items.
    """
    found: list[Problem] = []
    changes: dict[tuple[str, str, str, dt.date], RecordChange] = {}
    seen: set[tuple[str, str, str, dt.date]] = set()
    unchanged = 0
    for row in sheet.read(content, COLUMNS):
        records, wrong = _records(row, catalogue, organizations)
        if any(record.key in seen for record in records):
            wrong.append(Problem(row.number, "since", "each record once", row.get("since")))
        seen |= {record.key for record in records}
        found += wrong
        for record in () if wrong else records:
            before = in_force(book, record)
            if before and before.record == record:
                unchanged += 1
            else:
                changes[record.key] = RecordChange(row.number, before, record)
    return RecordSheet(tuple(changes.values()), tuple(found), unchanged)


def one(
    catalogue: Catalogue, organizations: Collection[str], cells: Mapping[str, str]
) -> tuple[QualityRecord | None, list[Problem]]:
    """One record from a form whose fields are called as the sheet's columns, and what is wrong with it."""
    records, wrong = _records(Row(0, {key: cell.strip() for key, cell in cells.items()}), catalogue, organizations)
    if len(records) > 1:
        wrong.append(Problem(0, "item", "the code of an item that is no panel", cells.get("item", "")))
    return (records[0] if records else None), wrong


def in_force(book: QualityBook, record: QualityRecord) -> QualityVersion | None:
    """The version in force of the record that this one would take the place of."""
    known = book.in_force(record.organization, record.item)
    return next((each for each in known if each.record.key == record.key), None)


def problems(record: QualityRecord, row: int = 0) -> Iterator[Problem]:
    """What is wrong with a record, its institution and item apart."""
    if not 0 < (record.until - record.since).days <= _MOST_DAYS:
        yield Problem(row, "until", "a later day than the first, within ten years", record.until.isoformat())
    for key, text in (("method", record.method), ("scheme", record.scheme)):
        if len(text) > _LONGEST:
            yield Problem(row, key, f"at most {_LONGEST} characters", text[:20])


def items_named(catalogue: Catalogue, code: str, name: str = "") -> tuple[Item, ...]:
    """The items that somebody names by a code, a LOINC code, the beginning of codes (`R-CT-*`), or by their name.

    Assessment is of what is measured: of a panel, its members.
    """
    if code.endswith("*") and len(code) > 2:
        return tuple(e for e in catalogue.items.values() if e.code.startswith(code[:-1].upper()) and not e.members)
    item = catalogue.get(code.upper()) or catalogue.get(f"L-{code}") or (None if code else catalogue.named(name))
    return catalogue.members_of(item) if item else ()


def _records(
    row: Row, catalogue: Catalogue, organizations: Collection[str]
) -> tuple[tuple[QualityRecord, ...], list[Problem]]:
    wrong: list[Problem] = []

    def refuse(key: str, expected: str) -> None:
        wrong.append(Problem(row.number, key, expected, row.get(key)[:60]))

    if row.get("organization") not in organizations:
        refuse("organization", "the code of a registered institution")
    items = items_named(catalogue, row.get("item"), row.get("item_name"))
    if not items:
        refuse("item", "the code of an item in the catalogue")
    standing = _one_of(row.get("standing"), STANDINGS) or _ALSO.get(row.get("standing"))
    if standing is None:
        refuse("standing", " / ".join(STANDINGS.values()))
    scope = _one_of(row.get("scope"), SCOPES) if row.get("scope") else Scope.DISTRICT
    if scope is None:
        refuse("scope", " / ".join(SCOPES.values()))
    since, last = _day(row.get("since")), _day(row.get("until"))
    for key, day in (("since", since), ("until", last)):
        if day is None:
            refuse(key, "a day such as 2026-01-31")
    if not items or standing is None or scope is None or since is None or last is None:
        return (), wrong
    # People name the last day; a record is half open.
    until = last + dt.timedelta(days=1)
    told = (row.get("method"), scope, row.get("scheme"))
    records = tuple(QualityRecord(row.get("organization"), each.code, standing, since, until, *told) for each in items)
    return records, [*wrong, *problems(records[0], row.number)]


def _one_of(said: str, words: Mapping[T, str]) -> T | None:
    return next((value for value, word in words.items() if said.casefold() in (value.value, word)), None)


def _day(text: str) -> dt.date | None:
    """A day as people and spreadsheets write it."""
    match = _DATE.fullmatch(text)
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
    return day if day and 2000 <= day.year <= 2100 else None


def cells(record: QualityRecord, catalogue: Catalogue) -> dict[str, str]:
    """A record as a row has it; people name the last day."""
    version = catalogue.version(record.item)
    return {
        "organization": record.organization,
        "item": record.item,
        "item_name": version.item.zh if version else "",
        "method": record.method,
        "standing": STANDINGS[record.standing],
        "since": record.since.isoformat(),
        "until": record.last_day.isoformat(),
        "scope": SCOPES[record.scope],
        "scheme": record.scheme,
    }
