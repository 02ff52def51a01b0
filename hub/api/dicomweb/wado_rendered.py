"""WADO-RS: instances as a screen shows them. Source: DICOM PS3.18 sections 8.3.5, 8.7.4, 10.4.1.1.3, 10.4.1.1.4."""

import hashlib
import re
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from hub.api.dependencies import Asker, TheVerbs
from hub.retrieve import PDF, Content, Window
from schemas.faults import InvalidPayload

from . import media
from .pieced import Pieced
from .route import Readable

router = APIRouter(route_class=Readable)

_FORMS = ("image/jpeg", "image/png")
_IMAGE: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "the image", "content": {form: {} for form in _FORMS}},
        422: {"description": "the instance holds no image, or none that the hub can draw"},
    },
}
_RENDERED: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "the image; of an Encapsulated PDF the document",
            "content": {form: {} for form in (*_FORMS, PDF)},
        },
        422: _IMAGE["responses"][422],
    },
}
# The viewer's page may embed a document, nobody else. That page is isolated, hence what stands in it must be as well.
_EMBEDDED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Frame-Options": "SAMEORIGIN",
}
_FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
Windowed = Annotated[str, Query(description="centre, width and function", examples=["40,400,linear"], max_length=80)]
Viewport = Annotated[str, Query(description="width and height to fit into", examples=["512,512"], max_length=40)]


@router.get(
    "/studies/{study}/series/{series}/instances/{instance}/rendered",
    summary="Draw an instance's first frame, or hand out its document",
    **_RENDERED,
)
@router.get(
    "/studies/{study}/series/{series}/instances/{instance}/frames/{frame}/rendered", summary="Draw a frame", **_IMAGE
)
def rendered(
    request: Request,
    asker: Asker,
    verbs: TheVerbs,
    study: str,
    series: str,
    instance: str,
    frame: int = 1,
    window: Windowed = "",
    viewport: Viewport = "",
) -> Response:
    """As the instance says it should be seen, or in the window asked for."""
    content = verbs.retrieve.rendered(
        asker,
        study,
        series,
        instance,
        frame=frame,
        window=_window(window),
        viewport=_viewport(viewport),
        choose=partial(media.choose, request),
    )
    return _document(request, content) if content.media_type == PDF else _image(request, content)


@router.get("/studies/{study}/thumbnail", summary="A small picture of a study", **_IMAGE)
@router.get("/studies/{study}/series/{series}/thumbnail", summary="A small picture of a series", **_IMAGE)
@router.get(
    "/studies/{study}/series/{series}/instances/{instance}/thumbnail",
    summary="A small picture of an instance",
    **_IMAGE,
)
def thumbnail(
    request: Request, asker: Asker, verbs: TheVerbs, study: str, series: str = "", instance: str = ""
) -> Response:
    """The instance, or the middle one of those asked for, at most 200 pixels wide and high."""
    media.choose(request, _FORMS[:1])
    return _image(request, verbs.retrieve.thumbnail(asker, study, series, instance))


def _image(request: Request, image: Content) -> Response:
    content = b"".join(image.chunks)
    headers = {**media.PRIVATE, "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=image.media_type, headers=headers)


def _document(request: Request, document: Content) -> Response:
    headers = {**media.PRIVATE, **_EMBEDDED, "ETag": f'"{document.digest}"'}
    if media.unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(document.size)
    headers["Content-Disposition"] = f'inline; filename="{document.filename}"'
    return Pieced(document.pieces, document.media_type, headers)


def _window(text: str) -> Window | None:
    if not text:
        return None
    match = re.fullmatch(r"(-?[\d.]{1,20}),([\d.]{1,20})(?:,([a-z-]+))?", text)
    function = _FUNCTIONS.get(match[3] or "linear") if match else None
    try:
        window = Window(float(match[1]), float(match[2]), function) if match and function else None
    except ValueError:
        window = None
    if window is None or window.width <= 0:
        raise InvalidPayload("expected centre, width and linear, linear-exact or sigmoid", where="window")
    return window


def _viewport(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4}),([1-9]\d{0,4})", text)
    if match is None:
        raise InvalidPayload("expected width and height in pixels; parts of an image are not offered", where="viewport")
    return int(match[1]), int(match[2])
