"""A report with what it hangs together with: the order that it answers, its parent, the document that it replaces."""

import datetime as dt

from sqlalchemy import Connection

from schemas.report import Report
from storage import relations

from .orders import answered_by, tie, with_lent_number
from .versions import index_report


def index_related(tx: Connection, report: Report, organization_id: int, delivery_id: int, now: dt.datetime) -> int:
    """As `index_report`, for the person whom the report's order names."""
    answer = answered_by(tx, report)
    described = with_lent_number(answer, report.patient)
    report_id = index_report(tx, report, organization_id, delivery_id, now, described=described)
    if answer:
        tie(tx, report_id, answer, now)
    if report.parent:
        relations.put_parent(tx, report_id, report.parent)
    if report.replaces or report.sop_instance_uid:
        relations.put_alias(tx, organization_id, report.key, report_id)
    if report.replaces and report.sop_instance_uid:
        # Documents come in any order: the earlier version finds the later one.
        relations.put_alias(tx, organization_id, report.replaces, report_id)
    return report_id
