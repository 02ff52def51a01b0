"""The MLLP listener: a thread a connection, one message at a time on each, answered when custody has it.

Source: HL7 MLLP release 1 and 2; HL7 v2 chapter 2.9.
"""

import socket
import socketserver
import ssl
import sys
import threading
import time

import structlog

from adapters.tls import hang_up, identities, shake_hands, stop_reading
from schemas.delivery import Deliver, Identify

from .budget import Budget
from .connection import FREE_BYTES, MAX_BYTES, Connection, Limits

_Request = socket.socket | tuple[bytes, socket.socket]

log = structlog.get_logger()


class MllpListener:
    """Serves on `port` (0 asks for a free one) until `stop`, which lets every message in hand be answered."""

    def __init__(
        self,
        host: str,
        port: int,
        deliver: Deliver,
        identify: Identify,
        limits: Limits,
        context: ssl.SSLContext | None = None,
        door: socket.socket | None = None,
    ) -> None:
        self.port = port
        self._context = context
        self._door = door
        self._address = (host, port)
        self._deliver = deliver
        self._identify = identify
        self._limits = limits
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Binds and serves in threads of its own. Raises OSError where the port is taken."""
        self._server = _Server(self._address, self._deliver, self._identify, self._limits, self._context, self._door)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="mllp-accept", daemon=True
        )
        self._thread.start()
        log.info("mllp.listening", port=self.port, encrypted=self._context is not None)

    def stop(self) -> None:
        """No new connections, no new messages; returns when what was being delivered has been answered."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.finish()
        self._server.server_close()
        self._server = self._thread = None
        log.info("mllp.stopped", port=self.port)


def listener(
    host: str,
    port: int,
    deliver: Deliver,
    identify: Identify,
    *,
    max_bytes: int = MAX_BYTES,
    memory_bytes: int = 4 * MAX_BYTES,
    limits: Limits | None = None,
    context: ssl.SSLContext | None = None,
    door: socket.socket | None = None,
) -> MllpListener:
    """An MLLP listener, not yet started. `max_bytes`: of a frame; `limits`: all that a peer may ask of us.

    memory_bytes: of the unfinished frames of all connections together.
    context: speaks TLS alone where given (see adapters.tls.server_context).
    door: a socket that listens already, perhaps for several processes; it must not block.
    """
    return MllpListener(host, port, deliver, identify, limits or Limits(max_bytes, memory_bytes), context, door)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        deliver: Deliver,
        identify: Identify,
        limits: Limits,
        context: ssl.SSLContext | None,
        door: socket.socket | None,
    ) -> None:
        self.context = context
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.deliver = deliver
        self.identify = identify
        self.limits = limits
        self.stopping = threading.Event()
        # One frame may always go on, whatever the others hold.
        self.budget = Budget(max(0, limits.memory_bytes - limits.max_bytes), FREE_BYTES)
        self._open: dict[_Request, threading.Thread] = {}
        self._connections: dict[_Request, Connection] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Handler, bind_and_activate=door is None)
        if door is not None:
            self.socket.close()
            self.socket, self.server_address = door, door.getsockname()

    def get_request(self) -> tuple[socket.socket, object]:
        line, address = self.socket.accept()
        if self.context is None:
            return line, address
        # No handshake here: a peer that is slow at it must keep nobody else from being accepted.
        return self.context.wrap_socket(line, server_side=True, do_handshake_on_connect=False), address

    def verify_request(self, request: _Request, client_address: object) -> bool:
        # Each connection may hold a frame in memory, so their number is a limit on memory too.
        with self._lock:
            room = len(self._open) < self.limits.max_connections
            longest_idle = None if room else self._longest_idle()
        if not room and longest_idle is None:
            log.warning("mllp.refused", reason="too many connections", limit=self.limits.max_connections)
            return False
        if longest_idle is not None:
            # A peer that only holds its place gives it up to one that comes to send; it may come again.
            log.info("mllp.made_room", limit=self.limits.max_connections)
            stop_reading(longest_idle)
        return True

    def _longest_idle(self) -> socket.socket | None:
        """The connection that has waited longest with nothing begun; it is no longer counted."""
        idle = [(c.idle_since, line) for line, c in self._connections.items() if c.idle_since is not None]
        if not idle:
            return None
        _, line = min(idle, key=lambda each: each[0])
        self._connections.pop(line)
        self._open.pop(line)
        return line if isinstance(line, socket.socket) else None

    def serve(self, line: socket.socket, address: str) -> None:
        """Serves one connection to its end."""
        certificate = None
        if isinstance(line, ssl.SSLSocket):
            if not shake_hands(line, self.limits.handshake_timeout_s):
                return
            certificate = identities(line) if line.context.verify_mode is ssl.CERT_REQUIRED else None
        share = self.budget.share(self.stopping)
        connection = Connection(
            line, address, self.deliver, self.identify, self.limits, self.stopping, share, certificate
        )
        with self._lock:
            if line in self._open:
                self._connections[line] = connection
        connection.serve()

    def process_request_thread(self, request: _Request, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
                self._connections.pop(request, None)

    def process_request(self, request: _Request, client_address: object) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="mllp-connection", daemon=True
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: _Request) -> None:
        if isinstance(request, socket.socket):
            hang_up(request)
            request.close()

    def handle_error(self, request: _Request, client_address: object) -> None:
        log.error("mllp.connection_failed", error=type(sys.exception()).__name__)

    def finish(self) -> None:
        """Wakes idle connections to their end and waits for the busy ones."""
        self.stopping.set()
        with self._lock:
            waiting = list(self._open.items())
        for connection, _ in waiting:
            if isinstance(connection, socket.socket):
                stop_reading(connection)
        deadline = time.monotonic() + self.limits.stop_timeout_s
        for _, thread in waiting:
            thread.join(max(0.0, deadline - time.monotonic()))


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.server.serve(self.request, str(self.client_address[0]))
