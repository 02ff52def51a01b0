"""Orders, and which report answers which."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.order import OrderRecord, ServiceOrder
from schemas.report import Report

from . import tables as t
from .reports import scope
from .statement import Statement

PLACER, FILLER, ACCESSION = "placer", "filler", "accession"
_MOST_ANSWERS = 50


@dataclass(frozen=True, slots=True)
class Known:
    """An order as the write path compares it. `patient_id`: the patient row. `requested_by`: the institution's code."""

    id: int
    patient_id: int
    requested_by: str
    order: ServiceOrder


_placer = t.organization.alias("placer")
_KNOWN = select(t.service_order.c.id, t.service_order.c.patient_id, _placer.c.code, t.service_order.c.document).join(
    _placer, _placer.c.id == t.service_order.c.organization_id
)

# Asked of every report that arrives, though most hubs hold few orders.
_BY_NUMBER = Statement(
    select(
        t.service_order_number.c.service_order_id, t.service_order_number.c.kind, t.service_order_number.c.number
    ).where(
        or_(
            t.service_order_number.c.number == bindparam("placer"),
            t.service_order_number.c.number == bindparam("filler"),
            t.service_order_number.c.number == bindparam("accession"),
        )
    )
)


def _known(rows: Iterable[Any]) -> list[Known]:
    return [Known(row.id, row.patient_id, row.code, from_json(ServiceOrder, row.document)) for row in rows]


def known_by_key(tx: Connection, organization_id: int, key: str) -> Known | None:
    """The order that this institution placed under this number."""
    query = _KNOWN.where(t.service_order.c.organization_id == organization_id, t.service_order.c.key == key)
    return next(iter(_known(tx.execute(query))), None)


def known_for(tx: Connection, report: Report) -> list[Known]:
    """The orders that carry any of the report's numbers in the same meaning, oldest first."""
    numbers = {
        PLACER: report.placer_order_number,
        FILLER: report.filler_order_number,
        ACCESSION: report.accession_number,
    }
    if not any(numbers.values()):
        return []
    # An empty number is not in the table, so it finds nothing.
    rows = _BY_NUMBER.all(tx, **numbers)
    ids = {row.service_order_id for row in rows if numbers.get(row.kind) == row.number}
    if not ids:
        return []
    return _known(tx.execute(_KNOWN.where(t.service_order.c.id.in_(ids)).order_by(t.service_order.c.id)))


def known_reports(tx: Connection, order: ServiceOrder) -> list[int]:
    """Ids of the newest reports that carry any of the order's numbers, oldest first."""
    column = t.report.c
    named = (
        (column.placer_order_number, order.placer_order_number),
        (column.filler_order_number, order.filler_order_number),
        (column.accession_number, order.accession_number),
    )
    wanted = [where == number for where, number in named if number]
    if not wanted:
        return []
    # A placer that numbers every order alike must not make one message touch every report.
    newest = select(column.id).where(or_(*wanted)).order_by(column.id.desc()).limit(_MOST_ANSWERS)
    return sorted(tx.scalars(newest))


def add_order(
    tx: Connection,
    order: ServiceOrder,
    *,
    organization_id: int,
    patient_id: int,
    delivery_id: int,
    now: dt.datetime,
) -> int:
    """An order new to us. Returns its id."""
    values = {
        "organization_id": organization_id,
        "key": order.key,
        "patient_id": patient_id,
        "delivery_id": delivery_id,
        "recorded_at": now,
        "document": to_json(order),
    }
    order_id = int(tx.scalar(t.service_order.insert().returning(t.service_order.c.id), values) or 0)
    _put_numbers(tx, order_id, order)
    return order_id


def put_order(tx: Connection, order_id: int, order: ServiceOrder, *, delivery_id: int, now: dt.datetime) -> None:
    """Replaces what is known of an order; every message that told of it is kept as a delivery."""
    values = {
        "delivery_id": delivery_id,
        "recorded_at": now,
        "document": to_json(order),
    }
    tx.execute(t.service_order.update().where(t.service_order.c.id == order_id).values(values))
    _put_numbers(tx, order_id, order)


