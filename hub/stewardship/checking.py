"""What an item must be, so that orders can be matched with it and judged by it."""

import datetime as dt
import re
from collections.abc import Iterator

from schemas.catalogue import Catalogue, Item, Setting
from schemas.codes import LOINC, UCUM, loinc_checks
from schemas.report import ReportCategory
from schemas.sheet import Problem
from schemas.units import ucum

_CODE = re.compile(r"[A-Z]-[A-Z0-9][A-Z0-9-]{0,40}")
_LONGEST = 120
_DEAREST_FEN = 100_000_000
_OLDEST = dt.timedelta(days=3660)


def problems(catalogue: Catalogue, item: Item, row: int = 0) -> Iterator[Problem]:
    """Everything that is wrong with an item, as its fields are called on the page and in the sheet."""
    if not _CODE.fullmatch(item.code):
        yield Problem(row, "code", "a code such as L-718-7", item.code)
    for key, text in (("zh", item.zh), ("en", item.en)):
        if not text or len(text) > _LONGEST:
            yield Problem(row, key, "a name", text[:_LONGEST])
    for coding in item.codes:
        if coding.system == LOINC and not loinc_checks(coding.code):
            yield Problem(row, "loinc", "a LOINC code with its check digit", coding.code)
        owner = catalogue.coded(coding.system, coding.code)
        if owner and owner.code != item.code:
            yield Problem(row, "loinc", "a code that stands for no other item", f"{coding.code} ({owner.code})")
    if item.unit and not ucum(item.unit, UCUM):
        yield Problem(row, "unit", "a unit of UCUM such as mmol/L", item.unit)
    if not 0 <= item.price_fen <= _DEAREST_FEN:
        yield Problem(row, "price", "a price in yuan", str(item.price_fen / 100))
    yield from _kind(catalogue, item, row)
    yield from _clocks(item, row)


def _kind(catalogue: Catalogue, item: Item, row: int) -> Iterator[Problem]:
    imaging = item.category is ReportCategory.IMAGING
    for key, text in (("modality", item.modality), ("body_part", item.body_part)):
        if imaging and not text:
            yield Problem(row, key, "what an imaging item is of")
        if text and not imaging:
            yield Problem(row, key, "nothing, for an item that is no imaging", text)
    for code in item.members:
        member = catalogue.get(code)
        if member is None or member.members or code == item.code:
            yield Problem(row, "members", "codes of items that are no panels", code)


def _clocks(item: Item, row: int) -> Iterator[Problem]:
    for setting in Setting:
        clocks = item.clocks_in(setting)
        for name, duration in (("early", clocks.too_early), ("valid", clocks.valid)):
            if duration is not None and not dt.timedelta() < duration <= _OLDEST:
                yield Problem(row, f"{setting}_{name}", "hours or days, such as 12h or 7d", str(duration))
        if clocks.too_early and clocks.valid and clocks.valid < clocks.too_early:
            yield Problem(row, f"{setting}_valid", "no less than the shortest interval", str(clocks.valid))
