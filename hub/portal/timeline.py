"""What a line of the timeline says: enough to know whether to open the report, never the whole of it."""

from dataclasses import dataclass
from itertools import groupby

from schemas.observation import Observation
from schemas.organization import Organization
from schemas.paging import Page
from schemas.recognition import Decision
from schemas.report import ReportCategory, ReportCriteria, ReportRecord
from schemas.study import StudyCriteria, StudyRecord

from .formats import ZONE
from .labels import CRITICAL
from .session import Visit

PAGE_SIZE = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A report on the timeline. flagged: its abnormal results, critical ones first. decision: the latest one."""

    record: ReportRecord
    study: StudyRecord | None
    decision: Decision | None
    flagged: tuple[Observation, ...]

    @property
    def critical(self) -> bool:
        return "critical" in self.record.report.flags or any(is_critical(o) for o in self.flagged)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lines under the month in which they were observed. `organizations`: by code."""

    months: tuple[tuple[str, tuple[Line, ...]], ...]
    total: int
    next_offset: int | None
    organizations: dict[str, Organization]


def is_critical(observation: Observation) -> bool:
    """Whether the source itself called the value critical (HL7 table 0078)."""
    return not CRITICAL.isdisjoint(observation.interpretation)


def is_flagged(observation: Observation) -> bool:
    """Whether the source marked the value as anything but normal."""
    return any(code not in ("", "N", "NEG", "S") for code in observation.interpretation)


def organizations(visit: Visit) -> dict[str, Organization]:
    """The institutions of the district by code."""
    return {o.organization.code: o.organization for o in visit.verbs.query.organizations()}


def timeline(visit: Visit, patient_id: int, category: ReportCategory | None, offset: int) -> Timeline:
    """One page of a person's reports with what a clinician decided about each."""
    criteria = ReportCriteria(patient_id=patient_id, category=category, limit=PAGE_SIZE, offset=offset)
    reports = visit.verbs.query.reports(visit.disclosure, criteria)
    return Timeline(
        _months(_lines(visit, patient_id, reports)), reports.total, reports.next_offset, organizations(visit)
    )


def _lines(visit: Visit, patient_id: int, reports: Page[ReportRecord]) -> list[Line]:
    decisions = latest(visit.verbs.query.decisions(visit.disclosure, patient_id=patient_id))
    studies: dict[int, StudyRecord] = {}
    if any(r.report.study_instance_uid for r in reports.items):
        found = visit.verbs.query.studies(visit.disclosure, StudyCriteria(patient_id=patient_id))
        studies = {study.report_id: study for study in found.items}
    return [Line(r, studies.get(r.id), decisions.get(r.id), flagged(r)) for r in reports.items]


def latest(decisions: tuple[Decision, ...]) -> dict[int, Decision]:
    """The newest decision on each report."""
    return {d.report_id: d for d in sorted(decisions, key=lambda d: (d.decided_at, d.id))}


def flagged(record: ReportRecord) -> tuple[Observation, ...]:
    """The abnormal results of a report, critical ones first."""
    marked = [o for o in record.report.observations if is_flagged(o)]
    return tuple(sorted(marked, key=lambda o: not is_critical(o)))


def _months(lines: list[Line]) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    def month(line: Line) -> str:
        return line.record.observed_at.astimezone(ZONE).strftime("%Y-%m")

    return tuple((name, tuple(group)) for name, group in groupby(lines, key=month))
