"""The life of a study after its images came, as whoever administers, grades or audits it sees it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .image_quality import ImageQuality
from .patient import Patient
from .study import REJECTIONS, Hidden, RejectionRecord, StudyRecord


class ChangeKind(StrEnum):
    """What a person changed of a study. What was sent stays as it was sent."""

    MOVE = "move"  # it is another patient's
    UNDO = "undo"  # a move was wrong: it is the former patient's again


@dataclass(frozen=True, slots=True)
class StudyChange:
    """A change with who made it, when, why; before, after: whose study it was, and is.

    from_patient, to_patient: records of patients as their sources know them.
    """

    id: int
    kind: ChangeKind
    from_patient: int
    to_patient: int
    before: Patient
    after: Patient
    account: str
    organization: str
    reason: str
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RemovalRecord:
    """That a person had the bytes of so many instances of a study removed, when and why."""

    instances: int
    account: str
    reason: str
    removed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class StudyLife:
    """A study with what became of it. hidden: how many instances are shown to nobody, by why.

    changes: newest first; the first is what holds. removals: newest first.
    """

    record: StudyRecord
    hidden: Mapping[Hidden, int]
    rejections: tuple[RejectionRecord, ...]
    quality: ImageQuality
    changes: tuple[StudyChange, ...]
    removals: tuple[RemovalRecord, ...] = ()

    @property
    def removable(self) -> int:
        """How many instances are hidden, and could be removed."""
        return sum(number for why, number in self.hidden.items() if why in REJECTIONS)
