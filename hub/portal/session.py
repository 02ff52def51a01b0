"""Who is looking at a page: the session behind the cookie, the forms that person may send, the way to sign in."""

import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, quote

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, SignedIn, allowed, disclosure_for
from hub.verbs import Verbs
from schemas.disclosure import Disclosure, Principal
from schemas.faults import Forbidden, InvalidPayload

from .i18n import language_of

COOKIE = "dxhub_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
# A form of ours is a few fields; files go by the upload page, which reads its body by itself.
FORM_LIMIT_BYTES = 64 * 1024


class SignInNeeded(Exception):
    """Nobody is signed in: the browser is led to the sign-in page and afterwards back to where it wanted to go."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a signed-in person."""

    request: Request
    verbs: Verbs
    signed_in: SignedIn
    disclosure: Disclosure
    language: str

    @property
    def principal(self) -> Principal:
        return self.signed_in.principal

    def may(self, permission: Permission) -> bool:
        """Whether to offer something; the verb behind it decides again."""
        return allowed(self.principal, permission)


def address_of(request: Request) -> str:
    """The peer's IP address, for the audit record."""
    return request.client.host if request.client else ""


def verbs_of(request: Request) -> Verbs:
    """The verbs which the composition root put on the application."""
    verbs: Verbs = request.app.state.verbs
    return verbs


def visit(request: Request) -> Visit:
    """The visit behind the session cookie. Raises SignInNeeded when there is none or it has expired."""
    found = current(request)
    if found is None:
        raise SignInNeeded
    return found


def current(request: Request) -> Visit | None:
    """The visit of whoever is signed in; None for anybody else. Looked up once a request."""
    known: Visit | None = getattr(request.state, "visit", None)
    token = request.cookies.get(COOKIE, "")
    if known is None and token:
        verbs = verbs_of(request)
        signed_in = verbs.access.session(token)
        if signed_in is not None:
            principal = signed_in.principal
            disclosure = disclosure_for(principal, address_of(request))
            known = Visit(request, verbs, signed_in, disclosure, language_of(request, principal.language))
            request.state.visit = known
    return known


async def fields(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises InvalidPayload for anything longer than a form of ours can be."""
    return await form(request, FORM_LIMIT_BYTES)


async def form(request: Request, most_bytes: int) -> dict[str, str]:
    """The fields of a form. Raises InvalidPayload for one that is longer, as soon as it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise InvalidPayload(f"expected a form of at most {most_bytes} bytes")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise InvalidPayload("expected a URL-encoded form in UTF-8") from error
    return dict(pairs)


Visiting = Annotated[Visit, Depends(visit)]
Fields = Annotated[dict[str, str], Depends(fields)]


def check_csrf(visit: Visit, token: str) -> None:
    """Raises Forbidden unless the token is the session's own: then a page of ours sent the form."""
    if not secrets.compare_digest(token.encode(), visit.signed_in.csrf.encode()):
        raise Forbidden("expected this session's form token; reload the page and try again")


def posting(visit: Visiting, fields: Fields) -> Visit:
    """The visit of a person who sent a form of ours, by field or, where htmx sends it, by header."""
    check_csrf(visit, visit.request.headers.get(CSRF_HEADER) or fields.get(CSRF_FIELD, ""))
    return visit


Posting = Annotated[Visit, Depends(posting)]


def remember(response: Response, request: Request, name: str, value: str, seconds: int | None = None) -> None:
    """A cookie that scripts cannot read, that other sites cannot send with a form, and that TLS never leaves."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure, path="/")


def local_path(wanted: str) -> str:
    """A path of this site to go back to, else the start page: never another site's address."""
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if inside and wanted.isprintable() else "/"


def to_sign_in(request: Request) -> Response:
    """Leads the browser to the sign-in page; a fragment's request asks htmx to lead the whole page there."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(wanted, safe='/')}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/sign-in{back}", status_code=303)
