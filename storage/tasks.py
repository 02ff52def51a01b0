"""Codes and units that wait for a person who knows what they mean. No patient data."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from schemas.codes import Coding
from schemas.faults import NotFound
from schemas.mapping import MappingKind
from schemas.paging import Page
from schemas.task import Task, TaskState

from . import tables as t
from .mappings import concepts

# A sender that makes up a new code for every result must not fill the page of those who work through it.
MOST_OPEN = 2000


def add(tx: Connection, kind: MappingKind, sent: Coding, source_id: int, now: dt.datetime) -> None:
    """Opens a task for a code or unit, unless it is known or its system has too many open already."""
    column = t.task.c
    same = (column.kind == kind.value, column.system == sent.system)
    if tx.scalar(select(column.id).where(*same, column.code == sent.code)) is not None:
        return
    waiting = select(func.count()).select_from(t.task).where(*same, column.state == TaskState.OPEN.value)
    if (tx.scalar(waiting) or 0) >= MOST_OPEN:
        return
    # Mapped before anybody sent it: nothing waits.
    known = kind is not MappingKind.UNIT and concepts(tx).meaning(kind, sent) is not None
    values = {
        "kind": kind.value,
        "system": sent.system,
        "code": sent.code,
        "display": sent.display[:200],
        "source_id": source_id,
        "found_at": now,
        "state": (TaskState.MAPPED if known else TaskState.OPEN).value,
        "decided_by": "",
        "reason": "",
    }
    tx.execute(t.task.insert(), values)


def _query() -> Select[Any]:
    return (
        select(t.task, t.source.c.name.label("source"), t.organization.c.code.label("organization"))
        .join(t.source, t.source.c.id == t.task.c.source_id)
        .join(t.organization, t.organization.c.id == t.source.c.organization_id)
    )


def _record(tx: Connection, row: Any) -> Task:
    kind = MappingKind(row.kind)
    concept = concepts(tx).meaning(kind, Coding(row.code, system=row.system))
    return Task(
        id=row.id,
        kind=kind,
        system=row.system,
        code=row.code,
        display=row.display,
        source=row.source,
        organization=row.organization,
        found_at=row.found_at,
        state=TaskState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        concept=concept,
    )


def tasks(tx: Connection, state: TaskState, *, text: str = "", limit: int = 50, offset: int = 0) -> Page[Task]:
    """Those in that state, oldest first. `text`: found in the code, its name as sent, or the sender's."""
    wanted = [t.task.c.state == state.value]
    if text:
        columns = (t.task.c.code, t.task.c.display, t.task.c.system, t.source.c.name)
        wanted.append(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    query = _query().where(*wanted)
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = tx.execute(query.order_by(t.task.c.id).limit(limit).offset(offset))
    return Page(tuple(_record(tx, row) for row in rows), total, offset)


def task(tx: Connection, task_id: int) -> Task:
    """Raises NotFound."""
    row = tx.execute(_query().where(t.task.c.id == task_id)).first()
    if row is None:
        raise NotFound("no such task", where="task")
    return _record(tx, row)


def settle(
    tx: Connection, task_id: int, state: TaskState, *, decided_by: str, now: dt.datetime | None, reason: str = ""
) -> None:
    """Writes what became of a task; OPEN asks again."""
    values = {"state": state.value, "decided_by": decided_by, "decided_at": now, "reason": reason}
    tx.execute(t.task.update().where(t.task.c.id == task_id).values(values))
