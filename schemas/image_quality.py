"""How good the images of a study are, as data: what the hub found missing, and the grade that a reader gave."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Shortcoming(StrEnum):
    """What is missing in a study."""

    SLICES = "slices-missing"  # a gap between the positions of slices, or in their numbers
    LATERALITY = "laterality-missing"  # of a part of the body of which there are two
    ANNOUNCED = "announced-missing"  # the modality listed more instances (MPPS) than have come
    DECLARED = "declared-missing"  # the headers count more instances than have come


@dataclass(frozen=True, slots=True)
class Finding:
    """One shortcoming, of a series or of the whole study. missing: instances; 0 where it is no matter of number."""

    what: Shortcoming
    series_instance_uid: str = ""
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """What the hub found when the study was complete. instances: how many everybody sees, at that time."""

    instances: int
    findings: tuple[Finding, ...] = ()


class Grade(StrEnum):
    """The grades of radiography quality control in China: 甲, 乙, 丙, 废片."""

    A = "A"
    B = "B"
    C = "C"
    REJECT = "reject"


class GradeReason(StrEnum):
    """Why an image is not as good as it should be. Source: IHE RAD REM and DICOM PS3.16 CID 9300 ff., in few words."""

    POSITIONING = "positioning"
    COVERAGE = "coverage"
    MOTION = "motion"
    EXPOSURE = "exposure"
    ARTEFACT = "artefact"
    MARKING = "marking"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Graded:
    """A reader's grade."""

    grade: Grade
    reasons: tuple[GradeReason, ...] = ()


@dataclass(frozen=True, slots=True)
class GradeRecord:
    """A grade with who gave it, and when. A later one takes its place; none is overwritten."""

    graded: Graded
    account: str
    organization: str
    recorded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """What is known of a study's images. check: None until the study has been complete once.

    grades: newest first, the first being in force.
    """

    check: Check | None = None
    checked_at: dt.datetime | None = None
    grades: tuple[GradeRecord, ...] = ()

    @property
    def grade(self) -> Grade | None:
        return self.grades[0].graded.grade if self.grades else None
