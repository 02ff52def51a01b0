"""What the ledger holds for the figures of a period: rows of who dealt with which report, without anything it says."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, or_, select, type_coerce, union

from schemas.disclosure import Disclosure
from schemas.documents import from_json
from schemas.report import Report, ReportStatus

from . import tables as t

_ISSUER = t.organization.alias("issuer")
_MICROSECOND = dt.timedelta(microseconds=1)
_EXISTS = (ReportStatus.FINAL, ReportStatus.AMENDED, ReportStatus.CORRECTED)


@dataclass(frozen=True, slots=True)
class Dealt:
    """An institution's dealing with a report of another. id: of the decision, opening or showing.

    item, word, reason: of a decision (`word` its verdict) or of shown advice (`word` the advice); empty of an opening.
    """

    id: int
    report_id: int
    organization: str
    issuer: str
    at: dt.datetime
    item: str = ""
    word: str = ""
    reason: str = ""


def decided(tx: Connection, disclosure: Disclosure, since: dt.datetime, until: dt.datetime) -> list[Dealt]:
    """Decisions of the period on reports of others, oldest first."""
    d = t.decision
    query = _dealing(d, disclosure, d.c.decided_at, since, until, d.c.item, d.c.verdict, d.c.reason)
    return [Dealt(*row) for row in tx.execute(query)]


def opened(tx: Connection, disclosure: Disclosure, since: dt.datetime, until: dt.datetime) -> list[Dealt]:
    """Openings of the period of reports of others, oldest first."""
    return [Dealt(*row) for row in tx.execute(_dealing(t.opening, disclosure, t.opening.c.opened_at, since, until))]


def shown(tx: Connection, disclosure: Disclosure, since: dt.datetime, until: dt.datetime) -> list[Dealt]:
    """Advice shown in the period about reports of others, oldest first."""
    s = t.showing
    query = _dealing(s, disclosure, s.c.shown_at, since, until, s.c.item, s.c.advice)
    return [Dealt(*row) for row in tx.execute(query)]


def _dealing(
    table: Any, disclosure: Disclosure, at: Any, since: dt.datetime, until: dt.datetime, *more: Any
) -> Select[Any]:
    return (
        select(table.c.id, table.c.report_id, t.organization.c.code, _ISSUER.c.code, at, *more)
        .join(t.organization, t.organization.c.id == table.c.organization_id)
        .join(t.report, t.report.c.id == table.c.report_id)
        .join(_ISSUER, _ISSUER.c.id == t.report.c.organization_id)
        .where(at >= since, at < until, t.report.c.organization_id != table.c.organization_id, *_own(disclosure))
        .order_by(table.c.id)
    )


def _own(disclosure: Disclosure) -> list[Any]:
    """An asker bound to one institution sees its own dealings, and those with what it issued."""
    only = disclosure.only_organization
    return [or_(t.organization.c.code == only, _ISSUER.c.code == only)] if only else []


def existing(
    tx: Connection, disclosure: Disclosure, since: dt.datetime, until: dt.datetime, earliest: dt.datetime
) -> list[tuple[int, str, str]]:
    """(report, institution, issuer): the final reports of others that were there of the patients whom each saw.

    Seen is of whom an institution opened, was shown or decided anything in [since, until). There is what was sampled in
    [earliest, until).
    """
    parts = [
        select(table.c.organization_id, table.c.patient_id).where(at >= since, at < until)
        for table, at in (
            (t.decision, t.decision.c.decided_at),
            (t.opening, t.opening.c.opened_at),
            (t.showing, t.showing.c.shown_at),
        )
    ]
    dealt = union(*parts).subquery()
    one, other = t.patient.alias("one"), t.patient.alias("other")
    seen = (
        select(dealt.c.organization_id, one.c.person_id).join(one, one.c.id == dealt.c.patient_id).distinct().subquery()
    )
    query = (
        select(t.report.c.id, t.organization.c.code, _ISSUER.c.code)
        .select_from(seen)
        .join(t.organization, t.organization.c.id == seen.c.organization_id)
        .join(other, other.c.person_id == seen.c.person_id)
        .join(t.report, t.report.c.patient_id == other.c.id)
        .join(_ISSUER, _ISSUER.c.id == t.report.c.organization_id)
        .where(
            t.report.c.organization_id != seen.c.organization_id,
            t.report.c.observed_at >= earliest,
            t.report.c.observed_at < until,
            t.report.c.status.in_([each.value for each in _EXISTS]),
            *_own(disclosure),
        )
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Later:
    """A report of the same person and kind that was sampled after a decision, and soon."""

    decision_id: int
    report: Report


def later(tx: Connection, disclosure: Disclosure, decision_ids: Iterable[int], within: dt.timedelta) -> list[Later]:
    """What was examined of a person soon after a result of theirs had been recognised, by decision."""
    ids = list(decision_ids)
    first, second = t.patient.alias("first"), t.patient.alias("second")
    reused, again = t.report.alias("reused"), t.report.alias("again")
    found: list[Later] = []
    for at in range(0, len(ids), 500):
        query = (
            select(t.decision.c.id, t.report_version.c.document)
            .join(reused, reused.c.id == t.decision.c.report_id)
            .join(first, first.c.id == reused.c.patient_id)
            .join(second, second.c.person_id == first.c.person_id)
            .join(again, and_(again.c.patient_id == second.c.id, again.c.id != reused.c.id))
            .join(
                t.report_version,
                and_(t.report_version.c.report_id == again.c.id, t.report_version.c.version == again.c.version),
            )
            .where(
                t.decision.c.id.in_(ids[at : at + 500]),
                again.c.category == reused.c.category,
                again.c.observed_at > t.decision.c.decided_at,
                _number(again.c.observed_at) <= _number(t.decision.c.decided_at) + within // _MICROSECOND,
            )
        )
        if disclosure.only_organization:
            query = query.where(t.decision.c.organization_id.in_(_id_of(disclosure.only_organization)))
        found += [Later(row.id, from_json(Report, row.document)) for row in tx.execute(query)]
    return found


def _number(instant: Any) -> Any:
    return type_coerce(instant, BigInteger)


def _id_of(code: str) -> Select[Any]:
    return select(t.organization.c.id).where(t.organization.c.code == code)
