"""Bytes on their way to a browser: saved to a file, or shown where that is harmless."""

from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from hub.retrieve.content import Content
from schemas.offered import Rendition

from .headers import EMBEDDED_POLICY

# What a browser shows without running anything of it; everything else is only ever saved to a file.
_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})


def download(content: Content) -> StreamingResponse:
    """Offers the content as a file."""
    return _stream(content, "attachment", "application/octet-stream")


def rendition(made: Rendition) -> Response:
    """Offers a document that we made as a file."""
    name = quote(made.filename, safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "cache-control": "private, no-store"}
    return Response(made.content, media_type=made.media_type, headers=headers)


def show(content: Content) -> StreamingResponse:
    """Lets our own page embed a PDF or a picture; offers anything else as a file."""
    if content.media_type not in _SHOWN:
        return download(content)
    response = _stream(content, "inline", content.media_type)
    response.headers["content-security-policy"] = EMBEDDED_POLICY
    response.headers["x-frame-options"] = "SAMEORIGIN"
    return response


def _stream(content: Content, disposition: str, media_type: str) -> StreamingResponse:
    # RFC 6266: the name goes out percent-encoded, so neither quotes nor line ends can leave it.
    name = quote(content.filename.replace("/", "_") or "original", safe="")
    headers = {
        "content-disposition": f"{disposition}; filename*=UTF-8''{name}",
        "content-length": str(content.size),
        "cache-control": "private, no-store",
    }
    return StreamingResponse(content.chunks, media_type=media_type, headers=headers)
