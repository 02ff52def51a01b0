"""QIDO-RS: searching studies, series and instances. Source: DICOM PS3.18 section 10.6."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub.api.dependencies import Asker, TheVerbs
from hub.verbs import Verbs
from schemas.disclosure import Disclosure

from . import attributes, media
from .attributes import Attributes
from .matching import Search, searcher

router = APIRouter()

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
    ]
}


def _answer(request: Request, found: Iterator[Attributes] | list[Attributes]) -> Response:
    media.choose(request, [media.JSON], or_multipart=True)
    items = list(found)
    if not items:
        return Response(status_code=204, headers=media.PRIVATE)
    body = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    return Response(body, media_type=media.JSON, headers=media.PRIVATE)


@router.get("/studies", summary="Search for studies", openapi_extra=_KEYS, **_DOCUMENTED)
def studies(
    request: Request, asker: Asker, verbs: TheVerbs, search: Annotated[Search, Depends(searcher("studies"))]
) -> Response:
    """Studies that match, newest first."""
    page = verbs.query.studies(asker, search.study_criteria(paged=True))
    return _answer(request, [attributes.of_study(record, root_of(request)) for record in page.items])


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
    found = _series(verbs, asker, search, study, root_of(request))
    return _answer(request, islice(found, search.offset, search.offset + search.limit))


def _series(verbs: Verbs, asker: Disclosure, search: Search, study: str, root: str) -> Iterator[Attributes]:
    for parent in verbs.query.studies(asker, search.study_criteria(study, paged=False)).items:
        common = {} if study else attributes.of_study(parent, root)
        for record in verbs.query.series(asker, parent.study.study_instance_uid):
            one = record.series
            if search.matches(
                Modality=one.modality, SeriesInstanceUID=one.series_instance_uid, SeriesNumber=one.series_number
            ):
                yield common | attributes.of_series(record, root)


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
    found = _instances(verbs, asker, search, study, series, root_of(request))
    return _answer(request, islice(found, search.offset, search.offset + search.limit))


def _instances(
    verbs: Verbs, asker: Disclosure, search: Search, study: str, series: str, root: str
) -> Iterator[Attributes]:
    for parent in verbs.query.studies(asker, search.study_criteria(study, paged=False)).items:
        uid = parent.study.study_instance_uid
        known = {record.series.series_instance_uid: record for record in verbs.query.series(asker, uid)}
        for record in verbs.query.instances(asker, uid, series):
            above = known[record.series_instance_uid]
            if search.matches(
                Modality=above.series.modality,
                SeriesInstanceUID=record.series_instance_uid,
                SeriesNumber=above.series.series_number,
                SOPInstanceUID=record.sop_instance_uid,
                SOPClassUID=record.sop_class_uid,
                InstanceNumber=record.instance_number,
            ):
                common = {} if study else attributes.of_study(parent, root)
                common |= {} if series else attributes.of_series(above, root)
                yield common | attributes.of_instance(record, root)
