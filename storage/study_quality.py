"""How good the images of studies are: what was found missing, and readers' grades. Rows are only added."""

import datetime as dt

from sqlalchemy import Connection, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.image_quality import Check, Graded, GradeRecord, ImageQuality

from . import tables as t
from .reports import scope

_GRADE, _CHECK = "grade", "check"


def add_grade(tx: Connection, disclosure: Disclosure, study_id: int, graded: Graded, now: dt.datetime) -> None:
    """A reader's grade, beside all earlier ones."""
    principal = disclosure.principal
    values = {
        "study_id": study_id,
        "kind": _GRADE,
        "account": principal.account,
        "organization": principal.organization,
        "recorded_at": now,
        "document": to_json(graded),
    }
    tx.execute(t.study_quality.insert(), values)


def of_study(tx: Connection, disclosure: Disclosure, study_id: int) -> ImageQuality:
    """What is known of the images of a study, empty where nothing is: recognition asks this."""
    query = (
        select(t.study_quality)
        .join(t.study, t.study.c.id == t.study_quality.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.study_quality.c.study_id == study_id, *scope(disclosure))
        .order_by(t.study_quality.c.id.desc())
    )
    rows = tx.execute(query).all()
    checked = next((row for row in rows if row.kind == _CHECK), None)
    return ImageQuality(
        check=from_json(Check, checked.document) if checked else None,
        checked_at=checked.recorded_at if checked else None,
        grades=tuple(
            GradeRecord(from_json(Graded, row.document), row.account, row.organization, row.recorded_at)
            for row in rows
            if row.kind == _GRADE
        ),
    )
