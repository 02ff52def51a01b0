"""The MLLP listener: a thread a connection, one message at a time on each, answered when custody has it.

Source: HL7 MLLP release 1 and 2; HL7 v2 chapter 2.9.
"""

import contextlib
import io
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass

import structlog

from schemas.delivery import Channel, Claim, Deliver, Delivery, Format, Identify, Receipt
from schemas.faults import Busy, Fault, Internal, InvalidPayload

from .ack import acknowledgements
from .batch import messages
from .frames import FrameDecoder, framed
from .header import Header, header

_Request = socket.socket | tuple[bytes, socket.socket]

log = structlog.get_logger()

_READ = 256 * 1024
# How long an end block waits for its carriage return, which some senders leave out, before it counts without.
_SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may ask of us. frame_timeout_s: for a frame, from its first byte to its last."""

    max_frame_bytes: int = 64 * 1024 * 1024
    frame_timeout_s: float = 60.0
    idle_timeout_s: float = 3600.0
    send_timeout_s: float = 30.0
    max_connections: int = 200
    stop_timeout_s: float = 30.0


class MllpListener:
    """Serves on `port` (0 asks for a free one) until `stop`, which lets every message in hand be answered."""

    def __init__(self, host: str, port: int, deliver: Deliver, identify: Identify, limits: Limits) -> None:
        self.port = port
        self._address = (host, port)
        self._deliver = deliver
        self._identify = identify
        self._limits = limits
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Binds and serves in threads of its own. Raises OSError where the port is taken."""
        self._server = _Server(self._address, self._deliver, self._identify, self._limits)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="mllp-accept", daemon=True
        )
        self._thread.start()
        log.info("mllp.listening", port=self.port)

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


def listener(host: str, port: int, deliver: Deliver, identify: Identify, limits: Limits | None = None) -> MllpListener:
    """An MLLP listener, not yet started."""
    return MllpListener(host, port, deliver, identify, limits or Limits())


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], deliver: Deliver, identify: Identify, limits: Limits) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.deliver = deliver
        self.identify = identify
        self.limits = limits
        self.stopping = threading.Event()
        self._open: dict[_Request, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Connection)

    def verify_request(self, request: _Request, client_address: object) -> bool:
        # Each connection may hold a frame in memory, so their number is a limit on memory too.
        with self._lock:
            room = len(self._open) < self.limits.max_connections
        if not room:
            log.warning("mllp.refused", reason="too many connections", limit=self.limits.max_connections)
        return room

    def process_request_thread(self, request: _Request, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)

    def process_request(self, request: _Request, client_address: object) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="mllp-connection", daemon=True
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def handle_error(self, request: _Request, client_address: object) -> None:
        log.error("mllp.connection_failed", error=type(sys.exception()).__name__)

    def finish(self) -> None:
        """Wakes idle connections to their end and waits for the busy ones."""
        self.stopping.set()
        with self._lock:
            waiting = list(self._open.items())
        for connection, _ in waiting:
            if isinstance(connection, socket.socket):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
        deadline = time.monotonic() + self.limits.stop_timeout_s
        for _, thread in waiting:
            thread.join(max(0.0, deadline - time.monotonic()))


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self._limits = self.server.limits
        self._decoder = FrameDecoder(self._limits.max_frame_bytes)
        self._frame_began = 0.0
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            while self._serve_once():
                pass
        except OSError as gone:
            log.debug("mllp.connection_lost", error=type(gone).__name__)
        if self._decoder.strays or self._decoder.abandoned:
            log.debug("mllp.noise", strays=self._decoder.strays, abandoned=self._decoder.abandoned)

    def _serve_once(self) -> bool:
        """Reads once and answers every frame that is complete; False when the connection is to be closed."""
        settle = False
        try:
            self.request.settimeout(self._patience())
            content = self.request.recv(_READ)
            if not content:
                return False
            self._decoder.feed(content)
        except TimeoutError:
            if not self._decoder.undecided:
                return self._out_of_time()
            settle = True
        return self._answer_frames(settle=settle)

    def _patience(self) -> float:
        """Seconds to wait for the next bytes."""
        if self._decoder.undecided:
            return _SETTLE_S
        if not self._decoder.inside:
            self._frame_began = 0.0
            return self._limits.idle_timeout_s
        self._frame_began = self._frame_began or time.monotonic()
        return max(0.001, self._frame_began + self._limits.frame_timeout_s - time.monotonic())

    def _out_of_time(self) -> bool:
        if self._decoder.inside:
            self._refuse(Busy("expected the end of the frame, it did not come in time"))
        return False

    def _answer_frames(self, *, settle: bool) -> bool:
        while not self.server.stopping.is_set():
            try:
                frame = self._decoder.next_frame(settle=settle)
            except InvalidPayload as fault:
                self._refuse(fault)
                return False
            if frame is None:
                return True
            self._frame_began = 0.0
            # An empty frame is a heartbeat of sorts: nothing to keep, nothing to answer.
            if frame.strip():
                self._answer(frame)
        return False

    def _answer(self, frame: bytes) -> None:
        """Delivers the messages of a frame, a batch perhaps, one after another; the answers go in the same order."""
        answers = b"".join(framed(answer) for message in messages(frame) for answer in self._taken(message))
        if answers:
            self._send(answers)

    def _taken(self, message: bytes) -> list[bytes]:
        """Hands one message to custody; the acknowledgements that its sender is owed."""
        began = time.perf_counter()
        head = header(message)
        receipt: Receipt | None = None
        fault: Fault | None
        try:
            receipt = self.server.deliver(self._delivery(head, message))
            fault = receipt.fault
        except Fault as refusal:
            fault = refusal
        except Exception:
            # The edge: a fault of ours must not cost the sender its connection.
            log.exception("mllp.delivery_failed")
            fault = Internal("something went wrong here, send again later")
        if fault:
            took_ms = round((time.perf_counter() - began) * 1e3, 1)
            log.info("mllp.refused", category=fault.category.value, where=fault.where, took_ms=took_ms)
        return acknowledgements(head, fault, receipt)

    def _delivery(self, head: Header, message: bytes) -> Delivery:
        address = str(self.client_address[0])
        origin = self.server.identify(Claim(Channel.MLLP, head.facility[:200], address))
        return Delivery(origin, Format.HL7V2, io.BytesIO(message), head.control_id[:200])

    def _refuse(self, fault: Fault) -> None:
        """Tells the sender of an unfinished frame as much as its beginning allows, AR, before the line is closed."""
        log.warning("mllp.frame_refused", reason=fault.text)
        head = header(self._decoder.begun)
        refusal = Busy(fault.text) if not isinstance(fault, Busy) else fault
        for answer in acknowledgements(head, refusal, None):
            self._send(framed(answer))
        # Closing with unread bytes in the buffer would reset the line before the answer is read.
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(1.0)
            for _ in range(64):
                if not self.request.recv(_READ):
                    break

    def _send(self, content: bytes) -> None:
        self.request.settimeout(self._limits.send_timeout_s)
        self.request.sendall(content)
