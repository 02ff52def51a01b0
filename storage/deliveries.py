"""Custody: every delivery that was taken, what became of it, and the objects that belong to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select, union

from schemas.delivery import (
    WAITING,
    Accounting,
    Channel,
    Delivery,
    DeliveryCriteria,
    DeliveryRecord,
    Format,
    PatientHint,
    Receipt,
    State,
)
from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.faults import Fault, NotFound
from schemas.paging import Page

from . import repairs
from . import tables as t
from .contests import known_contested
from .statement import Statement

_RECEIPT = (
    t.delivery.c.id,
    t.delivery.c.digest,
    t.delivery.c.state,
    t.delivery.c.received_at,
    t.delivery.c.category,
    t.delivery.c.text,
    t.delivery.c.place,
)
_ADD = Statement(t.delivery.insert().returning(t.delivery.c.id))
_ADD_ALL = Statement(t.delivery.insert().returning(t.delivery.c.fingerprint, t.delivery.c.id))
_ADD_PART = Statement(t.part.insert())
_ADD_REPORT = Statement(t.delivery_report.insert())
_REPORTS = Statement(
    select(t.delivery_report.c.report_id).where(t.delivery_report.c.delivery_id == bindparam("delivery_id"))
)
_RECEIPT_OF_BYTES = Statement(
    select(*_RECEIPT).where(
        t.delivery.c.source_id == bindparam("source_id"), t.delivery.c.fingerprint == bindparam("fingerprint")
    )
)


def add(tx: Connection, delivery: Delivery, *, fingerprint: str, digest: str, size: int, accounting: Accounting) -> int:
    """A delivery taken into custody, to be indexed in the same transaction; `settle` says if it was not. Its id."""
    return int(_ADD.scalar(tx, **row(delivery, fingerprint, digest, size, accounting)))


def add_all(tx: Connection, rows: Sequence[dict[str, object]]) -> list[int]:
    """The same of several of which each has a fingerprint of its own; their ids, in order."""
    ids = {found.fingerprint: found.id for found in _ADD_ALL.returned(tx, rows)}
    return [ids[each["fingerprint"]] for each in rows]


def row(delivery: Delivery, fingerprint: str, digest: str, size: int, accounting: Accounting) -> dict[str, object]:
    """What `add_all` takes."""
    origin = delivery.origin
    return {
        "source_id": origin.source.id,
        "fingerprint": fingerprint,
        "digest": digest,
        "size": size,
        "format": delivery.format.value,
        "channel": origin.channel.value,
        "message_id": _plain(delivery.message_id)[:250],
        "address": origin.address,
        "account": origin.account,
        "received_at": origin.received_at,
        "state": State.INDEXED.value,
        "hint": to_json(origin.hint) if origin.hint else None,
        "accounting": to_json(accounting),
    }


def _plain(text: str) -> str:
    # PostgreSQL holds no NUL, and these rows are written whatever the content was.
    return text.replace("\0", "")


def settle(tx: Connection, delivery_id: int, state: State, accounting: Accounting, fault: Fault | None = None) -> None:
    """Writes what became of a delivery: its state, the fault if there was one, and its accounting."""
    values = {
        "state": state.value,
        "category": fault.category.value if fault else "",
        "text": _plain(fault.text) if fault else "",
        "place": _plain(fault.where) if fault else "",
        "accounting": to_json(accounting),
    }
    tx.execute(t.delivery.update().where(t.delivery.c.id == delivery_id).values(values))


def add_parts(tx: Connection, delivery_id: int, parts: Iterable[tuple[str, int]]) -> None:
    """Objects, as (digest, size), that were made from this delivery; some may be known from an earlier reading."""
    known = set(tx.scalars(select(t.part.c.digest).where(t.part.c.delivery_id == delivery_id)))
    rows = [
        {"delivery_id": delivery_id, "digest": digest, "size": size}
        for digest, size in dict(parts).items()
        if digest not in known
    ]
    _ADD_PART.many(tx, rows)


def add_reports(tx: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Ties deliveries, as they are indexed, to the reports that they made or extended: (delivery, report)."""
    _ADD_REPORT.many(tx, [{"delivery_id": delivery_id, "report_id": report_id} for delivery_id, report_id in pairs])


def _reports_of(tx: Connection, delivery_id: int) -> tuple[int, ...]:
    return tuple(sorted(row.report_id for row in _REPORTS.all(tx, delivery_id=delivery_id)))


def _receipt(tx: Connection, row: Any) -> Receipt:
    identity, digest, state, received_at, category, text, place = row
    reports = _reports_of(tx, identity)
    return Receipt(identity, digest, State(state), received_at, reports, category, text, place)


def known_receipt(tx: Connection, source_id: int, fingerprint: str) -> Receipt | None:
    """The receipt that these bytes from this source have earned already."""
    row = _RECEIPT_OF_BYTES.first(tx, source_id=source_id, fingerprint=fingerprint)
    return _receipt(tx, row) if row else None


