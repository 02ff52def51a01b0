"""Reports and their versions. A version, once written, is never changed."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from schemas.disclosure import Disclosure
from schemas.documents import from_json, to_json
from schemas.faults import NotFound
from schemas.paging import Page
from schemas.report import Report, ReportCategory, ReportCriteria, ReportRecord

from . import patients, study_readings
from . import tables as t
from .contests import is_contested
from .statement import Statement

# Of one order there are a handful of results; more are the numbers of a sender who starts again every day.
_MOST_OF_AN_ORDER = 50


@dataclass(frozen=True, slots=True)
class Known:
    """A report as the write path compares it: its current version. `patient_id`: the patient row, not the person."""

    id: int
    version: int
    patient_id: int
    report: Report


def _known(row: Any) -> Known | None:
    return Known(row.id, row.version, row.patient_id, from_json(Report, row.document)) if row else None


def _current() -> Select[Any]:
    return select(t.report, t.report_version.c.document).join(
        t.report_version,
        and_(t.report_version.c.report_id == t.report.c.id, t.report_version.c.version == t.report.c.version),
    )


_ADD = Statement(t.report.insert().returning(t.report.c.id))
_ADD_VERSION = Statement(t.report_version.insert())
_BY_KEY = Statement(
    _current().where(
        t.report.c.organization_id == bindparam("organization_id"),
        t.report.c.category == bindparam("category"),
        t.report.c.key == bindparam("key"),
    )
)
_BY_ID = Statement(_current().where(t.report.c.id == bindparam("id")))


def known_by_key(tx: Connection, organization_id: int, category: ReportCategory, key: str) -> Known | None:
    """The report that this institution issued under this key."""
    return _known(_BY_KEY.first(tx, organization_id=organization_id, category=category.value, key=key))


def known_by_id(tx: Connection, report_id: int) -> Known | None:
    """The report of this id."""
    return _known(_BY_ID.first(tx, id=report_id))


def known_by_accession(
    tx: Connection, patient_id: int, organization_id: int, accession_number: str
) -> tuple[Known, ...]:
    """The reports of images that this institution made of this patient under this accession number, oldest first."""
    query = _current().where(
        t.report.c.accession_number == accession_number,
        t.report.c.patient_id == patient_id,
        t.report.c.organization_id == organization_id,
        t.report.c.category == ReportCategory.IMAGING.value,
        t.report.c.study_instance_uid != "",
    )
    rows = tx.execute(query.order_by(t.report.c.id).limit(_MOST_OF_AN_ORDER))
    return tuple(known for row in rows if (known := _known(row)))


def known_of_study(tx: Connection, organization_id: int, study_instance_uid: str) -> Known | None:
    """The first report that this institution issued of a study."""
    query = _current().where(
        t.report.c.study_instance_uid == study_instance_uid, t.report.c.organization_id == organization_id
    )
    return _known(tx.execute(query.order_by(t.report.c.id)).first())


def known_by_placer(
    tx: Connection, organization_id: int, category: ReportCategory, placer_order_number: str
) -> tuple[Known, ...]:
    """The reports that this institution issued for one placer order, of whomever; a few, for numbers come again."""
    query = _current().where(
        t.report.c.placer_order_number == placer_order_number,
        t.report.c.organization_id == organization_id,
        t.report.c.category == category.value,
    )
    rows = tx.execute(query.order_by(t.report.c.id.desc()).limit(_MOST_OF_AN_ORDER))
    return tuple(known for row in rows if (known := _known(row)))


def known_delivery(tx: Connection, report_id: int, version: int) -> int:
    """The delivery from which a version was read."""
    column = t.report_version.c
    query = select(column.delivery_id).where(column.report_id == report_id, column.version == version)
    return int(tx.scalar(query) or 0)


def known_versions(tx: Connection, report_id: int) -> Iterator[Report]:
    """Everything that was ever said in this report, newest first."""
    query = select(t.report_version.c.document).where(t.report_version.c.report_id == report_id)
    for document in tx.scalars(query.order_by(t.report_version.c.version.desc())):
        yield from_json(Report, document)


def _row(report: Report, version: int, observed_at: dt.datetime) -> dict[str, object]:
    return {
        "version": version,
        "status": report.status.value,
        "code": report.code.code,
        "observed_at": observed_at,
        "placer_order_number": report.placer_order_number,
        "filler_order_number": report.filler_order_number,
        "accession_number": report.accession_number,
        "study_instance_uid": report.study_instance_uid,
    }


def add_report(
    tx: Connection, report: Report, *, patient_id: int, organization_id: int, delivery_id: int, now: dt.datetime
) -> int:
    """A report new to us, as its version 1. Returns its id."""
    observed_at = report.observed_at or report.issued_at or now
    values = {
        "patient_id": patient_id,
        "organization_id": organization_id,
        "category": report.category.value,
        "key": report.key,
        **_row(report, 1, observed_at),
    }
    report_id = int(_ADD.scalar(tx, **values))
    _add_document(tx, report_id, 1, report, delivery_id, observed_at, now)
    study_readings.put(tx, report.study_instance_uid, now)
    return report_id


def add_version(
    tx: Connection, known: Known, report: Report, *, delivery_id: int, now: dt.datetime, current: bool = True
) -> int:
    """One more version of a report that we have; the others stay as they are. Returns its number.

    current: what the report says from now on; else it belongs to its history alone.
    """
    latest = tx.scalar(select(func.max(t.report_version.c.version)).where(t.report_version.c.report_id == known.id))
    version = int(latest or 0) + 1
    observed_at = report.observed_at or report.issued_at or now
    if current:
        tx.execute(t.report.update().where(t.report.c.id == known.id).values(_row(report, version, observed_at)))
    _add_document(tx, known.id, version, report, delivery_id, observed_at, now)
    if current:
        study_readings.put(tx, report.study_instance_uid, now)
    return version


def _add_document(
    tx: Connection, report_id: int, version: int, report: Report, delivery_id: int, at: dt.datetime, now: dt.datetime
) -> None:
    _ADD_VERSION.run(
        tx,
        report_id=report_id,
        version=version,
        delivery_id=delivery_id,
        observed_at=at,
        recorded_at=now,
        document=to_json(report),
    )


def _versions() -> Select[Any]:
    return (
        select(
            t.report.c.id,
            t.report.c.version.label("current_version"),
            t.patient.c.person_id,
            t.organization.c.code,
            t.report_version.c.version,
            t.report_version.c.delivery_id,
            t.report_version.c.observed_at,
            t.report_version.c.recorded_at,
            t.report_version.c.document,
            or_(patients.is_doubtful(), is_contested()).label("doubtful"),
        )
        .join(t.report_version, t.report_version.c.report_id == t.report.c.id)
        .join(t.patient, t.patient.c.id == t.report.c.patient_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
    )


def _record(row: Any) -> ReportRecord:
    return ReportRecord(
        id=row.id,
        version=row.version,
        current=row.version == row.current_version,
        patient_id=row.person_id,
        organization=row.code,
        observed_at=row.observed_at,
        recorded_at=row.recorded_at,
        delivery_id=row.delivery_id,
        report=from_json(Report, row.document),
        doubtful=bool(row.doubtful),
    )


def scope(disclosure: Disclosure) -> list[Any]:
    """SQL conditions on the organization table: an asker bound to one institution sees what it issued."""
    only = disclosure.only_organization
    return [t.organization.c.code == only] if only else []


def _matches(criteria: ReportCriteria) -> list[Any]:
    column = t.report.c
    wanted: list[Any] = []
    if criteria.ids:
        wanted.append(column.id.in_(criteria.ids))
    if criteria.patient_id is not None:
        members = select(t.patient.c.id).where(t.patient.c.person_id == criteria.patient_id)
        wanted.append(column.patient_id.in_(members))
    if criteria.category:
        wanted.append(column.category == criteria.category.value)
    if criteria.code:
        wanted.append(column.code == criteria.code)
    if criteria.since:
        wanted.append(column.observed_at >= criteria.since)
    if criteria.until:
        wanted.append(column.observed_at < criteria.until)
    if criteria.statuses:
        wanted.append(column.status.in_([status.value for status in criteria.statuses]))
    if criteria.organization:
        wanted.append(t.organization.c.code == criteria.organization)
    if criteria.study_instance_uid:
        wanted.append(column.study_instance_uid == criteria.study_instance_uid)
    if criteria.identifier:
        numbers = (column.filler_order_number, column.placer_order_number, column.accession_number, column.key)
        wanted.append(or_(*(number == criteria.identifier.value for number in numbers)))
    return wanted


def search(tx: Connection, disclosure: Disclosure, criteria: ReportCriteria) -> Page[ReportRecord]:
    """Current versions that match, by the patient's clock."""
    query = _versions().where(t.report_version.c.version == t.report.c.version, *_matches(criteria), *scope(disclosure))
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = (t.report.c.observed_at.desc(), t.report.c.id.desc())
    if not criteria.newest_first:
        order = (t.report.c.observed_at.asc(), t.report.c.id.asc())
    rows = tx.execute(query.order_by(*order).limit(criteria.limit).offset(criteria.offset))
    return Page(tuple(_record(row) for row in rows), total, criteria.offset)


