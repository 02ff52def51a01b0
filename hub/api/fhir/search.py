"""The search interaction, by GET and by POST. Source: https://hl7.org/fhir/R4/search.html"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request, Response

from schemas.faults import InvalidPayload
from schemas.fhir import bundle, operation_outcome
from schemas.fhir.elements import Resource

from .call import Call, TheCall
from .kinds import Found, Include, Kind
from .paging import links, window_of
from .parameters import NoMatch, Parameters
from .registry import KINDS
from .rendering import rendered

# What belongs to every search and says nothing of what is looked for.
CONTROL = frozenset({"_count", "_offset", "_format", "_pretty", "_total", "_sort", "_include", "_summary"})
_MOST_FORM_BYTES = 64 * 1024
Pairs = list[tuple[str, str]]
Warnings = list[tuple[str, str]]


async def form_pairs(request: Request) -> Pairs:
    """The parameters of a search by POST: those of the address, then those of the form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise HTTPException(415, "expected application/x-www-form-urlencoded")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(413, "the search is too long")
    try:
        return request.query_params.multi_items() + parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError as error:
        raise InvalidPayload("expected a form in UTF-8", where="body") from error


def by_get(kind: Kind) -> Callable[..., Response]:
    """Answers a search whose parameters stand in the address."""

    def search(request: Request, call: TheCall) -> Response:
        return _answer(request, call, kind, request.query_params.multi_items())

    return search


def by_post(kind: Kind) -> Callable[..., Response]:
    """Answers a search whose parameters stand in the body, where no log of addresses sees them."""

    def search(request: Request, call: TheCall, pairs: Annotated[Pairs, Depends(form_pairs)]) -> Response:
        return _answer(request, call, kind, pairs)

    return search


def _answer(request: Request, call: Call, kind: Kind, pairs: Pairs) -> Response:
    asked = Parameters(pairs)
    warnings = _not_understood(kind, asked)
    if warnings and "handling=strict" in request.headers.get("prefer", "").replace(" ", ""):
        words, where = warnings[0]
        raise InvalidPayload(words, where=where)
    window = window_of(asked)
    counted_only = asked.text("_summary") == "count" or window.count == 0
    try:
        found = kind.search(call, asked, window)
    except NoMatch:
        found = Found([], 0)
    entries: list[tuple[bundle.Mode, Resource]] = []
    if not counted_only:
        entries += [("match", resource) for resource in found.resources]
        entries += [("include", resource) for resource in _included(call, kind, asked, found.resources)]
    if warnings:
        entries.append(("outcome", operation_outcome.warnings(warnings)))
    shown = 0 if counted_only else len(found.resources)
    relations = links(f"{call.base}/{kind.name}", _understood(kind, pairs), window, shown, found.total)
    return rendered(bundle.searchset(entries, total=found.total, links=relations, base=call.base))


def _names(kind: Kind) -> set[str]:
    return {each.name for each in (*kind.searchable, *kind.chained)} | CONTROL


def _understood(kind: Kind, pairs: Pairs) -> Pairs:
    """What was really used: the link `self` tells it, so that a client sees what was left aside."""
    names = _names(kind)
    return [(name, value) for name, value in pairs if any(given.name in names for given in Parameters([(name, value)]))]


def _not_understood(kind: Kind, asked: Parameters) -> Warnings:
    """What will be left aside, and where it stands."""
    names = _names(kind)
    found = [("unknown search parameter, left aside", given.where) for given in asked if given.name not in names]
    sorts = {f"{sign}{name}" for name in kind.sorts for sign in ("", "-")}
    found += [("cannot sort by this, left aside", each.where) for each in asked.all("_sort") if each.value not in sorts]
    for given in asked.all("_include", "iterate"):
        if given.modifier or _include(kind, given.value) is None:
            found.append(("cannot include this, left aside", given.where))
    if asked.text("_summary") not in ("", "count", "false"):
        found.append(("only _summary=count is known, left aside", "http._summary"))
    return found


def _include(kind: Kind, value: str) -> list[Include] | None:
    """What `Kind:parameter[:Target]` or `*` follows; None where it is not known."""
    if value == "*":
        return list(kind.includes.values())
    source, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    known = kind.includes.get(name) if source == kind.name else None
    return [known] if known and target in ("", known.kind) else None


def _included(call: Call, kind: Kind, asked: Parameters, matches: Sequence[Resource]) -> list[Resource]:
    """What the matches refer to, each once."""
    keys: dict[str, set[int]] = {}
    for given in asked.all("_include", "iterate"):
        for include in _include(kind, given.value) or ():
            named = (_referred(match.get(include.element, []), include.kind) for match in matches)
            keys.setdefault(include.kind, set()).update(*named)
    found: list[Resource] = []
    for target, wanted in keys.items():
        fetch = KINDS[target].fetch
        if fetch and wanted:
            found += fetch(call, sorted(wanted))
    return found


def _referred(element: Resource | list[Resource], kind: str) -> Iterable[int]:
    for reference in element if isinstance(element, list) else [element]:
        name, _, key = reference.get("reference", "").partition("/")
        if name == kind and key.isdecimal():
            yield int(key)
