"""Signing in and out, and the language, which a person may choose before anybody knows who they are."""

import secrets
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.access import SignedIn
from schemas.faults import Busy, Fault, Forbidden

from . import i18n, session
from .i18n import N_
from .menu import home
from .render import render
from .session import CSRF_FIELD, Fields, Posting, Visiting

router = APIRouter(include_in_schema=False)

# Before anybody is signed in there is no session to bind a form to: this cookie and the form's field must agree.
FORM_COOKIE = "dxhub_form"
WRONG = N_("Account or password is wrong.")
TOO_OFTEN = N_("Too many attempts. Wait a moment, then try again.")
STALE = N_("This form was too old. Please try again.")


@router.get("/")
def start(visit: Visiting) -> Response:
    """The page where this person's work begins."""
    return RedirectResponse(home(visit.principal), status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - the word that people see in the address
    """The form; whoever is signed in already goes on to where they wanted to be."""
    if session.current(request) is not None:
        return RedirectResponse(session.local_path(next), status_code=303)
    return _form(request, session.local_path(next))


def _form(request: Request, next_path: str, *, account: str = "", message: str = "", status: int = 200) -> Response:
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    settings = getattr(request.app.state, "settings", None)
    text = render(
        i18n.language_of(request),
        "sign_in.html",
        token=token,
        next_path=next_path,
        account=account,
        message=message,
        demo=bool(getattr(settings, "demo", False)),
    )
    response = HTMLResponse(text, status_code=status)
    session.remember(response, request, FORM_COOKIE, token)
    return response


@router.post("/sign-in")
def sign_in(request: Request, fields: Fields) -> Response:
    """Opens a session, or shows the form again saying why not. Never says which of the two was wrong."""
    next_path, account = session.local_path(fields.get("next", "/")), fields.get("account", "").strip()
    if not _same_browser(request, fields):
        return _form(request, next_path, account=account, message=STALE, status=403)
    verbs = session.verbs_of(request)
    try:
        opened = verbs.access.sign_in(account, fields.get("password", ""), session.address_of(request))
    except Forbidden:
        return _form(request, next_path, account=account, message=WRONG, status=403)
    except Busy:
        return _form(request, next_path, account=account, message=TOO_OFTEN, status=503)
    return _open(request, opened, next_path)


def _same_browser(request: Request, fields: dict[str, str]) -> bool:
    expected = request.cookies.get(FORM_COOKIE, "")
    return bool(expected) and secrets.compare_digest(expected.encode(), fields.get(CSRF_FIELD, "").encode())


def _open(request: Request, opened: SignedIn, next_path: str) -> Response:
    response = RedirectResponse(next_path, status_code=303)
    seconds = max(0, int((opened.expires_at - datetime.now(UTC)).total_seconds()))
    session.remember(response, request, session.COOKIE, opened.token, seconds)
    response.delete_cookie(FORM_COOKIE, path="/")
    return response


@router.post("/sign-out")
def sign_out(visit: Posting) -> Response:
    """Ends the session on both sides."""
    visit.verbs.access.sign_out(visit.signed_in.token, session.address_of(visit.request))
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(session.COOKIE, path="/")
    return response


@router.post("/language")
def choose_language(request: Request, fields: Fields) -> Response:
    """Keeps the language in the account of whoever is signed in, and in this browser for everybody else."""
    chosen = fields.get("language", "")
    language = chosen if chosen in i18n.LANGUAGES else i18n.DEFAULT
    visit = session.current(request)
    if visit is not None:
        session.check_csrf(visit, fields.get(CSRF_FIELD, ""))
        _keep(visit, language)
    response = RedirectResponse(_back(request), status_code=303)
    session.remember(response, request, i18n.COOKIE, language, seconds=365 * 24 * 3600)
    return response


def _keep(visit: session.Visit, language: str) -> None:
    try:
        visit.verbs.access.set_language(visit.principal, language)
    except Fault as fault:
        # Another language is no reason to keep anybody from the page they were reading.
        if not isinstance(fault, Busy):
            raise


def _back(request: Request) -> str:
    referrer = urlsplit(request.headers.get("referer", ""))
    if referrer.netloc != request.url.netloc:
        return "/"
    return session.local_path(referrer.path + (f"?{referrer.query}" if referrer.query else ""))
