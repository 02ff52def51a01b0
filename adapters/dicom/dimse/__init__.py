"""The DICOM upper layer and message exchange as an acceptor needs them, on plain blocking sockets.

pynetdicom's own has two threads and a queue an association, which cost more than the rest of receiving an image. What
a service has to know stands in `association`. Source: DICOM PS3.7, PS3.8.
"""

from .acceptor import Acceptor, Terms
from .association import Association, Serve, Service
from .lane import Stored
from .messages import Request, Response, decoded, encoded, failed
from .negotiation import VERIFICATION, Context
from .pdu import IMPLEMENTATION_NAME, IMPLEMENTATION_UID, Ended
from .server import Server

__all__ = [
    "IMPLEMENTATION_NAME",
    "IMPLEMENTATION_UID",
    "VERIFICATION",
    "Acceptor",
    "Association",
    "Context",
    "Ended",
    "Request",
    "Response",
    "Serve",
    "Server",
    "Service",
    "Stored",
    "Terms",
    "decoded",
    "encoded",
    "failed",
]
