"""What arrives, what a reader finds in it, and what the sender gets back."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from .ecg import EcgRecording
from .faults import FAULTS, Category, Fault
from .order import ServiceOrder
from .organization import Source
from .patient import Merge, Patient
from .report import Report
from .study import Instance


class Format(StrEnum):
    """The forms in which reports arrive; each has exactly one reader."""

    DICOM = "dicom"
    HL7V2 = "hl7v2"
    AECG = "aecg"
    SCP_ECG = "scp-ecg"
    MUSE_XML = "muse-xml"
    SIERRA_XML = "sierra-xml"
    MFER = "mfer"
    EDF = "edf"
    WFDB = "wfdb"
    PDF = "pdf"
    PICTURE = "picture"  # PNG or JPEG
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """The door through which a delivery came."""

    C_STORE = "c-store"
    STOW_RS = "stow-rs"
    MLLP = "mllp"
    UPLOAD = "upload"
    WATCH = "watch"  # a file dropped into a folder
    REPAIR = "repair"  # a person's corrected copy of something that waited


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a peer says it is, before anyone believes it.

    name: calling AE title, MSH-4 (facility), the account of an upload, or the folder of a dropped file.
    address: the peer's IP address, empty for a folder.
    certificate: what its verified certificate proves, any of `cn:`, `dns:`, `ip:`, `uri:`, `email:` and `sha256:` with
      a value; None where the door asks for no certificate.
    """

    channel: Channel
    name: str
    address: str
    certificate: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PatientHint:
    """Who the patient is, told beside a file that cannot say it itself (a PDF), by the person who uploads."""

    patient: Patient
    category: str = ""
    title: str = ""
    observed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a delivery came from. `received_at` is our clock, UTC. `account`: who uploaded, empty for machines."""

    source: Source
    channel: Channel
    received_at: dt.datetime
    address: str = ""
    account: str = ""
    hint: PatientHint | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes on their way in. `content` is read once, from where it stands to its end.

    message_id: the sender's own id of the message (MSH-10, SOP Instance UID), empty where it has none.
    """

    origin: Origin
    format: Format
    content: BinaryIO
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Accounting:
    """What became of the parts (segments, elements, leads) of a payload; mapped + kept + flagged = total.

    notes: one line for each part that was not simply mapped: where it stands and why. Never a patient's data.
    """

    total: int = 0
    mapped: int = 0
    kept: int = 0
    flagged: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found. Pure data: the reader neither stores nor asks.

    patients: demographics told for their own sake (ADT), latest state. update: they replace what was known.
    merges: patients of whom one number is no longer used (ADT^A40). orders: requests, told by whoever placed them.
    parts: contents that reports point at by digest (attachments) and that are kept as objects of their own.
    refused: contents within the content that could not be read while others could; each becomes a delivery of its own.
    recordings: (key of the report, waveform) pairs; the hub keeps them in canonical form and links them.
    """

    reports: tuple[Report, ...] = ()
    patients: tuple[Patient, ...] = ()
    update: bool = False
    merges: tuple[Merge, ...] = ()
    orders: tuple[ServiceOrder, ...] = ()
    instances: tuple[Instance, ...] = ()
    parts: tuple[bytes, ...] = ()
    recordings: tuple[tuple[str, EcgRecording], ...] = ()
    refused: tuple[bytes, ...] = ()
    accounting: Accounting = field(default_factory=Accounting)


class State(StrEnum):
    """What became of a delivery. Whatever the state, its bytes are kept."""

    INDEXED = "indexed"
    HELD = "held"  # contradicts what is known; a person decides
    QUARANTINED = "quarantined"  # could not be read, or a kind we do not take
    REPAIRED = "repaired"  # could not be taken as it came; a corrected copy of it is indexed


WAITING = frozenset({State.HELD, State.QUARANTINED})


class RepairReason(StrEnum):
    """Why a person made a corrected copy. A code, not a sentence: it stands in the audit trail, which names nobody."""

    IDENTIFIER = "identifier"
    ORDER_NUMBER = "order-number"
    STRUCTURE = "structure"
    CHARACTER_SET = "character-set"
    CODE = "code"
    TIME = "time"
    VALUE_FORM = "value-form"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the hub promises about a delivery. The same bytes from the same source earn the same receipt.

    report_ids: the reports that it made or extended. category, text, where: of the fault, empty when indexed.
    """

    delivery_id: int
    digest: str
    state: State
    received_at: dt.datetime
    report_ids: tuple[int, ...] = ()
    category: str = ""
    text: str = ""
    where: str = ""

    @property
    def fault(self) -> Fault | None:
        """The fault to render for the sender; None when the delivery was taken and indexed."""
        return FAULTS[Category(self.category)](self.text, where=self.where) if self.category else None


# A reader turns content (seekable, at its start) into canonical values, or raises a Fault and nothing else.
Read = Callable[[BinaryIO, Origin], Reading]
# What a content (seekable) says: a digest, the same for two that differ in their encoding alone. Raises Faults.
Meaning = Callable[[BinaryIO], str]
# Custody: bytes durable, then read, then index committed. Returns a receipt, whose `fault` tells of a refusal with
# the bytes kept; raises Busy or Internal only when nothing could be promised at all.
Deliver = Callable[[Delivery], Receipt]
# The same for several at once, in their order: a receipt, or why nothing could be promised.
DeliverTogether = Callable[[Sequence[Delivery]], list[Receipt | Fault]]
# Who a sender is: raises Forbidden for one that nobody registered.
Identify = Callable[[Claim], Origin]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery as custody knows it, for the quarantine page and for `verify`.

    repair_of: the delivery that this one is a corrected copy of, 0 for none. repaired_by: the copies made of it.
    contests: reports of which it says that they are another patient's, while nobody has settled that.
    """

    id: int
    digest: str
    size: int
    format: Format
    channel: Channel
    source: str
    organization: str
    message_id: str
    received_at: dt.datetime
    state: State
    category: str = ""
    text: str = ""
    where: str = ""
    report_ids: tuple[int, ...] = ()
    accounting: Accounting = field(default_factory=Accounting)
    repair_of: int = 0
    repaired_by: tuple[int, ...] = ()
    contests: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryCriteria:
    """What a search for deliveries asks. Empty fields do not restrict; [since, until) is half open, by our clock.

    text: found in the message id, the source's name, the digest's start or the fault. source: in the source's name or
    its institution's code. category: of the fault.
    """

    state: State | None = None
    text: str = ""
    source: str = ""
    category: Category | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
