"""A patient as a source describes one, and the record that the hub keeps of one."""

import datetime as dt
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from .identifiers import UNIDENTIFIED, Identifier


class Sex(StrEnum):
    """Administrative sex with FHIR's codes. Source: FHIR R4 administrative-gender; GB/T 2261.1 maps onto it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonName:
    """`text`: the name as people write it (王芳), surname first. `latin`: the alphabetic form, if sent."""

    text: str
    latin: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as one source describes them, at one moment.

    identifiers: the first is the key (assigning authority, identifier) by which this source knows the patient.
    deleted: names of the other fields that the source asks to forget; an empty field alone asks for nothing.
    """

    identifiers: tuple[Identifier, ...]
    name: PersonName
    birth_date: dt.date | None = None
    sex: Sex = Sex.UNKNOWN
    deleted: tuple[str, ...] = ()

    @property
    def key(self) -> Identifier:
        return self.identifiers[0]

    @property
    def identified(self) -> bool:
        """Whether anybody has said who it is. A name is not an identity."""
        return self.key.system != UNIDENTIFIED


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """The hub's record of a person: the union of what linked sources say, as of `version`.

    identifiers: of every linked source. `doubtful`: an identity question about this person waits for a decision.
    """

    id: int
    version: int
    patient: Patient
    recorded_at: dt.datetime
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """What an institution says of its own numbers: `prior` is no longer used, its patient goes on as `surviving`.

    prior: the number that was merged away, and what else was said of it (a former name). Source: HL7 v2 chapter 3.5.
    """

    prior: Patient
    surviving: Patient


class MergeState(StrEnum):
    """Where a merge stands. ASKED: it waits as an identity question, and nothing was changed."""

    MERGED = "merged"
    ASKED = "asked"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class MergeRecord:
    """A merge as it was told, and what became of it.

    patient_id, prior_patient_id: the persons to whom both belong now; the same while it holds.
    surviving, prior: the numbers. organization: code of the institution that said so. delivery_id: in which message.
    """

    id: int
    patient_id: int
    prior_patient_id: int
    surviving: Identifier
    prior: Identifier
    organization: str
    delivery_id: int
    message_id: str
    state: MergeState
    merged_at: dt.datetime
    undone_by: str = ""
    undone_at: dt.datetime | None = None
    reason: str = ""


def normal_name(text: str) -> str:
    """A name in the form in which two writings of it are compared: width, case and separators do not count."""
    return "".join(
        c for c in unicodedata.normalize("NFKC", text).casefold() if not (c.isspace() or c in "^=.,·•・\u3000")
    )


@dataclass(frozen=True, slots=True)
class PatientCriteria:
    """What a search asks. `text`: what a person typed: a name, pinyin, its initials, or any identifier's value."""

    text: str = ""
    name: str = ""
    identifier: Identifier | None = None  # an empty system matches any
    birth_date: dt.date | None = None
    ids: tuple[int, ...] = ()
    limit: int = 20
    offset: int = 0


class DoubtState(StrEnum):
    """Where an identity question stands."""

    OPEN = "open"
    LINKED = "linked"
    KEPT_APART = "kept-apart"


@dataclass(frozen=True, slots=True)
class IdentityDoubt:
    """Two records that may be the same person, and what speaks against it. Waits for a person to decide."""

    id: int
    patient_id: int
    other_patient_id: int
    reason: str  # birth-date-differs, sex-differs, name-differs, number-differs, several-agree, ...
    state: DoubtState
    found_at: dt.datetime
    decided_by: str = ""
    decided_at: dt.datetime | None = None
