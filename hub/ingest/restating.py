"""A report that the hub itself gives a new version: its images were taken back, or came back."""

import datetime as dt

from sqlalchemy import Connection

from schemas.report import WITHDRAWN, Report
from storage import decisions, observations, outbox, reports
from storage.reports import Known


def restate(tx: Connection, known: Known, report: Report, delivery_id: int, now: dt.datetime) -> None:
    """The next version, read from that delivery; with word for everybody who decided on an earlier one."""
    version = reports.add_version(tx, known, report, delivery_id=delivery_id, now=now)
    observed_at = report.observed_at or report.issued_at or now
    observations.put_observations(tx, known.id, version, report, patient_id=known.patient_id, observed_at=observed_at)
    topic = "report.withdrawn" if report.status in WITHDRAWN else "report.changed"
    relied = list(decisions.known_on(tx, known.id))
    outbox.add(tx, topic, {"report": known.id, "version": version, "decisions": relied}, now)
