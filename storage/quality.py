"""Quality records: versions appended, never changed, and all kept in memory, for a verdict asks again and again.

No patient data.
"""

import datetime as dt
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from schemas.catalogue import Scope
from schemas.quality import Assessment, QualityBook, QualityRecord, QualityVersion, Standing

from . import tables as t
from .kept import Touched
from .statement import Statement

_COUNT = Statement(select(func.count(t.quality_change.c.id).label("number")))
_ADD = Statement(t.quality_record.insert())
# Of more savings than these all are read, and the others left out.
_MOST_NAMED = 200


@dataclass(frozen=True, slots=True)
class _Kept:
    changes: frozenset[int]
    book: QualityBook


_known: "WeakKeyDictionary[Engine, _Kept]" = WeakKeyDictionary()
_lock = threading.Lock()
_touched = Touched()


def book(tx: Connection) -> QualityBook:
    """All records, as this transaction sees them, also where another process has just saved some."""
    if _touched.by(tx):
        return QualityBook.of(_read(tx, None), stamp=-1)
    count = int(_COUNT.scalar(tx))
    with _lock:
        kept = _known.get(tx.engine)
    if kept and kept.book.stamp == count:
        return kept.book
    # A saving becomes visible with all its records; which savings are new is asked by number, for of two that ran at
    # once the later number may be seen first.
    changes = frozenset(tx.scalars(select(t.quality_change.c.id)))
    seen = kept if kept and kept.changes <= changes else None
    fresh = _read(tx, changes - (seen.changes if seen else frozenset()))
    made = QualityBook.of(fresh, len(changes), seen.book if seen else None)
    with _lock:
        _known[tx.engine] = _Kept(changes, made)
    return made


def standing(
    tx: Connection,
    organization: str,
    item: str,
    method: str,
    at: dt.datetime,
    known_at: dt.datetime | None = None,
) -> Assessment:
    """How an institution's item stood at the moment of sampling, by what is known now or was known at `known_at`."""
    return book(tx).standing(organization, item, method, at, known_at)


def history(tx: Connection, record: QualityRecord) -> tuple[QualityVersion, ...]:
    """Every version of one record, newest first."""
    versions = book(tx).versions(record.organization, record.item)
    return tuple(sorted((e for e in versions if e.record.key == record.key), key=lambda e: e.version, reverse=True))


def put(
    tx: Connection,
    records: Iterable[QualityRecord],
    *,
    changed_by: str,
    reason: str,
    now: dt.datetime,
    withdrawn: bool = False,
) -> tuple[QualityVersion, ...]:
    """Saves records as one change: new ones, and the next versions of those already there.

    Raises Collision where somebody else saves the same record at the same moment.
    """
    known = book(tx)
    values = {"changed_at": now, "changed_by": changed_by, "reason": reason}
    change = int(tx.scalar(t.quality_change.insert().returning(t.quality_change.c.id), values) or 0)
    made: list[QualityVersion] = []
    for record in records:
        versions = known.versions(record.organization, record.item)
        number = max((each.version for each in versions if each.record.key == record.key), default=0) + 1
        made.append(QualityVersion(number, record, now, changed_by, reason, withdrawn, change))
    _ADD.many(tx, [_row(each) for each in made])
    _touched.add(tx)
    return tuple(made)


def _read(tx: Connection, changes: frozenset[int] | None) -> tuple[QualityVersion, ...]:
    """The records of these savings, or of all of them."""
    record, change = t.quality_record, t.quality_change
    query = select(record, change.c.changed_at, change.c.changed_by, change.c.reason).join(change)
    if changes is not None and len(changes) <= _MOST_NAMED:
        query = query.where(record.c.quality_change_id.in_(sorted(changes)))
    rows = tx.execute(query.order_by(record.c.id))
    return tuple(_version(row) for row in rows if changes is None or row.quality_change_id in changes)


def _version(row: Any) -> QualityVersion:
    record = QualityRecord(
        row.organization,
        row.item,
        Standing(row.standing),
        row.since,
        row.until,
        row.method,
        Scope(row.scope),
        row.scheme,
    )
    return QualityVersion(
        row.version, record, row.changed_at, row.changed_by, row.reason, row.withdrawn, row.quality_change_id
    )


def _row(version: QualityVersion) -> dict[str, object]:
    record = version.record
    return {
        "quality_change_id": version.change,
        "organization": record.organization,
        "item": record.item,
        "method": record.method,
        "since": record.since,
        "version": version.version,
        "standing": record.standing.value,
        "until": record.until,
        "scope": record.scope.value,
        "scheme": record.scheme,
        "withdrawn": version.withdrawn,
    }
