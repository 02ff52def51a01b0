"""How the FHIR service describes itself in OpenAPI: parameters from the table of types, examples from the mappings."""

from collections.abc import Callable
from typing import Any

from fastapi import Response

from schemas.fhir import bundle, operation_outcome
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import MEDIA_TYPE, Resource

from .kinds import Kind
from .paging import DEFAULT_COUNT, MOST

Endpoint = Callable[..., Response]
Shape = dict[str, Any]

_BASE = "http://127.0.0.1:8080/fhir/R4"
_REFUSAL = operation_outcome.outcome(operation_outcome.issue("not-found", "no such report", "report"))


def _content(kind: str, example: Resource | None) -> Shape:
    schema: Shape = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": kind}},
        "externalDocs": {"url": f"https://hl7.org/fhir/R4/{kind.lower()}.html"},
    }
    # Through JSON's own types: a Decimal is a number to a reader of the description.
    shown = {} if example is None else {"example": _plain(example)}
    return {MEDIA_TYPE: {"schema": schema, **shown}}


def _plain(value: Any) -> Any:  # noqa: ANN401 any part of a document
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, bool)) else float(value)


REFUSALS: dict[int | str, Shape] = {
    401: {"description": "no bearer token, or not a valid one", "content": _content("OperationOutcome", None)},
    406: {"description": "another format than JSON was asked for", "content": _content("OperationOutcome", None)},
    "default": {"description": "why it was refused", "content": _content("OperationOutcome", _REFUSAL)},
}

_COMMON = (
    SearchParameter("_count", "number", f"results on a page, {DEFAULT_COUNT} unless told, at most {MOST}", "20"),
    SearchParameter("_summary", "token", "`count`: how many there are, and nothing else", ""),
    SearchParameter("_format", "token", "only JSON is spoken", "json"),
)


def _parameter(parameter: SearchParameter, place: str = "query") -> Shape:
    described: Shape = {
        "name": parameter.name,
        "in": place,
        "required": False,
        "description": f"{parameter.documentation} ({parameter.kind})",
        "schema": {"type": "string"},
    }
    return described | ({"example": parameter.example} if parameter.example else {})


def _parameters(kind: Kind) -> list[SearchParameter]:
    known = [*kind.searchable, *kind.chained]
    if kind.sorts:
        known.append(SearchParameter("_sort", "string", "`-date` (newest first) unless told", "date"))
    if kind.includes:
        offered = ", ".join(f"{kind.name}:{name}" for name in kind.includes)
        known.append(SearchParameter("_include", "string", offered, f"{kind.name}:{next(iter(kind.includes))}"))
    return [*known, *_COMMON]


def of_one(kind: Kind) -> Shape:
    """One resource, with its entity tag."""
    known = {"description": "the asker holds this version already (If-None-Match, If-Modified-Since)"}
    found = {
        "description": kind.documentation,
        "content": _content(kind.name, kind.example),
        "headers": {"ETag": {"description": "version", "schema": {"type": "string"}, "example": 'W/"1"'}},
    }
    return {"description": kind.documentation, "responses": {200: found, 304: known}}


def of_history(kind: Kind) -> Shape:
    """A Bundle of versions."""
    example = bundle.history([kind.example], total=1, links={"self": f"{_BASE}/{kind.name}/12/_history"}, base=_BASE)
    found = {"description": "versions, newest first", "content": _content("Bundle", example)}
    return {"responses": {200: found}, "openapi_extra": {"parameters": [_parameter(_COMMON[0])]}}


def of_search(kind: Kind) -> Shape:
    """A Bundle of matches, whose parameters stand in the address."""
    return _search(kind) | {"openapi_extra": {"parameters": [_parameter(each) for each in _parameters(kind)]}}


def of_search_by_post(kind: Kind) -> Shape:
    """The same, whose parameters stand in a form."""
    properties = {
        each.name: {"type": "string", "description": f"{each.documentation} ({each.kind})"}
        for each in _parameters(kind)
    }
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": properties}}}
    return _search(kind) | {"openapi_extra": {"requestBody": {"required": False, "content": form}}}


def _search(kind: Kind) -> Shape:
    links = {"self": f"{_BASE}/{kind.name}?_count=1", "next": f"{_BASE}/{kind.name}?_count=1&_offset=1"}
    example = bundle.searchset([("match", kind.example)], total=2, links=links, base=_BASE)
    words = (
        f"{kind.documentation} Parameters that are not known are left aside and named in an OperationOutcome; "
        "with `Prefer: handling=strict` they are refused. Follow the link `next` for more."
    )
    found = {"description": "a page of what matches", "content": _content("Bundle", example)}
    return {"description": words, "responses": {200: found}}


def of_metadata() -> Shape:
    """The capability statement."""
    found = {"description": "what is served", "content": _content("CapabilityStatement", None)}
    return {"responses": {200: found}}


def of_binary() -> Shape:
    """Any format."""
    shown = {"schema": {"type": "string", "format": "binary"}}
    found = {"description": "the document", "content": {"application/pdf": shown, "application/octet-stream": shown}}
    return {"responses": {200: found}}
