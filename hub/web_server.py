"""The web application behind a socket, started and stopped like any other listener."""

import asyncio
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
_MOST_BARREN_BYTES = 64 << 10
_HEADER_WITHIN_S = 30


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
    """A connection whose client can neither fill the memory with what is no body nor keep a place by saying nothing."""

    # What has come since the last that was of a body: header, trailers, what stands around chunks.
    _barren_bytes = 0
    _in_header = True
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A header is to come."""
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        self._barren_bytes += len(data)
        if self._in_header and self._patience is None:
            self._expect_header()
        super().data_received(data)
        if self._barren_bytes > _MOST_BARREN_BYTES and not self.transport.is_closing():
            self.send_400_response("The header of the request is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """What stands behind a body says nothing here."""
        if self._in_header:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """What follows is the body."""
        self._in_header, self._barren_bytes = False, 0
        self._forget_patience()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of it."""
        self._barren_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What follows is the next header."""
        self._in_header, self._barren_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Says so, but not within an answer that is on its way."""
        if self._answering():
            self.transport.close()
        else:
            super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is to come."""
        self._forget_patience()
        super().connection_lost(exc)

    def _expect_header(self) -> None:
        self._patience = self.loop.call_later(_HEADER_WITHIN_S, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        if not self._answering():
            self.transport.close()

    def _forget_patience(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete


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
