"""The history interaction: every version of one resource. Source: https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Callable

from fastapi import Request, Response

from schemas.fhir import bundle

from .call import TheCall
from .kinds import Kind
from .paging import links, window_of
from .parameters import Parameters, key
from .rendering import rendered


def endpoint(kind: Kind) -> Callable[..., Response]:
    """Answers with a Bundle, newest version first."""
    load = kind.versions
    if load is None:
        raise TypeError(kind.name)

    def history(request: Request, call: TheCall, id: str) -> Response:  # noqa: A002 the standard's word
        pairs = request.query_params.multi_items()
        window = window_of(Parameters(pairs))
        number = key(id, kind.name)
        versions = load(call, number)
        page = versions[window.offset : window.offset + window.count]
        address = f"{call.base}/{kind.name}/{number}/_history"
        relations = links(address, pairs, window, len(page), len(versions))
        return rendered(bundle.history(page, total=len(versions), links=relations, base=call.base))

    return history
