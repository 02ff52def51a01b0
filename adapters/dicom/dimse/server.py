"""Who waits at the door: connections are accepted, given a thread each, and turned away where there is no room."""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from adapters.tls import hang_up, stop_reading
from adapters.turns import Turns

log = structlog.get_logger()

_BACKLOG = 128
# So often, and so long, a process waits for another whose turn it is: that one may be gone, or too busy.
_COURTESIES, _COURTESY_S = 10, 0.002
# Whoever finds no room comes again at once; so many at a time keep the processor from those who are served.
_CROWDED_S = 0.01
# How long a peer may take to hang up once it is told that we do.
_GOODBYE_S = 1.0
_GOODBYE_BYTES = 4 << 20


@dataclass(eq=False)
class Guest:
    """A connection and its thread. idle_since: monotonic seconds, None while there is work on it.

    turned_away: there is no room, it may only be told so. leave: told when it is to end.
    """

    connection: socket.socket
    address: str
    turned_away: bool = False
    idle_since: Callable[[], float | None] = lambda: None
    leave: Callable[[], None] = lambda: None
    thread: threading.Thread | None = None


class Server:
    """Serves on a port, or at a door that listens already, until `stop`.

    serve: called for each connection in a thread of its own; when it returns the connection is closed.
    turns: of the processes that the door listens for.
    most: connections at a time. One that has been idle for `spare_s` gives its place to one that comes.
    """

    def __init__(
        self,
        address: tuple[str, int],
        serve: Callable[[Guest], None],
        *,
        most: int,
        spare_s: float,
        context: ssl.SSLContext | None = None,
        door: socket.socket | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._address = address
        self._serve = serve
        self._most = most
        self._spare_s = spare_s
        self._context = context
        self._door = door
        self._turns = turns or Turns(1)
        self._guests: set[Guest] = set()
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="dicom-accept", daemon=True)

    def start(self) -> int:
        """Binds where there is no door yet, and serves in threads of its own. The port. Raises OSError."""
        if self._door is None:
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            self._door = socket.create_server(self._address, family=family, backlog=_BACKLOG)
            self._door.setblocking(False)
        self._thread.start()
        return int(self._door.getsockname()[1])

    def stop(self, patience_s: float) -> None:
        """Nobody new; who is idle is sent away at once, who is served may finish within the time, then all end."""
        if not self._thread.is_alive():
            return
        self._wake.send(b"\0")
        self._thread.join()
        if self._door is not None:
            self._door.close()
        with self._lock:
            guests = list(self._guests)
        for guest in guests:
            guest.leave()
            if guest.idle_since() is not None:
                stop_reading(guest.connection)
        deadline = time.monotonic() + patience_s
        for last in (False, True):
            for guest in guests:
                if guest.thread is not None:
                    guest.thread.join(max(0.0, deadline - time.monotonic()))
            if not last:
                self._cut(guests)
                deadline = time.monotonic() + _GOODBYE_S
        self._wake.close()
        self._woken.close()

    @staticmethod
    def _cut(guests: list[Guest]) -> None:
        for guest in guests:
            with contextlib.suppress(OSError):
                # Not by the method of an SSLSocket, which would wait for who else uses it.
                socket.socket.shutdown(guest.connection, socket.SHUT_RDWR)

    def _run(self) -> None:
        assert self._door is not None
        poll = select.poll()
        for each in (self._door, self._woken):
            poll.register(each, select.POLLIN)
        while all(number != self._woken.fileno() for number, _ in poll.poll()):
            if not self._is_for_us(poll):
                continue
            try:
                connection, address = self._door.accept()
            except OSError:
                continue  # another process was quicker, or the peer has gone again
            self._welcome(connection, str(address[0]))

    def _is_for_us(self, poll: select.poll) -> bool:
        for _ in range(_COURTESIES):
            if self._turns.mine():
                break
            time.sleep(_COURTESY_S)
            if not poll.poll(0):
                return False
        return True

    def _welcome(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(True)
        with self._lock:
            count = len(self._guests)
            full = count >= self._most and not self._make_room()
        if full:
            time.sleep(_CROWDED_S)
        if full and count >= 2 * self._most:
            # Not even a refusal: each costs a thread.
            log.warning("dicom.refused", reason="too many connections", limit=self._most)
            connection.close()
            return
        guest = Guest(connection, address, turned_away=full)
        if self._context is not None:
            # No handshake here: a peer that is slow at it must keep nobody else from being accepted.
            guest.connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        guest.thread = threading.Thread(target=self._serve_guest, args=(guest,), name="dicom-association", daemon=True)
        with self._lock:
            self._guests.add(guest)
            self._turns.count(len(self._guests))
        guest.thread.start()

    def _make_room(self) -> bool:
        """Sends away who has been idle longest, if it was for long enough."""
        idle = [(since, guest) for guest in self._guests if (since := guest.idle_since()) is not None]
        since, guest = min(idle, key=lambda each: each[0], default=(time.monotonic(), None))
        if guest is None or time.monotonic() - since < self._spare_s:
            return False
        log.info("dicom.made_room", limit=self._most)
        self._guests.discard(guest)
        guest.leave()
        stop_reading(guest.connection)
        return True

    def _serve_guest(self, guest: Guest) -> None:
        try:
            self._serve(guest)
        except Exception as error:  # the edge: one connection ends, nobody else notices
            log.exception("dicom.connection-failed", error=type(error).__name__)
        finally:
            part(guest.connection)
            with self._lock:
                self._guests.discard(guest)
                self._turns.count(len(self._guests))


def part(connection: socket.socket) -> None:
    """Lets the peer hang up first, so that what was said last is heard: neither a reset nor an end overtakes it."""
    left, deadline = _GOODBYE_BYTES, time.monotonic() + _GOODBYE_S
    with contextlib.suppress(OSError, ValueError):
        connection.settimeout(_GOODBYE_S)
        while left > 0 and time.monotonic() < deadline and (piece := socket.socket.recv(connection, 1 << 16)):
            left -= len(piece)
    hang_up(connection)
    connection.close()
