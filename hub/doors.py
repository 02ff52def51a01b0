"""Where the hub listens, looked at before anything is made: a mistake costs a sentence, not a half-made folder."""

import errno
import socket

from hub.settings import Settings
from schemas.faults import Busy, Forbidden


def require_doors(settings: Settings, parts: set[str]) -> None:
    """Raises Forbidden where this hub may not listen, Busy where a port of these parts cannot be had."""
    bare = in_clear(settings, parts)
    if bare and not settings.allow_insecure:
        raise Forbidden(
            f"the hub would listen beyond this machine without encryption ({', '.join(bare)}); put a TLS proxy before "
            "it, or set DXHUB_ALLOW_INSECURE=true if the network itself is trusted",
            where="DXHUB_HOST",
        )
    doors = (("web", "http", settings.http_port), ("dicom", "dicom", settings.dicom_port))
    for part, name, port in (*doors, ("mllp", "mllp", settings.mllp_port)):
        if part in parts:
            _require_door(settings.host, port, name)


def in_clear(settings: Settings, parts: set[str]) -> list[str]:
    """The doors that others can reach and whose traffic others can read."""
    if settings.is_local:
        return []
    encrypted = {
        part for part, safe in (("dicom", settings.dicom_encrypted), ("mllp", settings.mllp_encrypted)) if safe
    }
    return sorted(parts & {"web", "dicom", "mllp"} - encrypted)


def _require_door(host: str, port: int, name: str) -> None:
    _opened(host, port, name).close()


def shared_doors(settings: Settings, parts: set[str]) -> dict[str, socket.socket]:
    """A listening socket for each of these parts, at which several processes may accept. Raises Busy."""
    ports = {"dicom": settings.dicom_port, "mllp": settings.mllp_port}
    doors = {part: _opened(settings.host, port, part) for part, port in ports.items() if part in parts}
    for door in doors.values():
        # Whoever comes second to a peer must not wait there for the next one.
        door.setblocking(False)
    return doors


def _opened(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = "another program listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)
        where = f"--{name}-port, DXHUB_{name.upper()}_PORT"
        raise Busy(f"cannot listen on {host}:{port}: {reason}", where=where) from error
