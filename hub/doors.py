"""Where the hub listens, looked at before anything is made: a mistake costs a sentence, not a half-made folder."""

import errno
import socket

from hub.settings import Settings
from schemas.faults import Busy, Forbidden


def require_doors(settings: Settings, parts: set[str]) -> None:
    """Raises Forbidden where this hub may not listen, Busy where a port of these parts cannot be had."""
    if not settings.is_local and not settings.allow_insecure:
        raise Forbidden(
            "the hub would listen beyond this machine without encryption; put a TLS proxy before it, or set "
            "DXHUB_ALLOW_INSECURE=true if the network itself is trusted",
            where="DXHUB_HOST",
        )
    doors = (("web", "http", settings.http_port), ("dicom", "dicom", settings.dicom_port))
    for part, name, port in (*doors, ("mllp", "mllp", settings.mllp_port)):
        if part in parts:
            _require_door(settings.host, port, name)


def _require_door(host: str, port: int, name: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = "another program listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)
        where = f"--{name}-port, DXHUB_{name.upper()}_PORT"
        raise Busy(f"cannot listen on {host}:{port}: {reason}", where=where) from error
