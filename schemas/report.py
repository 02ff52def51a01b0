"""A report: what a clinician opens, judges and reuses. A sequence of versions; none is ever overwritten."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from .codes import Coding
from .identifiers import DICOM_UID, Identifier
from .observation import Observation
from .patient import Patient


class ReportCategory(StrEnum):
    """The regional centre that a report belongs to."""

    IMAGING = "imaging"
    LABORATORY = "laboratory"
    ECG = "ecg"
    OTHER = "other"


class ReportStatus(StrEnum):
    """FHIR R4 diagnostic-report-status."""

    REGISTERED = "registered"
    PARTIAL = "partial"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


WITHDRAWN = frozenset({ReportStatus.CANCELLED, ReportStatus.ENTERED_IN_ERROR})
# Flag of a document that stands beside a reading and is none: dose, measurements, a log.
SUPPLEMENT = "supplement"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that came with a report; its bytes lie in the object store under `digest` (SHA-256, hex)."""

    media_type: str
    title: str
    digest: str
    size: int

    @classmethod
    def of(cls, content: bytes, media_type: str, title: str) -> "Attachment":
        return cls(media_type, title, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True, slots=True)
class Pointer:
    """A document that the source keeps: where it says that it lies. Never fetched, never made a link.

    address: as sent, and as untrustworthy: a web address, a path, a UNC name.
    """

    address: str
    title: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """The report, and the result within it, that this report goes on from: a culture, and the organism grown in it.

    placer_order_number, filler_order_number: of the parent (OBR-29). code, sub_id, value: of the result (OBR-26).
    """

    placer_order_number: str = ""
    filler_order_number: str = ""
    code: Coding = field(default_factory=lambda: Coding(""))
    sub_id: str = ""
    value: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Under which the parent may be known, the laboratory's own first."""
        return tuple(dict.fromkeys(n for n in (self.filler_order_number, self.placer_order_number) if n))


@dataclass(frozen=True, slots=True)
class Overread:
    """Who read the report here and stands by it. at: our clock. of_version: the version that was read."""

    account: str
    name: str
    organization: str
    at: dt.datetime
    of_version: int


@dataclass(frozen=True, slots=True)
class Report:
    """One version of a report, as its source issued it.

    key: the source's own identity of it, unique within the issuing institution and category: filler order number and
      service for a laboratory report, Study Instance UID for images, SOP Instance UID or file identity for an ECG.
    organization: code of the issuing institution.
    observed_at: sampling or acquisition, the patient's clock; every window of reuse runs from it. None if never told.
    issued_at: the source's clock when it issued this (OBR-22). sent_at: the same clock when it sent it (MSH-7), which
      makes no other report of the same words sent again. All aware of their zone.
    recording: digest of the waveform in canonical form (schemas.ecg), empty where there is none.
    content_tree: digest of the structured report in canonical form (schemas.content_tree), empty where there is none.
    statements: what the conclusion says, in codes; empty where nobody chose them. overread: set on versions made here.
    replaces: key of the report whose next version this is, where that is not its own.
    requesters: names that may be those of the institution that ordered it, the likeliest first. Neither of these two
      is part of what a report says: a version that differs in them alone is the same again.
    """

    key: str
    category: ReportCategory
    status: ReportStatus
    code: Coding
    patient: Patient
    organization: str
    observed_at: dt.datetime | None = None
    issued_at: dt.datetime | None = None
    identifiers: tuple[Identifier, ...] = ()
    placer_order_number: str = ""
    filler_order_number: str = ""
    accession_number: str = ""
    specimen: str = ""
    performers: tuple[str, ...] = ()
    findings: str = ""
    conclusion: str = ""
    observations: tuple[Observation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    study_instance_uid: str = ""
    recording: str = ""
    flags: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    parent: Parent | None = None
    content_tree: str = ""
    statements: tuple[Coding, ...] = ()
    overread: Overread | None = None
    replaces: str = field(default="", compare=False)
    requesters: tuple[str, ...] = field(default=(), compare=False)
    sent_at: dt.datetime | None = field(default=None, compare=False)

    @property
    def sop_instance_uid(self) -> str:
        """Of the DICOM document that this was read from; empty where it came in another form."""
        return next((each.value.removeprefix("urn:oid:") for each in self.identifiers if each.system == DICOM_UID), "")


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A stored version of a report. `delivery_id`: the bytes it was read from.

    current: what the source says now. Versions are numbered as they were recorded: one that arrives late has a higher
      number than the current one and yet never was it.
    observed_at: as in the report, else issued_at, else received_at; never empty, for ordering.
    observation_ids: of the rows of `report.observations`, in their order; known for the current version only.
    """

    id: int
    version: int
    current: bool
    patient_id: int
    organization: str
    observed_at: dt.datetime
    recorded_at: dt.datetime
    delivery_id: int
    report: Report
    doubtful: bool = False
    observation_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportCriteria:
    """What a search asks. Empty fields do not restrict. Intervals are half open [since, until)."""

    patient_id: int | None = None
    identifier: Identifier | None = None
    category: ReportCategory | None = None
    code: str = ""
    code_system: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    statuses: tuple[ReportStatus, ...] = ()
    organization: str = ""
    study_instance_uid: str = ""
    ids: tuple[int, ...] = ()
    newest_first: bool = True
    limit: int = 50
    offset: int = 0
