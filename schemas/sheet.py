"""Sheets that people fill in with a spreadsheet: CSV in, CSV out, and what is wrong with a row in their own terms.

Excel in Chinese writes GB18030 or, asked for it, UTF-8 with a byte order mark; both are read, and the second written.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .faults import InvalidPayload

MOST_BYTES = 4_000_000
MOST_ROWS = 20_000
_LONGEST_CELL = 2000
# A spreadsheet takes a cell that begins so for a formula; an apostrophe before it says that it is none.
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by our key, its heading in both languages; further headings that are taken for it."""

    key: str
    zh: str
    en: str
    also: tuple[str, ...] = ()

    @property
    def headings(self) -> frozenset[str]:
        return frozenset(_heading(each) for each in (self.key, self.zh, self.en, *self.also))


@dataclass(frozen=True, slots=True)
class Row:
    """number: as the spreadsheet counts, the headings being row 1. cells: by key; only columns that the sheet has."""

    number: int
    cells: Mapping[str, str]

    def get(self, key: str) -> str:
        """The cell's text; empty where the sheet has no such column."""
        return self.cells.get(key, "")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be taken. column: our key; row 0 for the sheet as a whole."""

    row: int
    column: str
    expected: str
    found: str = ""


def read(content: bytes, columns: Sequence[Column]) -> tuple[Row, ...]:
    """The rows that hold anything. Raises InvalidPayload for what is no such sheet."""
    if len(content) > MOST_BYTES:
        raise InvalidPayload(f"expected a sheet of at most {MOST_BYTES // 1_000_000} MB", where="sheet")
    try:
        lines = list(csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content), strict=True))
    except csv.Error as error:
        raise InvalidPayload("expected a sheet saved as CSV", where="sheet") from error
    if not lines:
        raise InvalidPayload("the sheet is empty", where="sheet")
    if len(lines) > MOST_ROWS:
        raise InvalidPayload(f"expected a sheet of at most {MOST_ROWS} rows", where="sheet")
    keys = _keys(lines[0], columns)
    return tuple(
        Row(number, {key: _cell(cell) for key, cell in zip(keys, cells, strict=False) if key})
        for number, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    )


def write(columns: Sequence[Column], rows: Iterable[Mapping[str, str]], language: str = "zh") -> bytes:
    """A sheet that a spreadsheet opens with its characters right."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(column.zh if language == "zh" else column.en for column in columns)
    writer.writerows([_guarded(row.get(column.key, "")) for column in columns] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _text(content: bytes) -> str:
    for charset in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidPayload("expected a sheet saved as CSV, in UTF-8 or GB18030", where="sheet")


def _delimiter(content: bytes) -> str:
    head = content.split(b"\n", 1)[0]
    return max((",", ";", "\t"), key=lambda each: head.count(each.encode()))


def _keys(headings: Sequence[str], columns: Sequence[Column]) -> list[str]:
    known = {heading: column.key for column in columns for heading in column.headings}
    keys = [known.get(_heading(each), "") for each in headings]
    named = [key for key in keys if key]
    if not named:
        raise InvalidPayload("the first row names none of the columns", where="sheet")
    if twice := next((key for key in named if named.count(key) > 1), ""):
        raise InvalidPayload("a column stands in the sheet twice", where=twice)
    return keys


def _heading(text: str) -> str:
    return "".join(text.split()).casefold()


def _cell(text: str) -> str:
    stripped = text.strip()[:_LONGEST_CELL]
    return stripped[1:] if stripped.startswith("'") and stripped[1:].startswith(_FORMULA) else stripped


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
