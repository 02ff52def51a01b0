"""How far the reading of each ECG has come, and who is at it."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from schemas.disclosure import Disclosure
from schemas.ecg_severity import severity
from schemas.faults import NotFound
from schemas.paging import Page
from schemas.reading import Claim, ReadingRecord, ReadingState, state_of
from schemas.report import Report, ReportCategory, ReportCriteria, ReportRecord

from . import reports
from . import tables as t

_FREE: dict[str, object] = {
    "claimed_by": "",
    "claimed_name": "",
    "claimed_organization": "",
    "claimed_until": None,
}


def put(tx: Connection, report_id: int, report: Report, now: dt.datetime) -> None:
    """Has the reading follow what the report says now. Nothing, for a report that is no ECG."""
    if report.category is not ReportCategory.ECG:
        return
    values: dict[str, object] = {"state": state_of(report).value, "rank": severity(report).rank}
    own = t.ecg_reading.c.report_id == report_id
    if not tx.execute(t.ecg_reading.update().where(own).values(values)).rowcount:
        tx.execute(t.ecg_reading.insert(), {"report_id": report_id, "since": now, "later": 0, **_FREE, **values})


def put_later(tx: Connection, report_id: int, version: int) -> None:
    """The source sent this version after a person had confirmed the report; 0: somebody looked at it."""
    tx.execute(t.ecg_reading.update().where(t.ecg_reading.c.report_id == report_id).values(later=version))


def put_claim(tx: Connection, report_id: int, claim: Claim | None) -> None:
    """Who is reading from now on."""
    values = _FREE
    if claim:
        values = {
            "claimed_by": claim.account,
            "claimed_name": claim.name,
            "claimed_organization": claim.organization,
            "claimed_until": claim.until,
        }
    tx.execute(t.ecg_reading.update().where(t.ecg_reading.c.report_id == report_id).values(values))


def _record(row: Any) -> ReadingRecord:
    claim = None
    if row.claimed_until:
        claim = Claim(row.claimed_by, row.claimed_name, row.claimed_organization, row.claimed_until)
    return ReadingRecord(row.report_id, ReadingState(row.state), row.rank, row.since, row.later, claim)


def of_report(tx: Connection, disclosure: Disclosure, report_id: int, *, lock: bool = False) -> ReadingRecord:
    """The reading of one ECG. Raises NotFound where it is none, or the asker may not know of it.

    lock: holds it against another reader until the transaction ends.
    """
    query = (
        select(t.ecg_reading)
        .join(t.report, t.report.c.id == t.ecg_reading.c.report_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
        .where(t.ecg_reading.c.report_id == report_id, *reports.scope(disclosure))
    )
    row = tx.execute(query.with_for_update(of=t.ecg_reading) if lock else query).first()
    if row is None:
        raise NotFound("no such ECG", where="report")
    return _record(row)


def waiting(
    tx: Connection,
    disclosure: Disclosure,
    *,
    rank: int | None = None,
    organization: str = "",
    limit: int = 50,
    offset: int = 0,
) -> Page[tuple[ReportRecord, ReadingRecord]]:
    """ECGs that nobody has confirmed, or whose source said something else since: the most pressing first, then the
    longest waiting. rank: no less pressing than this.
    """
    column = t.ecg_reading.c
    wanted: list[Any] = [or_(column.state == ReadingState.UNCONFIRMED.value, column.later > 0)]
    if rank is not None:
        wanted.append(column.rank <= rank)
    if organization:
        wanted.append(t.organization.c.code == organization)
    return pressing(tx, disclosure, select(t.ecg_reading).where(*wanted), limit=limit, offset=offset)


def pressing(
    tx: Connection, disclosure: Disclosure, readings: Select[Any], *, limit: int, offset: int
) -> Page[tuple[ReportRecord, ReadingRecord]]:
    """A page of these readings with their reports: the most pressing first, then the longest waiting."""
    column = t.ecg_reading.c
    query = (
        readings.join(t.report, t.report.c.id == column.report_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
        .where(*reports.scope(disclosure))
    )
    total = tx.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = tx.execute(query.order_by(column.rank, column.since, column.report_id).limit(limit).offset(offset)).all()
    ids = tuple(row.report_id for row in rows)
    found = reports.search(tx, disclosure, ReportCriteria(ids=ids, limit=limit)).items if ids else ()
    known = {each.id: each for each in found}
    pairs = tuple((known[row.report_id], _record(row)) for row in rows if row.report_id in known)
    return Page(pairs, total, offset)
