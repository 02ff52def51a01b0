"""From a connection to an association: who asks, what may be talked about, and the end of it. Source: DICOM PS3.8."""

import functools
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from adapters.tls import identities, shake_hands
from schemas.delivery import Channel, Claim, Identify
from schemas.faults import Fault, Forbidden

from .association import Association, Service
from .lane import Lane, Together
from .line import Line
from .negotiation import agree
from .pdu import (
    APPLICATION_CONTEXT,
    ASSOCIATE_RQ,
    HEAD,
    MAX_PDU,
    UNEXPECTED_PDU,
    UNRECOGNISED_PDU,
    UNSPECIFIED,
    AssociateRequest,
    Ended,
    Violation,
    abort,
    associate_accept,
    associate_reject,
    associate_request,
)
from .server import Guest

log = structlog.get_logger()

# (result, source, reason) of A-ASSOCIATE-RJ, PS3.8 table 9-21.
_NO_APPLICATION, _UNKNOWN_CALLER, _UNKNOWN_CALLED = (1, 1, 2), (1, 1, 3), (1, 1, 7)
_OTHER_VERSION, _CONGESTED, _NO_ROOM = (1, 2, 2), (2, 3, 1), (2, 3, 2)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms associations are accepted. Times in seconds.

    max_pdu: longest P-DATA that we ask for. timeout_s: of a PDU that has begun, and of what we send. idle_timeout_s:
    between two messages. establish_timeout_s: until the association is asked for, and for a TLS handshake.
    """

    ae_title: str = "DXHUB"
    check_called_ae_title: bool = False
    max_pdu: int = 256 << 10
    timeout_s: float = 60.0
    idle_timeout_s: float = 300.0
    establish_timeout_s: float = 15.0


class Acceptor:
    """Serves one connection after another, each call of `serve` in a thread of its own."""

    def __init__(
        self, terms: Terms, identify: Identify, services: Sequence[Service], together: Together | None = None
    ) -> None:
        self._terms = terms
        # Short objects of all associations, where somebody takes several at once.
        self._lane = Lane(together) if together else None
        self._identify = identify
        self._services = tuple(services)
        self._served = frozenset(uid for service in services for uid in service.sop_classes)

    def close(self) -> None:
        """Call it when every `serve` has returned."""
        if self._lane:
            self._lane.close()

    def serve(self, guest: Guest) -> None:
        """One connection, from its first byte to its last."""
        began = time.monotonic()
        # Who is slow to say who he is holds a place with nothing begun, as much as who is idle afterwards.
        guest.idle_since = lambda: began
        certificate = None
        if isinstance(guest.connection, ssl.SSLSocket):
            if not shake_hands(guest.connection, self._terms.establish_timeout_s):
                return
            proven = guest.connection.context.verify_mode is ssl.CERT_REQUIRED
            certificate = identities(guest.connection) if proven else None
        line = Line(guest.connection, self._terms.timeout_s)
        try:
            self._associated(guest, line, certificate)
        except Violation as fault:
            log.warning("dicom.protocol-violation", address=guest.address, what=str(fault))
            _say(line, abort(fault.reason))
        except Ended as end:
            log.debug("dicom.ended", address=guest.address, why=str(end))

    def _associated(self, guest: Guest, line: Line, certificate: frozenset[str] | None) -> None:
        request = self._requested(line)
        association = self._established(guest, line, request, certificate)
        if association is None:
            return
        guest.idle_since = lambda: association.idle_since
        guest.leave = functools.partial(setattr, association, "ending", True)
        try:
            association.run()
        except Violation:
            raise
        except Ended:
            if association.ending and association.idle_since is not None:
                _say(line, abort(UNSPECIFIED))
            raise
        _say(line, abort(UNSPECIFIED))

    def _requested(self, line: Line) -> AssociateRequest:
        line.allow(min(self._terms.timeout_s, self._terms.establish_timeout_s))
        kind, length = HEAD.unpack(line.exactly(HEAD.size))
        if kind != ASSOCIATE_RQ:
            known = 0 < kind < 8 and length <= MAX_PDU
            raise Violation("no association was asked for", UNEXPECTED_PDU if known else UNRECOGNISED_PDU)
        if length > MAX_PDU:
            raise Violation("an A-ASSOCIATE-RQ is longer than any")
        return associate_request(line.exactly(length))

    def _established(
        self, guest: Guest, line: Line, request: AssociateRequest, certificate: frozenset[str] | None
    ) -> Association | None:
        """The association, answered; None where it is rejected, which is answered too."""
        refusal = self._refusal(guest, request)
        claim = Claim(Channel.C_STORE, request.calling, guest.address, certificate)
        try:
            origin = None if refusal else self._identify(claim)
        except Fault as fault:
            refusal = _UNKNOWN_CALLER if isinstance(fault, Forbidden) else _CONGESTED
        except Exception:  # the edge: a bug of ours rejects this association, the listener goes on
            log.exception("dicom.identify-failed", address=guest.address)
            refusal = _CONGESTED
        if refusal or origin is None:
            log.warning("dicom.rejected", address=guest.address, reason=refusal)
            line.send(associate_reject(*(refusal or _CONGESTED)))
            return None
        agreement = agree(request, self._served)
        idle_timeout_s = self._terms.idle_timeout_s
        association = Association(line, request, agreement.contexts, origin, self._services, idle_timeout_s, self._lane)
        line.send(associate_accept(request, agreement.answers, agreement.roles, self._terms.max_pdu))
        return association

    def _refusal(self, guest: Guest, request: AssociateRequest) -> tuple[int, int, int] | None:
        if guest.turned_away:
            return _NO_ROOM
        if not request.version & 1:
            return _OTHER_VERSION
        if request.application_context != APPLICATION_CONTEXT:
            return _NO_APPLICATION
        if self._terms.check_called_ae_title and request.called != self._terms.ae_title:
            return _UNKNOWN_CALLED
        return None


def _say(line: Line, pdu: bytes) -> None:
    try:
        line.send(pdu)
    except Ended:
        log.debug("dicom.unheard")
