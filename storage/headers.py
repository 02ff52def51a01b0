"""Headers of stored instances: described after their acknowledgement, once, and kept as bytes."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from schemas.disclosure import Disclosure
from schemas.documents import to_json
from schemas.header import Frames, InstanceHeader
from schemas.study import Hidden

from . import tables as t
from .reports import scope
from .statement import Statement

# Fast to make; a header shrinks to a fifth of its size either way.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Undescribed:
    """An instance without a header as yet. charset: the codec that its source is known to write."""

    instance_id: int
    delivery_id: int
    digest: str
    charset: str


def described() -> Any:
    """SQL condition that joins an instance with the header that was made of its present object."""
    header, instance = t.instance_header.c, t.instance.c
    return and_(header.instance_id == instance.id, header.digest == instance.digest)


# What we made ourselves of a delivery is written in the character set that it declares.
_CHARSET = case((t.instance.c.digest == t.delivery.c.digest, t.source.c.charset), else_="").label("charset")
# Of what was removed there is nothing to be described.
_THERE = t.instance.c.hidden != Hidden.REMOVED.value
_UNDESCRIBED = Statement(
    select(t.instance.c.id, t.instance.c.delivery_id, t.instance.c.digest, _CHARSET)
    .outerjoin(t.instance_header, described())
    .join(t.delivery, t.delivery.c.id == t.instance.c.delivery_id)
    .join(t.source, t.source.c.id == t.delivery.c.source_id)
    .where(t.instance.c.id > bindparam("after"), t.instance_header.c.instance_id.is_(None), _THERE)
    .order_by(t.instance.c.id)
    .limit(bindparam("most"))
)


def _adding(insert: Any) -> Statement:
    replaced = {name: insert.excluded[name] for name in ("digest", "document", "frames")}
    return Statement(insert.on_conflict_do_update(index_elements=["instance_id"], set_=replaced))


_ADD = {
    "sqlite": _adding(sqlite.insert(t.instance_header)),
    "postgresql": _adding(postgresql.insert(t.instance_header)),
}
_ACCOUNTING = Statement(select(t.delivery.c.accounting).where(t.delivery.c.id == bindparam("id")))


def known_newest(tx: Connection) -> int:
    """The id of the instance that was stored last; 0 where there is none."""
    return int(tx.scalar(select(func.max(t.instance.c.id))) or 0)


def known_undescribed(tx: Connection, after: int, most: int) -> list[Undescribed]:
    """Instances that nobody has described yet, by id, the first behind `after`."""
    return [Undescribed(*row) for row in _UNDESCRIBED.all(tx, after=after, most=most)]


def known_undescribed_of(tx: Connection, instance_ids: Sequence[int]) -> list[Undescribed]:
    """Those of the instances that nobody has described yet, in no order."""
    query = (
        select(t.instance.c.id, t.instance.c.delivery_id, t.instance.c.digest, _CHARSET)
        .outerjoin(t.instance_header, described())
        .join(t.delivery, t.delivery.c.id == t.instance.c.delivery_id)
        .join(t.source, t.source.c.id == t.delivery.c.source_id)
        .where(t.instance.c.id.in_(instance_ids), t.instance_header.c.instance_id.is_(None), _THERE)
    )
    return [Undescribed(*row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Packed:
    """A header as rows hold it: made before a transaction begins, while others write."""

    which: Undescribed
    document: bytes
    frames: bytes
    accounting: bytes

    @classmethod
    def of(cls, which: Undescribed, header: InstanceHeader) -> "Packed":
        """The header of that instance."""
        return cls(which, packed(header.document), header.frames.table, to_json(header.accounting))


def add(tx: Connection, made: Sequence[Packed]) -> None:
    """Keeps headers, in place of what older objects of the same instances had, and what became of their elements."""
    for each in made:
        which = each.which
        _ADD[tx.dialect.name].run(
            tx, instance_id=which.instance_id, digest=which.digest, document=each.document, frames=each.frames
        )
        _settle(tx, which.delivery_id, each.accounting)


def _settle(tx: Connection, delivery_id: int, accounting: bytes) -> None:
    """Most often the outline that was taken on arrival says the same already."""
    if _ACCOUNTING.scalar(tx, id=delivery_id) != accounting:
        change = t.delivery.update().where(t.delivery.c.id == delivery_id)
        tx.execute(change.values(accounting=accounting))


@dataclass(frozen=True, slots=True)
class KeptHeader:
    """The header of an instance. document: DICOM JSON, compressed; None where it is still to be made."""

    instance_id: int
    series_instance_uid: str
    sop_instance_uid: str
    document: bytes | None


def of(
    tx: Connection, disclosure: Disclosure, study_uid: str, series_uid: str = "", sop_uid: str = ""
) -> list[KeptHeader]:
    """Headers of the instances of a study, of one of its series, or of the one, that are not hidden.

    By series, instance number, arrival.
    """
    wanted = {t.series.c.series_instance_uid: series_uid, t.instance.c.sop_instance_uid: sop_uid}
    query = (
        select(
            t.instance.c.id, t.series.c.series_instance_uid, t.instance.c.sop_instance_uid, t.instance_header.c.document
        )
        .select_from(t.instance)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .outerjoin(t.instance_header, described())
        .where(t.study.c.study_instance_uid == study_uid, t.instance.c.hidden == "", *scope(disclosure))
        .where(*(column == uid for column, uid in wanted.items() if uid))
        .order_by(t.instance.c.series_id, t.instance.c.instance_number, t.instance.c.id)
    )
    return [KeptHeader(*row) for row in tx.execute(query)]


def frames(tx: Connection, disclosure: Disclosure, instance_id: int) -> Frames | None:
    """Where the frames of an instance lie; None where that is still to be found out, or the asker may not know."""
    query = (
        select(t.instance_header.c.frames)
        .join(t.instance, described())
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.organization, t.organization.c.id == t.study.c.organization_id)
        .where(t.instance.c.id == instance_id, t.instance.c.hidden == "", *scope(disclosure))
    )
    table = tx.scalar(query)
    return None if table is None else Frames(table)


def packed(document: bytes) -> bytes:
    """As a row holds it."""
    return zlib.compress(document, _LEVEL)


def unpacked(document: bytes) -> bytes:
    """The document of a row."""
    return zlib.decompress(document)
