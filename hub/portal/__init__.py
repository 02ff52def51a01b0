"""The portal: HTML for people. Every page calls verbs and shows what they answer; nothing is stored or decided here."""

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from . import (
    audit_log,
    catalogue,
    decision_box,
    doubts,
    ecg,
    ecg_scripts,
    figures,
    ledger,
    nodes,
    notices,
    onboarding,
    ordering,
    overread,
    pages,
    patients,
    quality,
    quarantine,
    reading_list,
    repairing,
    reports,
    senders,
    sending,
    sheets,
    sign_in,
    studies,
    tasks,
    unidentified,
    uploads,
    viewer,
)
from .headers import SecurityHeaders
from .pages import fault_page
from .render import STATIC
from .session import SignInNeeded, to_sign_in

router = APIRouter(include_in_schema=False)
for _part in (
    sign_in,
    ordering,
    patients,
    reports,
    studies,
    reading_list,
    sending,
    nodes,
    ecg,
    ecg_scripts,
    overread,
    unidentified,
    viewer,
    decision_box,
    notices,
    uploads,
    quarantine,
    repairing,
    doubts,
    tasks,
    onboarding,
    sheets,
    catalogue,
    quality,
    senders,
    audit_log,
    figures,
    ledger,
    pages,
):
    router.include_router(_part.router)


class _Assets(StaticFiles):
    """Our own files and the vendored ones. Their addresses carry a digest, so a browser may keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


def _lead_to_sign_in(request: Request, _: Exception) -> Response:
    return to_sign_in(request)


def mount(app: FastAPI) -> None:
    """Puts the portal's files, headers and way to the sign-in page on the application."""
    app.mount("/static", _Assets(directory=STATIC), name="static")
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(SignInNeeded, _lead_to_sign_in)


__all__ = ["fault_page", "mount", "router"]
