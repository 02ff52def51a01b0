"""What a line of the timeline says: enough to know whether to open the report, never the whole of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from schemas.critical import is_critical_mark
from schemas.observation import Observation
from schemas.organization import Organization
from schemas.paging import Page
from schemas.recognition import Decision
from schemas.report import ReportCategory, ReportCriteria, ReportRecord
from schemas.study import StudyCriteria, StudyRecord

from .formats import ZONE
from .imaging import PICTURELESS
from .related import heading
from .session import Visit

PAGE_SIZE = 40
# Of HL7 table 0078: what a source says of a value that is as it should be.
_UNREMARKABLE = frozenset({"", "N", "NEG", "S", "VS", "NR", "ND", "B"})


@dataclass(frozen=True, slots=True)
class Line:
    """A report on the timeline. flagged: its abnormal results, critical ones first. decision: the latest one.

    heading: the parent's result that it goes on from. children: the lines that go on from this one, and follow it,
    each `nested`.
    """

    record: ReportRecord
    study: StudyRecord | None
    decision: Decision | None
    flagged: tuple[Observation, ...]
    heading: str = ""
    children: tuple["Line", ...] = ()
    nested: bool = False

    @property
    def pictures(self) -> str:
        """Study Instance UID of the images that the viewer can open; empty where there are none."""
        shows = self.study is not None and not PICTURELESS.issuperset(self.study.modalities)
        return self.study.study.study_instance_uid if self.study and shows else ""

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
    """Whether the source itself called the value critical."""
    return any(is_critical_mark(code) for code in observation.interpretation)


def is_flagged(observation: Observation) -> bool:
    """Whether the source marked the value as anything but normal."""
    return any(code not in _UNREMARKABLE for code in observation.interpretation)


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
    parents = visit.verbs.query.parents(visit.disclosure, reports.items)
    lines = [
        Line(r, studies.get(r.id), decisions.get(r.id), flagged(r), _heading(r, parents.get(r.id)))
        for r in reports.items
    ]
    return _nested(lines, parents)


def _heading(record: ReportRecord, parent: ReportRecord | None) -> str:
    return heading(record.report.parent, parent) if record.report.parent else ""


def _nested(lines: list[Line], parents: Mapping[int, ReportRecord]) -> list[Line]:
    """The lines, those of children under their parent's where both are on this page."""
    shown = {line.record.id for line in lines}
    above = {child: parent.id for child, parent in parents.items() if parent.id in shown and parent.id not in parents}
    under: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.record.id in above:
            under[above[line.record.id]].append(replace(line, nested=True))
    return [replace(line, children=tuple(under[line.record.id])) for line in lines if line.record.id not in above]


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
