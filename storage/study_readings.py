"""Whether somebody has read the images of a study: it follows from what its reports say now."""

import datetime as dt

from sqlalchemy import Connection, and_, bindparam, select

from schemas.documents import from_json
from schemas.offered import OFFERED
from schemas.report import SUPPLEMENT, Report, ReportCategory

from . import tables as t
from .statement import Statement

_STUDY = Statement(
    select(t.study.c.id, t.study.c.read_at, t.report.c.category)
    .join(t.report, t.report.c.id == t.study.c.report_id)
    .where(t.study.c.study_instance_uid == bindparam("uid"))
)
_FINAL = (
    select(t.report_version.c.document)
    .join(
        t.report,
        and_(t.report.c.id == t.report_version.c.report_id, t.report.c.version == t.report_version.c.version),
    )
    .where(
        t.report.c.category == ReportCategory.IMAGING.value,
        t.report.c.status.in_([status.value for status in OFFERED]),
    )
)


def put(tx: Connection, study_instance_uid: str, now: dt.datetime) -> None:
    """Has the study follow what its reports say now, whoever wrote them. Nothing, where there is no such study."""
    known = _STUDY.first(tx, uid=study_instance_uid) if study_instance_uid else None
    if known is None:
        return
    # A tracing waits elsewhere, for those who read ECGs.
    read = known.category != ReportCategory.IMAGING.value or _is_read(tx, study_instance_uid)
    if read != (known.read_at is not None):
        tx.execute(t.study.update().where(t.study.c.id == known.id).values(read_at=now if read else None))


def _is_read(tx: Connection, study_instance_uid: str) -> bool:
    documents = tx.scalars(_FINAL.where(t.report.c.study_instance_uid == study_instance_uid))
    return any(SUPPLEMENT not in from_json(Report, document).flags for document in documents)
