"""Objects that a person had removed: what is gone, by whose word, and what is still to go. The rows of studies stay."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.study import REJECTIONS, Hidden
from schemas.study_life import RemovalRecord

from . import tables as t
from .reports import scope
from .statement import Statement

_OPEN, _DONE = "open", "done"
_HANDFUL = 1000
# A transaction that had begun when the removal was committed may name the object all the same.
_OVERLAP = dt.timedelta(minutes=10)
_CODES = tuple(code.value for code in REJECTIONS)
_REMOVED = Statement(select(t.removed_object.c.removal_id).where(t.removed_object.c.digest == bindparam("digest")))


@dataclass(frozen=True, slots=True)
class Removable:
    """An instance that is hidden and not yet removed. data_set_digest: empty where nobody has counted it yet."""

    id: int
    delivery_id: int
    digest: str
    size: int
    data_set_offset: int
    data_set_digest: str


@dataclass(frozen=True, slots=True)
class Removed:
    """An instance whose object was removed."""

    digest: str
    data_set_digest: str


@dataclass(frozen=True, slots=True)
class _Extent:
    instances: int


def known_removable(tx: Connection, study_id: int) -> list[Removable]:
    """What of a study is hidden, as rejected or as kept for long enough."""
    query = (
        select(
            t.instance.c.id,
            t.instance.c.delivery_id,
            t.instance.c.digest,
            t.delivery.c.size,
            t.instance.c.data_set_offset,
            t.instance.c.data_set_digest,
        )
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.delivery, t.delivery.c.id == t.instance.c.delivery_id)
        .where(t.series.c.study_id == study_id, t.instance.c.hidden.in_(_CODES))
        .order_by(t.instance.c.id)
    )
    return [Removable(*row) for row in tx.execute(query)]


def known_held(tx: Connection, wanted: Collection[Removable]) -> set[str]:
    """Digests that stand for more than the instance: another delivery, a part of one, or a former version."""
    own = {each.digest: each.delivery_id for each in wanted}
    held: set[str] = set()
    for some in _handfuls(list(own)):
        delivered = select(t.delivery.c.digest, t.delivery.c.id).where(t.delivery.c.digest.in_(some))
        held.update(digest for digest, delivery_id in tx.execute(delivered) if delivery_id != own[digest])
        held.update(tx.scalars(select(t.part.c.digest).where(t.part.c.digest.in_(some))))
        held.update(tx.scalars(select(t.instance_version.c.digest).where(t.instance_version.c.digest.in_(some))))
    return held


def add(tx: Connection, study_id: int, account: str, reason: str, now: dt.datetime) -> int:
    """A removal, still without objects; its id."""
    values = {
        "study_id": study_id,
        "state": _OPEN,
        "reason": reason,
        "account": account,
        "removed_at": now,
        "document": to_json(_Extent(0)),
    }
    return int(tx.scalar(t.removal.insert().returning(t.removal.c.id), values) or 0)


def put_removed(tx: Connection, removal_id: int, wanted: Sequence[Removable], now: dt.datetime) -> int:
    """Marks instances as removed, with what was made of them, and names their objects; those that are shown again by
    now are left alone. How many there were.
    """
    number = 0
    for each in wanted:
        which = (t.instance.c.id == each.id, t.instance.c.digest == each.digest, t.instance.c.hidden.in_(_CODES))
        values = {
            "hidden": Hidden.REMOVED.value,
            "hidden_by": f"Removal/{removal_id}",
            "data_set_digest": each.data_set_digest,
        }
        if tx.execute(t.instance.update().where(*which).values(values)).rowcount:
            row = {"digest": each.digest, "removal_id": removal_id, "size": each.size, "removed_at": now}
            tx.execute(t.removed_object.insert(), row)
            number += 1
    _remove_headers(tx, removal_id)
    tx.execute(t.removal.update().where(t.removal.c.id == removal_id).values(document=to_json(_Extent(number))))
    return number


def _remove_headers(tx: Connection, removal_id: int) -> None:
    these = _removed(removal_id, t.instance.c.id)
    tx.execute(t.instance_header.delete().where(t.instance_header.c.instance_id.in_(these)))


def known_open(tx: Connection) -> tuple[int, ...]:
    """Removals of which objects may still be there."""
    query = select(t.removal.c.id).where(t.removal.c.state == _OPEN).order_by(t.removal.c.id)
    return tuple(tx.scalars(query))


def known_objects_of(tx: Connection, removal_id: int) -> tuple[str, ...]:
    """The objects that a removal names."""
    return tuple(tx.scalars(select(t.removed_object.c.digest).where(t.removed_object.c.removal_id == removal_id)))


def known_still_removed(tx: Connection, removal_id: int, digests: Sequence[str]) -> tuple[str, ...]:
    """Those that are still to go. Nobody takes them in anew until the transaction ends.

    What was delivered by somebody else while the removal was made is not, and is forgotten here.
    """
    column = t.removed_object.c
    mine = (column.removal_id == removal_id, column.digest.in_(digests))
    found = set(tx.scalars(select(column.digest).where(*mine).with_for_update()))
    since = tx.scalar(select(t.removal.c.removed_at).where(t.removal.c.id == removal_id))
    if not found or since is None:
        return ()
    held = set(
        tx.scalars(
            select(t.delivery.c.digest).where(
                t.delivery.c.received_at >= since - _OVERLAP,
                t.delivery.c.digest.in_(found),
                t.delivery.c.id.not_in(_removed(removal_id, t.instance.c.delivery_id)),
            )
        )
    )
    if held:
        tx.execute(t.removed_object.delete().where(column.digest.in_(held)))
    return tuple(found - held)


def _removed(removal_id: int, column: Any) -> Select[Any]:
    """That column of the instances that are removed of the removal's study."""
    study_id = select(t.removal.c.study_id).where(t.removal.c.id == removal_id).scalar_subquery()
    return (
        select(column)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .where(t.series.c.study_id == study_id, t.instance.c.hidden == Hidden.REMOVED.value)
    )


