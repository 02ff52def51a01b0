"""Data types that every resource is built of. Source: FHIR R4 datatypes (https://hl7.org/fhir/R4/datatypes.html)."""

import datetime as dt
import re
from typing import Any
from urllib.parse import quote, unquote

from schemas.codes import Coding
from schemas.faults import InvalidPayload

Resource = dict[str, Any]

FHIR_VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json"
EXTENSION = "urn:dxhub:extension:"
LOCAL_CODES = "urn:dxhub:codes:"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

# A FHIR string holds no control character but tab, line feed and carriage return.
_LOCAL = "urn:dxhub:"
_SPACE = re.compile(r"\s")
_LOCAL_UNSAFE = re.compile(r"[\s%]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def compact(**elements: object) -> Resource:
    """The elements that hold something: FHIR knows neither null nor empty."""
    return {name: value for name, value in elements.items() if value is not None and value not in ("", [], {}, ())}


def text(value: str) -> str | None:
    """A FHIR string of what was sent; None where nothing but space was."""
    clean = _CONTROL.sub("", value)
    return clean if clean.strip() else None


def code(value: str) -> str | None:
    """A FHIR code: no space at its ends, single spaces within."""
    return " ".join(_CONTROL.sub("", value).split()) or None


def uri(value: str) -> str | None:
    """A FHIR uri, which holds no space. Our own may end in names that senders chose; `read_uri` undoes it."""
    escaped = _LOCAL_UNSAFE if value.startswith(_LOCAL) else _SPACE
    return escaped.sub(lambda found: quote(found[0], safe=""), _CONTROL.sub("", value)) or None


def read_uri(value: str) -> str:
    """The system that a uri written by `uri` stands for."""
    return unquote(value) if value.startswith(_LOCAL) else value


def coding(value: Coding) -> Resource:
    """A Coding element."""
    return compact(system=uri(value.system), code=code(value.code), display=text(value.display))


def concept(value: Coding, *more: Coding) -> Resource | None:
    """A CodeableConcept whose first coding is the source's own; words without a code become its text."""
    codings = [coding(each) for each in (value, *more) if each.code]
    return compact(coding=codings, text=text(value.display or value.code)) or None


def read_concept(element: Resource | None) -> Coding:
    """The first coding of a CodeableConcept; its text where it has none."""
    if not element:
        return Coding("")
    first = (element.get("coding") or [{}])[0]
    display = first.get("display") or ("" if first.get("code") == element.get("text") else element.get("text", ""))
    return Coding(first.get("code", ""), display, read_uri(first.get("system", "")))


def codes_of(concepts: list[Resource] | None, system: str = "") -> tuple[str, ...]:
    """The codes within CodeableConcepts, of one system where it is named."""
    found = (each for element in concepts or () for each in element.get("coding", ()))
    return tuple(each["code"] for each in found if "code" in each and (not system or each.get("system") == system))


def moment(value: dt.datetime | None) -> str | None:
    """A dateTime or instant; the zone as the source wrote it."""
    if value is None:
        return None
    offset = value.utcoffset()
    if offset is None:
        raise InvalidPayload("expected a time that knows its zone")
    # Before 1901 Shanghai ran on local mean time, whose offset has seconds; FHIR's have none.
    return (value.astimezone(dt.UTC) if offset % dt.timedelta(minutes=1) else value).isoformat()


def read_moment(value: str | None) -> dt.datetime | None:
    """The time a dateTime or instant means; None where it is only a date, whose zone nobody told."""
    if not value or "T" not in value:
        return None
    try:
        read = dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidPayload("expected a dateTime with a zone") from error
    if read.tzinfo is None:
        raise InvalidPayload("expected a dateTime with a zone, found none")
    return read


def extension(url: str, **value: object) -> Resource | None:
    """An extension with its one value[x] or its parts; None where there is no value."""
    return {"url": url, **value} if compact(**value) else None


def extension_of(element: Resource, url: str) -> Resource:
    """The first extension of that url; empty where there is none."""
    return next((each for each in element.get("extension", ()) if each.get("url") == url), {})


def present(*elements: Resource | None) -> list[Resource]:
    """Those that are there."""
    return [element for element in elements if element]


def meta(version: int, updated: dt.datetime, *, tags: list[Resource] | None = None, source: str = "") -> Resource:
    """Meta of a stored version. `updated`: our clock."""
    return compact(versionId=str(version), lastUpdated=moment(updated), source=source, tag=tags)


def expect(resource: Resource, kind: str) -> None:
    """Raises InvalidPayload where a resource is of another type."""
    if resource.get("resourceType") != kind:
        raise InvalidPayload(f"expected a resource of type {kind}", where="resourceType")
