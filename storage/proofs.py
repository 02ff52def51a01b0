"""Questions whose answer must be `none`: rows that contradict each other."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from schemas.disclosure import Action

from . import tables as t


def contradictions(tx: Connection) -> Iterator[str]:
    """One line for each row that stands for something which is not there. Ids only."""
    yield from _unaudited(tx)
    unsupported = select(t.instance.c.id).where(
        ~exists(
            select(t.delivery.c.id).where(
                t.delivery.c.id == t.instance.c.delivery_id, t.delivery.c.digest == t.instance.c.digest
            )
        ),
        ~exists(
            select(t.part.c.digest).where(
                t.part.c.delivery_id == t.instance.c.delivery_id, t.part.c.digest == t.instance.c.digest
            )
        ),
    )
    for instance_id in tx.scalars(unsupported):
        yield f"instance {instance_id}: its delivery has not brought its object"
    bare = select(t.report.c.id).where(
        ~exists(
            select(t.report_version.c.report_id).where(
                t.report_version.c.report_id == t.report.c.id, t.report_version.c.version == t.report.c.version
            )
        )
    )
    for report_id in tx.scalars(bare):
        yield f"report {report_id}: its current version is missing"
    refused = (
        select(t.delivery_report.c.delivery_id)
        .join(t.delivery, t.delivery.c.id == t.delivery_report.c.delivery_id)
        .where(t.NOT_INDEXED)
    )
    for delivery_id in tx.scalars(refused.distinct()):
        yield f"delivery {delivery_id}: refused, and yet it has reports"
    empty = select(t.study.c.id).where(~exists(select(t.series.c.id).where(t.series.c.study_id == t.study.c.id)))
    for study_id in tx.scalars(empty):
        yield f"study {study_id}: has no series"


def _unaudited(tx: Connection) -> Iterator[str]:
    """Deliveries and decisions without their audit record: the trail was cut, or they were forged.

    The chain itself cannot tell when its newest records are missing; what they recorded can.
    """
    audited = set(tx.scalars(select(t.audit.c.entity).where(t.audit.c.action == Action.RECEIVE.value).distinct()))
    for delivery_id in tx.scalars(select(t.delivery.c.id)):
        if f"Delivery/{delivery_id}" not in audited:
            yield f"delivery {delivery_id}: its arrival is not in the audit trail"
    decided = Counter(tx.scalars(select(t.audit.c.entity).where(t.audit.c.action == Action.DECIDE.value)))
    decisions = Counter(
        f"DiagnosticReport/{report_id}/_history/{version}"
        for report_id, version in tx.execute(select(t.decision.c.report_id, t.decision.c.version))
    )
    for entity in decisions - decided:
        yield f"{entity}: a decision on it is not in the audit trail"
