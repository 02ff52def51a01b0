"""The catalogue as a sheet: written for a spreadsheet, and read back as what would change."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from schemas import sheet
from schemas.catalogue import Catalogue, Clocks, Item, Scope, Setting
from schemas.codes import LOINC, Coding
from schemas.report import ReportCategory
from schemas.sheet import Column, Problem, Row

from .checking import problems

_SETTINGS = {Setting.OUTPATIENT: "门诊", Setting.INPATIENT: "住院", Setting.ACUTE: "急诊"}
COLUMNS = (
    Column("code", "编码", "code"),
    Column("category", "类别", "category"),
    Column("zh", "中文名", "Chinese name", ("名称", "项目名称")),
    Column("en", "英文名", "English name"),
    Column("also", "别名", "other names"),
    Column("loinc", "LOINC", "LOINC"),
    Column("specimen", "标本", "specimen"),
    Column("unit", "单位", "unit"),
    Column("method", "方法", "method"),
    Column("modality", "检查类型", "modality"),
    Column("body_part", "部位", "body part"),
    Column("contrast", "增强", "contrast"),
    Column("members", "组成项目", "members"),
    *(Column(f"{s}_early", f"{zh}最短间隔", f"{s} too early") for s, zh in _SETTINGS.items()),
    *(Column(f"{s}_valid", f"{zh}有效期", f"{s} valid") for s, zh in _SETTINGS.items()),
    Column("never", "从不建议", "never suggested in"),
    Column("information_only", "仅供参考", "information only"),
    Column("volatile", "变化快", "changes fast"),
    Column("price", "价格（元）", "price (yuan)", ("价格", "price")),
    Column("scope", "互认范围", "scope"),
    Column("source", "期限来源", "source of the clocks"),
)
CATEGORIES = {ReportCategory.LABORATORY: "检验", ReportCategory.IMAGING: "影像", ReportCategory.ECG: "心电"}
SCOPES = {Scope.NATION: "全国", Scope.REGION: "区域", Scope.PROVINCE: "省", Scope.CITY: "市", Scope.DISTRICT: "区县"}
T = TypeVar("T", ReportCategory, Scope)
_DURATION = re.compile(r"([0-9]{1,5}) ?(h|d|小时|天|日)", re.IGNORECASE)
_YES = {"是", "yes", "y", "1", "true"}
_NO = {"否", "no", "n", "0", "false", ""}


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What a row would do: `before` is None for a new item."""

    row: int
    before: Item | None
    after: Item


@dataclass(frozen=True, slots=True)
class ItemSheet:
    """What a sheet would do, and why it cannot: nothing of it is saved while anything is wrong."""

    changes: tuple[ItemChange, ...]
    problems: tuple[Problem, ...]
    unchanged: int


def write(items: Iterable[Item], language: str = "zh") -> bytes:
    """Every item as a row; read back, it changes nothing."""
    return sheet.write(COLUMNS, map(cells, items), language)


def read(catalogue: Catalogue, content: bytes) -> ItemSheet:
    """What the sheet says beside the catalogue in force. A column that it lacks stays as it is; an empty cell empties.

    Raises InvalidPayload for what is no sheet.
    """
    rows = sheet.read(content, COLUMNS)
    found: list[Problem] = []
    changes: dict[str, ItemChange] = {}
    unchanged = 0
    for row in rows:
        parsed = _Parsed(row, catalogue)
        item = parsed.item()
        wrong = parsed.wrong or list(problems(catalogue, item, row.number))
        if item.code in changes:
            wrong.append(Problem(row.number, "code", "each item once", item.code))
        found += wrong
        if item == catalogue.get(item.code):
            unchanged += not wrong
        elif not wrong:
            changes[item.code] = ItemChange(row.number, catalogue.get(item.code), item)
    return ItemSheet(tuple(changes.values()), tuple(found), unchanged)


def one(catalogue: Catalogue, cells: Mapping[str, str]) -> tuple[Item, list[Problem]]:
    """One item from a form whose fields are called as the sheet's columns, and what is wrong with it."""
    parsed = _Parsed(Row(0, {key: cell.strip() for key, cell in cells.items()}), catalogue)
    item = parsed.item()
    return item, parsed.wrong or list(problems(catalogue, item))


def _sources(clocks: Mapping[Setting, Clocks]) -> str:
    named = (source for each in clocks.values() for source in (each.early_source, each.valid_source))
    return "; ".join(filter(None, dict.fromkeys(named)))


