"""The DICOM network as the hub knows it: its nodes, and what they ask. Source: DICOM PS3.4 annexes C, F and J."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from .delivery import Origin
from .disclosure import Disclosure
from .study import InstanceRecord, SeriesRecord, StudyCriteria, StudyRecord


class QueryRight(StrEnum):
    """What an application entity may find and fetch."""

    NONE = "none"
    OWN = "own"  # what its institution issued
    DISTRICT = "district"  # what any institution issued, as a clinician there


@dataclass(frozen=True, slots=True)
class Node:
    """An application entity of an institution. Its AE title is also the name under which it sends.

    host, port: where it listens itself; nothing is sent to it while `host` is empty. tls: its certificate must be good
    for `host`. may_move: it may be the destination of a C-MOVE that its own institution asks for.
    """

    ae_title: str
    organization: str
    query: QueryRight = QueryRight.NONE
    host: str = ""
    port: int = 104
    tls: bool = False
    may_move: bool = False


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node as registered here."""

    id: int
    node: Node


class Level(StrEnum):
    """Query/Retrieve Level (0008,0052)."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of a patient, as far as the asker may know."""

    studies: int
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class Match:
    """One entity that was found, with those above it. counts: of a patient. sop_classes: in a study."""

    study: StudyRecord
    series: SeriesRecord | None = None
    instance: InstanceRecord | None = None
    counts: Counts | None = None
    sop_classes: tuple[str, ...] = ()


def _everything(_match: Match) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Query:
    """What a C-FIND asks, as far as an index can answer it: everything that matches is among what is found.

    studies: which studies; at the lower levels their Study Instance UID is given. series_uid: of the one series, at
    IMAGE level. details: what only a look at the instances can tell is wanted as well. passes: whether what the index
    found is what was asked for; only that is told, and said to have been shown.
    """

    level: Level
    studies: StudyCriteria
    series_uid: str = ""
    details: bool = False
    passes: Callable[[Match], bool] = _everything


@dataclass(frozen=True, slots=True)
class Selection:
    """What a C-MOVE or C-GET names. Empty parts do not restrict; a list of UIDs is only given at the level asked."""

    level: Level
    patient_identifier: str = ""
    issuer: str = ""
    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    sop_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """Compressed pixel data as native ones. frame_bytes: of each frame. frames: one after another, little endian.

    rgb: they were YBR and have become RGB; otherwise the photometric interpretation is what it was.
    """

    frame_bytes: int
    frames: Iterator[bytes]
    rgb: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance as a peer names it: (0008,1150) and (0008,1155)."""

    sop_class_uid: str
    sop_instance_uid: str


class FailureReason:
    """Failure Reason (0008,1197). Source: DICOM PS3.3 C.14.1.1."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    DUPLICATE_TRANSACTION = 0x0131


@dataclass(frozen=True, slots=True)
class Failure:
    """An instance that we do not vouch for. reason: one of FailureReason."""

    reference: Reference
    reason: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a storage commitment came to: for which instances we are responsible now, and for which not."""

    committed: tuple[Reference, ...] = ()
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Commitment:
    """A storage commitment that was asked for. ae_title: who asked. node: where it listens, None where nobody said."""

    id: int
    transaction_uid: str
    ae_title: str
    attempts: int
    node: Node | None = None
    outcome: Outcome | None = None


class StepState(StrEnum):
    """Performed Procedure Step Status (0040,0252)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """What a modality says of its work, as far as we read it; the rest is kept as it was received.

    sop_instance_uids: what it says it made, images and others; complete once the state is final.
    """

    sop_instance_uid: str
    state: StepState
    study_instance_uid: str = ""
    accession_number: str = ""
    sop_instance_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepMessage:
    """The data set of an N-CREATE or N-SET as it was received."""

    command: str
    transfer_syntax_uid: str
    content: bytes = field(repr=False)


class Archive(Protocol):
    """What the hub answers to peers on the DICOM network. Every read is audited where it happens."""

    def asker(self, origin: Origin) -> Disclosure:
        """The right under which this peer asks. Raises Forbidden where nobody gave it one."""

    def find(self, asker: Disclosure, query: Query) -> Iterator[Match]:
        """Everything that the index finds, page by page. Raises Faults."""

    def select(self, asker: Disclosure, selection: Selection) -> tuple[InstanceRecord, ...]:
        """The instances that are meant, in order; none where there are none, or none that the asker may have."""

    def destination(self, asker: Disclosure, ae_title: str) -> Node:
        """Where a C-MOVE may send. Raises NotFound for a title that is not registered for the asker's institution."""

    def open(self, instance: InstanceRecord) -> BinaryIO:
        """The stored object, seekable. Raises NotFound or Busy where it cannot be had."""

    def decoded(self, instance: InstanceRecord) -> Decoded:
        """Its compressed pixel data, decoded frame by frame. Raises UnsupportedPayload."""

    def commit(self, origin: Origin, ae_title: str, transaction_uid: str, references: tuple[Reference, ...]) -> int:
        """Takes a request for storage commitment down, durably; its id. Raises Faults."""

    def commitment(self, commitment_id: int) -> Commitment:
        """The request with its outcome, which is found out now if it was not yet."""

    def report_elsewhere(self, commitment_id: int) -> None:
        """The requester has hung up: it is to be told on an association of ours, at once."""

    def reported(self, commitment_id: int) -> None:
        """The requester has been told and has confirmed it."""

    def create_step(self, origin: Origin, step: ProcedureStep, message: StepMessage) -> None:
        """Keeps a new procedure step. Raises Conflict where its UID is taken."""

    def set_step(self, origin: Origin, uid: str, said: ProcedureStep | None, message: StepMessage) -> None:
        """Updates a step. said: what we read of the message, empty where it says nothing; None: nothing of ours.

        Raises NotFound for one that we do not know, Conflict for one that is over.
        """


class Courier(Protocol):
    """What tells a peer of a commitment on an association of our own."""

    def report(self, node: Node, commitment: Commitment) -> None:
        """Returns when the peer has confirmed. Raises Fault where it did not."""


@dataclass(frozen=True, slots=True)
class KnownStep:
    """What a modality announced for a study."""

    state: StepState
    sop_instance_uids: frozenset[str]
    updated_at: dt.datetime
