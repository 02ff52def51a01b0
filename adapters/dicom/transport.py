"""pynetdicom's transport with the limits and the speed that a hub needs. Source: DICOM PS3.8 section 9."""

import socket
import time
from typing import cast

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

# A longest A-ASSOCIATE-RQ (128 contexts with 40 transfer syntaxes each) is about 200 KB; P-DATA we limit ourselves.
MAX_PDU = 1 << 20
_READ = 1 << 18


class BoundedSocket(AssociationSocket):
    """Reads in large pieces; takes no memory because a PDU says it is long; waits for a whole PDU only so long."""

    def recv(self, nr_bytes: int) -> bytearray:
        """`nr_bytes`, or fewer where the peer closed, was too slow or announced more than any PDU of ours."""
        received = bytearray()
        connection = self.socket
        if nr_bytes > MAX_PDU or connection is None:
            return received
        deadline = time.monotonic() + cast(float, self.assoc.network_timeout)
        while len(received) < nr_bytes and time.monotonic() < deadline:
            piece = connection.recv(min(nr_bytes - len(received), _READ))
            if not piece:
                break
            received += piece
        return received


class BoundedHandler(RequestHandler):
    """Accepts a connection without Nagle's delay and with a limit on silence."""

    def _create_association(self) -> Association:
        connection = cast(socket.socket, self.request)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(self.ae.network_timeout)
        association = super()._create_association()
        # The indication that a connection is there is already queued; only its reader changes.
        cast(AssociationSocket, association.dul.socket).__class__ = BoundedSocket
        return association


class BoundedServer(ThreadedAssociationServer):
    """Closes connections beyond twice the associations allowed: a flood of silent ones costs two threads each."""

    daemon_threads = True

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether another connection may begin to speak."""
        return len(self.active_associations) < 2 * self.ae.maximum_associations
