"""What of a sender's deliveries waits for a person, for those who mend its profile."""

from sqlalchemy import Connection, func, select

from schemas.delivery import WAITING
from schemas.disclosure import Disclosure

from . import tables as t

_STATES = tuple(state.value for state in WAITING)


def counts(tx: Connection) -> dict[int, int]:
    """How many deliveries wait, by source."""
    query = select(t.delivery.c.source_id, func.count()).where(t.NOT_INDEXED, t.delivery.c.state.in_(_STATES))
    return {row[0]: row[1] for row in tx.execute(query.group_by(t.delivery.c.source_id))}


def of_source(tx: Connection, disclosure: Disclosure, source_id: int, *, after: int, limit: int) -> tuple[int, ...]:
    """Ids of what waits of a source behind delivery `after`, in the order in which it came."""
    column = t.delivery.c
    query = select(column.id).where(t.NOT_INDEXED, column.state.in_(_STATES))
    query = query.where(column.source_id == source_id, column.id > after)
    if only := disclosure.only_organization:
        query = query.join(t.source).join(t.organization).where(t.organization.c.code == only)
    return tuple(tx.scalars(query.order_by(column.id).limit(limit)))
