"""Short C-STORE requests of all associations, read and answered by one thread, those that are there at once together.

An interpreter runs one thread at a time. Where each association waits for its peer in a thread of its own, the threads
hand it to one another several times for each instance, and that costs more than to read the instance. So an
association that waits for its next request leaves its connection here. What is short and whole is taken in together;
for all else (another operation, a long object, a peer that is slow or breaks the protocol) its own thread goes on,
with the bytes that have come.
"""

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from schemas.faults import Internal

from . import command as commands
from .command import Command
from .fragments import COMMAND, LAST, PDV
from .messages import Request, Response, failed
from .negotiation import Context
from .pdu import HEAD, P_DATA, Violation

if TYPE_CHECKING:
    from .association import Association

log = structlog.get_logger()

# What is longer goes its own way, and what takes longer to come.
_MOST_BYTES = 1 << 20
_SLOW_S = 1.0
_FIRST_BYTES = 64 << 10
_LOOK_EVERY_S = 0.5
# Peers that were answered together send their next at nearly the same moment: so often, and so long, is waited for the
# last of them (the system makes some 0.06 ms of each). To take two in together costs little more than to take one.
_NAPS, _NAP_S = 10, 0.000_01


@dataclass(frozen=True, slots=True)
class Stored:
    """A C-STORE request that names its instance, and the pieces of its data set, encoded as its context says."""

    association: "Association"
    request: Request
    pieces: Sequence[memoryview]


# Answers such requests, in their order.
Together = Callable[[Sequence[Stored]], Sequence[Response]]


class _UnusualError(Exception):
    """The association's own thread is to look at it."""


