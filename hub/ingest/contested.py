"""What a delivery that is held for naming another patient says of reports that are there: they may not be right."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Connection

from schemas.delivery import Reading
from storage import contests, outbox, relations, reports, studies


def contest(tx: Connection, reading: Reading, organization_id: int, delivery_id: int, now: dt.datetime) -> None:
    """Has the reports that it is about count as doubtful until a person has looked; whoever reused them hears of it.

    It may be the correction of a mix-up. Until it is known which of the two is wrong, nobody should rely on either.
    """
    known = set(_about(tx, reading, organization_id))
    fresh = known - set(contests.known_contested(tx, delivery_id))
    if not fresh:
        return
    contests.add(tx, delivery_id, sorted(fresh))
    outbox.add(tx, "identity.changed", {"reports": sorted(fresh)}, now)


def _about(tx: Connection, reading: Reading, organization_id: int) -> Iterator[int]:
    for report in reading.reports:
        known = reports.known_by_key(tx, organization_id, report.category, report.key)
        known = known or relations.known_by_alias(tx, organization_id, (report.key, report.replaces))
        if known:
            yield known.id
    for instance in reading.instances:
        if study := studies.known_study(tx, instance.study.study_instance_uid):
            yield study.report_id
