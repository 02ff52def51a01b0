"""WADO-RS: frames and bulk data as they are stored. Source: DICOM PS3.18 sections 10.4.1.1.5 and 10.4.1.1.6."""

import re
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub.api.dependencies import Asker, TheVerbs
from schemas.faults import InvalidPayload

from . import media

router = APIRouter()

_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
_OCTETS = "application/octet-stream"
_DOCUMENTED: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"description": "the bytes as stored", "content": {f'multipart/related; type="{_OCTETS}"': {}}}},
}


@router.get(_INSTANCE + "/frames/{frames}", summary="Retrieve frames", **_DOCUMENTED)
def frames(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str, instance: str, frames: str
) -> Response:
    """Frames by their numbers (`1` or `1,2,5`), each in the encoding in which it is stored; none is re-encoded."""
    if not re.fullmatch(r"\d{1,9}(,\d{1,9}){0,999}", frames):
        raise InvalidPayload("expected frame numbers separated by commas", where="frames")
    _wants_multipart(request)
    found = verbs.retrieve.frames(asker, study, series, instance, [int(number) for number in frames.split(",")])
    return media.multipart(found, _OCTETS)


@router.get(_INSTANCE + "/bulkdata/{path:path}", summary="Retrieve a value that the metadata leave out", **_DOCUMENTED)
def bulkdata(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str, instance: str, path: str
) -> Response:
    """The value of an element by the address that the metadata give."""
    multipart = _wants_multipart(request)
    content = verbs.retrieve.bulk(asker, study, series, instance, path)
    if multipart:
        return media.multipart([content], _OCTETS)
    headers = {**media.PRIVATE, "Content-Length": str(content.size)}
    return StreamingResponse(content.chunks, media_type=_OCTETS, headers=headers)


def _wants_multipart(request: Request) -> bool:
    """Whether the client rather takes a multipart body than bare octets. Raises 406 where it takes neither."""
    for entry in media.accepted(request):
        if (
            entry.name in {media.MULTIPART, "multipart/*", "*/*"}
            and entry.parameters.get("type", _OCTETS) != media.DICOM
        ):
            return True
        if entry.name in {_OCTETS, "application/*"}:
            return False
    raise HTTPException(406, f'expected Accept to name {media.MULTIPART}; type="{_OCTETS}"')
