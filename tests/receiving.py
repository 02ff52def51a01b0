"""The system of an institution that orders: takes HL7 v2 over MLLP, and answers as the test says."""

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import hl7

from adapters.hl7v2.frames import FrameDecoder, framed

# What a receiver answers: bytes to send, or None to hang up without a word.
Answering = Callable[[bytes], bytes | None]


def control_id(message: bytes) -> str:
    """MSH-10."""
    return str(hl7.parse(message.decode("gb18030" if b"GB 18030" in message[:200] else "utf-8"))["MSH"][0][10])


def acknowledgement(message: bytes, code: str, error: str = "") -> bytes:
    """An acknowledgement of a message, framed. error: ERR-3."""
    head = f"MSH|^~\\&|HIS|DH02|DXHUB|DXHUB|20261122||ACK^R01^ACK|A{time.monotonic_ns()}|P|2.5.1\r"
    err = f"ERR|||{error}|E\r" if error else ""
    return framed(f"{head}MSA|{code}|{control_id(message)}\r{err}".encode())


class Receiver:
    """Listens until `close`. received: messages in the order of their arrival, each attempt."""

    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self.answer: Answering = lambda message: acknowledgement(message, "AA")
        self.hang_up_after_each = False
        self._arrived = threading.Condition()
        self._context = context
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    receiver._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """A hub that was killed is what some tests are about."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        if self._context:
            line = self._context.wrap_socket(line, server_side=True)
        with line:
            self._converse(line)

    def _converse(self, line: socket.socket) -> None:
        decoder = FrameDecoder(1 << 26)
        while content := line.recv(65536):
            decoder.feed(content)
            while (message := decoder.next_frame(settle=True)) is not None:
                with self._arrived:
                    self.received.append(message)
                    self._arrived.notify_all()
                answer = self.answer(message)
                if answer is not None:
                    line.sendall(answer)
                if answer is None or self.hang_up_after_each:
                    return

    def wait(self, number: int, timeout_s: float = 20) -> list[bytes]:
        """The messages, once so many have come."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= number, timeout_s), len(self.received)
            return list(self.received)

    def close(self) -> None:
        """Listens no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver(port, context)
    try:
        yield receiver
    finally:
        receiver.close()


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def eventually(found: Callable[[], bool], timeout_s: float = 20) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + timeout_s
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)
