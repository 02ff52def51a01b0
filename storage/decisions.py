"""Decisions on reuse; each points at the version that was seen, and is never changed."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.recognition import Decided, Decision, Order

from . import tables as t


@dataclass(frozen=True, slots=True)
class _Rest:
    """What a decision says that no query asks for."""

    doctor: str
    reasons_version: str
    comment: str
    order: Order
    showing_id: int = 0
    record_text: str = ""
    patient_text: str = ""


def add(
    tx: Connection,
    disclosure: Disclosure,
    *,
    report_id: int,
    version: int,
    verdict: Decided,
    reason: str,
    reasons_version: str,
    comment: str,
    order: Order,
    item: str,
    advice: str,
    showing_id: int,
    record_text: str,
    patient_text: str,
    now: dt.datetime,
) -> int:
    """Records a decision of the asker, for the asker's institution. Returns its id."""
    principal = disclosure.principal
    patient = select(t.report.c.patient_id).where(t.report.c.id == report_id).scalar_subquery()
    organization = select(t.organization.c.id).where(t.organization.c.code == principal.organization).scalar_subquery()
    values = {
        "report_id": report_id,
        "version": version,
        "patient_id": patient,
        "organization_id": organization,
        "account": principal.account,
        "verdict": verdict.value,
        "reason": reason,
        "item": item,
        "advice": advice,
        "decided_at": now,
        "document": to_json(
            _Rest(principal.name, reasons_version, comment, order, showing_id, record_text, patient_text)
        ),
    }
    return int(tx.scalar(t.decision.insert().values(values).returning(t.decision.c.id)) or 0)


def _record(row: Any) -> Decision:
    rest = from_json(_Rest, row.document)
    return Decision(
        id=row.id,
        report_id=row.report_id,
        version=row.version,
        patient_id=row.person_id,
        organization=row.code,
        account=row.account,
        doctor=rest.doctor,
        verdict=Decided(row.verdict),
        decided_at=row.decided_at,
        reason=row.reason,
        reasons_version=rest.reasons_version,
        comment=rest.comment,
        order=rest.order,
        item=row.item,
        advice=row.advice,
        showing_id=rest.showing_id,
        record_text=rest.record_text,
        patient_text=rest.patient_text,
    )


def records(
    tx: Connection,
    disclosure: Disclosure,
    *,
    report_id: int | None = None,
    version: int | None = None,
    patient_id: int | None = None,
    decision_id: int | None = None,
    organization: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    limit: int = 500,
) -> tuple[Decision, ...]:
    """Decisions, newest first. An asker bound to one institution sees those on reports that it issued.

    organization: that decided, or whose report it was. since, until: by our clock, half open.
    """
    issuer = t.organization.alias("issuer")
    wanted: list[Any] = []
    if report_id is not None:
        wanted.append(t.decision.c.report_id == report_id)
    if version is not None:
        wanted.append(t.decision.c.version == version)
    if patient_id is not None:
        wanted.append(t.patient.c.person_id == patient_id)
    if decision_id is not None:
        wanted.append(t.decision.c.id == decision_id)
    if organization:
        wanted.append(or_(issuer.c.code == organization, t.organization.c.code == organization))
    if since and until:
        wanted += [t.decision.c.decided_at >= since, t.decision.c.decided_at < until]
    if disclosure.only_organization:
        wanted.append(issuer.c.code == disclosure.only_organization)
    query = (
        select(t.decision, t.patient.c.person_id, t.organization.c.code)
        .join(t.report, t.report.c.id == t.decision.c.report_id)
        .join(issuer, issuer.c.id == t.report.c.organization_id)
        .join(t.patient, t.patient.c.id == t.decision.c.patient_id)
        .join(t.organization, t.organization.c.id == t.decision.c.organization_id)
        .where(*wanted)
        .order_by(t.decision.c.id.desc())
        .limit(limit)
    )
    return tuple(_record(row) for row in tx.execute(query))


def known_on(tx: Connection, report_id: int) -> tuple[int, ...]:
    """Ids of the decisions made on any version of a report: whom a correction must reach."""
    return tuple(tx.scalars(select(t.decision.c.id).where(t.decision.c.report_id == report_id)))


def counts(tx: Connection) -> dict[Decided, int]:
    """How many decisions of each kind there are."""
    query = select(t.decision.c.verdict, func.count()).group_by(t.decision.c.verdict)
    return {Decided(verdict): number for verdict, number in tx.execute(query)}
