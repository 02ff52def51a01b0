"""Reports on their way to other systems: the message made once, and what became of it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from schemas.disclosure import Disclosure
from schemas.dispatch import Destination, DispatchRecord, DispatchState
from schemas.documents import from_json
from schemas.faults import NotFound
from schemas.paging import Page

from . import tables as t

_WAITING = t.dispatch.c.state == DispatchState.WAITING.value


@dataclass(frozen=True, slots=True)
class Pending:
    """What is to be sent next. rejections: how often the receiver has asked to come later."""

    id: int
    report_id: int
    message: bytes
    attempts: int
    rejections: int


def add(
    tx: Connection,
    *,
    destination_id: int,
    report_id: int,
    version: int,
    control_id: str,
    message: bytes,
    now: dt.datetime,
    fault: str = "",
) -> None:
    """Queues a message behind those that wait for the same destination; with a fault it is dead from the start."""
    state = DispatchState.DEAD if fault else DispatchState.WAITING
    values = {
        "destination_id": destination_id,
        "report_id": report_id,
        "version": version,
        "control_id": control_id,
        "message": message,
        "state": state.value,
        "created_at": now,
        "next_attempt_at": now,
        "settled_at": now if fault else None,
        "text": _plain(fault),
    }
    tx.execute(t.dispatch.insert(), values)


def known_dispatch(tx: Connection, destination_id: int, report_id: int, version: int) -> bool:
    """Whether this version was queued for this destination before."""
    mine = (
        t.dispatch.c.destination_id == destination_id,
        t.dispatch.c.report_id == report_id,
        t.dispatch.c.version == version,
    )
    return bool(tx.scalar(select(exists(select(t.dispatch.c.id).where(*mine)))))


def known_overtaken(tx: Connection, dispatch_id: int) -> bool:
    """Whether a later version of the same report was queued for the same destination: this one would undo it."""
    later = t.dispatch.alias()
    query = select(t.dispatch.c.id).join(
        later,
        (later.c.destination_id == t.dispatch.c.destination_id)
        & (later.c.report_id == t.dispatch.c.report_id)
        & (later.c.version > t.dispatch.c.version)
        & (later.c.state != DispatchState.GIVEN_UP.value),
    )
    return tx.scalar(query.where(t.dispatch.c.id == dispatch_id).limit(1)) is not None


def first_due(tx: Connection, disclosure: Disclosure, destination_id: int, now: dt.datetime) -> Pending | None:
    """The oldest report that waits for this destination, if its time has come: a later one never goes before it."""
    del disclosure  # the hub's own; the record was made when the message was
    query = (
        select(
            t.dispatch.c.id,
            t.dispatch.c.report_id,
            t.dispatch.c.message,
            t.dispatch.c.attempts,
            t.dispatch.c.rejections,
            t.dispatch.c.next_attempt_at,
        )
        .where(_WAITING, t.dispatch.c.destination_id == destination_id)
        .order_by(t.dispatch.c.id)
        .limit(1)
    )
    row = tx.execute(query).first()
    if row is None or row.next_attempt_at > now:
        return None
    return Pending(row.id, row.report_id, row.message, row.attempts, row.rejections)


def settle(tx: Connection, dispatch_id: int, state: DispatchState, code: str, text: str, now: dt.datetime) -> None:
    """Writes how an attempt ended for good. What was delivered need not be sent again: its bytes are let go."""
    done = {"message": b""} if state is DispatchState.DELIVERED else {}
    _update(tx, dispatch_id, state=state.value, settled_at=now, code=code[:20], text=_plain(text), **done)


def put_off(
    tx: Connection, dispatch_id: int, code: str, text: str, next_attempt_at: dt.datetime, *, rejected: bool
) -> None:
    """Writes that an attempt came to nothing, and when the next is due."""
    rejections = t.dispatch.c.rejections + int(rejected)
    _update(tx, dispatch_id, code=code[:20], text=_plain(text), next_attempt_at=next_attempt_at, rejections=rejections)


def _update(tx: Connection, dispatch_id: int, **values: Any) -> None:
    # Only what still waits: a person may have given it up meanwhile.
    update = t.dispatch.update().where(t.dispatch.c.id == dispatch_id, _WAITING)
    tx.execute(update.values(attempts=t.dispatch.c.attempts + 1, **values))


def put_decision(tx: Connection, dispatch_id: int, state: DispatchState, account: str, reason: str, at: Any) -> bool:
    """A person's word on a refused or a waiting report: sent once more, or given up. False where it is neither."""
    values: dict[str, Any] = {"state": state.value, "decided_by": account, "reason": _plain(reason), "rejections": 0}
    if state is DispatchState.WAITING:
        values |= {"next_attempt_at": at, "settled_at": None}
        open_states = [DispatchState.DEAD.value]
    else:
        values |= {"settled_at": at, "message": b""}
        open_states = [DispatchState.DEAD.value, DispatchState.WAITING.value]
    mine = (t.dispatch.c.id == dispatch_id, t.dispatch.c.state.in_(open_states))
    return bool(tx.execute(t.dispatch.update().where(*mine).values(values)).rowcount)


