"""Words of the catalogue's pages and of quality records, and what a sheet's problems are called."""

import datetime as dt

from hub.stewardship import item_sheet, record_sheet
from schemas.catalogue import Scope, Setting
from schemas.quality import Assessed
from schemas.report import ReportCategory
from schemas.sheet import Column

from .i18n import N_, Translate

SETTING = {Setting.OUTPATIENT: N_("Outpatient"), Setting.INPATIENT: N_("Inpatient"), Setting.ACUTE: N_("Acute care")}
SCOPE = {
    Scope.NATION: N_("Nation"),
    Scope.REGION: N_("Region of several provinces"),
    Scope.PROVINCE: N_("Province"),
    Scope.CITY: N_("City"),
    Scope.DISTRICT: N_("District"),
}
CATEGORY = {
    ReportCategory.LABORATORY: N_("Laboratory"),
    ReportCategory.IMAGING: N_("Imaging"),
    ReportCategory.ECG: N_("ECG"),
    ReportCategory.OTHER: N_("Other"),
}
# What it is called, its colour, and its symbol, for those who see no colours.
ASSESSED = {
    Assessed.PASSED: (N_("Passed"), "good", "check"),
    Assessed.FAILED: (N_("Failed"), "bad", "x"),
    Assessed.SUSPENDED: (N_("Suspended"), "warn", "lock"),
    Assessed.EXPIRED: (N_("Expired"), "refused", "clock"),
    Assessed.UNKNOWN: (N_("No record"), "quiet", "help-circle"),
}
EXPECTED = (
    N_("a code such as L-718-7"),
    N_("a name"),
    N_("a LOINC code with its check digit"),
    N_("a code that stands for no other item"),
    N_("a unit of UCUM such as mmol/L"),
    N_("a price in yuan"),
    N_("what an imaging item is of"),
    N_("nothing, for an item that is no imaging"),
    N_("codes of items that are no panels"),
    N_("hours or days, such as 12h or 7d"),
    N_("no less than the shortest interval"),
    N_("each item once"),
    N_("each record once"),
    N_("a later day than the first, within ten years"),
    N_("the code of a registered institution"),
    N_("the code of an item in the catalogue"),
    N_("the code of an item that is no panel"),
    N_("a day such as 2026-01-31"),
    N_("at most 100 characters"),
)
_COLUMNS: dict[str, Column] = {each.key: each for each in (*item_sheet.COLUMNS, *record_sheet.COLUMNS)}


_HOURS, _DAYS = N_("%(count)s h"), N_("%(count)s d")


def lasting(value: dt.timedelta | None, translate: Translate) -> str:
    """A clock as people say it: 12 h, 7 d; empty for none."""
    if value is None:
        return ""
    hours = value / dt.timedelta(hours=1)
    if hours > 48 and hours % 24 == 0:
        return translate(_DAYS) % {"count": f"{hours / 24:g}"}
    return translate(_HOURS) % {"count": f"{hours:g}"}


def column(key: str, language: str) -> str:
    """The heading of a sheet's column, as its writer sees it."""
    known = _COLUMNS.get(key)
    return key if known is None else known.en if language == "en" else known.zh


def expected(text: str, translate: Translate) -> str:
    """What a row should have had, in the reader's language; lists of words are in the sheet's own."""
    return translate(text) if text in EXPECTED else text
