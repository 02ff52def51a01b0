"""Which imaging studies have been kept for long enough."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from schemas.report import ReportCategory

from . import tables as t


@dataclass(frozen=True, slots=True)
class Until:
    """What is older has been kept for long enough. study_date: as in the data set, `YYYYMMDD`; arrival: our clock.

    Both must lie further back. So what came late, as from an older archive, is kept as long as what came at once, and
    what is sent again counts from then on.
    """

    study_date: str
    arrival: dt.datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A study that has been kept for long enough. organization: code of the institution whose study it is."""

    study_instance_uid: str
    person_id: int
    organization: str


def _due(columns: tuple[Any, ...], until: Until) -> Select[Any]:
    # A recording of an ECG is a study as well, and stays.
    return (
        select(*columns)
        .join(t.report, t.report.c.id == t.study.c.report_id)
        .where(
            t.report.c.category == ReportCategory.IMAGING.value,
            t.study.c.instance_count > 0,
            t.study.c.study_date < until.study_date,
            t.study.c.last_arrival_at < until.arrival,
        )
    )


def known_due(tx: Connection, until: Until, most: int) -> tuple[int, ...]:
    """Studies that have been kept for long enough and are still shown, the longest known first."""
    return tuple(tx.scalars(_due((t.study.c.id,), until).order_by(t.study.c.id).limit(most)))


def known_still_due(tx: Connection, study_id: int, until: Until) -> Due | None:
    """One of them; None where more of it has come meanwhile. Nothing more comes until the transaction ends."""
    columns = (t.study.c.study_instance_uid, t.patient.c.person_id, t.organization.c.code)
    query = (
        _due(columns, until)
        .join(t.patient, t.patient.c.id == t.study.c.patient_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study.c.id == study_id)
        .with_for_update(of=t.study)
    )
    row = tx.execute(query).first()
    return Due(*row) if row else None
