"""Sheets of the catalogue and of quality records: chosen, shown as what they would change, and saved when confirmed."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.stewardship import CatalogueDesk, QualityDesk, item_sheet
from hub.uploads import received
from schemas.faults import Category, Fault, InvalidPayload
from schemas.sheet import MOST_BYTES

from . import keeping_words
from .render import page
from .session import CSRF_FIELD, Visit, Visiting, check_csrf, form


def keeping(visit: Visiting) -> Visit:
    """Who keeps the catalogue. Decided before a byte of the body is read."""
    require(visit.principal, Permission.KEEP_CATALOGUE)
    return visit


router = APIRouter(include_in_schema=False, dependencies=[Depends(keeping)])
# Base64 of a sheet, URL-encoded, and the few fields beside it.
_MOST_FORM_BYTES = MOST_BYTES * 2
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is imported: the page it belongs to, the sheet that shows how, and who takes it."""

    path: str
    template: str
    desk: Callable[[Visit], CatalogueDesk | QualityDesk]


_ITEMS = _Kind("/catalogue", "catalogue_import.html", lambda visit: visit.verbs.catalogue)
_RECORDS = _Kind("/quality", "quality_import.html", lambda visit: visit.verbs.quality)


def download(content: bytes, name: str) -> Response:
    """A sheet for the person's spreadsheet."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _page(visit: Visit, kind: _Kind, fault: Fault | None = None, **values: Any) -> Response:  # noqa: ANN401 a page's
    shown = {"preview": None, "content": "", "stamp": 0, "reason": ""} | values
    wrong = fault is not None or bool(shown["preview"] and shown["preview"].problems)
    words = {"words": keeping_words, "differences": _differences, "most": _MOST_SHOWN}
    return page(visit, kind.template, status=400 if wrong else 200, fault=fault, kind=kind, **words, **shown)


def _differences(change: item_sheet.ItemChange, language: str) -> list[tuple[str, str, str]]:
    was = item_sheet.cells(change.before) if change.before else {}
    now = item_sheet.cells(change.after)
    return [
        (keeping_words.column(key, language), was.get(key, ""), now[key]) for key in now if was.get(key, "") != now[key]
    ]


@router.get("/catalogue/import")
def import_items(visit: Visiting) -> Response:
    """Where a sheet of items is chosen."""
    return _page(visit, _ITEMS)


@router.get("/quality/import")
def import_records(visit: Visiting) -> Response:
    """Where a sheet of quality records is chosen."""
    return _page(visit, _RECORDS)


@router.post("/catalogue/import")
async def preview_items(visit: Visiting) -> Response:
    """What the chosen sheet would change. Nothing is saved."""
    return await _previewed(visit, _ITEMS)


@router.post("/quality/import")
async def preview_records(visit: Visiting) -> Response:
    """What the chosen sheet would change. Nothing is saved."""
    return await _previewed(visit, _RECORDS)


async def _previewed(visit: Visit, kind: _Kind) -> Response:
    async with received(visit.request, most_bytes=MOST_BYTES) as told:
        check_csrf(visit, told.fields.get(CSRF_FIELD, ""))
        chosen = next((each for each in told.files if each.size), None)
        content = await run_in_threadpool(chosen.content.read, MOST_BYTES + 1) if chosen else b""
        return await run_in_threadpool(_preview, visit, kind, content)


def _preview(visit: Visit, kind: _Kind, content: bytes, fault: Fault | None = None, reason: str = "") -> Response:
    try:
        preview, stamp = kind.desk(visit).preview(visit.disclosure, content)
    except InvalidPayload as refused:
        return _page(visit, kind, refused)
    kept = base64.b64encode(content).decode()
    return _page(visit, kind, fault, preview=preview, content=kept, stamp=stamp, reason=reason)


@router.post("/catalogue/import/save")
async def save_items(visit: Visiting) -> Response:
    """Saves what the preview showed."""
    return await _saved(visit, _ITEMS)


@router.post("/quality/import/save")
async def save_records(visit: Visiting) -> Response:
    """Saves what the preview showed."""
    return await _saved(visit, _RECORDS)


async def _saved(visit: Visit, kind: _Kind) -> Response:
    fields = await form(visit.request, _MOST_FORM_BYTES)
    check_csrf(visit, fields.get(CSRF_FIELD, ""))
    return await run_in_threadpool(_save, visit, kind, fields)


def _save(visit: Visit, kind: _Kind, fields: dict[str, str]) -> Response:
    try:
        content = base64.b64decode(fields.get("content", ""), validate=True)
    except binascii.Error as error:
        raise InvalidPayload("expected the sheet of the preview", where="content") from error
    stamp, reason = fields.get("stamp", ""), fields.get("reason", "")
    try:
        number = int(stamp) if stamp.isdecimal() and len(stamp) < 12 else -1
        kind.desk(visit).apply(visit.disclosure, content, reason, number)
    except Fault as fault:
        if fault.category not in {Category.INVALID, Category.CONFLICT}:
            raise
        # What it would do now, beside what others have saved meanwhile.
        return _preview(visit, kind, content, fault, reason)
    return RedirectResponse(kind.path, status_code=303)
