"""Calling a system by rest-hook: one POST, no redirect followed. Source: https://hl7.org/fhir/R4/subscription.html"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from schemas.faults import Busy
from schemas.reach import Network, may_call

_TIMEOUT_S = 10.0
_MEDIA_TYPE = "application/fhir+json"

# Address, headers, body: returns when the system took it. Raises Busy with what it said instead.
Call = Callable[[str, Mapping[str, str], bytes], None]


def rest_hook(context: ssl.SSLContext, networks: Sequence[Network] = ()) -> Call:
    """The way to call. context: whom to trust where the address is one of TLS. networks: that are not open to the
    public, in which systems may be called all the same.
    """

    def call(endpoint: str, headers: Mapping[str, str], body: bytes) -> None:
        address = urlsplit(endpoint)
        line = _line(address.scheme, address.hostname or "", address.port, context)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        told = {**headers, "Content-Type": _MEDIA_TYPE, "Content-Length": str(len(body))}
        try:
            _connect(line, context if address.scheme == "https" else None, networks)
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


def _connect(line: http.client.HTTPConnection, context: ssl.SSLContext | None, networks: Sequence[Network]) -> None:
    """To the very address that was looked at: a name that is resolved a second time may lead elsewhere by then."""
    found = socket.getaddrinfo(line.host, line.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(may_call(each, networks) for each in addresses):
        raise Busy("its address lies in a network that may not be called", where="endpoint")
    plain = _reached(addresses, line.port)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sock = context.wrap_socket(plain, server_hostname=line.host) if context else plain
    except BaseException:
        plain.close()
        raise


def _reached(addresses: Sequence[str], port: int) -> socket.socket:
    """The first of them that answers. Raises OSError of the last."""
    for number, address in enumerate(addresses, 1):
        try:
            return socket.create_connection((address, port), timeout=_TIMEOUT_S)
        except OSError:
            if number == len(addresses):
                raise
    raise ConnectionError