class _Inbox:
    """What has come on a connection of the message that is begun there, and perhaps of the next."""

    def __init__(self) -> None:
        self._buffer = bytearray(_FIRST_BYTES)
        self.end = 0
        self._taken = 0
        # The command that was understood last, and its bytes.
        self._said = b""
        self._command: Command = {}

    def receive(self, connection: socket.socket) -> None:
        """Reads what is there. Raises _UnusualError where the peer has gone."""
        if self.end == len(self._buffer):
            self._buffer.extend(bytes(3 * self.end))
        with memoryview(self._buffer) as whole, whole[self.end :] as room:
            try:
                got = connection.recv_into(room, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError as error:
                raise _UnusualError from error
        if not got:
            raise _UnusualError
        self.end += got

    def request(self, contexts: Mapping[int, Context]) -> tuple[Request, list[memoryview]] | None:
        """The C-STORE at its start with its data set; None where that has not come to its end. Raises _UnusualError."""
        said, pieces, ended, context = b"", list[memoryview](), False, 0
        for number, control, piece, last_of in _fragments(memoryview(self._buffer)[: self.end]):
            context = context or number
            if number != context or ended == bool(control & COMMAND):
                raise _UnusualError
            if not ended:
                said += piece
                ended = bool(control & LAST)
                continue
            pieces.append(piece)
            if control & LAST:
                # Whatever stands behind it in its PDU has no place there.
                if not last_of:
                    raise _UnusualError
                self._taken = last_of
                return self._understood(said, contexts.get(context)), pieces
        if ended and not pieces:
            # Nothing may follow: another operation is not to wait for it.
            self._understood(said, contexts.get(context))
        return None

    def _understood(self, said: bytes, context: Context | None) -> Request:
        if said != self._said:
            try:
                self._said, self._command = said, commands.decode(said)
            except Violation as fault:
                raise _UnusualError from fault
        command = self._command
        usual = (
            context is not None
            and command.get("CommandField") == commands.C_STORE
            and command.get("CommandDataSetType", commands.NO_DATA_SET) != commands.NO_DATA_SET
            and "MessageID" in command
            and command.get("AffectedSOPClassUID")
            and command.get("AffectedSOPInstanceUID")
        )
        if not usual or context is None:
            raise _UnusualError
        return Request(command, context)

    def drop(self) -> None:
        """Forgets the request, whose pieces nobody may look at any more."""
        left = self.end - self._taken
        if left:
            self._buffer[:left] = self._buffer[self._taken : self.end]
        self.end, self._taken = left, 0

    def rest(self) -> bytes:
        """All that has come and was not taken."""
        return bytes(self._buffer[: self.end])


def _fragments(come: memoryview) -> Iterator[tuple[int, int, memoryview, int]]:
    """Each fragment of the P-DATA PDUs that are whole: its context, its control header, itself; and where its PDU ends,
    for the last one in it, else 0. Source: DICOM PS3.8 section 9.3.5, annex E.
    """
    place = 0
    while len(come) - place >= HEAD.size:
        kind, length = HEAD.unpack_from(come, place)
        at, place = place + HEAD.size, place + HEAD.size + length
        if kind != P_DATA or length < PDV.size or place > _MOST_BYTES:
            raise _UnusualError
        if place > len(come):
            return
        while at < place:
            if place - at < PDV.size:
                raise _UnusualError
            length, context, control = PDV.unpack_from(come, at)
            start, at = at + PDV.size, at + 4 + length
            if length < 2 or at > place:
                raise _UnusualError
            yield context, control, come[start:at], place if at == place else 0


class _Guest:
    """An association that waits here. since: when its present wait or request began, monotonic seconds."""

    def __init__(self, association: "Association", connection: socket.socket) -> None:
        self.association = association
        self.connection = connection
        self.inbox = _Inbox()
        self.since = time.monotonic()
        # Its request is whole, and waits for its answer: nothing more is read until then.
        self.asks = False
        self._left = threading.Lock()
        self._left.acquire()

    def receive(self) -> Stored | None:
        """Reads what is there; the request where it is whole. Raises _UnusualError."""
        if not self.inbox.end:
            self.since = time.monotonic()
            self.association.idle_since = None
        self.inbox.receive(self.connection)
        return self.look()

    def look(self) -> Stored | None:
        """The request where it is whole, of what has come already. Raises _UnusualError."""
        found = self.inbox.request(self.association.contexts)
        self.asks = found is not None
        return Stored(self.association, *found) if found else None

    def overdue(self, now: float) -> bool:
        """Whether it has waited for as long as it may here."""
        return now - self.since > (_SLOW_S if self.inbox.end else self.association.idle_timeout_s)

    def answered(self, unheard: bytes) -> None:
        """It waits for the next request. unheard: what the peer has not taken of the answer.

        Raises _UnusualError where its own thread has something to do.
        """
        self.asks = False
        self.since = time.monotonic()
        if unheard:
            self.association.owed = unheard
            raise _UnusualError
        if not self.inbox.end:
            self.association.idle_since = self.since
        # Behind the line above: whoever says that it is to end wakes those that are idle.
        if self.association.ending:
            raise _UnusualError

    def wait(self) -> None:
        """Returns when its own thread is to go on."""
        self._left.acquire()

    def leave(self) -> None:
        """Lets its own thread go on."""
        self._left.release()


class Lane:
    """The thread begins with the first who comes. together: answers requests; may take its time."""

    def __init__(self, together: Together) -> None:
        self._together = together
        self._guests: dict[int, _Guest] = {}
        # How many came together of late.
        self._usual = 1.0
        self._closing = False
        self._poll: select.epoll | None = None
        self._bell = -1
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def wait(self, association: "Association", connection: socket.socket) -> bytes:
        """Serves the association, whose connection is at the start of a message, until it is for its own thread to go
        on; returns what has come of the next message.
        """
        guest = _Guest(association, connection)
        poll = self._started()
        self._guests[connection.fileno()] = guest
        poll.register(connection, select.EPOLLIN)
        guest.wait()
        return guest.inbox.rest()

    def _started(self) -> select.epoll:
        with self._starting:
            if self._poll is None:
                self._poll, self._bell = select.epoll(), os.eventfd(0, os.EFD_CLOEXEC)
                self._poll.register(self._bell, select.EPOLLIN)
                self._thread = threading.Thread(target=self._run, args=(self._poll,), name="dicom-lane", daemon=True)
                self._thread.start()
            return self._poll

    def close(self) -> None:
        """Ends the thread. Nobody may wait here any more."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread and self._poll:
                self._closing = True
                os.eventfd_write(self._bell, 1)
                thread.join()
                self._poll.close()
                os.close(self._bell)

    def _run(self, poll: select.epoll) -> None:
        looked = time.monotonic()
        while not self._closing:
            whole = self._received(poll, _LOOK_EVERY_S)
            for _ in range(_NAPS):
                if not whole or len(whole) >= self._usual:
                    break
                time.sleep(_NAP_S)
                whole += self._received(poll, 0)
            if whole:
                self._usual = max(float(len(whole)), self._usual - 0.25)
            while whole:
                whole = self._serve(whole)
            now = time.monotonic()
            if now - looked > _LOOK_EVERY_S:
                looked = now
                for guest in list(self._guests.values()):
                    if guest.overdue(now):
                        self._leave(guest)

    def _received(self, poll: select.epoll, timeout_s: float) -> list[tuple[_Guest, Stored]]:
        """The requests that are whole now."""
        whole = list[tuple[_Guest, Stored]]()
        for number, _ in poll.poll(timeout_s):
            guest = self._guests.get(number)
            if guest is None or guest.asks:
                continue
            with self._or_leave(guest):
                if stored := guest.receive():
                    whole.append((guest, stored))
        return whole

    def _serve(self, whole: list[tuple[_Guest, Stored]]) -> list[tuple[_Guest, Stored]]:
        """Answers the requests; those that stand behind them already, whole."""
        following = list[tuple[_Guest, Stored]]()
        stored = [each for _, each in whole]
        for (guest, each), response in zip(whole, self._answers(stored), strict=True):
            with self._or_leave(guest):
                guest.inbox.drop()
                guest.answered(_said(guest.connection, guest.association.answer(each.request, response)))
                if guest.inbox.end and (another := guest.look()):
                    following.append((guest, another))
        return following

    def _answers(self, stored: Sequence[Stored]) -> Sequence[Response]:
        try:
            return self._together(stored)
        except Exception:  # the edge: these requests fail, the associations go on
            log.exception("dicom.lane-failed", requests=len(stored))
            return [failed(Internal("the request could not be processed"))] * len(stored)

    @contextlib.contextmanager
    def _or_leave(self, guest: _Guest) -> Iterator[None]:
        try:
            yield
        except _UnusualError:
            self._leave(guest)

    def _leave(self, guest: _Guest) -> None:
        number = guest.connection.fileno()
        with contextlib.suppress(OSError):
            if self._poll is not None:
                self._poll.unregister(number)
        self._guests.pop(number, None)
        guest.leave()


def _said(connection: socket.socket, answer: bytes) -> bytes:
    """What of it the peer has not taken: nobody waits here for one that does not read."""
    try:
        return answer[connection.send(answer, socket.MSG_DONTWAIT) :]
    except BlockingIOError:
        return answer
    except OSError as error:
        raise _UnusualError from error
