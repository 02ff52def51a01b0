"""Associations that we ask for ourselves: to send what a C-MOVE wants, and to report. Source: DICOM PS3.7, PS3.8.

pynetdicom's queues every PDU of an object before the first is on the wire: an object of a gigabyte in memory.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from struct import Struct
from struct import error as struct_error
from typing import BinaryIO, Self

from schemas.faults import Busy

from . import command as commands
from .command import Command, Value, number
from .fragments import Inbound, outgoing
from .line import Line
from .negotiation import Context
from .pdu import (
    APPLICATION_CONTEXT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    ASSOCIATE_RQ,
    HEAD,
    IMPLEMENTATION_NAME,
    IMPLEMENTATION_UID,
    MAX_PDU,
    RELEASE_RQ,
    Ended,
    Proposed,
    Violation,
    _item,
    _items,
    _role_bytes,
    _text,
    abort,
)

# PS3.8 9.3.2: a presentation context's number is odd and one byte.
MOST_CONTEXTS = 128
_OUR_MAX_PDU = 64 << 10
_LONG = Struct(">L")
_MINE = Struct(">HH16s16s32s")


class Requestor:
    """An association with a peer, open while the block runs. contexts: those that the peer took."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        called: str,
        calling: str,
        proposed: Sequence[tuple[str, tuple[str, ...]]],
        scp_for: Sequence[str] = (),
        context: ssl.SSLContext | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        """proposed: (abstract syntax, transfer syntaxes) pairs. scp_for: classes for which we are the SCP although we
        ask for the association. context: speaks TLS. Raises Busy where no association comes about.
        """
        self._asked = 0
        self._titles = called.ljust(16).encode("ascii", "replace"), calling.ljust(16).encode("ascii", "replace")
        self._socket = _connected(host, port, context, timeout_s)
        try:
            self._line = Line(self._socket, timeout_s)
            self._inbound = Inbound(self._line)
            self.contexts = self._agreed(proposed, scp_for)
        except (Ended, struct_error) as end:
            self._socket.close()
            raise Busy("the peer did not answer as DICOM has it", where="association") from end
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with suppress(Ended, struct_error):
            self._line.send(abort(None) if kind else HEAD.pack(RELEASE_RQ, 4) + bytes(4))
            if not kind:
                self._line.allow(5.0)
                self._line.exactly(HEAD.size + 4)
        self._socket.close()

    def contexts_for(self, abstract_syntax: str) -> tuple[Context, ...]:
        """What was agreed for that class."""
        return tuple(each for each in self.contexts if each.abstract_syntax == abstract_syntax)

    def ask(self, context: Context, command: Mapping[str, Value], data: bytes | BinaryIO | None = None) -> Command:
        """Sends a request and waits for its answer, which is returned. data: streamed. Raises Ended.

        What `data` raises while it is read leaves the message unfinished: the association is of no use then.
        """
        self._asked = self._asked % 0xFFFF + 1
        kind = commands.NO_DATA_SET if data is None else commands.DATA_SET
        encoded = commands.encode({**command, "MessageID": self._asked, "CommandDataSetType": kind})
        for piece in outgoing(context.number, encoded, data, self._max_length):
            self._line.send(piece)
        self._line.allow()
        _, answer = self._inbound.command()
        found = commands.decode(answer)
        if number(found, "MessageIDBeingRespondedTo") != self._asked:
            raise Violation("an answer to something else")
        if found.get("CommandDataSetType", commands.NO_DATA_SET) != commands.NO_DATA_SET:
            raise Violation("an answer with a data set, where none has one")
        return found

    def _agreed(self, proposed: Sequence[tuple[str, tuple[str, ...]]], scp_for: Sequence[str]) -> tuple[Context, ...]:
        asked = [Proposed(2 * place + 1, *each) for place, each in enumerate(proposed[:MOST_CONTEXTS])]
        self._line.send(self._request(asked, scp_for))
        self._line.allow()
        kind, length = HEAD.unpack(self._line.exactly(HEAD.size))
        if length > MAX_PDU:
            raise Violation("an answer longer than any")
        body = self._line.exactly(length)
        if kind != ASSOCIATE_AC:
            why = f" ({body[1]}/{body[2]}/{body[3]})" if kind == ASSOCIATE_RJ and length == 4 else ""
            raise Busy(f"the peer rejected the association{why}", where="association")
        if length < _MINE.size:
            raise Violation("an A-ASSOCIATE-AC is cut short")
        items = list(_items(body[_MINE.size :]))
        lengths = [
            _LONG.unpack(raw)[0] for item, user in items if item == 0x50 for each, raw in _items(user) if each == 0x51
        ]
        self._max_length = int(lengths[0]) if lengths else 0
        abstract = {each.number: each.abstract_syntax for each in asked}
        return tuple(_accepted(raw, abstract) for item, raw in items if item == 0x21 and len(raw) > 4 and raw[2] == 0)

    def _request(self, asked: Sequence[Proposed], scp_for: Sequence[str]) -> bytes:
        user = [
            _item(0x51, _LONG.pack(_OUR_MAX_PDU)),
            _item(0x52, IMPLEMENTATION_UID.encode()),
            *(_item(0x54, _role_bytes(uid, False, True)) for uid in scp_for),
            _item(0x55, IMPLEMENTATION_NAME.encode()),
        ]
        items = [
            _item(0x10, APPLICATION_CONTEXT.encode()),
            *(_item(0x20, bytes([each.number, 0, 0, 0]) + b"".join(_syntaxes(each))) for each in asked),
            _item(0x50, b"".join(user)),
        ]
        body = _MINE.pack(1, 0, *self._titles, b"") + b"".join(items)
        return HEAD.pack(ASSOCIATE_RQ, len(body)) + body


def _syntaxes(proposed: Proposed) -> list[bytes]:
    transfer = [_item(0x40, each.encode("ascii", "replace")) for each in proposed.transfer_syntaxes]
    return [_item(0x30, proposed.abstract_syntax.encode("ascii", "replace")), *transfer]


def _accepted(raw: bytes, abstract: Mapping[int, str]) -> Context:
    syntaxes = [_text(value) for kind, value in _items(raw[4:]) if kind == 0x40]
    if raw[0] not in abstract or len(syntaxes) != 1:
        raise Violation("a presentation context that was not proposed")
    return Context(raw[0], abstract[raw[0]], syntaxes[0], peer_is_scp=True)


def _connected(host: str, port: int, context: ssl.SSLContext | None, timeout_s: float) -> socket.socket:
    try:
        plain = socket.create_connection((host, port), timeout=timeout_s)
    except OSError as error:
        raise Busy(f"the peer cannot be reached ({type(error).__name__})", where="association") from error
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise Busy(f"no TLS with the peer ({type(error).__name__})", where="association") from error


__all__ = ["MOST_CONTEXTS", "Requestor"]
