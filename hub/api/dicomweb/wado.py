"""WADO-RS: instances as they were stored, and their metadata. Source: DICOM PS3.18 section 10.4."""

import hashlib
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from hub.api.dependencies import Asker, TheVerbs
from hub.retrieve import Content

from . import media
from .pieced import Pieced
from .qido import root_of
from .route import Readable

router = APIRouter(route_class=Readable)

_INSTANCES: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "Part 10 files as they were stored, their data sets byte for byte as received",
            "content": {'multipart/related; type="application/dicom"': {}},
        },
        406: {"description": "the stored transfer syntax, or the form asked for, is not among those accepted"},
    },
}
_METADATA: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "headers as DICOM JSON; bulk data by their addresses",
            "content": {media.JSON: {"example": [{"00080060": {"vr": "CS", "Value": ["CT"]}}]}},
        }
    },
}


@router.get("/studies/{study}", summary="Retrieve a study", **_INSTANCES)
@router.get("/studies/{study}/series/{series}", summary="Retrieve a series", **_INSTANCES)
def retrieve(request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str = "") -> Response:
    """Every instance, streamed one after another in a multipart body."""
    wanted = _wanted(request, single=False)
    contents = verbs.retrieve.instances(asker, study, series)
    return media.multipart(_acceptable(contents, wanted))


@router.get("/studies/{study}/series/{series}/instances/{instance}", summary="Retrieve an instance", **_INSTANCES)
def retrieve_instance(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str, instance: str
) -> Response:
    """One instance: in a multipart body, or alone where the client takes `application/dicom` rather."""
    wanted = _wanted(request, single=True)
    (content,) = _acceptable(verbs.retrieve.instances(asker, study, series, instance), wanted)
    headers = {**media.PRIVATE, "ETag": f'"{content.digest}"'}
    if media.unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if wanted.name == media.MULTIPART:
        response = media.alone(content)
        response.headers["ETag"] = headers["ETag"]
        return response
    headers |= {
        "Content-Length": str(content.size),
        "Content-Disposition": f'attachment; filename="{content.filename}"',
    }
    return Pieced(content.pieces, content.media_type, headers)


@router.get("/studies/{study}/metadata", summary="Metadata of a study", **_METADATA)
@router.get("/studies/{study}/series/{series}/metadata", summary="Metadata of a series", **_METADATA)
@router.get(
    "/studies/{study}/series/{series}/instances/{instance}/metadata", summary="Metadata of an instance", **_METADATA
)
def metadata(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str = "", instance: str = ""
) -> Response:
    """The header of every instance, made once after it arrived."""
    media.choose(request, [media.JSON], or_multipart=True)
    documents = verbs.retrieve.metadata(asker, study, series, instance, root=root_of(request))
    body = b"".join(_array(documents))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if media.unchanged(request, etag):
        return Response(status_code=304, headers=media.PRIVATE | {"ETag": etag})
    return media.json_body(request, body, etag)


def _array(documents: Iterator[bytes]) -> Iterator[bytes]:
    separator = b"["
    for document in documents:
        yield separator + document
        separator = b","
    yield b"]"


def _wanted(request: Request, *, single: bool) -> media.MediaRange:
    """The most wanted entry of Accept that asks for instances. Raises 406."""
    for entry in media.accepted(request):
        kind = entry.parameters.get("type", media.DICOM).lower()
        if entry.name == media.MULTIPART and kind in {media.DICOM, "*/*"}:
            return entry
        if entry.name in {"*/*", "multipart/*"}:
            return media.MediaRange(media.MULTIPART, entry.parameters)
        if single and entry.name in {media.DICOM, "application/*", "application/octet-stream"}:
            return entry
    raise HTTPException(406, f'expected Accept to name {media.MULTIPART}; type="{media.DICOM}"')


def _acceptable(contents: Iterator[Content], wanted: media.MediaRange) -> Iterator[Content]:
    """The contents, when the first is in a transfer syntax that the client takes: nothing is re-encoded here."""
    syntax = wanted.parameters.get("transfer-syntax", "*")
    first = next(contents)
    if syntax not in {"*", first.media_type.rpartition("=")[2]}:
        raise HTTPException(406, "stored in another transfer syntax; ask with transfer-syntax=*")
    return _chain(first, contents)


def _chain(first: Content, rest: Iterator[Content]) -> Iterator[Content]:
    yield first
    yield from rest
