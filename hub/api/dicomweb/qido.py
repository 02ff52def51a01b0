"""QIDO-RS: searching studies, series and instances. Source: DICOM PS3.18 section 10.6."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.api.dependencies import Asker, TheVerbs
from hub.query import Found
from hub.verbs import Verbs
from schemas.disclosure import Disclosure

from . import attributes, media
from .attributes import Attributes
from .matching import Search, searcher
from .route import Readable

router = APIRouter(route_class=Readable)

_EXAMPLE = {
    "0020000D": {"vr": "UI", "Value": ["1.2.826.0.1.3680043.8.498.1"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Zhang^San", "Ideographic": "张三"}]},
    "00080061": {"vr": "CS", "Value": ["CT"]},
}
_DOCUMENTED: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"description": "matches as DICOM JSON", "content": {media.JSON: {"example": [_EXAMPLE]}}},
        204: {"description": "nothing matches"},
    },
}


def root_of(request: Request) -> str:
    """The address of this DICOMweb service as the client sees it."""
    return f"{str(request.base_url).rstrip('/')}/dicomweb"


def _parameter(name: str, description: str, example: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}, "example": example}


_KEYS = {
    "parameters": [
        _parameter("PatientID", "as the source wrote it; `*` and `?` are wild", "P0001"),
        _parameter("PatientName", "Chinese or alphabetic; `*` and `?` are wild, case does not count", "Zhang*"),
        _parameter("AccessionNumber", "also by its tag, `00080050`", "A20250115001"),
        _parameter("StudyDate", "a day or a range", "20250101-20250131"),
        _parameter("ModalitiesInStudy", "one modality", "CT"),
        _parameter("StudyInstanceUID", "one, or several with commas", "1.2.826.0.1.3680043.8.498.1"),
        _parameter("limit", "at most this many, 100 unless told, never more than 1000", "20"),
        _parameter("offset", "skip so many", "0"),
        _parameter("fuzzymatching", "`true`: names also by their beginning, pinyin and its initials", "true"),
        _parameter("includefield", "tags or keywords of more attributes, or `all`", "StudyDescription"),
    ]
}


@dataclass(frozen=True, slots=True)
class Level:
    """name: as the verb calls it. study, series: where the search is of one alone, their UIDs."""

    name: str
    study: str = ""
    series: str = ""


def _answer(request: Request, verbs: Verbs, asker: Disclosure, search: Search, level: Level) -> Response:
    media.choose(request, [media.JSON], or_multipart=True)
    root = root_of(request)

    def matches(found: Found) -> bool:
        return search.is_indexed or search.matches(_all(found, root))

    page, more = verbs.query.find(
        asker,
        level.name,
        search.study_criteria(level.study),
        matches,
        series_uid=level.series,
        fuzzy=search.fuzzy,
        headers=search.needs_headers or level.name == "series",
    )
    items = [_shown(found, search, level, root) for found in page]
    if search.person is not None and level.name == "studies":
        items = _with_institutions(page, items, verbs, asker)
    headers = dict(media.PRIVATE)
    if more:
        headers["Warning"] = f'299 {request.url.netloc} "There are more results; ask again with offset."'
    if not items:
        return Response(status_code=204, headers=headers)
    response = media.json_body(request, json.dumps(items, ensure_ascii=False, separators=(",", ":")).encode())
    response.headers.update(headers if more else {})
    return response


def _with_institutions(page: list[Found], items: list[Attributes], verbs: Verbs, asker: Disclosure) -> list[Attributes]:
    """Institution Name as registered here: whoever compares a person's studies must tell those of others apart.

    What a device calls its institution is as sent, in its headers.
    """
    known = {each.organization.code: each.organization for each in verbs.query.organizations()}

    def name(code: str) -> str:
        return (asker.principal.language == "en" and known[code].name_en) or known[code].name

    return [
        dict(sorted((item | {"00080080": attributes.element("LO", name(found.study.organization))}).items()))
        for found, item in zip(page, items, strict=True)
    ]


def _all(found: Found, root: str) -> Attributes:
    """Everything known of a match, at its level and above."""
    known = attributes.of_header(found.header) | attributes.of_study(found.study, root)
    if found.series:
        known |= attributes.of_series(found.series, root)
    return known | (attributes.of_instance(found.instance, root) if found.instance else {})


def _shown(found: Found, search: Search, level: Level, root: str) -> Attributes:
    """What PS3.18 10.6.3.3 has every search return, and what was asked for beside it."""
    known = attributes.of_header(found.header)
    shown: Attributes = {} if level.study else attributes.of_study(found.study, root)
    if found.series:
        shown |= {} if level.series else attributes.of_series(found.series, root)
        shown |= {tag: known[tag] for tag in attributes.OF_SERIES_HEADER if tag in known}
    if found.instance:
        shown |= attributes.of_instance(found.instance, root)
    if not search.include:
        return dict(sorted(shown.items()))
    every = _all(found, root)
    if "all" in search.include:
        return (
            dict(sorted((every | shown).items())) if found.instance else dict(sorted((_above(every) | shown).items()))
        )
    shown |= {tag: every[tag] for tag in search.include if tag in every}
    return dict(sorted(shown.items()))


def _above(every: Attributes) -> Attributes:
    """Of a study or series: nothing that belongs to one of its instances alone."""
    return {tag: value for tag, value in every.items() if not attributes.of_instance_alone(tag)}


@router.get("/studies", summary="Search for studies", openapi_extra=_KEYS, **_DOCUMENTED)
def studies(
    request: Request, asker: Asker, verbs: TheVerbs, search: Annotated[Search, Depends(searcher("studies"))]
) -> Response:
    """Studies that match, newest first."""
    return _answer(request, verbs, asker, search, Level("studies"))


@router.get("/series", summary="Search for series", openapi_extra=_KEYS, **_DOCUMENTED)
@router.get("/studies/{study}/series", summary="Search for series of a study", openapi_extra=_KEYS, **_DOCUMENTED)
def series(
    request: Request,
    asker: Asker,
    verbs: TheVerbs,
    search: Annotated[Search, Depends(searcher("series"))],
    study: str = "",
) -> Response:
    """Series that match, of matching studies."""
    return _answer(request, verbs, asker, search, Level("series", study))


@router.get("/instances", summary="Search for instances", openapi_extra=_KEYS, **_DOCUMENTED)
@router.get("/studies/{study}/instances", summary="Search for instances of a study", openapi_extra=_KEYS, **_DOCUMENTED)
@router.get(
    "/studies/{study}/series/{series}/instances",
    summary="Search for instances of a series",
    openapi_extra=_KEYS,
    **_DOCUMENTED,
)
def instances(
    request: Request,
    asker: Asker,
    verbs: TheVerbs,
    search: Annotated[Search, Depends(searcher("instances"))],
    study: str = "",
    series: str = "",
) -> Response:
    """Instances that match, of matching series and studies."""
    return _answer(request, verbs, asker, search, Level("instances", study, series))
