"""Imaging study, series and instance as the index knows them. Source: DICOM PS3.3 A.1.2, PS3.4 C.6."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from .patient import Patient


class Hidden(StrEnum):
    """Why an instance is shown to nobody who treats the patient. Codes of DICOM where they are so: PS3.16 CID 7011."""

    QUALITY = "113001"  # rejected for quality reasons
    PATIENT_SAFETY = "113037"  # rejected for patient safety reasons
    WORKLIST = "113038"  # incorrect modality worklist entry
    EXPIRED = "113039"  # data retention policy expired
    NOTE = "rejection-note"  # the document that rejects others
    REMOVED = "removed"
    SUPERSEDED = "superseded"  # a document that we made of a report which says something else by now


@dataclass(frozen=True, slots=True)
class Study:
    """study_date, study_time: as in the data set (`YYYYMMDD`, `HHMMSS…`), the modality's clock without a zone."""

    study_instance_uid: str
    patient: Patient
    study_date: str = ""
    study_time: str = ""
    accession_number: str = ""
    study_id: str = ""
    description: str = ""
    referring_physician: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A series as its first instance described it."""

    series_instance_uid: str
    modality: str = ""
    series_number: int | None = None
    description: str = ""
    body_part: str = ""
    laterality: str = ""


REJECTIONS = frozenset({Hidden.QUALITY, Hidden.PATIENT_SAFETY, Hidden.WORKLIST, Hidden.EXPIRED})


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance that another one names."""

    study_instance_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class KeyObjects:
    """What a key object selection says of other instances. title: code of DICOM. Source: PS3.3 A.35.4, PS3.16 TID 2010.

    rejection: why the instances that it names are no longer to be used; None where it points them out.
    """

    title: str
    references: tuple[Reference, ...]

    @property
    def rejection(self) -> Hidden | None:
        return Hidden(self.title) if self.title in REJECTIONS else None


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP instance of a delivery.

    data_set_digest: SHA-256 hex over the data set alone (after the file meta group), as received; empty where it is
      still to be counted, from the stored object.
    data_set_offset: where it begins in the stored Part 10 file.
    """

    study: Study
    series: Series
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    data_set_digest: str
    data_set_offset: int
    instance_number: int | None = None
    rows: int = 0
    columns: int = 0
    frames: int = 1
    key_objects: KeyObjects | None = None


@dataclass(frozen=True, slots=True)
class StudyContent:
    """What is in a study that everybody sees. series, images: pictures and their series. documents: all else in it."""

    series: int = 0
    images: int = 0
    documents: int = 0
    body_parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A stored study. series_count, instance_count, modalities: of what is not hidden. complete: no more expected.

    content: None where nobody asked for it.
    """

    id: int
    patient_id: int
    organization: str
    study: Study
    modalities: tuple[str, ...]
    series_count: int
    instance_count: int
    received_at: dt.datetime
    observed_at: dt.datetime
    report_id: int
    complete: bool = True
    content: StudyContent | None = None


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A stored series."""

    id: int
    study_instance_uid: str
    series: Series
    instance_count: int


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """Where an instance lies: object `digest`, its data set from `data_set_offset` to the object's end.

    hidden: None for what everybody sees. hidden_by: what hid it, as a reference (`Delivery/12`, `Removal/3`).
    """

    id: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    digest: str
    data_set_offset: int
    instance_number: int | None
    rows: int
    columns: int
    frames: int
    received_at: dt.datetime
    hidden: Hidden | None = None
    hidden_by: str = ""


@dataclass(frozen=True, slots=True)
class RejectionRecord:
    """A rejection note: how many instances of a study it takes back, and why. undone_by: who took the note back."""

    note_instance_uid: str
    code: Hidden
    delivery_id: int
    organization: str
    instances: int
    rejected_at: dt.datetime
    undone_by: str = ""
    undone_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class StudyCriteria:
    """What QIDO-RS or the portal asks. `*`, `?`: wild in text fields (PS3.4 C.2.2.2.4). Dates `YYYYMMDD`, inclusive.

    hidden: also studies of which every instance is hidden.
    """

    patient_id: int | None = None  # the hub's own record
    patient_identifier: str = ""  # PatientID as the source wrote it
    patient_name: str = ""
    accession_number: str = ""
    study_instance_uids: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    modality: str = ""
    description: str = ""
    hidden: bool = False
    limit: int = 100
    offset: int = 0
