"""What instances were before other content under their UIDs took its place. Rows are only added."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select

from schemas.documents import to_json
from schemas.study import Instance

from . import tables as t


@dataclass(frozen=True, slots=True)
class _Former:
    """Where the former data set lies in its object, and how it is encoded."""

    transfer_syntax_uid: str
    data_set_offset: int


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """Where an instance belongs: rows of its series and its study."""

    instance_id: int
    series_instance_uid: str
    study_id: int
    study_instance_uid: str


def known_place(tx: Connection, sop_instance_uid: str) -> KnownPlace | None:
    """Where the instance of this UID belongs."""
    query = (
        select(t.instance.c.id, t.series.c.series_instance_uid, t.study.c.id, t.study.c.study_instance_uid)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .where(t.instance.c.sop_instance_uid == sop_instance_uid)
        .with_for_update()
    )
    row = tx.execute(query).first()
    return KnownPlace(*row) if row else None


def add_version(
    tx: Connection, place: KnownPlace, instance: Instance, *, delivery_id: int, digest: str, by: str, now: dt.datetime
) -> None:
    """Puts other content in an instance's place, and keeps what it was. by: an account, or the rule of a source."""
    which = t.instance.c.id == place.instance_id
    former = tx.execute(select(t.instance).where(which)).one()
    values = {
        "instance_id": place.instance_id,
        "delivery_id": former.delivery_id,
        "digest": former.digest,
        "data_set_digest": former.data_set_digest,
        "document": to_json(_Former(former.transfer_syntax_uid, former.data_set_offset)),
        "replaced_at": now,
        "replaced_by": by,
        "reason": "",
    }
    tx.execute(t.instance_version.insert(), values)
    present = {
        "delivery_id": delivery_id,
        "sop_class_uid": instance.sop_class_uid,
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "digest": digest,
        "data_set_digest": instance.data_set_digest,
        "data_set_offset": instance.data_set_offset,
        "instance_number": instance.instance_number,
        "rows": instance.rows,
        "columns": instance.columns,
        "frames": instance.frames,
        "received_at": now,
    }
    tx.execute(t.instance.update().where(which).values(present))
    grown = {"last_arrival_at": now, "completed_at": None}
    tx.execute(t.study.update().where(t.study.c.id == place.study_id).values(grown))


def known_former(tx: Connection, sop_instance_uid: str, data_set_digest: str) -> bool:
    """Whether the instance had this content once, before other content took its place."""
    query = (
        select(t.instance_version.c.id)
        .join(t.instance, t.instance.c.id == t.instance_version.c.instance_id)
        .where(
            t.instance.c.sop_instance_uid == sop_instance_uid, t.instance_version.c.data_set_digest == data_set_digest
        )
    )
    return tx.scalar(query.limit(1)) is not None
