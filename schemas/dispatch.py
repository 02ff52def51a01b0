"""Reports on their way out: where they go, what became of each, and what a protocol must offer to carry them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from .report import Report, ReportCategory

# What a receiver may be sent: MSH-18 as HL7 table 0211 names it, and the Python codec.
CHARSETS: Mapping[str, str] = MappingProxyType({"UNICODE UTF-8": "utf-8", "GB 18030-2000": "gb18030"})


@dataclass(frozen=True, slots=True)
class Destination:
    """The system of an institution that orders, to which its results are sent on.

    organization: code of the institution. charset: one of CHARSETS. categories: which reports it gets,
    all where empty. tls: its certificate must be good for `host`. receiving_application, receiving_facility: MSH-5,
    MSH-6. active: false keeps what waits and adds nothing.
    """

    organization: str
    name: str
    host: str
    port: int
    tls: bool = False
    receiving_application: str = ""
    receiving_facility: str = ""
    charset: str = "UNICODE UTF-8"
    categories: tuple[ReportCategory, ...] = ()
    active: bool = True

    def takes(self, category: ReportCategory) -> bool:
        """Whether reports of this kind go there."""
        return self.active and (not self.categories or category in self.categories)


@dataclass(frozen=True, slots=True)
class DestinationRecord:
    """A destination as kept, and how it stands with it. last_delivered_at: our clock; None where nothing ever was."""

    id: int
    destination: Destination
    waiting: int = 0
    dead: int = 0
    last_delivered_at: dt.datetime | None = None


class DispatchState(StrEnum):
    """What became of a report that was to be sent on."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # refused for what it says; a person decides
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class DispatchRecord:
    """One version of a report on its way to one destination.

    control_id: MSH-10, the same on every attempt. code, text: the last answer (MSA-1 and its reason), or the fault of
    the line with an empty code. decided_by, reason: of the person who gave it up or had it sent once more.
    """

    id: int
    destination_id: int
    destination: str
    organization: str
    report_id: int
    version: int
    control_id: str
    state: DispatchState
    attempts: int
    created_at: dt.datetime
    next_attempt_at: dt.datetime
    settled_at: dt.datetime | None = None
    code: str = ""
    text: str = ""
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A version of a report, with all that its message needs; the same value gives the same bytes.

    control_id: MSH-10, at most 20 characters. sent_at: when it was made, our clock. contents: its attachments by
    digest; those that are not there are named and left out.
    """

    report: Report
    control_id: str
    sent_at: dt.datetime
    contents: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said of a message. taken: it is responsible now. later: refused, but not for what it says."""

    code: str
    taken: bool
    later: bool = False
    text: str = ""


class Line(Protocol):
    """An open connection to a destination."""

    def send(self, message: bytes) -> Answer:
        """Sends one message and waits for its answer. Raises Busy where none comes; the line is of no use then."""

    def close(self) -> None: ...


class Sender(Protocol):
    """What a protocol offers to carry reports out."""

    def render(self, outgoing: Outgoing, destination: Destination) -> bytes:
        """The message. Raises InvalidPayload where the report cannot be said in this protocol."""

    def connect(self, destination: Destination) -> Line:
        """Raises Busy where the destination cannot be reached or is not who it should be."""
