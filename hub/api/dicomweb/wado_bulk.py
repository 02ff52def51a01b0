"""WADO-RS: frames and bulk data. Source: DICOM PS3.18 sections 8.7.3.3, 10.4.1.1.5 and 10.4.1.1.6."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from hub.api.dependencies import Asker, TheVerbs
from hub.retrieve import ANY, Content
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import media
from .pieced import Pieced
from .route import Readable

router = APIRouter(route_class=Readable)

_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
_OCTETS = "application/octet-stream"
_DEFAULT_SYNTAX = "1.2.840.10008.1.2.1"
# What the parts of compressed frames may also be called: PS3.18 table 8.7.3-5.
_IMAGES = frozenset({"image/jpeg", "image/jls", "image/jp2", "image/jpx", "image/jphc", "image/dicom-rle"})
_DOCUMENTED: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "the bytes", "content": {f'multipart/related; type="{_OCTETS}"': {}}},
        206: {"description": "the range of them that was asked for"},
        406: {"description": "neither the stored form nor one that it can be decoded to is accepted"},
        416: {"description": "a range that the value does not have"},
    },
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One entry of Accept. syntax: the transfer syntax in which frames are wanted, ANY for that in which they are."""

    multipart: bool
    syntax: str


@router.get(_INSTANCE + "/frames/{frames}", summary="Retrieve frames", **_DOCUMENTED)
def frames(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str, instance: str, frames: str
) -> Response:
    """Frames by their numbers (`1` or `1,2,5`): as they are stored, or decoded where the client wants that."""
    if not re.fullmatch(r"\d{1,9}(,\d{1,9}){0,999}", frames):
        raise InvalidPayload("expected frame numbers separated by commas", where="frames")
    numbers = [int(number) for number in frames.split(",")]
    refused: UnsupportedPayload | None = None
    for wanted in _wanted(request, bare=len(numbers) == 1):
        try:
            found = verbs.retrieve.frames(asker, study, series, instance, numbers, syntax=wanted.syntax)
        except UnsupportedPayload as fault:
            refused = fault
            continue
        return _parts(found) if wanted.multipart else _alone(request, next(iter(found)))
    if refused:
        raise HTTPException(406, f"{refused.text}; ask with transfer-syntax=*")
    raise _not_acceptable()


@router.get(_INSTANCE + "/bulkdata/{path:path}", summary="Retrieve a value that the metadata leave out", **_DOCUMENTED)
def bulkdata(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str, instance: str, path: str
) -> Response:
    """The value of an element by the address that the metadata give."""
    wanted = next(_wanted(request, bare=True), None)
    if wanted is None:
        raise _not_acceptable()
    found = verbs.retrieve.bulk(asker, study, series, instance, path)
    if wanted.multipart:
        return _parts(found)
    first = list(islice(found, 2))
    if len(first) != 1:
        raise HTTPException(406, f'several frames: expected Accept to name {media.MULTIPART}; type="{_OCTETS}"')
    return _alone(request, first[0])


def _wanted(request: Request, *, bare: bool) -> Iterator[_Wanted]:
    """What of Accept can be served, the most wanted first. bare: a body without parts is possible."""
    for entry in media.accepted(request):
        parameters = entry.parameters
        if entry.name in {"*/*", "multipart/*"}:
            yield _Wanted(True, parameters.get("transfer-syntax", ANY))
        elif entry.name == media.MULTIPART:
            kind = parameters.get("type", _OCTETS).lower()
            if kind in {_OCTETS, "*/*", "application/*"}:
                yield _Wanted(True, parameters.get("transfer-syntax", ANY if kind != _OCTETS else _DEFAULT_SYNTAX))
            elif kind in _IMAGES and "transfer-syntax" in parameters:
                yield _Wanted(True, parameters["transfer-syntax"])
        elif bare and entry.name in {_OCTETS, "application/*"}:
            yield _Wanted(False, parameters.get("transfer-syntax", _DEFAULT_SYNTAX))
        elif bare and entry.name in _IMAGES and "transfer-syntax" in parameters:
            yield _Wanted(False, parameters["transfer-syntax"])


def _not_acceptable() -> HTTPException:
    return HTTPException(406, f'expected Accept to name {media.MULTIPART}; type="{_OCTETS}"')


def _parts(contents: Iterator[Content]) -> Response:
    first = list(islice(contents, 2))
    return media.alone(first[0], _OCTETS) if len(first) == 1 else media.multipart(chain(first, contents), _OCTETS)


def _alone(request: Request, content: Content) -> Response:
    headers = media.PRIVATE | {"Accept-Ranges": "bytes", "ETag": f'"{content.digest[:32]}-{content.size}"'}
    if media.unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    first, last = media.byte_range(request, content.size, headers["ETag"])
    partial = (first, last) != (0, content.size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{content.size}"
    pieces = content.range(first, last - first + 1) if partial else content.pieces
    return Pieced(pieces, content.media_type, headers, 206 if partial else 200)
