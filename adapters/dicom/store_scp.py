"""The DICOM door: C-ECHO, C-STORE, and the services it is given. Source: DICOM PS3.4 annexes A and B, PS3.7 9.1.

Every storage SOP class in every transfer syntax is taken as it comes: what this hub cannot draw it can still keep.
The data set of a request goes into custody as its fragments arrive, so memory stays flat and nothing is written twice.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from struct import pack
from typing import BinaryIO

import structlog

from adapters.turns import Turns
from schemas.delivery import Deliver, DeliverTogether, Delivery, Format, Identify, Origin
from schemas.faults import Fault, Internal

from .dimse import (
    IMPLEMENTATION_NAME,
    IMPLEMENTATION_UID,
    VERIFICATION,
    Acceptor,
    Association,
    Ended,
    Request,
    Response,
    Server,
    Service,
    Stored,
    Terms,
    failed,
)
from .dimse.command import C_ECHO, C_STORE
from .dimse.pdu import Violation
from .status import status

log = structlog.get_logger()

_UID = re.compile(r"[0-9.]{1,64}")


class StoreScp:
    """Listens for associations and hands what they store to custody; answers when custody has answered.

    ae_title: ours; a caller that names another is refused only with `check_called_ae_title`, because half of all
    devices are configured carelessly and the calling side is who must be known.
    together: takes short objects of several associations at once, which is faster.
    services: what else peers may ask for, beside C-ECHO and C-STORE. context: speaks TLS alone where given.
    door: a socket that listens already; it must not block. turns: of the processes that it listens for.
    spare_s: for so long an association may be idle while others find no room.
    """

    def __init__(
        self,
        host: str,
        port: int,
        deliver: Deliver,
        identify: Identify,
        *,
        together: DeliverTogether | None = None,
        services: Sequence[Service] = (),
        ae_title: str = "DXHUB",
        check_called_ae_title: bool = False,
        max_associations: int = 64,
        max_pdu: int = 256 << 10,
        timeout_s: float = 60.0,
        idle_timeout_s: float = 300.0,
        spare_s: float = 2.0,
        context: ssl.SSLContext | None = None,
        door: socket.socket | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.port = port
        terms = Terms(ae_title, check_called_ae_title, max_pdu, timeout_s, idle_timeout_s, min(timeout_s, 15.0))
        store = _Store(deliver, together)
        own = (Service(C_STORE, frozenset(), store), Service(C_ECHO, frozenset({VERIFICATION}), _echo))
        self._acceptor = Acceptor(terms, identify, (*own, *services), store.together if together else None)
        self._encrypted = context is not None
        self._server = Server(
            (host, port),
            self._acceptor.serve,
            most=max_associations,
            spare_s=spare_s,
            context=context,
            door=door,
            turns=turns,
        )

    def start(self) -> None:
        """Bind and serve in threads of its own. Raises OSError where the port cannot be had."""
        self.port = self._server.start()
        log.info("dicom.listening", port=self.port, encrypted=self._encrypted)

    def stop(self, patience_s: float = 10.0) -> None:
        """Take no new association; let every request that has begun be answered; then end the rest."""
        self._server.stop(patience_s)
        self._acceptor.close()
        log.info("dicom.stopped", port=self.port)


def _echo(_association: Association, _request: Request) -> Iterator[Response]:
    yield Response(0x0000)


class _Store:
    """C-STORE: custody first, then the answer; whatever goes wrong is answered too."""

    def __init__(self, deliver: Deliver, together: DeliverTogether | None) -> None:
        self._deliver = deliver
        self._deliver_together = together

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        started = time.monotonic()
        fault: Fault | None
        try:
            fault = self._take(association, request)
        except Fault as raised:
            fault = raised
        except Ended:
            raise
        except Exception:  # the edge: one request fails, the association goes on
            log.exception("dicom.store-failed")
            fault = Internal("the request could not be processed")
        yield _answered(fault, started)

    def _take(self, association: Association, request: Request) -> Fault | None:
        if request.data is None or not _named(request):
            raise Violation("a C-STORE that names no instance or brings none")
        content = request.data.preceded(_file_meta(request))
        return self._deliver(_delivery(association, request, content, datetime.now(UTC))).fault

    def together(self, stored: Sequence[Stored]) -> list[Response]:
        """Several that have come whole."""
        if self._deliver_together is None:
            raise Internal("nobody takes several objects at once")
        started, now = time.monotonic(), datetime.now(UTC)
        outcomes = self._deliver_together(
            [
                _delivery(
                    each.association, each.request, BytesIO(b"".join((_file_meta(each.request), *each.pieces))), now
                )
                for each in stored
            ]
        )
        return [_answered(each if isinstance(each, Fault) else each.fault, started) for each in outcomes]


def _named(request: Request) -> bool:
    return bool(request.text("AffectedSOPClassUID") and request.text("AffectedSOPInstanceUID"))


def _delivery(association: Association, request: Request, content: BinaryIO, now: datetime) -> Delivery:
    known = association.origin
    # By hand: `replace` takes longer than all else here.
    origin = Origin(known.source, known.channel, now, known.address, known.account, known.hint)
    instance_uid = request.text("AffectedSOPInstanceUID")
    return Delivery(origin, Format.DICOM, content, instance_uid if _UID.fullmatch(instance_uid) else "")


_SUCCESS = Response(0x0000)


def _answered(fault: Fault | None, started: float) -> Response:
    if fault is None:
        # Custody has told of it already.
        return _SUCCESS
    log.info("dicom.refused", status=f"{status(fault):04X}", took_ms=round((time.monotonic() - started) * 1000, 1))
    return failed(fault)


def _file_meta(request: Request) -> bytes:
    """Preamble and file meta information of an instance that came by network. Source: DICOM PS3.10 section 7.1."""
    before, behind = _around(request.text("AffectedSOPClassUID"), request.context.transfer_syntax)
    uid = _element(0x03, b"UI", request.text("AffectedSOPInstanceUID"))
    length = len(before) + len(uid) + len(behind)
    return b"".join([_PREAMBLE, pack("<L", length), before, uid, behind])


_PREAMBLE = bytes(128) + b"DICM\2\0\0\0UL\4\0"


@lru_cache(256)
def _around(sop_class: str, transfer_syntax: str) -> tuple[bytes, bytes]:
    """What stands before and behind the instance's own UID: the same for all that a device sends."""
    before = b"\2\0\1\0OB\0\0\2\0\0\0\0\1" + _element(0x02, b"UI", sop_class)
    behind = [
        _element(0x10, b"UI", transfer_syntax),
        _element(0x12, b"UI", IMPLEMENTATION_UID),
        _element(0x13, b"SH", IMPLEMENTATION_NAME),
    ]
    return before, b"".join(behind)


def _element(number: int, vr: bytes, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    raw += (b" " if vr == b"SH" else b"\0") * (len(raw) % 2)
    return pack("<HH2sH", 2, number, vr, len(raw)) + raw
