"""Reports of which a held delivery says that they are another patient's: whose they are waits for a person."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, exists, select

from schemas.delivery import State

from . import tables as t
from .ledger import add_once


def add(tx: Connection, delivery_id: int, report_ids: Iterable[int]) -> None:
    """Notes that the delivery contests these reports; what a person has settled stays settled."""
    rows = [{"delivery_id": delivery_id, "report_id": each} for each in report_ids]
    add_once(tx, t.contest, rows)


def is_contested() -> Any:
    """SQL condition on the report table: a delivery that contests it waits, and nobody has said that it is right."""
    return exists(
        select(t.contest.c.report_id)
        .join(t.delivery, t.delivery.c.id == t.contest.c.delivery_id)
        .where(
            t.contest.c.report_id == t.report.c.id,
            t.contest.c.settled_at.is_(None),
            t.delivery.c.state == State.HELD.value,
        )
    )


def known_contested(tx: Connection, delivery_id: int) -> tuple[int, ...]:
    """The reports that this delivery contests, and that nobody has settled."""
    query = select(t.contest.c.report_id).where(
        t.contest.c.delivery_id == delivery_id, t.contest.c.settled_at.is_(None)
    )
    return tuple(sorted(tx.scalars(query)))


def settle(tx: Connection, delivery_id: int, now: dt.datetime) -> int:
    """The reports are right as they stand, whatever this delivery says. Returns how many it was about."""
    open_ = (t.contest.c.delivery_id == delivery_id, t.contest.c.settled_at.is_(None))
    return int(tx.execute(t.contest.update().where(*open_).values(settled_at=now)).rowcount)
