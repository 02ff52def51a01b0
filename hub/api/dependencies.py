"""What every route asks first: the verbs, and in whose name."""

from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from hub.access import disclosure_for
from hub.verbs import Verbs
from schemas.disclosure import Disclosure, Principal

SESSION_COOKIE = "dxhub_session"


def verbs(request: Request) -> Verbs:
    """The verbs of this hub."""
    return cast("Verbs", request.app.state.verbs)


def address_of(request: Request) -> str:
    """The peer's address, as the socket says."""
    return request.client.host if request.client else ""


# Only for the description of the interface: what a token is worth is decided below, in one place with the session.
_bearer_scheme = HTTPBearer(auto_error=False, description="from `dxhub token --user NAME`")


def asker(request: Request, _: Annotated[object, Depends(_bearer_scheme)] = None) -> Disclosure:
    """The disclosure of whoever holds the bearer token; 401 without a valid one.

    A portal session opens GET as well, so that a page can show images; anything that changes needs a token, which no
    other site's page can make a browser send.
    """
    principal = _bearer(request) or _session(request)
    if principal is None:
        raise HTTPException(401, "a valid bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="dxhub"'})
    return disclosure_for(principal, address_of(request))


def page_asker(request: Request, _: Annotated[object, Depends(_bearer_scheme)]) -> Disclosure:
    """As `asker`; and a session opens POST as well where a page of this very hub asks.

    For bodies that no form can send: a browser then asks before it sends them for another site, and is not answered.
    """
    if request.method == "POST" and not _bearer(request) and _from_our_page(request):
        signed_in = verbs(request).access.session(request.cookies.get(SESSION_COOKIE, ""))
        if signed_in:
            return disclosure_for(signed_in.principal, address_of(request))
    return asker(request, _)


def _from_our_page(request: Request) -> bool:
    # A browser names the asking page in a POST; it lets no page name another. Fetch metadata: W3C, all since 2023.
    origin = urlsplit(request.headers.get("origin", "")).netloc
    site = request.headers.get("sec-fetch-site", "same-origin")
    return bool(origin) and origin == request.headers.get("host", "") and site == "same-origin"


def _bearer(request: Request) -> Principal | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return verbs(request).access.bearer(token.strip()) if scheme.lower() == "bearer" and token else None


def _session(request: Request) -> Principal | None:
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token or request.method not in {"GET", "HEAD"}:
        return None
    signed_in = verbs(request).access.session(token)
    return signed_in.principal if signed_in else None


TheVerbs = Annotated[Verbs, Depends(verbs)]
Asker = Annotated[Disclosure, Depends(asker)]
PageAsker = Annotated[Disclosure, Depends(page_asker)]
