"""What the hub makes of a report: the report that stands for a study, and the report as DICOM documents in it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select

from schemas.documents import from_json, to_json
from schemas.offered import OFFERED, has_own_study, is_offered, is_traced
from schemas.report import Report, ReportRecord
from schemas.study import Hidden, Study

from . import hiding, studies
from . import tables as t


@dataclass(frozen=True, slots=True)
class KnownOwner:
    """The study that documents of a report belong to. patient_id: the patient row."""

    id: int
    patient_id: int
    study: Study


def put_report_of_study(tx: Connection, study_id: int, report_id: int) -> None:
    """Has another report stand for the study."""
    tx.execute(t.study.update().where(t.study.c.id == study_id).values(report_id=report_id))


def add_due(tx: Connection, report_id: int) -> None:
    """Documents of the report are to be made of what it says now."""
    tx.execute(t.document_due.insert().values(report_id=report_id))


def put_own_study(tx: Connection, study: Study, record: ReportRecord, patient_id: int, now: dt.datetime) -> None:
    """The study that a report has to itself, as the report names its patient now. patient_id: the patient row.

    Nothing more of it will arrive: it is complete from the start.
    """
    values = {
        "patient_id": patient_id,
        "patient_identifier": study.patient.key.value,
        "patient_name": f"{study.patient.name.text}\n{study.patient.name.latin}".casefold(),
        "completed_at": now,
        "document": to_json(study),
    }
    own = t.study.c.study_instance_uid == study.study_instance_uid
    if tx.execute(t.study.update().where(own).values(values)).rowcount:
        return
    studies.add_study(
        tx,
        study,
        patient_id=patient_id,
        organization_id=tx.scalar(select(t.report.c.organization_id).where(t.report.c.id == record.id)) or 0,
        report_id=record.id,
        observed_at=record.observed_at,
        now=now,
    )
    tx.execute(t.study.update().where(own).values(completed_at=now, completions=1))


def put_anew(tx: Connection, report_id: int, report: Report) -> None:
    """Has documents made of what a report of a study says now; those of what no longer holds are shown to nobody."""
    if not report.study_instance_uid:
        return
    put_away(tx, report_id)
    if is_offered(report) or (is_traced(report) and has_own_study(report)):
        add_due(tx, report_id)


def add_due_of_study(tx: Connection, study_instance_uid: str) -> None:
    """A study has come: so are those of the final reports that had come before it."""
    query = select(t.report.c.id).where(
        t.report.c.study_instance_uid == study_instance_uid,
        t.report.c.status.in_([status.value for status in OFFERED]),
    )
    for report_id in tx.scalars(query).all():
        add_due(tx, report_id)


def known_due(tx: Connection, most: int) -> list[tuple[int, int]]:
    """(entry, report) pairs whose documents are to be made, the oldest first."""
    query = select(t.document_due.c.id, t.document_due.c.report_id).order_by(t.document_due.c.id).limit(most)
    return [(row.id, row.report_id) for row in tx.execute(query)]


def settle(tx: Connection, entry_id: int) -> bool:
    """This is made, or there is nothing to make. Whether it was due: another process may have been quicker."""
    return tx.execute(t.document_due.delete().where(t.document_due.c.id == entry_id)).rowcount > 0


def known_owner(tx: Connection, study_instance_uid: str) -> KnownOwner | None:
    """The study under this UID with what is said of it; None where none of its images are here."""
    query = select(t.study.c.id, t.study.c.patient_id, t.study.c.document)
    row = tx.execute(query.where(t.study.c.study_instance_uid == study_instance_uid)).first()
    return KnownOwner(row.id, row.patient_id, from_json(Study, row.document)) if row else None


def add(tx: Connection, report_id: int, version: int, sop_instance_uid: str) -> None:
    """A stored instance is a document of this version."""
    found = select(t.instance.c.id).where(t.instance.c.sop_instance_uid == sop_instance_uid).scalar_subquery()
    tx.execute(t.derived_instance.insert().values(report_id=report_id, version=version, instance_id=found))


def known_documents(tx: Connection, report_id: int) -> list[tuple[int, str]]:
    """(study id, SOP Instance UID) of the documents of a report that are shown."""
    query = (
        select(t.instance.c.sop_instance_uid, t.series.c.study_id)
        .join(t.derived_instance, t.derived_instance.c.instance_id == t.instance.c.id)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .where(t.derived_instance.c.report_id == report_id, t.instance.c.hidden == "")
    )
    return [(row.study_id, row.sop_instance_uid) for row in tx.execute(query)]


def put_away(tx: Connection, report_id: int) -> None:
    """Shows none of the documents that were made of a report: it says something else now, or was withdrawn."""
    for study_id, sop_instance_uid in known_documents(tx, report_id):
        hiding.hide(tx, study_id, [sop_instance_uid], Hidden.SUPERSEDED, f"DiagnosticReport/{report_id}")
