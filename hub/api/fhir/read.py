"""The read interaction. Source: https://hl7.org/fhir/R4/http.html#read"""

from collections.abc import Callable

from fastapi import Request, Response

from .call import TheCall
from .kinds import Kind
from .parameters import key
from .rendering import versioned


def endpoint(kind: Kind) -> Callable[..., Response]:
    """Answers with the current version."""
    load = kind.read
    if load is None:
        raise TypeError(kind.name)

    def read(request: Request, call: TheCall, id: str) -> Response:  # noqa: A002 the standard's word
        if kind.named and "." in id:
            return versioned(request, kind.named(call, id))
        return versioned(request, load(call, key(id, kind.name)))

    return read
