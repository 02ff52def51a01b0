"""STOW-RS: storing instances. Source: DICOM PS3.18 section 10.5."""

import json
from typing import Any, BinaryIO

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from pydicom import dcmread
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.api.dependencies import PageAsker, TheVerbs
from hub.retrieve.pixels import DAMAGED
from hub.verbs import Verbs
from schemas.delivery import Channel
from schemas.disclosure import Disclosure
from schemas.faults import Category, Fault, InvalidPayload, UnsupportedPayload

from . import media
from .attributes import Attributes, element
from .qido import root_of
from .upload import Part, Parts

router = APIRouter()
log = structlog.get_logger()

MAX_PARTS = 10_000
# (0008,1197) Failure Reason. Source: PS3.18 10.5.3.2 and PS3.7 annex C; the same words as C-STORE has.
REASONS: dict[Category, int] = {
    Category.INVALID: 0xC000,
    Category.UNSUPPORTED: 0x0122,
    Category.NOT_FOUND: 0x0112,
    Category.CONFLICT: 0x0111,
    Category.FORBIDDEN: 0x0124,
    Category.BUSY: 0xA700,
    Category.INTERNAL: 0x0110,
}
_OTHER_STUDY = 0xA900
# RFC 2046 allows 70; Orthanc writes 73.
_LONGEST_BOUNDARY = 200
_UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_FAILURE = {
    "00081198": {
        "vr": "SQ",
        "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3.4"]}, "00081197": {"vr": "US", "Value": [0x0111]}}],
    }
}
_DOCUMENTED: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "every instance is stored and findable", "content": {media.JSON: {"example": {}}}},
        202: {"description": "some instances were refused", "content": {media.JSON: {"example": _FAILURE}}},
        409: {"description": "every instance was refused", "content": {media.JSON: {"example": _FAILURE}}},
        413: {"description": "a part is larger than the hub takes"},
        415: {"description": 'expected multipart/related; type="application/dicom"'},
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                'multipart/related; type="application/dicom"': {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
}


class _Stored:
    """The answer as it grows: what was stored, what was not and why."""

    def __init__(self, root: str, only_study: str) -> None:
        self.root, self.only_study, self.study = root, only_study, only_study
        self.stored: list[Attributes] = []
        self.failed: list[Attributes] = []
        self.unnamed: list[Attributes] = []
        self.busy = False

    def add(self, uids: dict[str, str], fault: Fault | None, reason: int) -> None:
        named = {"00081150": element("UI", uids["SOPClassUID"]), "00081155": element("UI", uids["SOPInstanceUID"])}
        if fault is None:
            path = "studies/{StudyInstanceUID}/series/{SeriesInstanceUID}/instances/{SOPInstanceUID}".format(**uids)
            self.stored.append({**named, "00081190": element("UR", f"{self.root}/{path}")})
            self.study = self.study or uids["StudyInstanceUID"]
        elif uids["SOPInstanceUID"]:
            self.failed.append({**named, "00081197": element("US", reason)})
        else:
            self.unnamed.append({"00081197": element("US", reason)})
        self.busy = self.busy or (fault is not None and fault.category is Category.BUSY)

    @property
    def empty(self) -> bool:
        return not (self.stored or self.failed or self.unnamed)

    def response(self) -> Response:
        body: Attributes = {"00081190": element("UR", f"{self.root}/studies/{self.study}" if self.study else "")}
        lists = {"00081198": self.failed, "00081199": self.stored, "0008119A": self.unnamed}
        body |= {tag: {"vr": "SQ", "Value": items} for tag, items in lists.items() if items}
        status = 200 if not (self.failed or self.unnamed) else 202 if self.stored else 409
        headers = dict(media.PRIVATE)
        if status == 409 and self.busy:
            status, headers["Retry-After"] = 503, "5"
        return Response(json.dumps(body, separators=(",", ":")), status, headers, media.JSON)


@router.post("/studies", summary="Store instances", **_DOCUMENTED)
@router.post("/studies/{study}", summary="Store instances of one study", **_DOCUMENTED)
async def store(request: Request, asker: PageAsker, verbs: TheVerbs, study: str = "") -> Response:
    """Each part goes into custody as soon as it is complete; the answer tells of every one.

    The only asynchronous route here: a request's body can only be awaited. Everything that blocks runs in threads.
    """
    require(asker.principal, Permission.UPLOAD, Permission.MEASURE)
    media.choose(request, [media.JSON])
    answer = _Stored(root_of(request), study)
    parts = Parts(_boundary(request), max_part=request.app.state.settings.max_upload_mb << 20, max_parts=MAX_PARTS)
    broken: Fault | HTTPException | None = None
    try:
        async for piece in request.stream():
            broken = await run_in_threadpool(_fed, parts, piece)
            # What came whole is taken, whatever follows.
            while parts.done:
                await run_in_threadpool(_take, verbs, asker, parts.done.pop(0), answer)
            if broken:
                break
        broken = broken or parts.unended()
    finally:
        parts.discard()
    if isinstance(broken, HTTPException):
        raise broken
    if not answer.empty and broken:
        answer.add(dict.fromkeys(_UIDS, ""), broken, REASONS[broken.category])
    elif answer.empty:
        raise broken or InvalidPayload("expected at least one part", where="body")
    return answer.response()


def _fed(parts: Parts, piece: bytes) -> Fault | HTTPException | None:
    """Why no more of the body can be read, if so."""
    try:
        if piece:
            parts.feed(piece)
    except (Fault, HTTPException) as fault:
        return fault
    return None


def _boundary(request: Request) -> str:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "expected a body without Content-Encoding", headers={"Accept-Encoding": "identity"})
    kind = media.media_range(request.headers.get("content-type", ""))
    if kind.name != media.MULTIPART or kind.parameters.get("type", media.DICOM).lower() != media.DICOM:
        raise HTTPException(415, f'expected {media.MULTIPART}; type="{media.DICOM}"')
    boundary = kind.parameters.get("boundary", "")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY or not boundary.isascii():
        raise InvalidPayload(f"expected a boundary of 1 to {_LONGEST_BOUNDARY} characters", where="Content-Type")
    return boundary


def _take(verbs: Verbs, asker: Disclosure, part: Part, answer: _Stored) -> None:
    with part.content as content:
        uids = _uids(content)
        if not part.media_type.lower().startswith((media.DICOM, "application/octet-stream")) and part.media_type:
            answer.add(
                uids, UnsupportedPayload("no DICOM instance", where="Content-Type"), REASONS[Category.UNSUPPORTED]
            )
        elif answer.only_study and uids["StudyInstanceUID"] not in {"", answer.only_study}:
            answer.add(uids, InvalidPayload("of another study than the address says"), _OTHER_STUDY)
        else:
            fault = _deliver(verbs, asker, content)
            answer.add(uids, fault, REASONS[fault.category] if fault else 0)


def _deliver(verbs: Verbs, asker: Disclosure, content: BinaryIO) -> Fault | None:
    try:
        return verbs.ingest.upload(asker, content, channel=Channel.STOW_RS).fault
    except Fault as fault:
        return fault


def _uids(content: BinaryIO) -> dict[str, str]:
    """What the instance calls itself, so that a refusal can name it; empty where that cannot be read."""
    try:
        header = dcmread(content, stop_before_pixels=True, force=True, specific_tags=list(_UIDS))
        return {name: str(header.get(name) or "") for name in _UIDS}
    except DAMAGED:
        return dict.fromkeys(_UIDS, "")
    finally:
        content.seek(0)
