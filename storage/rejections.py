"""What rejection notes say of instances, whether or not these have arrived. Source: IHE RAD-66."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, not_, or_, select

from schemas.disclosure import Disclosure
from schemas.study import Hidden, Reference, RejectionRecord

from . import tables as t
from .reports import scope
from .statement import Statement

# Documents and marks upon images are no images (PS3.4 B.5): SR and key objects, presentation states, encapsulated ones.
_NO_IMAGES = tuple(f"1.2.840.10008.5.1.4.1.1.{kind}.%" for kind in ("88", "11", "104"))


@dataclass(frozen=True, slots=True)
class Known:
    """A rejection that holds. by: the delivery of its note, as a reference."""

    id: int
    code: Hidden
    by: str


_OF = Statement(
    select(t.rejection.c.id, t.rejection.c.code, t.rejection.c.delivery_id).where(
        t.rejection.c.sop_instance_uid == bindparam("uid"),
        t.rejection.c.organization_id == bindparam("organization_id"),
        t.rejection.c.undone_at.is_(None),
    )
)


_ANY = Statement(select(t.rejection.c.id).where(t.rejection.c.study_instance_uid == bindparam("uid")).limit(1))


def known_any(tx: Connection, study_instance_uid: str) -> bool:
    """Whether a note was ever about this study."""
    return _ANY.scalar(tx, uid=study_instance_uid) is not None


def known_of(tx: Connection, sop_instance_uid: str, organization_id: int) -> Known | None:
    """The rejection of an instance by this institution that holds, the first of several."""
    row = _OF.first(tx, uid=sop_instance_uid, organization_id=organization_id)
    return Known(row.id, Hidden(row.code), f"Delivery/{row.delivery_id}") if row else None


def add(
    tx: Connection,
    references: Sequence[Reference],
    *,
    note_instance_uid: str,
    organization_id: int,
    delivery_id: int,
    code: Hidden,
    now: dt.datetime,
) -> None:
    """Keeps what a note says; nothing that it has said before."""
    said = set(tx.scalars(select(t.rejection.c.sop_instance_uid).where(_of_note(note_instance_uid))))
    rows = [
        {
            "study_instance_uid": each.study_instance_uid,
            "sop_instance_uid": each.sop_instance_uid,
            "note_instance_uid": note_instance_uid,
            "organization_id": organization_id,
            "delivery_id": delivery_id,
            "code": code.value,
            "rejected_at": now,
            "undone_by": "",
        }
        for each in {each.sop_instance_uid: each for each in references if each.sop_instance_uid not in said}.values()
    ]
    if rows:
        tx.execute(t.rejection.insert(), rows)


def _of_note(note_instance_uid: str) -> Any:
    return t.rejection.c.note_instance_uid == note_instance_uid


def settle_undone(
    tx: Connection, undone_by: str, now: dt.datetime, *, sop_instance_uid: str = "", note_instance_uid: str = ""
) -> None:
    """Writes that rejections of an instance, or those of a note, hold no longer, and who says so."""
    column = t.rejection.c
    which = column.sop_instance_uid == sop_instance_uid if sop_instance_uid else _of_note(note_instance_uid)
    tx.execute(t.rejection.update().where(which, column.undone_at.is_(None)).values(undone_by=undone_by, undone_at=now))


def known_owner(tx: Connection, study_id: int) -> int:
    """The institution whose study it is."""
    return int(tx.scalar(select(t.study.c.organization_id).where(t.study.c.id == study_id)) or 0)


def known_reports(tx: Connection, study_id: int, study_instance_uid: str) -> tuple[int, ...]:
    """The report of a study, and every other one that is about it."""
    own = select(t.study.c.report_id).where(t.study.c.id == study_id)
    about = (t.report.c.study_instance_uid == study_instance_uid, t.report.c.id.in_(own))
    return tuple(tx.scalars(select(t.report.c.id).where(or_(*about)).order_by(t.report.c.id)))


def known_images_left(tx: Connection, study_id: int) -> int:
    """How many instances of a study everybody sees that are images or waveforms, rather than words about them."""
    words = or_(*(t.instance.c.sop_class_uid.like(kind) for kind in _NO_IMAGES))
    query = (
        select(func.count())
        .select_from(t.instance)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .where(t.series.c.study_id == study_id, t.instance.c.hidden == "", not_(words))
    )
    return int(tx.scalar(query) or 0)


def records(tx: Connection, disclosure: Disclosure, study_instance_uid: str) -> tuple[RejectionRecord, ...]:
    """The notes about a study, oldest first: what each rejects and why, and whether it holds."""
    column = t.rejection.c
    grouped = (column.note_instance_uid, column.code, column.delivery_id, t.organization.c.code, column.undone_by)
    query = (
        select(
            *grouped[:3],
            t.organization.c.code.label("organization"),
            column.undone_by,
            func.count().label("instances"),
            func.min(column.rejected_at).label("rejected_at"),
            func.max(column.undone_at).label("undone_at"),
        )
        .join(t.organization, t.organization.c.id == column.organization_id)
        .where(column.study_instance_uid == study_instance_uid, *scope(disclosure))
        .group_by(*grouped)
        .order_by(func.min(column.id))
    )
    return tuple(
        RejectionRecord(
            note_instance_uid=row.note_instance_uid,
            code=Hidden(row.code),
            delivery_id=row.delivery_id,
            organization=row.organization,
            instances=row.instances,
            rejected_at=row.rejected_at,
            undone_by=row.undone_by,
            undone_at=row.undone_at,
        )
        for row in tx.execute(query)
    )