def settle(tx: Connection, removal_id: int, now: dt.datetime) -> None:
    """All its objects are gone, and what was made of them meanwhile."""
    _remove_headers(tx, removal_id)
    tx.execute(t.removal.update().where(t.removal.c.id == removal_id).values(state=_DONE, done_at=now))


def known_objects(tx: Connection) -> set[str]:
    """Every object that was removed."""
    return set(tx.scalars(select(t.removed_object.c.digest)))


def known_removal(tx: Connection, digest: str) -> int:
    """The removal that names this object; 0 where none does."""
    return int(_REMOVED.scalar(tx, digest=digest) or 0)


def known_removed_at(tx: Connection, digest: str) -> dt.datetime | None:
    """When the object was removed; None where it was not, or has come again since."""
    return tx.scalar(select(t.removed_object.c.removed_at).where(t.removed_object.c.digest == digest))


def remove_object(tx: Connection, digest: str) -> None:
    """Forgets that an object was removed: its bytes are there again. Whoever is removing it is waited for."""
    tx.execute(t.removed_object.delete().where(t.removed_object.c.digest == digest))


def known_removed(tx: Connection, sop_instance_uid: str) -> Removed | None:
    """The instance of this UID, where its object was removed."""
    query = select(t.instance.c.digest, t.instance.c.data_set_digest).where(
        t.instance.c.sop_instance_uid == sop_instance_uid, t.instance.c.hidden == Hidden.REMOVED.value
    )
    row = tx.execute(query).first()
    return Removed(*row) if row else None


def of_study(tx: Connection, disclosure: Disclosure, study_id: int) -> tuple[RemovalRecord, ...]:
    """What was removed of a study, newest first."""
    query = (
        select(t.removal)
        .join(t.study, t.study.c.id == t.removal.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.removal.c.study_id == study_id, *scope(disclosure))
        .order_by(t.removal.c.id.desc())
    )
    return tuple(
        RemovalRecord(from_json(_Extent, row.document).instances, row.account, row.reason, row.removed_at)
        for row in tx.execute(query)
    )


def _handfuls(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), _HANDFUL):
        yield digests[start : start + _HANDFUL]