def versions(tx: Connection, disclosure: Disclosure, report_id: int) -> tuple[ReportRecord, ...]:
    """Every version of a report, newest first. Raises NotFound, also where the asker may not know of it."""
    query = _versions().where(t.report.c.id == report_id, *scope(disclosure))
    rows = tx.execute(query.order_by(t.report_version.c.version.desc())).all()
    if not rows:
        raise NotFound("no such report", where="report")
    return tuple(_record(row) for row in rows)


def persons(tx: Connection, disclosure: Disclosure, report_ids: Iterable[int]) -> tuple[int, ...]:
    """Whose these reports are."""
    query = (
        select(t.patient.c.person_id)
        .join(t.report, t.report.c.patient_id == t.patient.c.id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
        .where(t.report.c.id.in_(list(report_ids)), *scope(disclosure))
    )
    return tuple(tx.scalars(query.distinct()))


def version(tx: Connection, disclosure: Disclosure, report_id: int, number: int | None = None) -> ReportRecord:
    """One version of a report; the current one without a number."""
    wanted = t.report.c.version if number is None else number
    query = _versions().where(t.report.c.id == report_id, t.report_version.c.version == wanted, *scope(disclosure))
    row = tx.execute(query).first()
    if row is None:
        raise NotFound("no such report, or no such version of it", where="report")
    return _record(row)
