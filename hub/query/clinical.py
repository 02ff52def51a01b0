"""Patients, reports and single results."""

from dataclasses import replace

from hub.access import Permission
from schemas.codes import Coding
from schemas.disclosure import Action, Disclosure
from schemas.faults import NotFound
from schemas.observation import ObservationCriteria, ObservationRecord
from schemas.paging import Page
from schemas.patient import PatientCriteria, PatientRecord
from schemas.recognition import Decision
from schemas.report import ReportCriteria, ReportRecord
from schemas.trend import Measure, Trend, compared
from schemas.units import ucum
from storage import decisions, mappings, observations, patients, reports

from .reading import Reading, opened

_READ = Permission.READ_REPORTS
# Who settles identity questions sees who the two are, not what they have.
_KNOW = (Permission.READ_REPORTS, Permission.RESOLVE_IDENTITY)
_TREND = 500
_ANY = Measure()


class Clinical(Reading):
    """What a clinician asks. Empty answers look the same whether nothing exists or nothing may be shown."""

    def find_patients(self, disclosure: Disclosure, criteria: PatientCriteria) -> Page[PatientRecord]:
        """Patients who match. Raises Forbidden where the role does not include it."""
        with self._reading(disclosure, Action.SEARCH, "Patient", *_KNOW) as asked:
            page = patients.search(asked.tx, disclosure, criteria)
            asked.shows(record.id for record in page.items)
            return page

    def patient(self, disclosure: Disclosure, patient_id: int, version: int | None = None) -> PatientRecord:
        """One patient, as known now or at a version. Raises NotFound."""
        for record in self.patient_versions(disclosure, patient_id):
            if version in (None, record.version):
                return record
        raise NotFound("no such version of this patient", where="version")

    def patient_versions(self, disclosure: Disclosure, patient_id: int) -> tuple[PatientRecord, ...]:
        """Newest first. Raises NotFound."""
        entity = f"Patient/{patient_id}"
        with self._reading(disclosure, Action.READ, entity, *_KNOW, patient_id=patient_id) as asked:
            return patients.versions(asked.tx, disclosure, patient_id)

    def reports(self, disclosure: Disclosure, criteria: ReportCriteria) -> Page[ReportRecord]:
        """Current versions of the reports that match."""
        with self._reading(
            disclosure, Action.SEARCH, "DiagnosticReport", _READ, patient_id=criteria.patient_id
        ) as asked:
            page = reports.search(asked.tx, disclosure, criteria)
            asked.shows(record.patient_id for record in page.items)
            return Page(observations.with_ids(asked.tx, page.items), page.total, page.offset)

    def report(self, disclosure: Disclosure, report_id: int, version: int | None = None) -> ReportRecord:
        """One version of a report, the current one unless said otherwise. Raises NotFound."""
        entity = f"DiagnosticReport/{report_id}" + (f"/_history/{version}" if version else "")
        with self._reading(disclosure, Action.READ, entity, _READ) as asked:
            found = reports.version(asked.tx, disclosure, report_id, version)
            asked.shows([found.patient_id])
            opened(asked.tx, disclosure, [found])
            return observations.with_ids(asked.tx, [found])[0]

    def report_versions(
        self, disclosure: Disclosure, report_id: int, *, listed: bool = False
    ) -> tuple[ReportRecord, ...]:
        """Newest first. listed: their numbers and states alone are shown, which opens none. Raises NotFound."""
        with self._reading(disclosure, Action.READ, f"DiagnosticReport/{report_id}/_history", _READ) as asked:
            found = reports.versions(asked.tx, disclosure, report_id)
            asked.shows(record.patient_id for record in found)
            if not listed:
                opened(asked.tx, disclosure, found)
            return observations.with_ids(asked.tx, found)

    def observations(self, disclosure: Disclosure, criteria: ObservationCriteria) -> Page[ObservationRecord]:
        """Single results of current reports."""
        with self._reading(disclosure, Action.SEARCH, "Observation", _READ, patient_id=criteria.patient_id) as asked:
            page = observations.search(asked.tx, disclosure, criteria)
            asked.shows(record.patient_id for record in page.items)
            return page

    def observation(self, disclosure: Disclosure, observation_id: int, version: int | None = None) -> ObservationRecord:
        """One result as its report says now, or said at a version of the report.

        Raises NotFound, also for a result that its report no longer has: only its earlier versions are left.
        """
        for record in self.observation_versions(disclosure, observation_id):
            if record.version == version or (version is None and record.current):
                return record
        raise NotFound("no such version of this observation", where="version")

    def observation_versions(self, disclosure: Disclosure, observation_id: int) -> tuple[ObservationRecord, ...]:
        """Newest first. Raises NotFound."""
        with self._reading(disclosure, Action.READ, f"Observation/{observation_id}", _READ) as asked:
            found = observations.versions(asked.tx, disclosure, observation_id)
            asked.shows(record.patient_id for record in found)
            return found

    def trend(self, disclosure: Disclosure, patient_id: int, code: Coding, asked: Measure = _ANY) -> Trend:
        """The patient's numbers of one analyte, whichever institution measured them and under whichever code.

        Those that may be compared with what was asked are one series; the others stand apart, each with the reason.
        Nothing that its source took back.
        """
        entity = f"Observation?code={code.code}"
        with self._reading(disclosure, Action.SEARCH, entity, _READ, patient_id=patient_id) as seen:
            known = mappings.concepts(seen.tx)
            analyte = known.of(code) or code
            criteria = ObservationCriteria(
                patient_id=patient_id, code=analyte.code, code_system=analyte.system, newest_first=True, limit=_TREND
            )
            found = observations.search(seen.tx, disclosure, criteria)
        if not asked.code:
            asked = replace(asked, code=known.unit(asked.organization, asked.unit) or ucum(asked.unit))
        return compared(asked, found.items)

    def decisions(
        self,
        disclosure: Disclosure,
        *,
        report_id: int | None = None,
        version: int | None = None,
        patient_id: int | None = None,
        decision_id: int | None = None,
    ) -> tuple[Decision, ...]:
        """Decisions on reuse, newest first."""
        with self._reading(disclosure, Action.SEARCH, "Provenance", _READ, patient_id=patient_id) as asked:
            found = decisions.records(
                asked.tx,
                disclosure,
                report_id=report_id,
                version=version,
                patient_id=patient_id,
                decision_id=decision_id,
            )
            asked.shows(decision.patient_id for decision in found)
            return found
