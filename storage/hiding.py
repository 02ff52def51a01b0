"""Instances that are not shown: kept with their bytes, left out of every answer, and counted nowhere."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from schemas.documents import from_json
from schemas.study import Hidden, Instance, Series

from . import tables as t

# Parameters of one statement: SQLite takes 32,766.
_HANDFUL = 1000


def hide(tx: Connection, study_id: int, sop_instance_uids: Iterable[str], why: Hidden, by: str) -> int:
    """Hides instances of a study that are shown; how many there were. by: a reference, as in InstanceRecord."""
    among = select(t.series.c.id).where(t.series.c.study_id == study_id)
    shown = t.instance.update().where(t.instance.c.series_id.in_(among), t.instance.c.hidden == "")
    changed = 0
    named = list(sop_instance_uids)
    for start in range(0, len(named), _HANDFUL):
        uids = named[start : start + _HANDFUL]
        statement = shown.where(t.instance.c.sop_instance_uid.in_(uids)).values(hidden=why.value, hidden_by=by)
        changed += tx.execute(statement).rowcount
    recount(tx, study_id)
    return changed


def hide_shown(tx: Connection, study_id: int, why: Hidden, by: str) -> int:
    """Hides every instance of a study that is shown; how many there were. by: as above."""
    among = select(t.series.c.id).where(t.series.c.study_id == study_id)
    shown = t.instance.update().where(t.instance.c.series_id.in_(among), t.instance.c.hidden == "")
    changed = tx.execute(shown.values(hidden=why.value, hidden_by=by)).rowcount
    recount(tx, study_id)
    return changed


def show(tx: Connection, study_id: int, by: str) -> int:
    """Shows the instances of a study again that this reference had hidden; how many there were."""
    among = select(t.series.c.id).where(t.series.c.study_id == study_id)
    statement = t.instance.update().where(t.instance.c.series_id.in_(among), t.instance.c.hidden_by == by)
    changed = tx.execute(statement.values(hidden="", hidden_by="")).rowcount
    recount(tx, study_id)
    return changed


def show_expired(tx: Connection, study_id: int, sop_instance_uid: str, now: dt.datetime) -> bool:
    """Shows an instance again that was hidden because it had been kept for long enough; whether it was.

    It is kept anew: by this arrival the rule of retention counts.
    """
    was = (t.instance.c.sop_instance_uid == sop_instance_uid, t.instance.c.hidden == Hidden.EXPIRED.value)
    shown = tx.execute(t.instance.update().where(*was).values(hidden="", hidden_by="")).rowcount > 0
    if shown:
        recount(tx, study_id)
        put_arrival(tx, study_id, now)
    return shown


def put_back(
    tx: Connection, study_id: int, instance: Instance, *, delivery_id: int, digest: str, why: str, by: str
) -> None:
    """Gives an instance whose object was removed the one that has come; hidden still where `why` says so."""
    values = {
        "delivery_id": delivery_id,
        "digest": digest,
        "data_set_offset": instance.data_set_offset,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "hidden": why,
        "hidden_by": by,
    }
    tx.execute(t.instance.update().where(t.instance.c.sop_instance_uid == instance.sop_instance_uid).values(values))
    recount(tx, study_id)


def put_arrival(tx: Connection, study_id: int, now: dt.datetime) -> None:
    """Something of the study has come again."""
    tx.execute(t.study.update().where(t.study.c.id == study_id).values(last_arrival_at=now))


def recount(tx: Connection, study_id: int) -> None:
    """Makes the numbers and modalities of a study and of its series those of the instances that are not hidden."""
    visible = select(func.count()).where(t.instance.c.series_id == t.series.c.id, t.instance.c.hidden == "")
    of_study = t.series.c.study_id == study_id
    tx.execute(t.series.update().where(of_study).values(instance_count=visible.scalar_subquery()))
    query = select(t.series.c.instance_count, t.series.c.document).where(of_study, t.series.c.instance_count > 0)
    shown = [(row[0], from_json(Series, row[1]).modality) for row in tx.execute(query)]
    values = {
        "series_count": len(shown),
        "instance_count": sum(count for count, _ in shown),
        "modalities": "\\".join(sorted({modality for _, modality in shown} - {""})),
    }
    tx.execute(t.study.update().where(t.study.c.id == study_id).values(values))
