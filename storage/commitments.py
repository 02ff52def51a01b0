"""Requests for storage commitment, and what became of them. Source: DICOM PS3.4 annex J. UIDs only."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from schemas.delivery import State
from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.network import Commitment, Outcome, Reference

from . import nodes
from . import tables as t

WAITING, SETTLED, GIVEN_UP = "waiting", "settled", "given-up"


@dataclass(frozen=True, slots=True)
class _References:
    items: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Requested:
    """A request as it was taken down. organization: code of the institution that answers for who asked."""

    organization: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class KnownInstance:
    """An instance as a commitment vouches for it. digest: of the stored object."""

    sop_class_uid: str
    digest: str


def add(
    tx: Connection,
    transaction_uid: str,
    source_id: int,
    ae_title: str,
    references: tuple[Reference, ...],
    *,
    now: dt.datetime,
    next_attempt_at: dt.datetime,
) -> int:
    """A new request; its id."""
    values = {
        "transaction_uid": transaction_uid,
        "source_id": source_id,
        "ae_title": ae_title,
        "requested_at": now,
        "content": to_json(_References(references)),
        "state": WAITING,
        "attempts": 0,
        "next_attempt_at": next_attempt_at,
    }
    return int(tx.scalar(t.storage_commitment.insert().returning(t.storage_commitment.c.id), values) or 0)


def known(tx: Connection, source_id: int, transaction_uid: str) -> tuple[int, tuple[Reference, ...]] | None:
    """The request that this source made under this Transaction UID: its id and what it named."""
    column = t.storage_commitment.c
    query = select(column.id, column.content).where(
        column.source_id == source_id, column.transaction_uid == transaction_uid
    )
    row = tx.execute(query).first()
    return (row.id, from_json(_References, row.content).items) if row else None


def requested(tx: Connection, commitment_id: int) -> Requested:
    """Raises NotFound."""
    row = _row(tx, commitment_id)
    code = tx.scalar(select(t.organization.c.code).join(t.source).where(t.source.c.id == row.source_id))
    return Requested(str(code), from_json(_References, row.content).items)


def commitment(tx: Connection, commitment_id: int) -> Commitment:
    """Raises NotFound."""
    row = _row(tx, commitment_id)
    outcome = from_json(Outcome, row.outcome) if row.outcome is not None else None
    node = nodes.named(tx, row.ae_title)
    return Commitment(row.id, row.transaction_uid.partition("#")[0], row.ae_title, row.attempts, node, outcome)


def _row(tx: Connection, commitment_id: int) -> Any:
    row = tx.execute(select(t.storage_commitment).where(t.storage_commitment.c.id == commitment_id)).first()
    if row is None:
        raise NotFound("no such storage commitment", where="commitment")
    return row


def due(tx: Connection, now: dt.datetime, limit: int = 50) -> tuple[int, ...]:
    """Ids of those whose requester is to be told now."""
    column = t.storage_commitment.c
    query = select(column.id).where(column.state == WAITING, column.next_attempt_at <= now)
    return tuple(tx.scalars(query.order_by(column.next_attempt_at, column.id).limit(limit)))


def put_due(tx: Connection, commitment_id: int, before: int, next_attempt_at: dt.datetime) -> bool:
    """Counts an attempt and says when the next one is due; False where another process made this one.

    before: how many attempts there were.
    """
    column = t.storage_commitment.c
    mine = (column.id == commitment_id, column.attempts == before, column.state == WAITING)
    values = {"attempts": before + 1, "next_attempt_at": next_attempt_at}
    return bool(tx.execute(t.storage_commitment.update().where(*mine).values(values)).rowcount)


def put_again(tx: Connection, commitment_id: int, next_attempt_at: dt.datetime) -> None:
    """The same request came again: it is answered again, with what is found now."""
    values = {"state": WAITING, "attempts": 0, "next_attempt_at": next_attempt_at, "outcome": None, "settled_at": None}
    tx.execute(t.storage_commitment.update().where(t.storage_commitment.c.id == commitment_id).values(values))


def put_now(tx: Connection, commitment_id: int, now: dt.datetime) -> None:
    """Its requester is to be told at the next opportunity."""
    column = t.storage_commitment.c
    tx.execute(t.storage_commitment.update().where(column.id == commitment_id).values(next_attempt_at=now))


def put_outcome(tx: Connection, commitment_id: int, outcome: Outcome) -> None:
    """What was found, told the same at every attempt."""
    values = {"outcome": to_json(outcome)}
    tx.execute(t.storage_commitment.update().where(t.storage_commitment.c.id == commitment_id).values(values))


def settle(tx: Connection, commitment_id: int, state: str, now: dt.datetime) -> None:
    """Ends it: SETTLED or GIVEN_UP."""
    values = {"state": state, "settled_at": now}
    tx.execute(t.storage_commitment.update().where(t.storage_commitment.c.id == commitment_id).values(values))


def known_instances(tx: Connection, organization: str, sop_uids: list[str]) -> dict[str, KnownInstance]:
    """Of these instances those that this institution sent us, first or once more, by SOP Instance UID."""
    query = (
        select(t.instance.c.sop_instance_uid, t.instance.c.sop_class_uid, t.instance.c.digest, t.organization.c.code)
        .add_columns(t.study.c.report_id)
        .join(t.series, t.series.c.id == t.instance.c.series_id)
        .join(t.study, t.study.c.id == t.series.c.study_id)
        .join(t.delivery, t.delivery.c.id == t.instance.c.delivery_id)
        .join(t.source, t.source.c.id == t.delivery.c.source_id)
        .join(t.organization, t.organization.c.id == t.source.c.organization_id)
        .where(t.instance.c.sop_instance_uid.in_(sop_uids))
    )
    return {
        row.sop_instance_uid: KnownInstance(row.sop_class_uid, row.digest)
        for row in tx.execute(query)
        if row.code == organization or _sent_too(tx, organization, row)
    }


def _sent_too(tx: Connection, organization: str, row: Any) -> bool:
    """Whether the institution sent the instance after another had: the same file, or its data set in another one."""
    sent = (
        select(t.delivery.c.id)
        .join(t.delivery_report, t.delivery_report.c.delivery_id == t.delivery.c.id)
        .join(t.source, t.source.c.id == t.delivery.c.source_id)
        .join(t.organization, t.organization.c.id == t.source.c.organization_id)
        .where(t.delivery_report.c.report_id == row.report_id, t.delivery.c.state == State.INDEXED.value)
        .where(t.organization.c.code == organization)
        .where(or_(t.delivery.c.digest == row.digest, t.delivery.c.message_id == row.sop_instance_uid))
    )
    return tx.scalar(sent.limit(1)) is not None
