"""Imaging study, series and instance as the index knows them. Source: DICOM PS3.3 A.1.2, PS3.4 C.6."""

import datetime as dt
from dataclasses import dataclass

from .patient import Patient


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


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP instance of a delivery.

    data_set_digest: SHA-256 hex over the data set alone (after the file meta group), as received.
    data_set_offset: where it begins in the stored Part 10 file.
    metadata: the DICOM JSON model of the header (PS3.18 F.2), bulk data left out, one UTF-8 JSON object.
    """

    study: Study
    series: Series
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    data_set_digest: str
    data_set_offset: int
    metadata: bytes
    instance_number: int | None = None
    rows: int = 0
    columns: int = 0
    frames: int = 1


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """`patient_issuer`: authority URI of the key by which the source knows the patient."""

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


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A stored series."""

    id: int
    study_instance_uid: str
    series: Series
    instance_count: int


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """Where an instance lies: object `digest`, its data set from `data_set_offset` to the object's end."""

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


@dataclass(frozen=True, slots=True)
class StudyCriteria:
    """What QIDO-RS or the portal asks. `*`, `?`: wild in text fields (PS3.4 C.2.2.2.4). Dates `YYYYMMDD`, inclusive."""

    patient_id: int | None = None  # the hub's own record
    patient_identifier: str = ""  # PatientID as the source wrote it
    patient_name: str = ""
    accession_number: str = ""
    study_instance_uids: tuple[str, ...] = ()
    date_from: str = ""
    date_to: str = ""
    modality: str = ""
    description: str = ""
    limit: int = 100
    offset: int = 0
