"""The DICOM door: C-ECHO and C-STORE. Source: DICOM PS3.4 annexes A and B, PS3.7 section 9.1.

Every storage SOP class in every transfer syntax is taken as it comes: what this hub cannot draw it can still keep.
The data set of a request goes to a temporary file as its fragments arrive, so memory stays flat.
"""

import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any, cast

import structlog
from pydicom import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, _config, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from schemas.delivery import Channel, Claim, Deliver, Delivery, Format, Identify, Origin
from schemas.faults import Busy, Fault, Forbidden, Internal, InvalidPayload

from .meta import REFERENCED
from .status import comment, status
from .transport import BoundedAssociation, BoundedHandler, BoundedServer, at

log = structlog.get_logger(__name__)

# (result, source, reason) of A-ASSOCIATE-RJ, PS3.8 table 9-21.
_UNKNOWN_CALLER = (0x01, 0x01, 0x03)
_CONGESTED = (0x02, 0x03, 0x01)

# Private and future storage classes are kept too, and a data set never stands in memory as a whole.
_config.UNRESTRICTED_STORAGE_SERVICE = True
_config.STORE_RECV_CHUNKED_DATASET = True
# pynetdicom's own log repeats what peers send, names and all; ours says what happened.
_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)


class StoreScp:
    """Listens for associations and hands what they store to custody; answers when custody has answered.

    ae_title: ours; a caller that names another is refused only with `check_called_ae_title`, because half of all
    devices are configured carelessly and the calling side is who must be known.
    door: a socket that listens already, perhaps for several processes; it must not block.
    """

    def __init__(
        self,
        host: str,
        port: int,
        deliver: Deliver,
        identify: Identify,
        *,
        ae_title: str = "DXHUB",
        check_called_ae_title: bool = False,
        max_associations: int = 32,
        max_pdu: int = 256 << 10,
        timeout_s: float = 60.0,
        door: socket.socket | None = None,
    ) -> None:
        self.port = port
        self._door = door
        self._host = host
        self._deliver = deliver
        self._identify = identify
        self._origins: dict[Association, Origin] = {}
        # In custody, and answered but not yet on the wire.
        self._storing: set[Association] = set()
        self._answering: set[Association] = set()
        self._idle = threading.Condition()
        self._stopping = False
        self._server: BoundedServer | None = None
        self._ae = AE(ae_title=ae_title)
        self._ae.maximum_associations = max_associations
        self._ae.maximum_pdu_size = max_pdu
        self._ae.network_timeout = timeout_s
        self._ae.acse_timeout = min(timeout_s, 15.0)
        self._ae.dimse_timeout = timeout_s
        self._ae.require_called_aet = check_called_ae_title
        self._ae.add_supported_context(Verification, ALL_TRANSFER_SYNTAXES[:])

    def start(self) -> None:
        """Bind and serve in threads of its own. Raises OSError where the port cannot be had."""
        handlers: list[Any] = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_C_ECHO, lambda _event: 0x0000),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DIMSE_SENT, self._sent),
        ]
        server = self._ae.make_server(
            (self._host, self.port), evt_handlers=handlers, server_class=at(self._door), request_handler=BoundedHandler
        )
        assert isinstance(server, BoundedServer)
        server.ended = self._ended
        self._ae._servers.append(server)
        self._server = server
        self.port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.1,), name="dicom-listener", daemon=True).start()
        log.info("dicom.listening", port=self.port, ae_title=self._ae.ae_title)

    def stop(self, patience_s: float = 10.0) -> None:
        """Take no new association; let every store that has reached custody be answered; then end the rest."""
        if self._server is None:
            return
        server, self._server = self._server, None
        with self._idle:
            self._stopping = True
        server.shutdown()
        deadline = time.monotonic() + patience_s
        with self._idle:
            self._idle.wait_for(lambda: not (self._storing or self._answering), timeout=patience_s)
        for association in server.active_associations:
            association.abort()
            # One that still waits for a request has to be woken.
            association.dul.to_user_queue.put(cast(Any, None))
        for association in server.active_associations:
            association.join(max(0.0, deadline - time.monotonic()))
        log.info("dicom.stopped", port=self.port)

    def _requested(self, event: Event) -> None:
        """Who calls must be known before anything else is said."""
        association = event.assoc
        request = association.requestor.primitive
        assert request is not None
        name = (request.calling_ae_title or "").strip()
        address = association.requestor.address or ""
        try:
            origin = self._identify(Claim(Channel.C_STORE, name, address))
            with self._idle:
                self._origins[association] = origin
            for context in request.presentation_context_definition_list:
                kept: list[Any] = [syntax for syntax in context.transfer_syntax if syntax not in REFERENCED]
                context.transfer_syntax = kept or list(context.transfer_syntax)
        except Fault as fault:
            self._reject(association, _UNKNOWN_CALLER if isinstance(fault, Forbidden) else _CONGESTED)
            log.warning("dicom.rejected", category=fault.category.value, address=address)
        except Exception:  # the edge: a bug of ours ends this association, not the listener
            self._reject(association, _CONGESTED)
            log.exception("dicom.rejected", address=address)

    @staticmethod
    def _reject(association: Association, reason: tuple[int, int, int]) -> None:
        association.acse.send_reject(*reason)
        association.is_rejected = True
        association.kill()

    def _store(self, event: Event) -> Dataset:
        """Custody first, then the answer; whatever goes wrong is answered too."""
        association = event.assoc
        with self._idle:
            refused = Busy("the hub is stopping; send again later") if self._stopping else None
            self._storing.add(association)
        started = time.monotonic()
        fault: Fault | None
        try:
            fault = refused or self._take(event)
        except Fault as raised:
            fault = raised
        except Exception:  # the edge: one request fails, the association goes on
            log.exception("dicom.store-failed", address=association.requestor.address)
            fault = Internal("the request could not be processed")
        took_ms = round((time.monotonic() - started) * 1000, 1)
        log.info("dicom.stored", status=f"{status(fault):04X}", took_ms=took_ms)
        with self._idle:
            self._storing.discard(association)
            self._answering.add(association)
        answer = Dataset()
        answer.Status = status(fault)
        if fault is not None:
            answer.ErrorComment = comment(fault)
        return answer

    def _take(self, event: Event) -> Fault | None:
        request = event.request
        path: Path | None = getattr(request, "_dataset_path", None)
        if path is None or not isinstance(request, C_STORE):
            raise InvalidPayload("a C-STORE request without a data set", where="(0000,0800)")
        instance_uid = str(request.AffectedSOPInstanceUID or "")
        # A short message is complete before its file could be hidden.
        with cast(BoundedAssociation, event.assoc).readers.pop(path, None) or path.open("rb") as content:
            receipt = self._deliver(Delivery(self._origins[event.assoc], Format.DICOM, content, instance_uid))
        return receipt.fault

    def _sent(self, event: Event) -> None:
        """The answer to a store is on its way."""
        with self._idle:
            self._answering.discard(event.assoc)
            self._idle.notify_all()

    def _ended(self, association: Association) -> None:
        with self._idle:
            self._origins.pop(association, None)
            self._answering.discard(association)
            self._idle.notify_all()
