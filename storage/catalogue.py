"""The catalogue: versions appended, never changed; the one in force is kept in memory. No patient data.

Reading what is kept costs one count; a verdict asks for it again and again.
"""

import datetime as dt
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from schemas.catalogue import Catalogue, Item, ItemVersion
from schemas.documents import from_json, to_json
from schemas.faults import NotFound

from . import tables as t
from .kept import Touched
from .statement import Statement

_COUNT = Statement(select(func.count(t.catalogue_item.c.id).label("number")))
_ADD = Statement(t.catalogue_item.insert())
_SHIPPED = "catalogue-shipped"
_known: "WeakKeyDictionary[Engine, Catalogue]" = WeakKeyDictionary()
_lock = threading.Lock()
_touched = Touched()


def catalogue(tx: Connection, at: dt.datetime | None = None) -> Catalogue:
    """The catalogue as this transaction sees it; with `at` as it stood at that moment, read anew."""
    if at is not None:
        return Catalogue(_versions(tx, at), stamp=-1)
    # Versions are only ever added, so their number says whether there are new ones.
    count = int(_COUNT.scalar(tx))
    with _lock:
        kept = _known.get(tx.engine)
    if kept and kept.stamp == count and not _touched.by(tx):
        return kept
    made = Catalogue(_versions(tx), stamp=count)
    if not _touched.by(tx):
        with _lock:
            _known[tx.engine] = made
    return made


def items(tx: Connection, at: dt.datetime | None = None) -> tuple[Item, ...]:
    """The items in force now, or at that moment, in the order in which they came to the catalogue."""
    return tuple(catalogue(tx, at).items.values())


def history(tx: Connection, code: str) -> tuple[ItemVersion, ...]:
    """Every version of an item, newest first; empty for a code that never was."""
    column = t.catalogue_item.c
    rows = tx.execute(select(t.catalogue_item).where(column.code == code).order_by(column.version.desc()))
    return tuple(_version(row) for row in rows)


def version(tx: Connection, code: str, number: int) -> ItemVersion:
    """One version of an item, for what was judged by it. Raises NotFound."""
    column = t.catalogue_item.c
    row = tx.execute(select(t.catalogue_item).where(column.code == code, column.version == number)).first()
    if row is None:
        raise NotFound("the catalogue never had this version of an item", where="item")
    return _version(row)


def put(
    tx: Connection, item: Item, *, changed_by: str, reason: str, now: dt.datetime, retired: bool = False
) -> ItemVersion:
    """Adds the next version of an item, which holds from now on. Raises Collision where two do so at once."""
    newest = select(func.max(t.catalogue_item.c.version)).where(t.catalogue_item.c.code == item.code)
    made = ItemVersion(int(tx.scalar(newest) or 0) + 1, item, now, changed_by, reason, retired)
    _ADD.run(tx, **_row(made))
    _touched.add(tx)
    return made


def ship(tx: Connection, name: str, shipped: Iterable[Item], now: dt.datetime) -> int:
    """Brings in what this version of the hub is shipped with, once for each name; returns how many items it changed.

    What a person has changed stays theirs. What a hub begins with holds since the beginning: nothing else ever did.
    """
    if tx.scalar(select(t.setting.c.value).where(t.setting.c.name == _SHIPPED)) == name:
        return 0
    known = {each.item.code: each for each in _versions(tx)}
    fresh = tuple(_shipped(known, tuple(shipped), now if known else t.EPOCH))
    _ADD.many(tx, [_row(each) for each in fresh])
    tx.execute(t.setting.delete().where(t.setting.c.name == _SHIPPED))
    tx.execute(t.setting.insert(), {"name": _SHIPPED, "value": name})
    return len(fresh)


def _shipped(known: Mapping[str, ItemVersion], shipped: tuple[Item, ...], since: dt.datetime) -> Iterable[ItemVersion]:
    for item in shipped:
        was = known.get(item.code)
        if was is None:
            yield ItemVersion(1, item, since)
        elif not was.changed_by and (was.item != item or was.retired):
            yield ItemVersion(was.version + 1, item, since)
    gone = known.keys() - {item.code for item in shipped}
    for code in sorted(gone):
        was = known[code]
        if not was.changed_by and not was.retired:
            yield ItemVersion(was.version + 1, was.item, since, retired=True)


def _versions(tx: Connection, at: dt.datetime | None = None) -> tuple[ItemVersion, ...]:
    """The version of each item that held at that moment, or holds now."""
    column = t.catalogue_item.c
    query = select(t.catalogue_item).order_by(column.id)
    if at is not None:
        query = query.where(column.since <= at)
    newest: dict[str, Any] = {}
    for row in tx.execute(query):
        if row.code not in newest or newest[row.code].version < row.version:
            newest[row.code] = row
    return tuple(_version(row) for row in newest.values())


def _version(row: Any) -> ItemVersion:
    return ItemVersion(row.version, from_json(Item, row.document), row.since, row.changed_by, row.reason, row.retired)


def _row(version: ItemVersion) -> dict[str, object]:
    return {
        "code": version.item.code,
        "version": version.version,
        "since": version.since,
        "changed_by": version.changed_by,
        "reason": version.reason,
        "retired": version.retired,
        "document": to_json(version.item),
    }
