"""Calling a system by rest-hook: one POST, no redirect followed. Source: https://hl7.org/fhir/R4/subscription.html"""

import http.client
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from schemas.faults import Busy

_TIMEOUT_S = 10.0
_MEDIA_TYPE = "application/fhir+json"

# Address, headers, body: returns when the system took it. Raises Busy with what it said instead.
Call = Callable[[str, Mapping[str, str], bytes], None]


def rest_hook(context: ssl.SSLContext) -> Call:
    """The way to call. context: whom to trust where the address is one of TLS."""

    def call(endpoint: str, headers: Mapping[str, str], body: bytes) -> None:
        address = urlsplit(endpoint)
        line = _line(address.scheme, address.hostname or "", address.port, context)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        told = {**headers, "Content-Type": _MEDIA_TYPE, "Content-Length": str(len(body))}
        try:
            line.request("POST", path, body, told)
            status = line.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Busy(f"the system did not answer ({type(error).__name__})", where="endpoint") from error
        finally:
            line.close()
        # A redirect leads where nobody allowed us to go.
        if not 200 <= status < 300:
            raise Busy(f"the system answered {status}", where="endpoint")

    return call


def _line(scheme: str, host: str, port: int | None, context: ssl.SSLContext) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
