"""Corrected copies of deliveries: what was repaired into what. The original stays as it came."""

from sqlalchemy import Connection, select

from schemas.delivery import State

from . import tables as t


def add(tx: Connection, delivery_id: int, original_id: int, *, account: str, reason: str) -> None:
    """Ties a delivery to the one that it is a corrected copy of."""
    values = {"delivery_id": delivery_id, "original_id": original_id, "account": account, "reason": reason}
    tx.execute(t.repair.insert(), values)


def original_of(tx: Connection, delivery_id: int) -> int:
    """The delivery that this one is a corrected copy of; 0 where it is none."""
    return tx.scalar(select(t.repair.c.original_id).where(t.repair.c.delivery_id == delivery_id)) or 0


def copies_of(tx: Connection, delivery_id: int) -> tuple[int, ...]:
    """The corrected copies that were made of a delivery."""
    query = select(t.repair.c.delivery_id).where(t.repair.c.original_id == delivery_id)
    return tuple(sorted(tx.scalars(query)))


def indexed(tx: Connection, delivery_id: int) -> None:
    """A delivery is indexed: what it was repaired from, and what that was repaired from, waits no longer."""
    while delivery_id := original_of(tx, delivery_id):
        tx.execute(
            t.delivery.update()
            .where(t.delivery.c.id == delivery_id, t.delivery.c.state != State.INDEXED.value)
            .values(state=State.REPAIRED.value)
        )
