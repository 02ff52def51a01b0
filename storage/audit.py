"""The audit trail: append-only, each record's hash covering the record before it."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from schemas.disclosure import Action, AuditRecord, Disclosure
from schemas.paging import Page

from . import tables as t
from .statement import Statement

_START = b"\0" * 32
# PostgreSQL's advisory lock under which the chain grows; SQLite has one writer anyway.
_CHAIN_LOCK = 0x6478_6175
_FIELDS = (
    t.audit.c.at,
    t.audit.c.action,
    t.audit.c.outcome,
    t.audit.c.account,
    t.audit.c.role,
    t.audit.c.organization,
    t.audit.c.purpose,
    t.audit.c.address,
    t.audit.c.entity,
    t.audit.c.patient_id,
    t.audit.c.detail,
)
_ADD = Statement(t.audit.insert())
_LAST = Statement(select(t.audit.c.hash).order_by(t.audit.c.id.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Entry:
    """What is about to be recorded; see schemas.disclosure.AuditRecord for the fields."""

    at: dt.datetime
    action: Action
    entity: str = ""
    patient_id: int | None = None
    outcome: str = "success"
    account: str = ""
    role: str = ""
    organization: str = ""
    purpose: str = ""
    address: str = ""
    detail: str = ""

    def row(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in _FIELDS}


def _link(previous: bytes, values: Sequence[object]) -> bytes:
    at, *rest = values
    if not isinstance(at, dt.datetime):
        raise TypeError(at)
    canonical = json.dumps([(at - t.EPOCH) // dt.timedelta(microseconds=1), *rest], ensure_ascii=False, default=str)
    return hashlib.sha256(previous + canonical.encode()).digest()


def add(tx: Connection, entries: Sequence[Entry]) -> None:
    """Appends to the chain. Call it last in a transaction: on PostgreSQL the chain is locked until the commit."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    previous = _LAST.scalar(tx) or _START
    rows = []
    for entry in entries:
        values = entry.row()
        previous = _link(previous, list(values.values()))
        rows.append({**values, "hash": previous})
    _ADD.many(tx, rows)


def broken_links(tx: Connection) -> Iterator[int]:
    """Ids of records whose hash does not follow from themselves and the record before: altered, or one is missing."""
    previous = _START
    for row in tx.execute(select(t.audit.c.id, t.audit.c.hash, *_FIELDS).order_by(t.audit.c.id)).yield_per(1000):
        if row[1] != _link(previous, row[2:]):
            yield row[0]
        previous = row[1]


def _record(row: Any) -> AuditRecord:
    return AuditRecord(**{**row._mapping, "action": Action(row._mapping["action"])})


def records(
    tx: Connection,
    disclosure: Disclosure,
    *,
    patient_id: int | None = None,
    account: str = "",
    action: str = "",
    limit: int = 100,
    offset: int = 0,
) -> Page[AuditRecord]:
    """What was recorded, newest first."""
    wanted = []
    if patient_id is not None:
        wanted.append(t.audit.c.patient_id == patient_id)
    if account:
        wanted += [t.OF_ACCOUNT, t.audit.c.account == account]
    if action:
        wanted.append(t.audit.c.action == action)
    total = tx.scalar(select(func.count()).select_from(t.audit).where(*wanted)) or 0
    query = select(t.audit.c.id, *_FIELDS).where(*wanted).order_by(t.audit.c.id.desc()).limit(limit).offset(offset)
    return Page(tuple(_record(row) for row in tx.execute(query)), total, offset)
