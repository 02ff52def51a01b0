"""ECGs of which nobody has said whose they are, and those of which somebody has."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from schemas.disclosure import Disclosure
from schemas.identifiers import UNIDENTIFIED
from schemas.paging import Page
from schemas.reading import ReadingRecord, ReadingState
from schemas.report import ReportRecord
from schemas.study_life import ChangeKind, StudyChange

from . import readings, reports, study_changes
from . import tables as t


@dataclass(frozen=True, slots=True)
class Attached:
    """A recording that a person has attached, and may take back."""

    study_id: int
    report_id: int
    organization: str
    change: StudyChange


def waiting(
    tx: Connection, disclosure: Disclosure, *, limit: int = 50, offset: int = 0
) -> Page[tuple[ReportRecord, ReadingRecord]]:
    """Those that nobody has identified and nobody has withdrawn: the most pressing first, then the longest waiting."""
    nobodys = select(t.report.c.id).join(t.patient).where(t.patient.c.system == UNIDENTIFIED)
    wanted = select(t.ecg_reading).where(
        t.ecg_reading.c.report_id.in_(nobodys), t.ecg_reading.c.state != ReadingState.WITHDRAWN.value
    )
    return readings.pressing(tx, disclosure, wanted, limit=limit, offset=offset)


def attached(tx: Connection, disclosure: Disclosure, *, limit: int = 50) -> tuple[Attached, ...]:
    """What was attached and not taken back, the newest first."""
    later = t.study_change.alias("later")
    query = (
        select(t.study_change, t.study.c.report_id, t.organization.c.code.label("organization_code"))
        .join(t.patient, t.patient.c.id == t.study_change.c.from_patient_id)
        .join(t.study, t.study.c.id == t.study_change.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.patient.c.system == UNIDENTIFIED, t.study_change.c.kind == ChangeKind.MOVE.value)
        .where(~select(later.c.id).where(later.c.study_id == t.study.c.id, later.c.id > t.study_change.c.id).exists())
        .where(*reports.scope(disclosure))
        .order_by(t.study_change.c.id.desc())
        .limit(limit)
    )
    return tuple(
        Attached(row.study_id, row.report_id, row.organization_code, study_changes.change(row))
        for row in tx.execute(query)
    )
