"""The ECG viewer's scripts, small files of which a browser fetches one: eight requests would queue before the data."""

import gzip
import hashlib
from functools import cache

from fastapi import APIRouter, Request, Response

from .render import STATIC

router = APIRouter(include_in_schema=False)

# In the order in which they need one another.
_PARTS = ("data", "signal", "paper", "beatview", "calipers", "results", "screen", "viewer")
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _whole() -> tuple[bytes, bytes, str]:
    """As they are, packed, and a digest of them."""
    text = b"".join((STATIC / "ecg" / f"{name}.js").read_bytes() for name in _PARTS)
    return text, gzip.compress(text, 9, mtime=0), hashlib.sha256(text).hexdigest()[:12]


def address() -> str:
    """It changes with the content, so that browsers may keep it for ever."""
    return f"/ecg-viewer.js?v={_whole()[2]}"


@router.get("/ecg-viewer.js")
def scripts(request: Request) -> Response:
    """All of them, for anybody: nothing of a patient is in them."""
    plain, packed, digest = _whole()
    known = request.query_params.get("v") == digest
    headers = {"cache-control": _FOR_EVER if known else "no-cache", "vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(packed, media_type="text/javascript", headers=headers)
    return Response(plain, media_type="text/javascript", headers=headers)
