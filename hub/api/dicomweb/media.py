"""Which representation a client takes; multipart bodies. Source: PS3.18 8.7, RFC 2387, RFC 9110 12.5.1."""

import gzip
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from itertools import chain

from fastapi import HTTPException, Request, Response

from hub.retrieve import Content

from .pieced import Piece, Pieced

JSON = "application/dicom+json"
DICOM = "application/dicom"
MULTIPART = "multipart/related"
_WORTH_GZIP = 1024


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header, its parameters' names in lower case."""

    name: str
    parameters: dict[str, str]

    @property
    def quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0


# A program asks with the same header each time; nobody changes the parameters.
@lru_cache(256)
def media_range(text: str) -> MediaRange:
    """A media type with its parameters, as in Content-Type and in one entry of Accept."""
    message = Message()
    message["content-type"] = text.strip()
    parameters = message.get_params(failobj=[("", "")])
    return MediaRange(parameters[0][0].lower(), {name.lower(): value for name, value in parameters[1:]})


def accepted(request: Request) -> list[MediaRange]:
    """What the client takes, the most wanted first. `accept` in the query stands for the header (PS3.18 8.3.3.1)."""
    header = request.query_params.get("accept") or ",".join(request.headers.getlist("accept")) or "*/*"
    ranges = [media_range(entry) for entry in _entries(header)]
    return sorted((entry for entry in ranges if entry.quality > 0), key=lambda entry: -entry.quality)


def choose(request: Request, offered: Iterable[str], *, or_multipart: bool = False) -> str:
    """The first of `offered` that the client takes. Raises 406.

    or_multipart: `multipart/related; type=...` is taken for its type, as PS3.18 lets clients ask for JSON or XML parts.
    """
    offers = list(offered)
    for entry in accepted(request):
        name = entry.parameters.get("type", "").lower() if or_multipart and entry.name == MULTIPART else entry.name
        for offer in offers:
            if name in {offer, "*/*", offer.partition("/")[0] + "/*"}:
                return offer
            if offer == JSON and name == "application/json":
                return offer
    raise HTTPException(406, f"expected Accept to name one of {', '.join(offers)}")


def json_body(request: Request, body: bytes, etag: str = "") -> Response:
    """DICOM JSON, compressed where the client takes that and it is worth the time."""
    headers = PRIVATE | ({"ETag": etag} if etag else {})
    headers["Vary"] += ", Accept-Encoding"
    if len(body) >= _WORTH_GZIP and re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\b)", _encodings(request)):
        body = gzip.compress(body, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=JSON, headers=headers)


def _encodings(request: Request) -> str:
    return request.headers.get("accept-encoding", "")


def unchanged(request: Request, etag: str) -> bool:
    """Whether the client says that it has this already (RFC 9110 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in known.split(",")}


def byte_range(request: Request, size: int, etag: str) -> tuple[int, int]:
    """The first and last byte wanted; all where no single range is asked for, or one of something else than this (RFC
    9110 13.1.5). Raises 416 (RFC 9110 14.2).
    """
    if request.headers.get("if-range", etag) != etag:
        return 0, size - 1
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("range", "").replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return 0, size - 1
    first = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    last = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if first > last:
        raise HTTPException(416, "the value ends before this range", headers={"Content-Range": f"bytes */{size}"})
    return first, last


def multipart(contents: Iterable[Content], of: str = DICOM) -> Pieced:
    """Contents of one type as a multipart/related body, each opened only when its turn comes."""
    boundary = secrets.token_hex(16)
    return Pieced(_parts(contents, boundary), f'{MULTIPART}; type="{of}"; boundary={boundary}', PRIVATE)


def alone(content: Content, of: str = DICOM) -> Pieced:
    """The same of one content, with its length, which costs a client the least."""
    boundary = secrets.token_hex(16)
    head, end = _head(content, boundary), _end(boundary)
    length = {"Content-Length": str(len(head) + content.size + len(end))}
    return Pieced(
        chain([head], content.pieces, [end]), f'{MULTIPART}; type="{of}"; boundary={boundary}', PRIVATE | length
    )


def _parts(contents: Iterable[Content], boundary: str) -> Iterator[Piece]:
    between = b""
    for content in contents:
        yield between + _head(content, boundary)
        yield from content.pieces
        between = b"\r\n"
    yield _end(boundary)


def _head(content: Content, boundary: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {content.media_type}\r\nContent-Length: {content.size}\r\n\r\n"
    return head.encode("ascii")


def _end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode("ascii")


def _entries(header: str) -> Iterator[str]:
    """The entries of a list header; a comma between quotes belongs to its entry."""
    quoted, start = False, 0
    for position, character in enumerate(header):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield header[start:position]
            start = position + 1
    yield header[start:]


# A patient's images stay out of shared caches, and a browser asks again, so that every look is audited.
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
