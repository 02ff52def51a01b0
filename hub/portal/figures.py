"""What became of the reports that others could have reused: the rates, what they are made of, and every decision."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from schemas.faults import InvalidPayload
from schemas.figures import Figures, Rate, Row
from schemas.recognition import reason_list

from .formats import ZONE
from .i18n import N_, Translate, translator
from .render import page
from .session import Visit, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

_SHOWN = 200
# Columns of every table, on the page and in the file.
COLUMNS = (
    (N_("Results there were"), "existing"),
    (N_("Retrieved"), "retrieved"),
    (N_("Recognised"), "recognised"),
    (N_("Not recognised"), "refused"),
    (N_("Not counted by rule"), "uncounted"),
    (N_("Reminded"), "reminded"),
    (N_("Adopted"), "adopted"),
    (N_("Examined again soon"), "repeated"),
)
RATES = (
    (N_("Recognised of what there was"), "of_existing"),
    (N_("Recognised of what was retrieved"), "of_retrieved"),
    (N_("Adopted of what was reminded"), "of_reminded"),
)
TABLES = {
    "by_institution": N_("By institution"),
    "by_issuer": N_("By whose results"),
    "by_item": N_("By item"),
    "by_month": N_("By month"),
}
# A report of another institution has an item once somebody was advised or decided: of an item, only that is known.
OF_ITEMS = frozenset({"recognised", "refused", "uncounted", "reminded", "adopted", "repeated", "of_reminded"})

Day = Annotated[str, Query(max_length=10)]
Code = Annotated[str, Query(max_length=64)]


@router.get("/decisions")
def decisions(visit: Visiting, since: Day = "", until: Day = "", institution: Code = "") -> Response:
    """The figures of a period, and its newest decisions; without one, of the last ninety days."""
    found = _figures(visit, since, until, institution)
    ledger = visit.verbs.statistics.decisions(visit.disclosure, found.since, found.until, institution, _SHOWN)
    words: dict[str, Any] = {
        "organizations": organizations(visit),
        "reasons": reason_list(),
        "names": _names(visit),
        "tables": TABLES,
        "columns": COLUMNS,
        "rates": RATES,
        "of_items": OF_ITEMS,
    }
    return page(
        visit,
        "decisions.html",
        figures=found,
        last_day=found.until - dt.timedelta(days=1),
        all=visit.verbs.statistics.sees_all(visit.disclosure),
        chart=_chart(found, translator(visit.language)),
        decisions=ledger,
        **words,
    )


@router.get("/decisions/{table}.csv")
def sheet(visit: Visiting, table: str, since: Day = "", until: Day = "", institution: Code = "") -> Response:
    """One of the tables as a file that a spreadsheet opens."""
    if table not in TABLES:
        raise InvalidPayload(f"expected one of {', '.join(TABLES)}", where="table")
    found = _figures(visit, since, until, institution)
    text = io.StringIO()
    # A byte order mark tells spreadsheets that it is UTF-8.
    text.write("\ufeff")
    csv.writer(text).writerows(_lines(visit, found, table))
    name = f"dxhub-{table}-{found.since}-{found.until}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(visit: Visit, found: Figures, table: str) -> Iterator[list[str]]:
    words, names = translator(visit.language), _names(visit)
    shown = [(title, name) for title, name in COLUMNS if table != "by_item" or name in OF_ITEMS]
    rates = [(title, name) for title, name in RATES if table != "by_item" or name in OF_ITEMS]
    money = words(N_("Saved (yuan)"))
    yield ["", "", *(words(title) for title, _ in (*shown, *rates)), money]
    for row in getattr(found, table):
        counts = [str(getattr(row, name)) for _, name in shown]
        shares = [percent(getattr(row, name)) for _, name in rates]
        yield [_plain(row.name), _plain(names.get(row.name, row.name)), *counts, *shares, f"{row.saved_fen / 100:.2f}"]


def _plain(text: str) -> str:
    """A spreadsheet takes for a formula what begins like one."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def percent(rate: Rate) -> str:
    """With one digit; empty where there is nothing to divide by."""
    return "" if rate.percent is None else f"{rate.percent:.1f}"


def _figures(visit: Visit, since: str, until: str, institution: str) -> Figures:
    """until: the last day of the period, as people say it."""
    today = dt.datetime.now(ZONE).date()
    last = _day(until, "until") or today
    first = _day(since, "since") or last - dt.timedelta(days=89)
    return visit.verbs.statistics.figures(visit.disclosure, first, last + dt.timedelta(days=1), institution)


def _day(text: str, where: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidPayload("expected a date like 1980-02-03", where=where) from None


def _names(visit: Visit) -> dict[str, str]:
    """Of institutions and items by code, in the reader's language."""
    chinese = visit.language == "zh"
    places = {code: each.name if chinese else each.name_en or each.name for code, each in organizations(visit).items()}
    items = visit.verbs.statistics.item_names()
    return {code: zh if chinese else en for code, (zh, en) in items.items()} | places


def _chart(found: Figures, words: Translate) -> str:
    """Decisions a month and the share that was recognised, for the script that draws it."""

    def line(row: Row) -> dict[str, object]:
        return {
            "month": row.name,
            "recognised": row.recognised,
            "refused": row.refused,
            "rate": row.of_retrieved.percent,
        }

    names = {
        "recognised": words(N_("Recognised")),
        "refused": words(N_("Not recognised")),
        "rate": words(N_("Recognised of what was retrieved")),
    }
    return json.dumps({"months": [line(row) for row in found.by_month], "names": names}, ensure_ascii=False)
