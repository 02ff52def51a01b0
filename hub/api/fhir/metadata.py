"""The capabilities interaction. Source: https://hl7.org/fhir/R4/http.html#capabilities"""

import datetime as dt
from importlib.metadata import PackageNotFoundError, version

from fastapi import Request, Response

from schemas.fhir import capability_statement

from .call import base_of
from .registry import KINDS
from .rendering import rendered
from .subscriptions import CAPABILITY

_STARTED_AT = dt.datetime.now(dt.UTC)


def metadata(request: Request) -> Response:
    """What this service can do. Open to everyone, as clients ask it before they have a token; it names no patient."""
    statement = capability_statement.to_fhir(
        [*(kind.capability() for kind in KINDS.values()), CAPABILITY],
        base=base_of(request),
        software_version=software_version(),
        published_at=_STARTED_AT,
    )
    return rendered(statement)


def software_version() -> str:
    """The version that is installed; `0` where the source tree runs without installation."""
    try:
        return version("dxhub")
    except PackageNotFoundError:
        return "0"
