"""The image viewer behind our sign-in: its page for one person's studies, its settings, its files."""

import gzip
import json
import re
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from hub.viewer import files
from hub.viewer.files import ADDRESS, Viewer
from schemas.faults import InvalidPayload

from . import session
from .render import render
from .session import Visiting
from .viewer_settings import settings

router = APIRouter(include_in_schema=False)

# Of the viewer alone. It decodes in workers and WebAssembly, draws its own styles, keeps pictures as blobs, and
# shows a PDF as an object (a short one as a blob); like every page it reaches no other machine.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' blob: data:",
        "object-src 'self' blob:",
        "frame-src 'self' blob:",
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
# A worker is held to the policy of its own script. The decoders of compressed pixels (JPEG, JPEG-LS, JPEG 2000, HTJ2K)
# make functions of text while they start; the page itself, which shows what others wrote, may not.
_DECODING = _ISOLATED | {
    "content-security-policy": POLICY.replace("'wasm-unsafe-eval'", "'wasm-unsafe-eval' 'unsafe-eval'")
}
_FOR_EVER = "private, max-age=31536000, immutable"
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_MOST_STUDIES = 8

Studies = Annotated[str, Query(max_length=_MOST_STUDIES * 65)]


@cache
def _viewer() -> Viewer:
    return files.viewer()


@router.get(ADDRESS + "/{name}/{path:path}")
def viewer_file(request: Request, name: str, path: str) -> Response:
    """A file of the viewer, for whoever is signed in."""
    if session.current(request) is None:
        raise HTTPException(401, "sign in first")
    known = _viewer()
    found = known.files.get(path) if name == known.name else None
    if found is None:
        raise HTTPException(404, "the viewer has no such file")
    # Its address changes with the release, so the form is all that can differ.
    packed = found.compressed and _takes_gzip(request)
    tag = f'"{name}-gzip"' if packed else f'"{name}"'
    isolated = _DECODING if found.media_type == "text/javascript" else _ISOLATED
    headers = {**isolated, "cache-control": _FOR_EVER, "vary": "Accept-Encoding", "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["content-encoding"] = "gzip"
    elif found.compressed:
        return Response(gzip.decompress(found.path.read_bytes()), media_type=found.media_type, headers=headers)
    return FileResponse(found.path, media_type=found.media_type, headers=headers)


def _takes_gzip(request: Request) -> bool:
    codings = (entry.partition(";") for entry in request.headers.get("accept-encoding", "").split(","))
    return any(name.strip() == "gzip" and weight.strip() != "q=0" for name, _, weight in codings)


@router.get("/viewer/{patient_id}/settings.js")
def viewer_settings(visit: Visiting, patient_id: int) -> Response:
    """What the viewer is told before it starts: whose studies, in which language, where they are."""
    told = settings(visit, patient_id, _viewer().root)
    # `<` never ends a script: this is its own file, and JSON all the same.
    body = f"window.viewerSettings = {json.dumps(told, ensure_ascii=False)};\n"
    return Response(body, media_type="text/javascript", headers={**_ISOLATED, "cache-control": "no-store"})


@router.get("/viewer/{patient_id}/viewer")
def viewer(visit: Visiting, patient_id: int, studies: Annotated[Studies, Query(alias="StudyInstanceUIDs")]) -> Response:
    """The viewer with these studies of a person; the person's other ones stand beside them."""
    for uid in _uids(studies):
        visit.verbs.query.opened(visit.disclosure, patient_id, uid)
    known = _viewer()
    values: dict[str, Any] = {"root": known.root, "entry": known.entry, "patient_id": patient_id}
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
