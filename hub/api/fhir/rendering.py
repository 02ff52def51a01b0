"""Resources as HTTP responses: versions as entity tags, and nothing sent twice.

Source: https://hl7.org/fhir/R4/http.html#cread and RFC 9110, section 13.
"""

import datetime as dt
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request, Response

from schemas.fhir import document
from schemas.fhir.elements import MEDIA_TYPE, Resource

# A shared cache must never keep it; the asker's own must ask again, which costs one entity tag.
_PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "Vary": "Authorization, Accept"}


def rendered(resource: Resource, status: int = 200) -> Response:
    """A document that is not a stored version (a Bundle, a statement)."""
    return Response(document.dumps(resource), status, headers=dict(_PRIVATE), media_type=MEDIA_TYPE)


def versioned(request: Request, resource: Resource) -> Response:
    """A stored version with its entity tag; 304 where the asker holds it already."""
    headers = dict(_PRIVATE)
    meta = resource.get("meta", {})
    if "versionId" in meta:
        headers["ETag"] = f'W/"{meta["versionId"]}"'
    updated = dt.datetime.fromisoformat(meta["lastUpdated"]) if "lastUpdated" in meta else None
    if updated:
        headers["Last-Modified"] = format_datetime(updated.astimezone(dt.UTC).replace(microsecond=0), usegmt=True)
    if _held(request, headers.get("ETag", ""), updated):
        return Response(status_code=304, headers=headers)
    return Response(document.dumps(resource), headers=headers, media_type=MEDIA_TYPE)


def _held(request: Request, tag: str, updated: dt.datetime | None) -> bool:
    """Source: RFC 9110, section 13: If-None-Match decides where both are sent, and compares weakly."""
    if named := request.headers.get("if-none-match"):
        return named.strip() == "*" or _opaque(tag) in {_opaque(each) for each in named.split(",")}
    since = request.headers.get("if-modified-since")
    if not since or updated is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return moment.tzinfo is not None and updated.replace(microsecond=0) <= moment


def _opaque(tag: str) -> str:
    return tag.strip().removeprefix("W/")
