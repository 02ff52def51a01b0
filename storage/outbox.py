"""What others must be told, written in the transaction that made it true, delivered afterwards."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from . import tables as t
from .statement import Statement

_ADD = Statement(t.outbox.insert())


@dataclass(frozen=True, slots=True)
class Entry:
    """Something others must be told."""

    id: int
    topic: str
    payload: dict[str, Any]


def add(tx: Connection, topic: str, payload: dict[str, object], now: dt.datetime) -> None:
    """`payload`: ids and codes only; whoever delivers reads the rest under a disclosure of its own."""
    _ADD.run(tx, topic=topic, payload=json.dumps(payload).encode(), created_at=now)


def waiting(tx: Connection) -> int:
    """How many entries nobody has delivered yet."""
    return int(tx.scalar(select(func.count()).select_from(t.outbox).where(t.outbox.c.done_at.is_(None))) or 0)


def pending(tx: Connection, limit: int) -> tuple[Entry, ...]:
    """The oldest entries that nobody has delivered; another process that asks waits until this transaction ends."""
    query = (
        select(t.outbox.c.id, t.outbox.c.topic, t.outbox.c.payload)
        .where(t.outbox.c.done_at.is_(None))
        .order_by(t.outbox.c.id)
        .limit(limit)
        .with_for_update()
    )
    return tuple(Entry(row.id, row.topic, json.loads(row.payload)) for row in tx.execute(query))


def known_pending(tx: Connection, entry_ids: Iterable[int]) -> tuple[int, ...]:
    """Those of these entries that nobody has delivered; another process that asks waits until this transaction ends."""
    query = select(t.outbox.c.id).where(t.outbox.c.id.in_(list(entry_ids)), t.outbox.c.done_at.is_(None))
    return tuple(tx.scalars(query.with_for_update()))


def unnoticed(tx: Connection, before: dt.datetime, limit: int) -> tuple[Entry, ...]:
    """The oldest entries of changes that nobody has looked at for those who relied on what was; older than `before`."""
    query = (
        select(t.outbox.c.id, t.outbox.c.topic, t.outbox.c.payload)
        .where(t.UNNOTICED, t.outbox.c.created_at < before)
        .order_by(t.outbox.c.id)
        .limit(limit)
    )
    return tuple(Entry(row.id, row.topic, json.loads(row.payload)) for row in tx.execute(query))


def put_noticed(tx: Connection, entry_id: int, now: dt.datetime) -> bool:
    """Whoever relied on what an entry tells of has a notice. False where that was so before."""
    waits = (t.outbox.c.id == entry_id) & t.outbox.c.noticed_at.is_(None)
    return bool(tx.execute(t.outbox.update().where(waits).values(noticed_at=now)).rowcount)


def settle(tx: Connection, entry_ids: Iterable[int], now: dt.datetime) -> None:
    """Marks entries as delivered to all that wait for them."""
    tx.execute(t.outbox.update().where(t.outbox.c.id.in_(list(entry_ids))).values(done_at=now))
