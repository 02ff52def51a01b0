"""What others must be told, written in the transaction that made it true, delivered afterwards."""

import datetime as dt
import json

from sqlalchemy import Connection, func, select

from . import tables as t
from .statement import Statement

_ADD = Statement(t.outbox.insert())


def add(tx: Connection, topic: str, payload: dict[str, object], now: dt.datetime) -> None:
    """`payload`: ids and codes only; whoever delivers reads the rest under a disclosure of its own."""
    _ADD.run(tx, topic=topic, payload=json.dumps(payload).encode(), created_at=now)


def waiting(tx: Connection) -> int:
    """How many entries nobody has delivered yet."""
    return int(tx.scalar(select(func.count()).select_from(t.outbox).where(t.outbox.c.done_at.is_(None))) or 0)
