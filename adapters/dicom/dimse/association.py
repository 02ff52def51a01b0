"""An association that a peer asked for, and the services that it may use. Source: DICOM PS3.7, PS3.8.

How a service is written. A `Service` names a command field (C-FIND-RQ 0x0020, N-ACTION-RQ 0x0130, …) and the SOP
classes for which it answers; its `serve` is called in the association's own thread with the association and the
`Request`, and yields `Response`s, each of which is sent before the next is asked for:

    def serve(association: Association, request: Request) -> Iterator[Response]:
        wanted = request.dataset()                       # raises InvalidPayload; answered for you
        for each in found(wanted, association.origin):
            if association.cancelled(request):           # looks without waiting
                yield Response(0xFE00)
                return
            yield Response(0xFF00, encoded(each, request.context))
        yield Response(0x0000)

Blocking is fine: nobody else waits for this thread. A Fault that it raises is answered by `status`, any other
exception by 0x0110; the association goes on. `Ended` must pass through: the peer is gone. What of `request.data` was
not read is read over. While it runs, it may ask the peer something itself and wait for the answer: `ask`, for the
C-STORE sub-operations of a C-GET (`contexts_for` finds the contexts on which the peer takes objects) and for
N-EVENT-REPORT. Who asks is `association.origin`: the registered source that the calling AE title, the address and the
certificate stand for.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from schemas.delivery import Origin
from schemas.faults import Fault, Internal

from . import command as commands
from .command import Command, Value, number
from .fragments import DataSet, Inbound, outgoing
from .lane import Lane
from .line import Line
from .messages import Request, Response, failed
from .negotiation import Context, is_storage
from .pdu import AssociateRequest, Ended, Violation

log = structlog.get_logger()

# A peer may send a request while it is asked something itself, and another while that one asks: there it ends.
_MAX_DEPTH = 4
_UNRECOGNISED_OPERATION = 0x0211


Serve = Callable[["Association", Request], Iterable[Response]]


@dataclass(frozen=True, slots=True)
class Service:
    """Who answers a command. sop_classes: for which abstract syntaxes; none means those of storage."""

    field: int
    sop_classes: frozenset[str]
    serve: Serve


class Association:
    """One peer's association, once it is accepted. For services; `run` is the listener's."""

    def __init__(
        self,
        line: Line,
        request: AssociateRequest,
        contexts: Mapping[int, Context],
        origin: Origin,
        services: Iterable[Service],
        idle_timeout_s: float,
        lane: Lane | None = None,
    ) -> None:
        self.calling_ae_title = request.calling
        self.called_ae_title = request.called
        self.origin = origin
        self.contexts = contexts
        # Set from outside: finish what is begun, then end.
        self.ending = False
        # Since when it waits for a peer that has begun nothing; None while there is work on it. Monotonic seconds.
        self.idle_since: float | None = None
        self.idle_timeout_s = idle_timeout_s
        # What the peer was to be told and has not taken yet.
        self.owed = b""
        self._line = line
        self._lane = lane
        self._inbound = Inbound(line)
        self._services = tuple(services)
        self._max_length = request.max_length
        self._asked = 0
        self._depth = 0
        self._cancelled: set[int] = set()
        self._waiting: Request | None = None

    def run(self) -> None:
        """Serves until the peer ends it, which raises Ended or Violation, or until it is `ending`."""
        while not self.ending:
            # Before the last look at `ending`: whoever sets it wakes those that are idle.
            self.idle_since = time.monotonic()
            self._share()
            if self.ending:
                return
            self._line.allow(self.idle_timeout_s)
            message = self._next()
            if isinstance(message, Request):
                self._serve(message)
                self._cancelled.clear()

    def _share(self) -> None:
        """Leaves to the lane what it can serve; returns when there is something for this thread."""
        connection = self._line.plain
        if self._lane is None or connection is None or not self._inbound.between_pdus:
            return
        come = self._lane.wait(self, connection)
        if self.owed:
            self._line.send(self.owed)
            self.owed = b""
        elif not come and not self.ending:
            raise Ended("the peer has gone, or was idle for too long")
        self._line.restore(come)

    def contexts_for(self, abstract_syntax: str, *transfer_syntaxes: str) -> Iterator[Context]:
        """Where the peer takes requests of that class, in one of these transfer syntaxes where any is named."""
        for each in self.contexts.values():
            fits = not transfer_syntaxes or each.transfer_syntax in transfer_syntaxes
            if each.peer_is_scp and each.abstract_syntax == abstract_syntax and fits:
                yield each

    def cancelled(self, request: Request) -> bool:
        """Whether the peer has taken its request back (C-CANCEL-RQ). Does not wait. Raises Ended."""
        while self._waiting is None and self._line.ready():
            self._line.allow()
            message = self._next()
            if isinstance(message, Request):
                self._waiting = message
        return request.message_id in self._cancelled

    def ask(self, context: Context, command: Mapping[str, Value], data: bytes | BinaryIO | None = None) -> Command:
        """Sends a request and waits for its answer, which is returned. Raises Ended.

        command: CommandField, AffectedSOPClassUID and the like; the message's id and whether it has a data set are
        added. What the peer asks meanwhile is served.
        """
        self._asked = self._asked % 0xFFFF + 1
        kind = commands.NO_DATA_SET if data is None else commands.DATA_SET
        self._send(context, {**command, "MessageID": self._asked, "CommandDataSetType": kind}, data)
        mine = self._asked
        self._depth += 1
        try:
            while True:
                self._line.allow()
                message = self._next()
                if not isinstance(message, Request):
                    if number(message, "MessageIDBeingRespondedTo") == mine:
                        return message
                elif self._depth >= _MAX_DEPTH:
                    raise Violation("requests within requests")
                else:
                    self._serve(message)
        finally:
            self._depth -= 1

    def _next(self) -> Request | Command:
        """The next request, or the command of an answer, or that of a C-CANCEL, which is noted."""
        if self._waiting is not None:
            message, self._waiting = self._waiting, None
            return message
        number_of_context, encoded_command = self._inbound.command()
        self.idle_since = None
        context = self.contexts.get(number_of_context)
        if context is None:
            raise Violation("a message in a presentation context that was not accepted")
        command = commands.decode(encoded_command)
        if "CommandField" not in command or "CommandDataSetType" not in command:
            raise Violation("a command that does not say what it is")
        has_data = command["CommandDataSetType"] != commands.NO_DATA_SET
        data = DataSet(self._inbound, number_of_context) if has_data else None
        kind = number(command, "CommandField")
        if kind != commands.C_CANCEL and not kind & commands.RESPONSE:
            return Request(command, context, data)
        if data is not None:
            data.drain()
        if kind == commands.C_CANCEL:
            self._cancelled.add(number(command, "MessageIDBeingRespondedTo"))
        return command

    def _serve(self, request: Request) -> None:
        if "MessageID" not in request.command:
            raise Violation("a request without a message id")
        serve = self._service(request)
        try:
            for response in serve(self, request):
                self._answer(request, response)
        except Fault as fault:
            self._answer(request, failed(fault))
        except Ended:
            raise
        except Exception:  # the edge: one request fails, the association goes on
            log.exception("dicom.service-failed", field=f"{request.field:04X}")
            self._answer(request, failed(Internal("the request could not be processed")))

    def _service(self, request: Request) -> Serve:
        uid = request.context.abstract_syntax
        for service in self._services:
            if service.field == request.field and (uid in service.sop_classes or _stores(service, uid)):
                return service.serve
        return lambda _association, _request: [Response(_UNRECOGNISED_OPERATION)]

    def _answer(self, request: Request, response: Response) -> None:
        if request.data is not None:
            request.data.drain()
        self._send(request.context, _answering(request, response), response.data)

    def answer(self, request: Request, response: Response) -> bytes:
        """The answer as it is sent, for whoever sends it in this association's place."""
        command = commands.encode(_answering(request, response))
        return b"".join(outgoing(request.context.number, command, response.data, self._max_length))

    def _send(self, context: Context, command: Mapping[str, Value], data: bytes | BinaryIO | None) -> None:
        for piece in outgoing(context.number, commands.encode(command), data, self._max_length):
            self._line.send(piece)


def _answering(request: Request, response: Response) -> Command:
    command = {
        "AffectedSOPClassUID": request.command.get("AffectedSOPClassUID") or request.text("RequestedSOPClassUID"),
        "CommandField": request.field | commands.RESPONSE,
        "MessageIDBeingRespondedTo": request.message_id,
        "CommandDataSetType": commands.NO_DATA_SET if response.data is None else commands.DATA_SET,
        "Status": response.status,
    }
    instance = request.text("AffectedSOPInstanceUID") or request.text("RequestedSOPInstanceUID")
    if instance:
        command["AffectedSOPInstanceUID"] = instance
    return {**command, **response.more}


def _stores(service: Service, uid: str) -> bool:
    return not service.sop_classes and is_storage(uid)
