"""Notices to those who relied on what is no longer so; and who relied on what."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.notice import Change, Notice, NoticeKind, Reliance
from schemas.recognition import Decided

from . import tables as t
from .ledger import add_once, organization_of, patient_of


@dataclass(frozen=True, slots=True)
class Relied:
    """Who relied on which version of a report, and how; `cause_id`: of the decision or the opening."""

    reliance: Reliance
    report_id: int
    version: int
    organization_id: int
    organization: str
    account: str
    cause_id: int


@dataclass(frozen=True, slots=True)
class _Changes:
    changes: tuple[Change, ...] = ()


def known_relied(tx: Connection, report_id: int) -> tuple[Relied, ...]:
    """Everyone who decided on or opened a report, each once with what counts most and came last."""
    found: dict[tuple[int, str], Relied] = {}
    opening = select(
        *(t.opening.c.id, t.opening.c.version, t.opening.c.organization_id, t.opening.c.account, t.organization.c.code)
    ).join(t.organization, t.organization.c.id == t.opening.c.organization_id)
    for row in tx.execute(opening.where(t.opening.c.report_id == report_id).order_by(t.opening.c.id)):
        found[row.organization_id, row.account] = _relied(Reliance.OPENED, report_id, row)
    for row in tx.execute(_deciding().where(t.decision.c.report_id == report_id).order_by(t.decision.c.id)):
        found[row.organization_id, row.account] = _relied(_weight(row.verdict), report_id, row)
    return tuple(found.values())


def known_told(tx: Connection, report_id: int) -> dict[tuple[int, str], int]:
    """The version of which each (institution's row, account) was last told that it says otherwise."""
    n = t.notice.c
    query = select(n.organization_id, n.account, func.max(n.version)).where(
        n.report_id == report_id, n.kind.in_((NoticeKind.CORRECTED.value, NoticeKind.WITHDRAWN.value))
    )
    return {(row[0], row[1]): row[2] for row in tx.execute(query.group_by(n.organization_id, n.account))}


def known_reused(
    tx: Connection, organization: str, items: Iterable[str], since: dt.datetime, until: dt.datetime
) -> tuple[Relied, ...]:
    """Everyone whose last word was to reuse an institution's result of one of the items sampled in [since, until)."""
    query = (
        _deciding()
        .join(t.report, t.report.c.id == t.decision.c.report_id)
        .where(
            t.report.c.organization_id == organization_of(organization),
            t.decision.c.item.in_(list(items)),
            t.report.c.observed_at >= since,
            t.report.c.observed_at < until,
        )
        .order_by(t.decision.c.id)
    )
    return _last_reused(tx, query)


def known_reused_whole(tx: Connection, organization: str, since: dt.datetime, until: dt.datetime) -> tuple[Relied, ...]:
    """Everyone who reused an institution's report sampled in [since, until) without having been advised on an item."""
    query = (
        _deciding()
        .join(t.report, t.report.c.id == t.decision.c.report_id)
        .where(
            t.report.c.organization_id == organization_of(organization),
            t.decision.c.advice == "",
            t.report.c.observed_at >= since,
            t.report.c.observed_at < until,
        )
        .order_by(t.decision.c.id)
    )
    return _last_reused(tx, query)


def known_reused_of(tx: Connection, patient_ids: list[int]) -> tuple[Relied, ...]:
    """Everyone whose last word was to reuse a result of these patients."""
    query = _deciding().where(t.decision.c.patient_id.in_(patient_ids)).order_by(t.decision.c.id)
    return _last_reused(tx, query)


def _deciding() -> Any:
    d = t.decision.c
    return select(*(d.id, d.report_id, d.version, d.organization_id, d.account, d.verdict, t.organization.c.code)).join(
        t.organization, t.organization.c.id == d.organization_id
    )


def _last_reused(tx: Connection, query: Any) -> tuple[Relied, ...]:
    last = {(row.report_id, row.organization_id, row.account): row for row in tx.execute(query)}
    return tuple(
        _relied(Reliance.REUSED, row.report_id, row) for row in last.values() if _weight(row.verdict) is Reliance.REUSED
    )


def _weight(verdict: str) -> Reliance:
    return Reliance.REUSED if verdict == Decided.RECOGNISED else Reliance.DECIDED


def _relied(reliance: Reliance, report_id: int, row: Any) -> Relied:
    return Relied(reliance, report_id, row.version, row.organization_id, row.code, row.account, row.id)


def add(
    tx: Connection,
    relied: Relied,
    *,
    kind: NoticeKind,
    version: int,
    changes: tuple[Change, ...],
    outbox_id: int,
    now: dt.datetime,
) -> None:
    """Raises a notice; once for each entry of the outbox and each who relied."""
    row = {
        "kind": kind.value,
        "reliance": relied.reliance.value,
        "report_id": relied.report_id,
        "seen_version": relied.version,
        "version": version,
        "patient_id": patient_of(relied.report_id),
        "organization_id": relied.organization_id,
        "account": relied.account,
        "cause_id": relied.cause_id,
        "outbox_id": outbox_id,
        "raised_at": now,
        "acknowledged_by": "",
        "remark": "",
        "document": to_json(_Changes(changes)),
    }
    add_once(tx, t.notice, [row])


def _newest() -> Any:
    """Not overtaken by a later notice to the same person about the same report."""
    later = t.notice.alias("later")
    return ~exists().where(
        later.c.report_id == t.notice.c.report_id,
        later.c.organization_id == t.notice.c.organization_id,
        later.c.account == t.notice.c.account,
        later.c.id > t.notice.c.id,
    )


def _open() -> Any:
    return and_(t.notice.c.acknowledged_at.is_(None), _newest())


def records(
    tx: Connection,
    disclosure: Disclosure,
    *,
    account: str = "",
    organization: str = "",
    report_id: int | None = None,
    notice_id: int | None = None,
    escalated: bool = False,
    overtaken: bool = False,
    limit: int = 200,
) -> tuple[Notice, ...]:
    """Notices, those that wait first, then the newest. An asker bound to one institution sees those to it.

    overtaken: also those behind which a later one to the same person about the same report came.
    """
    organization = disclosure.only_organization or organization
    wanted: list[Any] = [] if overtaken else [or_(t.notice.c.acknowledged_at.is_not(None), _newest())]
    wanted += [t.notice.c.account == account] if account else []
    wanted += [t.organization.c.code == organization] if organization else []
    wanted += [t.notice.c.report_id == report_id] if report_id is not None else []
    wanted += [t.notice.c.id == notice_id] if notice_id is not None else []
    wanted += [t.notice.c.escalated_at.is_not(None)] if escalated else []
    query = (
        select(t.notice, t.organization.c.code, t.patient.c.person_id)
        .join(t.organization, t.organization.c.id == t.notice.c.organization_id)
        .join(t.patient, t.patient.c.id == t.notice.c.patient_id)
        .where(*wanted)
        .order_by(t.notice.c.acknowledged_at.is_not(None), t.notice.c.id.desc())
        .limit(limit)
    )
    return tuple(_record(row) for row in tx.execute(query))


def _record(row: Any) -> Notice:
    return Notice(
        id=row.id,
        kind=NoticeKind(row.kind),
        reliance=Reliance(row.reliance),
        report_id=row.report_id,
        seen_version=row.seen_version,
        version=row.version,
        patient_id=row.person_id,
        organization=row.code,
        account=row.account,
        cause_id=row.cause_id,
        changes=from_json(_Changes, row.document).changes,
        raised_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        remark=row.remark,
        escalated_at=row.escalated_at,
    )


def put_acknowledged(tx: Connection, notice: Notice, *, account: str, remark: str, now: dt.datetime) -> bool:
    """Acknowledges a notice and all earlier ones to the same person about the same report. False where it was done."""
    same = and_(
        t.notice.c.report_id == notice.report_id,
        t.notice.c.organization_id == organization_of(notice.organization),
        t.notice.c.account == notice.account,
        t.notice.c.id <= notice.id,
        t.notice.c.acknowledged_at.is_(None),
    )
    values = {"acknowledged_at": now, "acknowledged_by": account, "remark": remark}
    return bool(tx.execute(t.notice.update().where(same).values(values)).rowcount)


def put_escalated(tx: Connection, before: dt.datetime, now: dt.datetime) -> int:
    """Escalates what was reused, changed before that moment and is not acknowledged. Returns how many."""
    late = and_(
        t.notice.c.acknowledged_at.is_(None),
        t.notice.c.escalated_at.is_(None),
        t.notice.c.reliance == Reliance.REUSED.value,
        t.notice.c.raised_at < before,
    )
    return int(tx.execute(t.notice.update().where(late).values(escalated_at=now)).rowcount)


def counts(tx: Connection, organization: str, account: str) -> tuple[int, int]:
    """How many notices wait for this account, and for its institution."""
    mine = func.coalesce(func.sum((t.notice.c.account == account).cast(t.notice.c.version.type)), 0)
    query = select(mine, func.count()).where(t.notice.c.organization_id == organization_of(organization), _open())
    row = tx.execute(query).one()
    return int(row[0]), int(row[1])