class _Parsed:
    """One row, read cell by cell; `wrong` tells what could not be."""

    def __init__(self, row: Row, catalogue: Catalogue) -> None:
        self._row = row
        code = row.get("code").upper()
        known = catalogue.version(code)
        self._was = known.item if known else Item(code, ReportCategory.LABORATORY, "", "")
        self.wrong: list[Problem] = []

    def item(self) -> Item:
        """The item as the row has it."""
        was, row = self._was, self._row
        told = {key: row.cells[key] for key in ("zh", "en", "specimen", "unit", "method") if key in row.cells}
        if "modality" in row.cells:
            told["modality"] = row.get("modality").upper()
        if "body_part" in row.cells:
            told["body_part"] = row.get("body_part").upper()
        clocks = self._clocks()
        item = replace(was, **told) if told else was  # type: ignore[arg-type]
        return replace(
            item,
            category=self._one_of("category", CATEGORIES, was.category),
            codes=self._codes(),
            also=self._several("also", was.also),
            contrast=self._flag("contrast", was.contrast, empty=None),
            members=self._several("members", was.members),
            clocks=clocks,
            information_only=bool(self._flag("information_only", was.information_only, empty=False)),
            volatile=bool(self._flag("volatile", was.volatile, empty=False)),
            price_fen=self._price(),
            scope=self._one_of("scope", SCOPES, was.scope),
            source=_sources(clocks),
        )

    def _problem(self, key: str, expected: str) -> None:
        self.wrong.append(Problem(self._row.number, key, expected, self._row.get(key)[:60]))

    def _several(self, key: str, was: tuple[str, ...]) -> tuple[str, ...]:
        if key not in self._row.cells:
            return was
        return tuple(filter(None, (each.strip() for each in re.split("[|、\n]", self._row.get(key)))))

    def _codes(self) -> tuple[Coding, ...]:
        loinc = {each.code: each for each in self._was.codes if each.system == LOINC}
        others = [each for each in self._was.codes if each.system != LOINC]
        codes = self._several("loinc", tuple(loinc))
        return (*(loinc.get(code) or Coding(code, self._row.get("zh"), LOINC) for code in codes), *others)

    def _one_of(self, key: str, words: Mapping[T, str], was: T) -> T:
        said = self._row.get(key)
        if key not in self._row.cells:
            return was
        for value, word in words.items():
            if said.casefold() in (value.value, word):
                return value
        self._problem(key, " / ".join(words.values()))
        return was

    def _flag(self, key: str, was: bool | None, *, empty: bool | None) -> bool | None:
        if key not in self._row.cells:
            return was
        said = self._row.get(key).casefold()
        if not said:
            return empty
        if said not in _YES | _NO:
            self._problem(key, "是 / 否")
        return said in _YES

    def _price(self) -> int:
        if "price" not in self._row.cells:
            return self._was.price_fen
        try:
            fen = Decimal(self._row.get("price") or "0") * 100
            if fen == fen.to_integral_value() and abs(fen) < 10**12:
                return int(fen)
        except InvalidOperation:
            pass
        self._problem("price", "a price in yuan")
        return 0

    def _clocks(self) -> dict[Setting, Clocks]:
        never = self._settings("never")
        return {setting: self._clock(setting, never) for setting in Setting}

    def _clock(self, setting: Setting, never: frozenset[Setting] | None) -> Clocks:
        was = self._was.clocks_in(setting)
        early = self._duration(f"{setting}_early", was.too_early)
        valid = self._duration(f"{setting}_valid", was.valid)
        # What was not changed is still of whom it was; what was changed is of whom the row newly names.
        source = self._row.get("source") if self._row.get("source") != self._was.source else ""
        return Clocks(
            early,
            valid,
            setting in never if never is not None else was.never,
            was.early_source if early == was.too_early else source if early else "",
            was.valid_source if valid == was.valid else source if valid else "",
        )

    def _settings(self, key: str) -> frozenset[Setting] | None:
        if key not in self._row.cells:
            return None
        said = self._several(key, ())
        by_word = {word: setting for setting, word in _SETTINGS.items()} | {each.value: each for each in Setting}
        if not by_word.keys() >= set(said):
            self._problem(key, "、".join(_SETTINGS.values()))
        return frozenset(by_word[each] for each in said if each in by_word)

    def _duration(self, key: str, was: dt.timedelta | None) -> dt.timedelta | None:
        if key not in self._row.cells:
            return was
        said = self._row.get(key)
        if not said:
            return None
        if match := _DURATION.fullmatch(said):
            return int(match[1]) * dt.timedelta(hours=1 if match[2].lower() in {"h", "小时"} else 24)
        self._problem(key, "hours or days, such as 12h or 7d")
        return was


def duration(value: dt.timedelta | None) -> str:
    """`7d`, `36h`; empty for none. Days where they are whole and more than two: people say 36 h, and 7 d."""
    if value is None:
        return ""
    hours, rest = divmod(int(value.total_seconds()), 3600)
    if rest:
        return f"{hours + 1}h"
    return f"{hours // 24}d" if hours % 24 == 0 and hours > 48 else f"{hours}h"


def cells(item: Item) -> dict[str, str]:
    """An item as a row has it."""
    row = {
        "code": item.code,
        "category": CATEGORIES.get(item.category, item.category.value),
        "zh": item.zh,
        "en": item.en,
        "also": "|".join(item.also),
        "loinc": "|".join(each.code for each in item.codes if each.system == LOINC),
        "specimen": item.specimen,
        "unit": item.unit,
        "method": item.method,
        "modality": item.modality,
        "body_part": item.body_part,
        "contrast": "" if item.contrast is None else _word(item.contrast),
        "members": "|".join(item.members),
        "never": "|".join(word for setting, word in _SETTINGS.items() if item.clocks_in(setting).never),
        "information_only": _word(item.information_only),
        "volatile": _word(item.volatile),
        "price": f"{item.price_fen / 100:.2f}",
        "scope": SCOPES[item.scope],
        "source": item.source,
    }
    for setting in Setting:
        clocks = item.clocks_in(setting)
        row[f"{setting}_early"], row[f"{setting}_valid"] = duration(clocks.too_early), duration(clocks.valid)
    return row


def _word(flag: bool) -> str:
    return "是" if flag else "否"
