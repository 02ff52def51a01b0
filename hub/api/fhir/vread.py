"""The vread interaction: one version. Source: https://hl7.org/fhir/R4/http.html#vread"""

from collections.abc import Callable

from fastapi import Request, Response

from .call import TheCall
from .kinds import Kind
from .parameters import key
from .rendering import versioned


def endpoint(kind: Kind) -> Callable[..., Response]:
    """Answers with that version, however many came after it."""
    load = kind.version
    if load is None:
        raise TypeError(kind.name)

    def vread(request: Request, call: TheCall, id: str, vid: str) -> Response:  # noqa: A002 the standard's word
        return versioned(request, load(call, key(id, kind.name), key(vid, "version")))

    return vread
