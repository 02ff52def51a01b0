"""What the hub makes of a report: the report that stands for a study, and the report as DICOM documents."""

from sqlalchemy import Connection

from . import tables as t


def put_report_of_study(tx: Connection, study_id: int, report_id: int) -> None:
    """Has another report stand for the study."""
    tx.execute(t.study.update().where(t.study.c.id == study_id).values(report_id=report_id))
