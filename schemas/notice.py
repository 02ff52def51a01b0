"""A notice: what somebody relied on is no longer so. It stands until a person has acknowledged it."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """What became of the version that was relied on."""

    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    IMAGES = "images-replaced"
    QUALITY = "quality-failed"
    IDENTITY = "identity-changed"


class Reliance(StrEnum):
    """What the one who is told did with the earlier version."""

    REUSED = "reused"
    DECIDED = "decided"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. what: a result's name, or `status`, `findings`, `conclusion`, `patient`.

    before, after: as a person reads them; empty where there was nothing, or is nothing now.
    """

    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """To one person at one institution about one report.

    seen_version: what they relied on. version: what holds now. changes: the difference between the two.
    account: who relied on it. cause_id: of the decision or the opening, by `reliance`.
    raised_at, acknowledged_at, escalated_at: our clock. acknowledged_by: an account of the same institution.
    """

    id: int
    kind: NoticeKind
    reliance: Reliance
    report_id: int
    seen_version: int
    version: int
    patient_id: int
    organization: str
    account: str
    cause_id: int
    changes: tuple[Change, ...]
    raised_at: dt.datetime
    acknowledged_at: dt.datetime | None = None
    acknowledged_by: str = ""
    remark: str = ""
    escalated_at: dt.datetime | None = None
