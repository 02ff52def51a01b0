"""Requests and answers as services see them, and their data sets. Source: DICOM PS3.7 sections 9 and 10."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import dsutils

from adapters.dicom.status import comment, status
from schemas.faults import Fault, Internal, InvalidPayload

from .command import Command, Value, number
from .fragments import DataSet
from .negotiation import Context

# Queries and lists of instances; an object never comes this way.
MAX_DATASET = 16 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the peer. data: its data set as it arrives, None where it has none; read once."""

    command: Command
    context: Context
    data: DataSet | None = None

    @property
    def field(self) -> int:
        """Which operation it is: (0000,0100)."""
        return number(self.command, "CommandField")

    @property
    def message_id(self) -> int:
        """(0000,0110), which the answers repeat."""
        return number(self.command, "MessageID")

    def text(self, keyword: str) -> str:
        """An element of the command as text, empty where it is absent."""
        return str(self.command.get(keyword, ""))

    def dataset(self, most: int = MAX_DATASET) -> Dataset:
        """The data set, decoded; empty where there is none. Raises InvalidPayload."""
        return Dataset() if self.data is None else decoded(self.data, self.context, most)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. data: encoded in the transfer syntax of the request's context (see `encoded`).

    more: elements of the command set beside those that every answer has (ErrorComment, EventTypeID, the numbers of
    sub-operations, AffectedSOPInstanceUID where it is not the request's).
    """

    status: int
    data: bytes | None = None
    more: Mapping[str, Value] = field(default_factory=dict)


def failed(fault: Fault) -> Response:
    """The answer that tells of a fault, by the statuses of storage."""
    return Response(status(fault), more={"ErrorComment": comment(fault)})


def decoded(data: BinaryIO | DataSet, context: Context, most: int = MAX_DATASET) -> Dataset:
    """A data set in a context's transfer syntax. Raises InvalidPayload for one that is broken or longer than `most`."""
    raw = bytearray()
    while piece := data.read(1 << 16):
        raw += piece
        if len(raw) > most:
            raise InvalidPayload(f"a data set of more than {most >> 20} MiB where a short one was expected")
    syntax = UID(context.transfer_syntax)
    try:
        found = dsutils.decode(BytesIO(raw), syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        for _ in found.iterall():  # elements are decoded when they are looked at: now, where a fault is a fault
            pass
    except Exception as error:  # pydicom raises whatever the bytes provoke
        raise InvalidPayload("the data set cannot be read") from error
    return found


def encoded(dataset: Dataset, context: Context) -> bytes:
    """A data set in the transfer syntax of a context. Raises Internal where it cannot be written."""
    syntax = UID(context.transfer_syntax)
    raw = dsutils.encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    if raw is None:
        raise Internal("an answer could not be encoded")
    return raw
