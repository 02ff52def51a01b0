"""The MLLP listener: all connections in one event loop, each message answered when custody has it.

Source: HL7 MLLP release 1 and 2; HL7 v2 chapter 2.9.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from functools import partial

import structlog

from adapters.tls import refusal
from schemas.delivery import Deliver, DeliverTogether, Identify

from .budget import Budget
from .connection import FREE_BYTES, MAX_BYTES, READ_BYTES, Connection, House, Limits
from .intake import Intake

log = structlog.get_logger()
# After an error of the door itself, such as no file handle being left.
_PAUSE_S = 0.1
# How long a process waits at a shared door for each connection that it has already, and the most that it waits.
_STEP_ASIDE_S, _MOST_STEPS = 0.000_5, 16
# Many peers never answer TLS's goodbye.
_GOODBYE_S = 1.0


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
        together: DeliverTogether | None = None,
    ) -> None:
        self.port = port
        self._address = (host, port)
        self._context = context
        self._door = door
        self._limits = limits
        # One frame may always go on, whatever the others hold.
        self.budget = Budget(max(0, limits.memory_bytes - limits.max_bytes), FREE_BYTES)
        self._intake = partial(Intake, deliver=deliver, identify=identify, together=together)
        self._open: set[Connection] = set()
        self._arriving: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._empty = asyncio.Event()

    def start(self) -> None:
        """Binds and serves in a thread of its own. Raises OSError where the port is taken."""
        door = self._door or _opened(self._address)
        self.port = door.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(door, ready)), name="mllp-listener", daemon=True
        )
        self._thread.start()
        ready.wait()
        log.info("mllp.listening", port=self.port, encrypted=self._context is not None)

    def stop(self) -> None:
        """No new connections, no new messages; returns when what was being delivered has been answered."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        log.info("mllp.stopped", port=self.port)

    async def _serve(self, door: socket.socket, ready: threading.Event) -> None:
        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(_failed)
        self._stopping = asyncio.Event()
        intake = self._intake(loop)
        buffer = memoryview(bytearray(READ_BYTES))
        house = House(loop, self._limits, self.budget, buffer, intake.take, self._over)
        accepting = loop.create_task(self._accept(house, door))
        ready.set()
        await self._stopping.wait()
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        door.close()
        await self._finish()
        intake.close()

    async def _finish(self) -> None:
        """Ends idle connections, and waits for the busy ones."""
        for task in self._arriving:
            task.cancel()
        for connection in list(self._open):
            connection.end()
        if self._open:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self._limits.stop_timeout_s)
        for connection in list(self._open):
            connection.abort()

    def _over(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    async def _accept(self, house: House, door: socket.socket) -> None:
        while True:
            try:
                await self._my_turn(house.loop, door)
                line, address = door.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                log.error("mllp.cannot_accept", error=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
                continue
            if not self._has_room():
                log.warning("mllp.refused", reason="too many connections", limit=self._limits.max_connections)
                line.close()
                continue
            connection = Connection(house, str(address[0]))
            self._open.add(connection)
            # No handshake here: a peer that is slow at it must keep nobody else from being accepted.
            arriving = house.loop.create_task(self._welcome(house, connection, line))
            self._arriving.add(arriving)
            arriving.add_done_callback(self._arriving.discard)

    async def _my_turn(self, loop: asyncio.AbstractEventLoop, door: socket.socket) -> None:
        """Until somebody knocks; at a door of several processes, long enough for one with fewer connections to open.

        Otherwise the first to wake takes all that knock together, and works alone.
        """
        knocked: asyncio.Future[None] = loop.create_future()
        loop.add_reader(door, _once, knocked)
        try:
            await knocked
        finally:
            loop.remove_reader(door)
        if self._door is not None:
            await asyncio.sleep(_STEP_ASIDE_S * min(len(self._open), _MOST_STEPS))

    async def _welcome(self, house: House, connection: Connection, line: socket.socket) -> None:
        try:
            line.setblocking(False)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            patience: dict[str, float] = {}
            if self._context:
                patience = {
                    "ssl_handshake_timeout": self._limits.handshake_timeout_s,
                    "ssl_shutdown_timeout": _GOODBYE_S,
                }
            await house.loop.connect_accepted_socket(lambda: connection, line, ssl=self._context, **patience)
        except OSError as error:
            log.warning("tls.refused", reason=refusal(error))
            self._over(connection)
        except asyncio.CancelledError:
            line.close()
            self._over(connection)
            raise

    def _has_room(self) -> bool:
        """Each connection may hold a frame in memory, so their number is a limit on memory too."""
        if len(self._open) < self._limits.max_connections:
            return True
        idle = [(each.idle_since, each) for each in self._open if each.idle_since is not None]
        if not idle:
            return False
        # A peer that only holds its place gives it up to one that comes to send; it may come again.
        log.info("mllp.made_room", limit=self._limits.max_connections)
        _, longest = min(idle, key=lambda each: each[0])
        longest.end()
        self._open.discard(longest)
        return True


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
    together: DeliverTogether | None = None,
) -> MllpListener:
    """An MLLP listener, not yet started. `max_bytes`: of a frame; `limits`: all that a peer may ask of us.

    memory_bytes: of the unfinished frames of all connections together.
    context: speaks TLS alone where given (see adapters.tls.server_context).
    door: a socket that listens already, perhaps for several processes; it must not block.
    together: takes the small messages that wait at the same moment (see Intake).
    """
    return MllpListener(
        host, port, deliver, identify, limits or Limits(max_bytes, memory_bytes), context, door, together
    )


def _opened(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    door = socket.create_server(address, family=family, backlog=128)
    door.setblocking(False)
    return door


def _once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _failed(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    # Its message could hold patient data.
    log.error("mllp.connection_failed", error=type(context.get("exception")).__name__)
