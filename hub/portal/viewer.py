"""The image viewer behind our sign-in: its page for one person's studies, its settings, its files."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from hub.viewer import ADDRESS, File, files, installed, release
from schemas.faults import InvalidPayload

from . import session
from .render import page, render
from .session import Visiting
from .viewer_settings import settings

router = APIRouter(include_in_schema=False)

# Of the viewer alone. It decodes in workers and WebAssembly, draws its own styles, and keeps pictures as blobs; like
# every page it reaches no other machine.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# The viewer's threads share memory, which a browser grants only to pages that nothing from elsewhere can enter.
_ISOLATED = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
_FOR_EVER = "private, max-age=31536000, immutable"
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_MOST_STUDIES = 8
_ENTRY = re.compile(r"app\.bundle\.[0-9a-f]+\.js")

Studies = Annotated[str, Query(max_length=_MOST_STUDIES * 65)]


@cache
def _files(folder: Path) -> dict[str, File]:
    return files(folder)


def _installed(request: Request) -> Path | None:
    known = getattr(request.app.state, "settings", None)
    folder: Path | None = getattr(known, "viewer_folder", None)
    return installed(folder) if folder else None


@router.get(ADDRESS + "/{name}/{path:path}")
def viewer_file(request: Request, name: str, path: str) -> Response:
    """A file of the viewer, for whoever is signed in."""
    if session.current(request) is None:
        raise HTTPException(401, "sign in first")
    folder = _installed(request)
    found = _files(folder).get(path) if folder and name == folder.name else None
    if found is None:
        raise HTTPException(404, "the viewer has no such file")
    coding, form = _smallest(request, found)
    # Its address changes with the release, so the form is all that can differ.
    tag = f'"{name}-{form.suffix[1:]}"'
    headers = {**_ISOLATED, "cache-control": _FOR_EVER, "vary": "Accept-Encoding", "etag": tag, **coding}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(form, media_type=found.media_type, headers=headers)


def _smallest(request: Request, found: File) -> tuple[dict[str, str], Path]:
    taken = {entry.partition(";")[0].strip() for entry in request.headers.get("accept-encoding", "").split(",")}
    for coding, form in found.smaller.items():
        if coding in taken:
            return {"content-encoding": coding}, form
    return {}, found.path


@router.get("/viewer/{patient_id}/settings.js")
def viewer_settings(visit: Visiting, patient_id: int) -> Response:
    """What the viewer is told before it starts: whose studies, in which language, where they are."""
    told = settings(visit, patient_id, release().root)
    # `<` never ends a script: this is its own file, and JSON all the same.
    body = f"window.viewerSettings = {json.dumps(told, ensure_ascii=False)};\n"
    return Response(body, media_type="text/javascript", headers={**_ISOLATED, "cache-control": "no-store"})


@router.get("/viewer/{patient_id}/viewer")
def viewer(visit: Visiting, patient_id: int, studies: Annotated[Studies, Query(alias="StudyInstanceUIDs")]) -> Response:
    """The viewer with these studies of a person; the person's other ones stand beside them."""
    folder = _installed(visit.request)
    records = [visit.verbs.query.opened(visit.disclosure, patient_id, uid) for uid in _uids(studies)]
    if folder is None:
        return page(visit, "viewer_missing.html", status=503, record=records[0])
    values: dict[str, Any] = {"root": release().root, "entry": _entry(folder), "patient_id": patient_id}
    text = render(visit.language, "viewer.html", **values)
    return HTMLResponse(text, headers={**_ISOLATED, "cache-control": "no-store"})


@router.get("/viewer/{patient_id}/{path:path}")
def elsewhere(visit: Visiting, patient_id: int, path: str) -> Response:
    """The viewer's own list of studies and whatever else it may know: our timeline stands in their place."""
    return RedirectResponse(f"/patients/{patient_id}", status_code=303)


def _uids(text: str) -> list[str]:
    found = list(dict.fromkeys(filter(None, text.split(","))))
    if not 0 < len(found) <= _MOST_STUDIES or not all(map(_UID.fullmatch, found)):
        raise InvalidPayload(f"expected one to {_MOST_STUDIES} Study Instance UIDs", where="StudyInstanceUIDs")
    return found


@cache
def _entry(folder: Path) -> str:
    return next(name for name in _files(folder) if _ENTRY.fullmatch(name))
