"""pynetdicom's transport with the limits and the speed that a hub needs. Source: DICOM PS3.8 section 9."""

import gc
import queue
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import structlog
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

log = structlog.get_logger(__name__)

# A longest A-ASSOCIATE-RQ (128 contexts with 40 transfer syntaxes each) is about 200 KB; P-DATA we limit ourselves.
MAX_PDU = 1 << 20
# A command set holds a few UIDs and AE titles.
MAX_COMMAND = 64 << 10
_READ = 1 << 18
# So many associations that are over are worth a look through the memory.
_LEFT_BEHIND = 64
_PDU_TYPES = range(1, 8)


class BoundedSocket(AssociationSocket):
    """Reads in large pieces; takes no memory because a PDU says it is long; waits for a whole PDU only so long."""

    # Set on instances of the library's class, whose constructor has run by then.
    _in_body = False

    def recv(self, nr_bytes: int) -> bytearray:
        """`nr_bytes`: a PDU's head of six, then its body. Nothing, which ends the connection, for what is no PDU.

        Fewer where the peer closed or was too slow.
        """
        body, self._in_body = self._in_body, not self._in_body
        if nr_bytes > MAX_PDU:
            return bytearray()
        received = self._read(nr_bytes)
        known = body or (bool(received) and received[0] in _PDU_TYPES)
        return received if known else bytearray()

    def _read(self, count: int) -> bytearray:
        received = bytearray()
        connection = self.socket
        deadline = time.monotonic() + cast(float, self.assoc.network_timeout)
        while connection is not None and len(received) < count and time.monotonic() < deadline:
            piece = connection.recv(min(count - len(received), _READ))
            if not piece:
                break
            received += piece
        return received


class BoundedDimse(DIMSEServiceProvider):
    """Ends the association of a peer whose messages cannot be what they claim, instead of dying of them."""

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the next fragments of a message."""
        try:
            super().receive_primitive(primitive)
            self._hide()
            held = self.message.encoded_command_set.tell() if self.message else 0
        except Exception as error:  # noqa: BLE001 the edge of a connection: whatever a peer's bytes provoke
            log.warning("dicom.protocol-violation", error=type(error).__name__)
            held = MAX_COMMAND + 1
        if held > MAX_COMMAND:
            # Evt19: invalid PDU, answered by A-P-ABORT (PS3.8 table 9-10).
            self.dul.event_queue.put("Evt19")

    def _hide(self) -> None:
        """Take the name from the temporary file that is being written: images of patients outlive no crash of ours."""
        file = getattr(self.message, "_data_set_file", None)
        path = Path(file.name) if file else None
        readers = cast(BoundedAssociation, self.assoc).readers
        if path is not None and path not in readers:
            readers[path] = path.open("rb")
            path.unlink()


class BoundedAssociation(Association):
    """Leaves nothing behind, however it ends: no file of a data set that came in part, no entry in anybody's table.

    readers: the data sets that are on their way or wait for custody, by the names that their files had.
    """

    readers: dict[Path, BinaryIO]

    def run(self) -> None:
        """The association, from its request to its end."""
        try:
            super().run()
        finally:
            self.dul.join(5)
            for holder in (self.dimse.message, *self._unserved()):
                _discard(getattr(holder, "_data_set_file", None) or getattr(holder, "_dataset_file", None))
            for reader in self.readers.values():
                reader.close()
            server = cast(BoundedServer, self._server)
            server.over += 1
            server.ended(self)

    def _serve_request(self, msg: Any, context_id: int) -> None:  # noqa: ANN401 one of pynetdicom's request classes
        """One request. A message that is none would else be dropped without a word, its sender left waiting."""
        try:
            super()._serve_request(msg, context_id)
        finally:
            _discard(getattr(msg, "_dataset_file", None))
        if not msg.is_valid_request:
            log.warning("dicom.protocol-violation", error="InvalidRequest")
            self.abort()

    def _unserved(self) -> list[object]:
        """Requests that were complete but whose turn never came."""
        left: list[object] = []
        with suppress(queue.Empty):
            while True:
                left.append(self.dimse.msg_queue.get(block=False)[1])
        return left


def _discard(file: Any) -> None:  # noqa: ANN401 a NamedTemporaryFile that pynetdicom made, or None
    if file is not None:
        with suppress(OSError):
            file.close()
            Path(file.name).unlink(missing_ok=True)


class BoundedHandler(RequestHandler):
    """Accepts a connection without Nagle's delay and with a limit on silence."""

    def _create_association(self) -> Association:
        connection = cast(socket.socket, self.request)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(self.ae.network_timeout)
        association = super()._create_association()
        # pynetdicom names these classes itself, so they are changed after it has made them.
        association.__class__ = BoundedAssociation
        cast(BoundedAssociation, association).readers = {}
        association.dimse.__class__ = BoundedDimse
        cast(AssociationSocket, association.dul.socket).__class__ = BoundedSocket
        return association


class BoundedServer(ThreadedAssociationServer):
    """Closes connections beyond twice the associations allowed: a flood of silent ones costs two threads each.

    ended: told of every association that is over.
    """

    daemon_threads = True
    door: socket.socket | None = None
    over = 0
    ended: Callable[[Association], None] = staticmethod(lambda _association: None)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether another connection may begin to speak."""
        return len(self.active_associations) < 2 * self.ae.maximum_associations

    def service_actions(self) -> None:
        """Free what associations that are over have left: circles, which nobody else looks for in time.

        pynetdicom looks every six seconds, through all of the memory, whether or not there was one; everybody waits.
        """
        if self.over >= _LEFT_BEHIND:
            self.over = 0
            gc.collect()

    def server_bind(self) -> None:
        """Take the door that is open already, where there is one."""
        if self.door is None:
            super().server_bind()
            return
        cast(socket.socket, self.socket).close()
        self.socket, self.server_address = self.door, self.door.getsockname()

    def server_activate(self) -> None:
        """Listen, unless the door does."""
        if self.door is None:
            super().server_activate()


def at(door: socket.socket | None) -> type[BoundedServer]:
    """The server for that door. pynetdicom makes the server itself, and binds it while it is made."""
    return type("ServerAtDoor", (BoundedServer,), {"door": door})
