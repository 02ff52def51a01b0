"""The sending side of MLLP: one message, one answer, in order. Source: HL7 MLLP release 1; HL7 v2 chapter 2.9."""

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass

import structlog

from schemas.dispatch import Answer, Destination, Line, Outgoing
from schemas.faults import Busy, InvalidPayload

from .er7 import Message, parse
from .escapes import unescape
from .frames import FrameDecoder, framed
from .header import header
from .writer import write

log = structlog.get_logger()
_READ = 64 * 1024
_LONGEST_ANSWER = 1 << 20
_TAKEN = frozenset({"AA", "CA"})
_REJECTED = frozenset({"AR", "CR"})
# Table 0357: what no later attempt will change. 206 (locked), 207 (internal error) and silence may pass.
_LASTING = frozenset({"100", "101", "102", "103", "104", "200", "201", "202", "203", "204", "205"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for the connection and its handshake, and for the answer to a message."""

    connect_timeout_s: float = 10.0
    answer_timeout_s: float = 30.0


class MllpSender:
    """Carries reports out as ORU^R01. context: with which destinations that speak TLS are met."""

    def __init__(self, context: ssl.SSLContext, patience: Patience) -> None:
        self._context = context
        self._patience = patience

    def render(self, outgoing: Outgoing, destination: Destination) -> bytes:
        """See adapters.hl7v2.writer."""
        return write(outgoing, destination)

    def connect(self, destination: Destination) -> Line:
        """Raises Busy where the destination cannot be reached, or is not who its certificate should prove."""
        address = (destination.host, destination.port)
        try:
            line = socket.create_connection(address, timeout=self._patience.connect_timeout_s)
        except (OSError, UnicodeError) as error:
            raise Busy(f"cannot be reached: {type(error).__name__}", where="destination") from error
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if destination.tls:
            line = self._encrypted(line, destination.host)
        return MllpLine(line, self._patience.answer_timeout_s)

    def _encrypted(self, line: socket.socket, host: str) -> ssl.SSLSocket:
        try:
            return self._context.wrap_socket(line, server_hostname=host)
        except (OSError, ValueError) as error:
            line.close()
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
            raise Busy(f"no encrypted connection: {reason}", where="destination") from error


class MllpLine:
    """An open connection. answer_timeout_s: from the last byte sent to the end of the answer."""

    def __init__(self, line: socket.socket, answer_timeout_s: float) -> None:
        self._line = line
        self._answer_timeout_s = answer_timeout_s
        self._decoder = FrameDecoder(_LONGEST_ANSWER)

    def send(self, message: bytes) -> Answer:
        """Raises Busy where no answer to this message comes in time; what is heard afterwards would be of doubt."""
        try:
            self._line.settimeout(self._answer_timeout_s)
            self._line.sendall(framed(message))
            return self._answer(header(message).control_id)
        except OSError as error:
            raise Busy(f"the line broke: {type(error).__name__}", where="destination") from error
        except InvalidPayload as error:
            raise Busy("the answer cannot be read", where="destination") from error

    def _answer(self, control_id: str) -> Answer:
        deadline = time.monotonic() + self._answer_timeout_s
        while True:
            frame = self._frame(deadline)
            found = _acknowledgement(frame, control_id)
            if found:
                return found
            # Of another message: the late answer to one that was given up waiting for.
            log.debug("mllp.answer_of_another")

    def _frame(self, deadline: float) -> bytes:
        while True:
            frame = self._decoder.next_frame(settle=True)
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._line.settimeout(left)
            content = self._line.recv(_READ)
            if not content:
                raise ConnectionResetError
            self._decoder.feed(content)

    def close(self) -> None:
        """Ends the connection, politely where it is encrypted and the peer still listens."""
        with contextlib.suppress(OSError, ValueError):
            self._line.settimeout(1.0)
            if isinstance(self._line, ssl.SSLSocket):
                self._line.unwrap()
        self._line.close()


def _acknowledgement(frame: bytes, control_id: str) -> Answer | None:
    """What MSA and ERR say; None where they speak of another message. Raises InvalidPayload without an MSA."""
    message = parse(frame)
    msa = next((segment for segment in message.segments if segment.name == "MSA"), None)
    if msa is None:
        raise InvalidPayload("expected an acknowledgement", where="MSA")
    if msa[2] and msa[2] != control_id:
        return None
    code = message.delimiters.first(msa[1]).upper()
    condition, said = _error(message)
    words = unescape(said or msa[3], message.delimiters, message.decoded.escape_codec)
    later = code in _REJECTED and condition not in _LASTING
    return Answer(code, taken=code in _TAKEN, later=later, text=" ".join(words.split()))


def _error(message: Message) -> tuple[str, str]:
    """ERR-3 (2.5 and later) or ERR-1.4 (before), and what it says to a person: ERR-8, ERR-7, or the code's words."""
    err = next((segment for segment in message.segments if segment.name == "ERR"), None)
    if err is None:
        return "", ""
    first = message.delimiters.first
    if err[3]:
        return first(err[3]), err[8] or err[7] or first(err[3], 2)
    code = first(err[1], 4)
    parts = message.delimiters.split(code, message.delimiters.subcomponent)
    return parts[0], parts[1] if len(parts) > 1 else ""


def sender(context: ssl.SSLContext, patience: Patience | None = None) -> MllpSender:
    """A sender for every destination. context: see adapters.tls.client_context."""
    return MllpSender(context, patience or Patience())
