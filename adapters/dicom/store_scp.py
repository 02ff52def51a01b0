"""The DICOM door: C-ECHO, C-STORE, and the services it is given. Source: DICOM PS3.4 annexes A and B, PS3.7 9.1.

Every storage SOP class in every transfer syntax is taken as it comes: what this hub cannot draw it can still keep.
The data set of a request goes into custody as its fragments arrive, so memory stays flat and nothing is written twice.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from struct import pack

import structlog

from schemas.delivery import Deliver, Delivery, Format, Identify
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
    services: what else peers may ask for, beside C-ECHO and C-STORE. context: speaks TLS alone where given.
    door: a socket that listens already, perhaps for several processes; it must not block.
    spare_s: for so long an association may be idle while others find no room.
    """

    def __init__(
        self,
        host: str,
        port: int,
        deliver: Deliver,
        identify: Identify,
        *,
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
    ) -> None:
        self.port = port
        terms = Terms(ae_title, check_called_ae_title, max_pdu, timeout_s, idle_timeout_s, min(timeout_s, 15.0))
        own = (Service(C_STORE, frozenset(), _Store(deliver)), Service(C_ECHO, frozenset({VERIFICATION}), _echo))
        acceptor = Acceptor(terms, identify, (*own, *services))
        self._encrypted = context is not None
        self._server = Server(
            (host, port), acceptor.serve, most=max_associations, spare_s=spare_s, context=context, door=door
        )

    def start(self) -> None:
        """Bind and serve in threads of its own. Raises OSError where the port cannot be had."""
        self.port = self._server.start()
        log.info("dicom.listening", port=self.port, encrypted=self._encrypted)

    def stop(self, patience_s: float = 10.0) -> None:
        """Take no new association; let every request that has begun be answered; then end the rest."""
        self._server.stop(patience_s)
        log.info("dicom.stopped", port=self.port)


def _echo(_association: Association, _request: Request) -> Iterator[Response]:
    yield Response(0x0000)


class _Store:
    """C-STORE: custody first, then the answer; whatever goes wrong is answered too."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

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
        took_ms = round((time.monotonic() - started) * 1000, 1)
        log.info("dicom.stored", status=f"{status(fault):04X}", took_ms=took_ms)
        yield Response(0x0000) if fault is None else failed(fault)

    def _take(self, association: Association, request: Request) -> Fault | None:
        class_uid, instance_uid = request.text("AffectedSOPClassUID"), request.text("AffectedSOPInstanceUID")
        if request.data is None or not class_uid or not instance_uid:
            raise Violation("a C-STORE that names no instance or brings none")
        content = request.data.preceded(_file_meta(class_uid, instance_uid, request.context.transfer_syntax))
        origin = replace(association.origin, received_at=datetime.now(UTC))
        message_id = instance_uid if _UID.fullmatch(instance_uid) else ""
        return self._deliver(Delivery(origin, Format.DICOM, content, message_id)).fault


def _file_meta(class_uid: str, instance_uid: str, transfer_syntax: str) -> bytes:
    """Preamble and file meta information of an instance that came by network. Source: DICOM PS3.10 section 7.1."""
    body = b"".join(
        [
            b"\2\0\1\0OB\0\0\2\0\0\0\0\1",
            _element(0x02, b"UI", class_uid),
            _element(0x03, b"UI", instance_uid),
            _element(0x10, b"UI", transfer_syntax),
            _element(0x12, b"UI", IMPLEMENTATION_UID),
            _element(0x13, b"SH", IMPLEMENTATION_NAME),
        ]
    )
    return b"".join([bytes(128), b"DICM\2\0\0\0UL\4\0", pack("<L", len(body)), body])


def _element(number: int, vr: bytes, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    raw += (b" " if vr == b"SH" else b"\0") * (len(raw) % 2)
    return pack("<HH2sH", 2, number, vr, len(raw)) + raw
