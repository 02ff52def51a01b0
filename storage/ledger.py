"""Who opened which version of a report, and which advice was shown to whom. Rows are only added."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite

from schemas.disclosure import Disclosure
from schemas.ledger import Opening, Showing, ShowingRecord, Shown

from . import tables as t

# In words: it runs at every order, and making the statement took longer than running it.
_SHOW = text(
    "INSERT INTO showing (report_id, version, patient_id, organization_id, account, item, advice, place, order_number,"
    " day, shown_at, document) VALUES (:report_id, :version, (SELECT patient_id FROM report WHERE id = :report_id),"
    " (SELECT id FROM organization WHERE code = :organization), :account, :item, :advice, :place, :order_number, :day,"
    " :shown_at, :document) ON CONFLICT DO NOTHING"
)


def add_once(tx: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Adds the rows that do not stand there yet, by the table's own rule of what is the same."""
    if rows:
        kind = postgresql if tx.dialect.name == "postgresql" else sqlite
        tx.execute(kind.insert(table).values(rows).on_conflict_do_nothing())


def patient_of(report_id: int) -> Any:
    """The row of the patient to whom a report belongs now."""
    return select(t.report.c.patient_id).where(t.report.c.id == report_id).scalar_subquery()


def organization_of(code: str) -> Any:
    """The row of an institution."""
    return select(t.organization.c.id).where(t.organization.c.code == code).scalar_subquery()


def add_openings(tx: Connection, disclosure: Disclosure, seen: Iterable[tuple[int, int]], now: dt.datetime) -> None:
    """The asker opened these reports at these versions; once a day is enough."""
    rows = [
        {
            "report_id": report_id,
            "version": version,
            "patient_id": patient_of(report_id),
            **_asker(disclosure, now),
            "opened_at": now,
        }
        for report_id, version in seen
    ]
    add_once(tx, t.opening, rows)


def add_showings(tx: Connection, disclosure: Disclosure, shown: Iterable[Showing], now: dt.datetime) -> None:
    """The asker was shown this advice; the same advice for the same order once a day."""
    principal = disclosure.principal
    rows = [
        {
            "report_id": each.report_id,
            "version": each.version,
            "organization": principal.organization,
            "account": principal.account,
            "day": day_of(now),
            "item": each.item,
            "advice": each.advice,
            "place": each.where.value,
            "order_number": each.order_number,
            "shown_at": (now - t.EPOCH) // dt.timedelta(microseconds=1),
            "document": each.evidence,
        }
        for each in shown
    ]
    if rows:
        tx.execute(_SHOW, rows)


def _asker(disclosure: Disclosure, now: dt.datetime) -> dict[str, Any]:
    principal = disclosure.principal
    return {
        "organization_id": organization_of(principal.organization),
        "account": principal.account,
        "day": day_of(now),
    }


def day_of(moment: dt.datetime) -> int:
    """Days since 1970-01-01, UTC."""
    return (moment.astimezone(dt.UTC).date() - dt.date(1970, 1, 1)).days


def openings(tx: Connection, disclosure: Disclosure, report_id: int) -> tuple[Opening, ...]:
    """Who opened which version of a report, oldest first."""
    query = (
        select(t.opening, t.patient.c.person_id, t.organization.c.code)
        .join(t.report, t.report.c.id == t.opening.c.report_id)
        .join(t.patient, t.patient.c.id == t.opening.c.patient_id)
        .join(t.organization, t.organization.c.id == t.opening.c.organization_id)
        .where(t.opening.c.report_id == report_id, *_issued_to(disclosure))
        .order_by(t.opening.c.id)
    )
    return tuple(
        Opening(row.id, row.report_id, row.version, row.person_id, row.code, row.account, row.opened_at)
        for row in tx.execute(query)
    )


def _issued_to(disclosure: Disclosure) -> list[Any]:
    if not disclosure.only_organization:
        return []
    return [t.report.c.organization_id == organization_of(disclosure.only_organization)]


def showings(
    tx: Connection, disclosure: Disclosure, *, report_id: int | None = None, showing_id: int | None = None
) -> tuple[ShowingRecord, ...]:
    """Advice shown about a report, or the one of this number; oldest first."""
    wanted = [t.showing.c.report_id == report_id] if report_id is not None else []
    wanted += [t.showing.c.id == showing_id] if showing_id is not None else []
    query = (
        select(t.showing, t.patient.c.person_id, t.organization.c.code)
        .join(t.report, t.report.c.id == t.showing.c.report_id)
        .join(t.patient, t.patient.c.id == t.showing.c.patient_id)
        .join(t.organization, t.organization.c.id == t.showing.c.organization_id)
        .where(*wanted, *_issued_to(disclosure))
        .order_by(t.showing.c.id)
        .limit(500)
    )
    return tuple(_showing(row) for row in tx.execute(query))


def _showing(row: Any) -> ShowingRecord:
    showing = Showing(
        report_id=row.report_id,
        version=row.version,
        patient_id=row.person_id,
        item=row.item,
        advice=row.advice,
        where=Shown(row.place),
        evidence=row.document,
        order_number=row.order_number,
    )
    return ShowingRecord(row.id, showing, row.code, row.account, row.shown_at)


def known_latest(
    tx: Connection, disclosure: Disclosure, report_id: int, version: int, item: str = ""
) -> tuple[int, str, str] | None:
    """The last advice shown to the asker about this version: its number, its item, its word."""
    s = t.showing.c
    principal = disclosure.principal
    query = select(s.id, s.item, s.advice).where(
        s.report_id == report_id,
        s.version == version,
        s.account == principal.account,
        s.organization_id == organization_of(principal.organization),
        *([s.item == item] if item else []),
    )
    row = tx.execute(query.order_by(s.id.desc()).limit(1)).first()
    return (row.id, row.item, row.advice) if row else None
