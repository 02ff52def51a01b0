"""What codes and units mean: decisions appended, never changed; those in force are kept in memory. No patient data."""

import datetime as dt
import threading
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from schemas.codes import Coding
from schemas.mapping import Concepts, Mapping, MappingKind

from . import tables as t
from .statement import Statement

# By database: how many decisions there were, and what they amount to.
_known: "WeakKeyDictionary[Engine, tuple[int, Concepts]]" = WeakKeyDictionary()
_lock = threading.Lock()
_COUNT = Statement(select(func.count(t.mapping.c.id).label("number")))


def concepts(tx: Connection) -> Concepts:
    """The mappings in force, as this transaction sees them, also where another process has just saved one."""
    # Rows are only ever added, so their number says whether there are new ones; ids may become visible out of order.
    count = int(_COUNT.scalar(tx))
    with _lock:
        kept = _known.get(tx.engine)
    if kept and kept[0] == count:
        return kept[1]
    made = Concepts(_record(row) for row in tx.execute(select(t.mapping).order_by(t.mapping.c.id)))
    with _lock:
        _known[tx.engine] = count, made
    return made


def _record(row: Any) -> Mapping:
    concept = Coding(row.concept_code, row.concept_display, row.concept_system) if row.concept_code else None
    return Mapping(
        MappingKind(row.kind), row.system, row.code, concept, row.decided_by, row.decided_at, row.reason, row.id
    )


def add(
    tx: Connection,
    kind: MappingKind,
    sent: Coding,
    concept: Coding | None,
    *,
    decided_by: str,
    now: dt.datetime,
    reason: str = "",
) -> int:
    """Records what a code or unit as sent stands for; None takes back what was decided before. Returns its id."""
    values = {
        "kind": kind.value,
        "system": sent.system,
        "code": sent.code,
        "concept_system": concept.system if concept else "",
        "concept_code": concept.code if concept else "",
        "concept_display": concept.display if concept else "",
        "decided_by": decided_by,
        "decided_at": now,
        "reason": reason,
    }
    return int(tx.scalar(t.mapping.insert().returning(t.mapping.c.id), values) or 0)


def history(tx: Connection, kind: MappingKind, system: str, code: str) -> tuple[Mapping, ...]:
    """Every decision about one code or unit, newest first."""
    column = t.mapping.c
    query = select(t.mapping).where(column.kind == kind.value, column.system == system, column.code == code)
    return tuple(_record(row) for row in tx.execute(query.order_by(column.id.desc()).limit(100)))