def receipt(tx: Connection, delivery_id: int) -> Receipt:
    """Ids and what became of it; says nothing of a patient."""
    row = tx.execute(select(*_RECEIPT).where(t.delivery.c.id == delivery_id)).first()
    if row is None:
        raise NotFound("no such delivery", where="delivery")
    return _receipt(tx, row)


def _query() -> Select[Any]:
    return (
        select(t.delivery, t.source.c.name.label("source"), t.organization.c.code.label("organization"))
        .join(t.source, t.delivery.c.source_id == t.source.c.id)
        .join(t.organization, t.source.c.organization_id == t.organization.c.id)
    )


def _record(tx: Connection, row: Any) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        digest=row.digest,
        size=row.size,
        format=Format(row.format),
        channel=Channel(row.channel),
        source=row.source,
        organization=row.organization,
        message_id=row.message_id,
        received_at=row.received_at,
        state=State(row.state),
        category=row.category,
        text=row.text,
        where=row.place,
        report_ids=_reports_of(tx, row.id),
        accounting=from_json(Accounting, row.accounting) if row.accounting else Accounting(),
    )


def record(tx: Connection, disclosure: Disclosure, delivery_id: int) -> DeliveryRecord:
    """Raises NotFound, also where the asker may see another institution's deliveries only."""
    row = tx.execute(_query().where(t.delivery.c.id == delivery_id, *_scope(disclosure))).first()
    if row is None:
        raise NotFound("no such delivery", where="delivery")
    copies = repairs.copies_of(tx, delivery_id)
    contests = known_contested(tx, delivery_id) if row.state == State.HELD.value else ()
    return replace(
        _record(tx, row), repair_of=repairs.original_of(tx, delivery_id), repaired_by=copies, contests=contests
    )


def _scope(disclosure: Disclosure) -> list[Any]:
    only = disclosure.only_organization
    return [t.organization.c.code == only] if only else []


def records(
    tx: Connection, disclosure: Disclosure, wanted: DeliveryCriteria, *, limit: int = 50, offset: int = 0
) -> Page[DeliveryRecord]:
    """Deliveries, newest first."""
    query = _query().where(*_scope(disclosure), *_wanted(wanted))
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = tx.execute(query.order_by(t.delivery.c.id.desc()).limit(limit).offset(offset))
    return Page(tuple(_record(tx, row) for row in rows), total, offset)


def _wanted(wanted: DeliveryCriteria) -> Iterator[Any]:
    if wanted.state:
        yield t.delivery.c.state == wanted.state.value
    if wanted.state and wanted.state is not State.INDEXED:
        yield t.NOT_INDEXED
    if wanted.category:
        yield t.delivery.c.category == wanted.category.value
    if wanted.since:
        yield t.delivery.c.received_at >= wanted.since
    if wanted.until:
        yield t.delivery.c.received_at < wanted.until
    if wanted.source:
        yield _holds(wanted.source, t.source.c.name, t.organization.c.code)
    if wanted.text:
        said = _holds(wanted.text, t.delivery.c.message_id, t.source.c.name, t.delivery.c.text, t.delivery.c.place)
        yield or_(said, t.delivery.c.digest.startswith(wanted.text.lower(), autoescape=True))


def _holds(text: str, *columns: Any) -> Any:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def waiting(tx: Connection, disclosure: Disclosure, wanted: DeliveryCriteria) -> list[int]:
    """Ids of deliveries that wait for a person and match, oldest first: so that what came first is read first."""
    states = [state.value for state in WAITING]
    query = _query().where(t.NOT_INDEXED, t.delivery.c.state.in_(states), *_scope(disclosure), *_wanted(wanted))
    return list(tx.scalars(query.with_only_columns(t.delivery.c.id).order_by(t.delivery.c.id)))


def known_origin(tx: Connection, delivery_id: int) -> tuple[str, str, PatientHint | None]:
    """Names of its source and of the account that uploaded it, and the hint told beside it: for reading it again."""
    query = select(t.source.c.name, t.delivery.c.account, t.delivery.c.hint).join(t.source)
    row = tx.execute(query.where(t.delivery.c.id == delivery_id)).one()
    return row[0], row[1], from_json(PatientHint, row[2]) if row[2] else None


def objects(tx: Connection) -> Iterator[str]:
    """Digests of every object that a row stands for: the deliveries as received and what was made from them."""
    query = union(select(t.delivery.c.digest), select(t.part.c.digest))
    yield from tx.scalars(query).yield_per(10_000)


def waiting_counts(tx: Connection) -> dict[State, int]:
    """How many deliveries wait for a person, by state. The index knows them: nobody counts all that ever came."""
    states = [state.value for state in WAITING]
    query = select(t.delivery.c.state, func.count()).where(t.NOT_INDEXED, t.delivery.c.state.in_(states))
    return {State(state): number for state, number in tx.execute(query.group_by(t.delivery.c.state))}