def _put_numbers(tx: Connection, order_id: int, order: ServiceOrder) -> None:
    """Adds the order's numbers to those under which it is known already: fillers number each of its services."""
    told = {
        (order.placer_order_number, PLACER),
        (order.filler_order_number, FILLER),
        (order.accession_number, ACCESSION),
    }
    column = t.service_order_number.c
    known = {
        (row.number, row.kind)
        for row in tx.execute(select(column.number, column.kind).where(column.service_order_id == order_id))
    }
    rows = [
        {"number": number, "kind": kind, "service_order_id": order_id}
        for number, kind in sorted(told - known)
        if number
    ]
    if rows:
        tx.execute(t.service_order_number.insert(), rows)


def put_answer(tx: Connection, report_id: int, order_id: int, *, agreed: bool) -> None:
    """Ties a report to the order that it answers; unless `agreed`, only for when both patients are one person."""
    tx.execute(t.report_order.delete().where(t.report_order.c.report_id == report_id))
    tx.execute(t.report_order.insert(), {"report_id": report_id, "service_order_id": order_id, "agreed": agreed})


_ordered_for = t.patient.alias("ordered_for")
_reported_of = t.patient.alias("reported_of")


def _answered() -> Select[Any]:
    """Orders with the reports that answer them."""
    return (
        select(
            t.report_order.c.report_id,
            t.service_order.c.id,
            _ordered_for.c.person_id,
            _placer.c.code,
            t.service_order.c.recorded_at,
            t.service_order.c.delivery_id,
            t.service_order.c.document,
        )
        .join(t.service_order, t.service_order.c.id == t.report_order.c.service_order_id)
        .join(_placer, _placer.c.id == t.service_order.c.organization_id)
        .join(t.report, t.report.c.id == t.report_order.c.report_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
        .join(_ordered_for, _ordered_for.c.id == t.service_order.c.patient_id)
        .join(_reported_of, _reported_of.c.id == t.report.c.patient_id)
        .where(or_(t.report_order.c.agreed, _ordered_for.c.person_id == _reported_of.c.person_id))
    )


def answered(tx: Connection, disclosure: Disclosure, report_ids: Iterable[int]) -> dict[int, OrderRecord]:
    """The orders that these reports answer, by report, as far as the asker may see the report."""
    query = _answered().where(t.report_order.c.report_id.in_(list(report_ids)), *scope(disclosure))
    return {
        row.report_id: OrderRecord(
            row.id, row.person_id, row.code, row.recorded_at, row.delivery_id, from_json(ServiceOrder, row.document)
        )
        for row in tx.execute(query)
    }


_ANSWERED = Statement(_answered().where(t.report_order.c.report_id == bindparam("report_id")))
_CURRENT = Statement(
    select(t.report_version.c.document)
    .join(t.report, t.report.c.id == t.report_version.c.report_id)
    .where(t.report.c.id == bindparam("report_id"), t.report_version.c.version == t.report.c.version)
)


def known_requester(tx: Connection, report_id: int) -> str:
    """Code of the registered institution that ordered a report; empty where nobody knows.

    From the order that it answers, else from what the report itself says of who asked.
    """
    row = _ANSWERED.first(tx, report_id=report_id)
    if row is not None:
        return str(row.code)
    document = _CURRENT.scalar(tx, report_id=report_id)
    return known_organization(tx, from_json(Report, document).requesters)[1] if document else ""


def known_settled(tx: Connection, person_id: int) -> list[tuple[int, int]]:
    """Reports of this person, and their versions, whose patient contradicted the order's until both were one person."""
    query = _answered().add_columns(t.report.c.version.label("report_version"))
    query = query.where(t.report_order.c.agreed.is_(False), _reported_of.c.person_id == person_id)
    return [(row.report_id, row.report_version) for row in tx.execute(query)]


def known_organization(tx: Connection, names: Iterable[str]) -> tuple[int, str]:
    """Id and code of the first of these names that is a registered institution's code; (0, "") where none is."""
    for name in names:
        query = select(t.organization.c.id, t.organization.c.code).where(t.organization.c.code == name)
        if name and (row := tx.execute(query).first()):
            return row.id, row.code
    return 0, ""
