"""Which reports name which as their parent, and under which further keys a report is known."""

from collections.abc import Iterable

from sqlalchemy import Connection, Select, select

from schemas.disclosure import Disclosure
from schemas.report import Parent

from . import reports
from . import tables as t
from .reports import Known, scope


def put_parent(tx: Connection, report_id: int, parent: Parent) -> None:
    """Keeps under which numbers a report names its parent, in place of what an earlier version named."""
    tx.execute(t.report_parent.delete().where(t.report_parent.c.report_id == report_id))
    rows = [{"report_id": report_id, "number": number} for number in parent.numbers]
    if rows:
        tx.execute(t.report_parent.insert(), rows)


def put_alias(tx: Connection, organization_id: int, key: str, report_id: int) -> None:
    """Has the report found under this key as well, unless another is."""
    if _aliased(tx, organization_id, key) is None:
        values = {"organization_id": organization_id, "key": key, "report_id": report_id}
        tx.execute(t.report_alias.insert(), values)


def _aliased(tx: Connection, organization_id: int, key: str) -> int | None:
    query = select(t.report_alias.c.report_id).where(
        t.report_alias.c.organization_id == organization_id, t.report_alias.c.key == key
    )
    return tx.scalar(query)


def known_by_alias(tx: Connection, organization_id: int, keys: Iterable[str]) -> Known | None:
    """The report that this institution issued under the first of these keys that is known, whatever its category."""
    for key in keys:
        report_id = _aliased(tx, organization_id, key)
        if report_id is not None:
            return reports.known_by_id(tx, report_id)
    return None


def _named(disclosure: Disclosure) -> Select[tuple[int]]:
    """Ids of the reports that name a parent and that the asker may see."""
    return (
        select(t.report_parent.c.report_id)
        .join(t.report, t.report.c.id == t.report_parent.c.report_id)
        .join(t.organization, t.organization.c.id == t.report.c.organization_id)
        .where(*scope(disclosure))
        .distinct()
        .order_by(t.report_parent.c.report_id)
    )


def children(tx: Connection, disclosure: Disclosure, numbers: Iterable[str]) -> list[int]:
    """Ids of the reports that name a parent under any of these numbers."""
    wanted = [number for number in numbers if number]
    return list(tx.scalars(_named(disclosure).where(t.report_parent.c.number.in_(wanted)))) if wanted else []


def naming_a_parent(tx: Connection, disclosure: Disclosure, report_ids: Iterable[int]) -> list[int]:
    """Those of the reports that name a parent."""
    return list(tx.scalars(_named(disclosure).where(t.report_parent.c.report_id.in_(list(report_ids)))))