def _plain(text: str) -> str:
    # PostgreSQL holds no NUL; a receiver's words are kept only as far as a person wants to read them.
    return text.replace("\0", "")[:300]


def _query() -> Select[Any]:
    columns = [column for column in t.dispatch.c if column is not t.dispatch.c.message]
    return (
        select(*columns, t.destination.c.document, t.organization.c.code.label("organization"))
        .join(t.destination, t.destination.c.id == t.dispatch.c.destination_id)
        .join(t.organization, t.organization.c.id == t.destination.c.organization_id)
    )


def _record(row: Any) -> DispatchRecord:
    return DispatchRecord(
        id=row.id,
        destination_id=row.destination_id,
        destination=from_json(Destination, row.document).name,
        organization=row.organization,
        report_id=row.report_id,
        version=row.version,
        control_id=row.control_id,
        state=DispatchState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        settled_at=row.settled_at,
        code=row.code,
        text=row.text,
        decided_by=row.decided_by,
        reason=row.reason,
    )


def records(
    tx: Connection,
    disclosure: Disclosure,
    *,
    state: DispatchState | None = None,
    destination_id: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Page[DispatchRecord]:
    """What was to be sent on, without the messages: what waits in the order in which it goes, the rest newest first."""
    wanted: list[Any] = []
    if state:
        wanted.append(t.dispatch.c.state == state.value)
    if destination_id is not None:
        wanted.append(t.dispatch.c.destination_id == destination_id)
    if disclosure.only_organization:
        wanted.append(t.organization.c.code == disclosure.only_organization)
    query = _query().where(*wanted)
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = t.dispatch.c.id.asc() if state is DispatchState.WAITING else t.dispatch.c.id.desc()
    rows = tx.execute(query.order_by(order).limit(limit).offset(offset))
    return Page(tuple(_record(row) for row in rows), total, offset)


def record(tx: Connection, disclosure: Disclosure, dispatch_id: int) -> DispatchRecord:
    """Raises NotFound."""
    only = disclosure.only_organization
    query = _query().where(t.dispatch.c.id == dispatch_id, *([t.organization.c.code == only] if only else []))
    row = tx.execute(query).first()
    if row is None:
        raise NotFound("no such dispatch", where="dispatch")
    return _record(row)


def counts(tx: Connection) -> dict[DispatchState, int]:
    """How many reports wait and were refused; what is done is not counted, for it only grows."""
    open_states = [DispatchState.WAITING.value, DispatchState.DEAD.value]
    query = select(t.dispatch.c.state, func.count()).where(t.dispatch.c.state.in_(open_states))
    found = {DispatchState(state): number for state, number in tx.execute(query.group_by(t.dispatch.c.state))}
    return {DispatchState(state): found.get(DispatchState(state), 0) for state in open_states}
