"""Pages that belong to no verb: help, and what a person sees when something was refused or failed."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from schemas.disclosure import PEOPLE
from schemas.faults import Category, Fault

from . import session
from .i18n import language_of
from .menu import entries
from .render import page, render, swaps
from .session import Visiting

router = APIRouter(include_in_schema=False)

_RETRY_AFTER_S = "5"


@router.get("/help")
def help_page(visit: Visiting) -> Response:
    """What the portal does for each role, on one screen; the asker's own first."""
    mine = visit.principal.role
    return page(visit, "help.html", mine=mine, roles=[mine, *(role for role in PEOPLE if role is not mine)])


def fault_page(request: Request, fault: Fault, status: int) -> Response:
    """What a person sees of a fault: what happened in plain words, what was expected, and a way on.

    A piece of a page gets a piece; the text of an internal fault stays in the log.
    """
    language, values = _audience(request)
    name = "_fault.html" if swaps(request) else "fault.html"
    text = render(language, name, fault=fault, status=status, **values)
    headers = {"Retry-After": _RETRY_AFTER_S} if fault.category is Category.BUSY else None
    return HTMLResponse(text, status_code=status, headers=headers)


def _audience(request: Request) -> tuple[str, dict[str, Any]]:
    # A failing store must not make the page about the failure fail: only a visit already known is shown a menu.
    visit: session.Visit | None = getattr(request.state, "visit", None)
    if visit is None:
        return language_of(request), {"visit": None, "menu": (), "path": request.url.path}
    return visit.language, {"visit": visit, "menu": entries(visit.principal), "path": request.url.path}
