"""The web application behind a socket, started and stopped like any other listener."""

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from schemas.faults import Internal

from .zero_copy import ZeroCopy

_STARTS_WITHIN_S = 30
_STOPS_WITHIN_S = 20
_MOST_HEADER_BYTES = 64 << 10


class WebServer:
    """Serves one application from a thread of its own. port: the bound port; 0 asks for a free one."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self.port = port
        self._host = host
        config = uvicorn.Config(
            ZeroCopy(app),
            http=_Connection,
            log_config=None,
            access_log=False,  # addresses hold identifiers of patients; the audit trail says who saw what
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=10,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Binds, then serves. Raises OSError where the port cannot be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = _listening(family, self._host, self.port)
        self.port = self._socket.getsockname()[1]
        self._thread.start()
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise Internal("the web application did not start", where="web")
            self._thread.join(0.01)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Finishes the requests that run, and ends."""
        self._server.should_exit = True
        self._thread.join(_STOPS_WITHIN_S)


class _Connection(HttpToolsProtocol):
    """A connection whose client cannot fill the memory with a header that never ends."""

    _header_bytes = 0
    _in_header = True

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        if self._in_header:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_header and self._header_bytes > _MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The header of the request is too long.")

    def on_headers_complete(self) -> None:
        """What follows is the body."""
        self._in_header, self._header_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What follows is the next header."""
        self._in_header = True
        super().on_message_complete()


def _listening(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # TCP is named although nothing else is possible: asyncio turns Nagle's algorithm off only where it reads that, and
    # with it on every second answer waits 40 ms for a delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError:
        listening.close()
        raise
    return listening
