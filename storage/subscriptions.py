"""Systems that want to be called, and the calls that are to be made. No patient data; a notice is read elsewhere."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select

from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.subscription import Subscription, SubscriptionRecord, SubscriptionStatus

from . import organizations
from . import tables as t


@dataclass(frozen=True, slots=True)
class Due:
    """A call that is to be made now. attempts: so far."""

    id: int
    notice_id: int
    attempts: int
    record: SubscriptionRecord


def add(tx: Connection, subscription: Subscription, now: dt.datetime) -> int:
    """Registers a system for what happens from now on. Returns its id. Raises NotFound for an unknown institution."""
    newest = select(func.coalesce(func.max(t.notice.c.id), 0)).scalar_subquery()
    values = {
        "organization_id": organizations.organization(tx, subscription.organization).id,
        "status": SubscriptionStatus.ACTIVE.value,
        "after_notice": newest,
        "created_at": now,
        "error": "",
        "document": to_json(subscription),
    }
    return int(tx.scalar(t.subscription.insert().values(values).returning(t.subscription.c.id)) or 0)


def _record(row: Any) -> SubscriptionRecord:
    kept = from_json(Subscription, row.document)
    return SubscriptionRecord(row.id, kept, SubscriptionStatus(row.status), row.created_at, row.error)


def records(tx: Connection, organization: str = "") -> tuple[SubscriptionRecord, ...]:
    """Every subscription that was not taken back; of one institution where it is named."""
    query = (
        select(t.subscription)
        .join(t.organization, t.organization.c.id == t.subscription.c.organization_id)
        .where(t.subscription.c.status != SubscriptionStatus.OFF.value)
        .order_by(t.subscription.c.id)
    )
    if organization:
        query = query.where(t.organization.c.code == organization)
    return tuple(_record(row) for row in tx.execute(query))


def record(tx: Connection, subscription_id: int) -> SubscriptionRecord:
    """Raises NotFound."""
    row = tx.execute(select(t.subscription).where(t.subscription.c.id == subscription_id)).first()
    if row is None:
        raise NotFound("no such subscription", where="Subscription")
    return _record(row)


def put_status(tx: Connection, subscription_id: int, status: SubscriptionStatus, error: str = "") -> None:
    """How it goes with a system; what is off is never called again."""
    values = {"status": status.value, "error": error}
    tx.execute(t.subscription.update().where(t.subscription.c.id == subscription_id).values(values))


def add_calls(tx: Connection, now: dt.datetime) -> int:
    """A call for each notice of an institution that its active systems have not been called for. Returns how many."""
    h = t.hook.alias("known")
    known = (
        select(literal(1))
        .select_from(h)
        .where(h.c.subscription_id == t.subscription.c.id, h.c.notice_id == t.notice.c.id)
        .exists()
    )
    wanted = (
        select(t.subscription.c.id, t.notice.c.id, literal(0), literal(now, t.hook.c.next_attempt_at.type))
        .join(t.notice, t.notice.c.organization_id == t.subscription.c.organization_id)
        .where(
            t.subscription.c.status != SubscriptionStatus.OFF.value,
            t.notice.c.id > t.subscription.c.after_notice,
            ~known,
        )
    )
    columns = ["subscription_id", "notice_id", "attempts", "next_attempt_at"]
    return int(tx.execute(insert(t.hook).from_select(columns, wanted, include_defaults=False)).rowcount)


def due(tx: Connection, now: dt.datetime, limit: int) -> tuple[Due, ...]:
    """The calls to be made, the oldest first."""
    query = (
        select(t.hook.c.id.label("hook_id"), t.hook.c.notice_id, t.hook.c.attempts, t.subscription)
        .join(t.subscription, t.subscription.c.id == t.hook.c.subscription_id)
        .where(
            t.hook.c.answered_at.is_(None),
            t.hook.c.next_attempt_at <= now,
            t.subscription.c.status != SubscriptionStatus.OFF.value,
        )
        .order_by(t.hook.c.id)
        .limit(limit)
    )
    return tuple(Due(row.hook_id, row.notice_id, row.attempts, _record(row)) for row in tx.execute(query))


def settle_call(tx: Connection, hook_id: int, now: dt.datetime) -> None:
    """A call was answered."""
    tx.execute(t.hook.update().where(t.hook.c.id == hook_id).values(answered_at=now))


def put_off(tx: Connection, hook_id: int, next_attempt_at: dt.datetime) -> None:
    """A call came to nothing and is to be made again."""
    values = {"attempts": t.hook.c.attempts + 1, "next_attempt_at": next_attempt_at}
    tx.execute(t.hook.update().where(t.hook.c.id == hook_id).values(values))
