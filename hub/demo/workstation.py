"""The system of a community centre that orders: takes the results that the hub sends on, and says so.

The hub's own listener is not asked: a sender and a receiver that share their code agree even where both are wrong.
"""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from hub.app import Hub
from schemas.disclosure import Role
from schemas.dispatch import Destination
from storage import outbox

from .district import District
from .figures import as_role

INSTITUTION = "CHC03"
_NAME = "竹影诊间系统"
_HOST = "127.0.0.1"
_START, _END = b"\x0b", b"\x1c\r"
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a result message says of itself: who sent it, under which number, with which status (OBR-25)."""

    control_id: str
    status: str
    service: str


class Workstation:
    """Listens on a free port of this machine until `close`."""

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._arrived = threading.Condition()
        self._server = _Server(self._take)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="workstation", daemon=True).start()

    def _take(self, message: bytes) -> bytes:
        segments = [line.split("|") for line in message.decode("utf-8").split("\r") if line]
        msh, obr = segments[0], next(each for each in segments if each[0] == "OBR")
        with self._arrived:
            self._results.append(Result(msh[9], obr[25], obr[4].split("^")[1]))
            self._arrived.notify_all()
        return f"MSH|^~\\&|WS|{INSTITUTION}|DXHUB|DXHUB|{msh[6]}||ACK|A{msh[9]}|P|2.5.1\rMSA|AA|{msh[9]}\r".encode()

    def first(self) -> Result | None:
        """The first result, waited for; None where none comes."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._results, _PATIENCE_S)
            return self._results[0] if self._results else None

    def close(self) -> None:
        """Listens no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        self.take = take
        super().__init__((_HOST, 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        content = b""
        with contextlib.suppress(OSError):
            while part := self.request.recv(65536):
                content += part
                while _END in content:
                    frame, _, content = content.partition(_END)
                    self.request.sendall(_START + self.server.take(frame.lstrip(_START)) + _END)


@contextmanager
def workstation(hub: Hub, district: District) -> Iterator[Workstation]:
    """A workstation to which the hub sends what its centre ordered from now on, while the block runs."""
    _finish_history(hub)
    station = Workstation()
    to = Destination(INSTITUTION, _NAME, _HOST, station.port, receiving_facility=INSTITUTION)
    admin, notify = as_role(district, Role.ADMIN), hub.verbs.notify
    known = next((each.id for each in notify.destinations(admin) if each.destination.name == _NAME), None)
    kept = notify.put_destination(admin, to, known)
    try:
        yield station
    finally:
        # Nobody listens there afterwards; switched off, it is there to be looked at.
        notify.put_destination(admin, replace(to, active=False), kept)
        station.close()


def _finish_history(hub: Hub) -> None:
    """Two years of results were never waited for by anybody."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with hub.stores.database.read() as tx:
            if not outbox.waiting(tx):
                return
        time.sleep(0.1)
