"""Where reports are sent on to, and which process sends there. No patient data."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from schemas.dispatch import Destination, DestinationRecord, DispatchState
from schemas.documents import from_json, to_json
from schemas.faults import NotFound

from . import organizations
from . import tables as t


def put(tx: Connection, destination: Destination, destination_id: int | None = None) -> int:
    """Adds a destination, or replaces one. Returns its id. Raises NotFound for an unknown institution or id."""
    values = {
        "organization_id": organizations.organization(tx, destination.organization).id,
        "active": destination.active,
        "document": to_json(destination),
    }
    if destination_id is None:
        return int(tx.scalar(t.destination.insert().returning(t.destination.c.id), values) or 0)
    if not tx.execute(t.destination.update().where(t.destination.c.id == destination_id).values(values)).rowcount:
        raise NotFound("no such destination", where="destination")
    return destination_id


def _query() -> Select[Any]:
    def number(state: DispatchState) -> Any:
        mine = (t.dispatch.c.destination_id == t.destination.c.id, t.dispatch.c.state == state.value)
        return select(func.count()).select_from(t.dispatch).where(*mine).scalar_subquery()

    last = select(func.max(t.dispatch.c.settled_at)).where(
        t.dispatch.c.destination_id == t.destination.c.id, t.dispatch.c.state == DispatchState.DELIVERED.value
    )
    return select(
        t.destination.c.id,
        t.destination.c.document,
        number(DispatchState.WAITING).label("waiting"),
        number(DispatchState.DEAD).label("dead"),
        last.scalar_subquery().label("last_delivered_at"),
    )


def _record(row: Any) -> DestinationRecord:
    return DestinationRecord(row.id, from_json(Destination, row.document), row.waiting, row.dead, row.last_delivered_at)


def destinations(tx: Connection) -> tuple[DestinationRecord, ...]:
    """Every destination, in the order of registration, with how many reports wait and were refused there."""
    return tuple(_record(row) for row in tx.execute(_query().order_by(t.destination.c.id)))


def destination(tx: Connection, destination_id: int) -> DestinationRecord:
    """Raises NotFound."""
    row = tx.execute(_query().where(t.destination.c.id == destination_id)).first()
    if row is None:
        raise NotFound("no such destination", where="destination")
    return _record(row)


def active(tx: Connection) -> dict[str, tuple[tuple[int, Destination], ...]]:
    """The active destinations with their ids, by the code of their institution."""
    query = (
        select(t.organization.c.code, t.destination.c.id, t.destination.c.document)
        .join(t.organization, t.organization.c.id == t.destination.c.organization_id)
        .where(t.destination.c.active)
        .order_by(t.destination.c.id)
    )
    found: dict[str, tuple[tuple[int, Destination], ...]] = {}
    for row in tx.execute(query):
        found[row.code] = (*found.get(row.code, ()), (row.id, from_json(Destination, row.document)))
    return found


def with_work(tx: Connection, now: dt.datetime) -> tuple[int, ...]:
    """Ids of the active destinations whose first waiting report is due."""
    first = (
        select(func.min(t.dispatch.c.id))
        .where(t.dispatch.c.state == DispatchState.WAITING.value)
        .group_by(t.dispatch.c.destination_id)
    )
    query = (
        select(t.dispatch.c.destination_id)
        .join(t.destination, t.destination.c.id == t.dispatch.c.destination_id)
        .where(t.dispatch.c.id.in_(first), t.dispatch.c.next_attempt_at <= now, t.destination.c.active)
    )
    return tuple(tx.scalars(query))


def put_lease(tx: Connection, destination_id: int, owner: str, now: dt.datetime, until: dt.datetime) -> bool:
    """Takes or keeps the sole right to send there; False while another process has it."""
    free = or_(
        t.destination.c.lease_owner.in_(["", owner]),
        t.destination.c.leased_until.is_(None),
        t.destination.c.leased_until < now,
    )
    values = {"lease_owner": owner, "leased_until": until}
    taken = tx.execute(t.destination.update().where(t.destination.c.id == destination_id, free).values(values))
    return bool(taken.rowcount)


def remove_lease(tx: Connection, destination_id: int, owner: str) -> None:
    """Gives the right to send there back."""
    mine = (t.destination.c.id == destination_id, t.destination.c.lease_owner == owner)
    tx.execute(t.destination.update().where(*mine).values(lease_owner="", leased_until=None))


def remove_leases(tx: Connection) -> None:
    """Ends what a killed process left behind. Call it only while no other process sends."""
    tx.execute(t.destination.update().values(lease_owner="", leased_until=None))
