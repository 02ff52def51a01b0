"""The catalogue for those who keep it: search, one item with its history, editing, and sheets."""

from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from hub.stewardship import item_sheet
from schemas.catalogue import Catalogue, Item, ItemVersion, Scope, Setting
from schemas.faults import Category, Fault, InvalidPayload
from schemas.report import ReportCategory
from schemas.sheet import Problem
from schemas.shipped_catalogue import shipped

from . import keeping_words
from .render import page, page_or_fragment
from .session import Fields, Posting, Visit, Visiting
from .sheets import download


def keeping(visit: Visiting) -> None:
    """Who keeps the catalogue. Decided before anything of a form is read."""
    require(visit.principal, Permission.KEEP_CATALOGUE)


router = APIRouter(include_in_schema=False, dependencies=[Depends(keeping)])

PAGE_SIZE = 50
Words = Annotated[str, Query(max_length=100)]
_RETIRED = "retired"
_FLAGS = ("information_only", "volatile")


@router.get("/catalogue")
def items(
    visit: Visiting, q: Words = "", category: str = "", offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> Response:
    """Items by code, name or initials; retired ones are asked for by themselves."""
    found = visit.verbs.catalogue.items(
        text=q.strip(),
        category=ReportCategory(category) if category in set(ReportCategory) else None,
        retired=category == _RETIRED,
        limit=PAGE_SIZE,
        offset=offset,
    )
    values = {"found": found, "q": q.strip(), "category": category, "page_size": PAGE_SIZE}
    return page_or_fragment(visit, "catalogue.html", "_catalogue.html", **values, **_shared(visit))


def _shared(visit: Visit) -> dict[str, object]:
    keeps = visit.verbs.catalogue.keeps(visit.principal)
    return {"words": keeping_words, "settings": tuple(Setting), "keeps": keeps}


@router.get("/catalogue/sheet.csv")
def sheet(visit: Visiting, category: str = "") -> Response:
    """The whole catalogue, or one kind of it, for a spreadsheet."""
    kind = ReportCategory(category) if category in set(ReportCategory) else None
    found = visit.verbs.catalogue.items(category=kind, limit=100_000)
    return download(visit.verbs.catalogue.sheet(found, visit.language), "catalogue.csv")


@router.get("/catalogue/items/{code}")
def item(visit: Visiting, code: str) -> Response:
    """One item as it stands, its history, and the form to change it."""
    return _item_page(visit, visit.verbs.catalogue.history(code))


@router.get("/catalogue/new")
def new(visit: Visiting) -> Response:
    """The form of an item that is not there yet."""
    return _item_page(visit, ())


def _item_page(
    visit: Visit,
    history: tuple[ItemVersion, ...],
    said: dict[str, str] | None = None,
    fault: Fault | None = None,
    problems: tuple[Problem, ...] = (),
) -> Response:
    catalogue = visit.verbs.catalogue.catalogue()
    newest = history[0] if history else None
    empty = Item("", ReportCategory.LABORATORY, "", "")
    return page(
        visit,
        "catalogue_item.html",
        status=400 if fault or problems else 200,
        newest=newest,
        history=history,
        changes=[_differences(a.item, b.item, visit.language) for a, b in pairwise(history)],
        said=said or item_sheet.cells(newest.item if newest else empty) | {"source": ""},
        panels=catalogue.panels_of(newest.item.code) if newest else (),
        members=_named(catalogue, newest.item.members) if newest else (),
        categories=[each for each in ReportCategory if each in item_sheet.CATEGORIES],
        category_cells=item_sheet.CATEGORIES,
        scope_cells=item_sheet.SCOPES,
        scopes=tuple(Scope),
        parts=shipped().parts,
        fault=fault,
        problems=problems,
        **_shared(visit),
    )


def _named(catalogue: Catalogue, codes: tuple[str, ...]) -> list[tuple[str, str, str]]:
    known = ((code, catalogue.version(code)) for code in codes)
    return [(code, each.item.zh if each else code, each.item.en if each else code) for code, each in known]


def _differences(after: Item, before: Item, language: str) -> list[tuple[str, str, str]]:
    """What one version changed: heading, before, after."""
    was, now = item_sheet.cells(before), item_sheet.cells(after)
    return [(keeping_words.column(key, language), was[key], now[key]) for key in now if was[key] != now[key]]


@router.post("/catalogue/save")
def save(visit: Posting, fields: Fields) -> Response:
    """Saves an item as its next version; retires it, or takes it back into the catalogue."""
    desk, code = visit.verbs.catalogue, fields.get("code", "").strip().upper()
    catalogue = desk.catalogue()
    known = catalogue.version(code)
    history = desk.history(code) if known else ()
    said = _said(fields)
    action, version = fields.get("action", "save"), fields.get("version", "0")
    try:
        if action == "save":
            item, problems = item_sheet.one(catalogue, said)
            if problems:
                return _item_page(visit, history, said, problems=tuple(problems))
        elif known and action in {"retire", "restore"}:
            item = known.item
        else:
            raise InvalidPayload("expected a decision: save, retire or restore", where="action")
        number = int(version) if version.isdecimal() and len(version) < 9 else -1
        desk.save(visit.disclosure, item, fields.get("reason", ""), number, retired=action == "retire")
    except Fault as fault:
        if fault.category not in {Category.INVALID, Category.CONFLICT}:
            raise
        return _item_page(visit, history, said, fault)
    return RedirectResponse(f"/catalogue/items/{code}", status_code=303)


def _said(fields: dict[str, str]) -> dict[str, str]:
    """The form as a row of the sheet; a box that is not ticked sends nothing."""
    cells = {each.key: fields.get(each.key, "") for each in item_sheet.COLUMNS}
    never = (setting for setting in Setting if f"never_{setting}" in fields)
    flags = {name: "是" if name in fields else "否" for name in _FLAGS}
    return cells | flags | {"never": "|".join(never)}
