"""Which representation a client takes; multipart bodies. Source: PS3.18 8.7, RFC 2387, RFC 9110 12.5.1."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message

from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse

from hub.retrieve import Content

JSON = "application/dicom+json"
DICOM = "application/dicom"
MULTIPART = "multipart/related"


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


def multipart(contents: Iterable[Content], of: str = DICOM) -> StreamingResponse:
    """Contents of one type as a multipart/related body, each opened only when its turn comes."""
    boundary = secrets.token_hex(16)
    return StreamingResponse(
        _parts(contents, boundary), media_type=f'{MULTIPART}; type="{of}"; boundary={boundary}', headers=PRIVATE
    )


def _parts(contents: Iterable[Content], boundary: str) -> Iterator[bytes]:
    for content in contents:
        head = f"--{boundary}\r\nContent-Type: {content.media_type}\r\nContent-Length: {content.size}\r\n\r\n"
        yield head.encode("ascii")
        yield from content.chunks
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")


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
