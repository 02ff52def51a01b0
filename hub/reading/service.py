"""The verb of those who read ECGs. What a cart sent is never changed: whatever a reader says is the next version."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.ecg_statements import Severity
from schemas.faults import Conflict, Forbidden, InvalidPayload, NotFound
from schemas.paging import Page
from schemas.reading import CLAIM_LASTS, Claim, Draft, ReadingRecord, ReadingStep, WaitingEcg, after
from schemas.report import Report, ReportRecord
from storage import decisions, derived, observations, organizations, outbox, readings, reports
from storage.database import Database
from storage.reports import Known

from .composing import composed, withdrawn

_CENTRE = "ecg"


class Readings:
    """Lists, claims, confirms and withdraws."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(
        self,
        disclosure: Disclosure,
        *,
        no_less: Severity | None = None,
        organization: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> Page[WaitingEcg]:
        """ECGs that wait for a reader, critical first, then the longest waiting. no_less: pressing as this."""
        with disclosing(self._database, disclosure, Action.SEARCH, "DiagnosticReport", Permission.READ_ECGS) as asked:
            rank = no_less.rank if no_less else None
            page = readings.waiting(
                asked.tx, disclosure, rank=rank, organization=organization, limit=limit, offset=offset
            )
            asked.shows(record.patient_id for record, _ in page.items)
            asked.detail = "ecg reading list"
            return Page(tuple(WaitingEcg(*pair) for pair in page.items), page.total, page.offset)

    def reading(self, disclosure: Disclosure, report_id: int) -> ReadingRecord:
        """How far the reading of an ECG has come, and who is at it. Raises NotFound."""
        entity = f"DiagnosticReport/{report_id}"
        with disclosing(self._database, disclosure, Action.READ, entity, Permission.READ_ECGS) as asked:
            asked.shows([reports.version(asked.tx, disclosure, report_id).patient_id])
            return readings.of_report(asked.tx, disclosure, report_id)

    def claim(self, disclosure: Disclosure, report_id: int) -> Claim:
        """Has everybody else wait until the claim is over. Raises Conflict where somebody else is reading."""
        with self._database.write() as tx:
            record, reading = self._held(tx, disclosure, report_id)
            after(reading.state, ReadingStep.CLAIM)
            principal = disclosure.principal
            until = audit.now() + CLAIM_LASTS
            claim = Claim(principal.account, principal.name or principal.account, principal.organization, until)
            readings.put_claim(tx, report_id, claim)
            _record(tx, disclosure, record, "ecg claimed")
            return claim

    def release(self, disclosure: Disclosure, report_id: int) -> None:
        """Leaves the ECG to others, unread."""
        with self._database.write() as tx:
            record, _ = self._held(tx, disclosure, report_id)
            readings.put_claim(tx, report_id, None)
            _record(tx, disclosure, record, "ecg released")

    def confirm(self, disclosure: Disclosure, report_id: int, draft: Draft) -> int:
        """What the reader says, as the report's next version, whose number is returned.

        Raises Conflict where somebody else is reading or another version has come, InvalidPayload.
        """

        def anew(known: Known) -> Report:
            return composed(known.report, known.version, draft, disclosure.principal, audit.now())

        return self._next(disclosure, report_id, draft.version, anew, "ecg confirmed")

    def withdraw(self, disclosure: Disclosure, report_id: int, version: int, reason: str) -> int:
        """Takes the report back: of another patient, or no ECG at all. Raises InvalidPayload without a reason."""
        if not reason.strip():
            raise InvalidPayload("expected a reason", where="reason")

        def anew(known: Known) -> Report:
            made = withdrawn(known.report, known.version, disclosure.principal, audit.now())
            return replace(made, findings="\n".join(filter(None, (made.findings, reason.strip()[:500]))))

        return self._next(disclosure, report_id, version, anew, "ecg withdrawn")

    def _next(
        self, disclosure: Disclosure, report_id: int, seen: int, anew: Callable[[Known], Report], detail: str
    ) -> int:
        with self._database.write() as tx:
            record, _ = self._held(tx, disclosure, report_id)
            known = reports.known_by_id(tx, report_id)
            if known is None:
                raise NotFound("no such report", where="report")
            if known.version != seen:
                raise Conflict("another version has come since this page was opened", where="version")
            made = anew(known)
            version = _put(tx, known, made)
            readings.put_claim(tx, report_id, None)
            readings.put_later(tx, report_id, 0)
            _record(tx, disclosure, record, f"{detail} v{version}")
            return version

    @staticmethod
    def _held(tx: Connection, disclosure: Disclosure, report_id: int) -> tuple[ReportRecord, ReadingRecord]:
        """The report, held against another reader. Raises Forbidden, NotFound, Conflict."""
        principal = disclosure.principal
        require(principal, Permission.READ_ECGS)
        own = organizations.organization(tx, principal.organization)
        if own.organization.centre != _CENTRE:
            raise Forbidden("only the regional ECG centre confirms", where="organization")
        reading = readings.of_report(tx, disclosure, report_id, lock=True)
        if reading.claim and reading.claim.keeps_out(principal.account, audit.now()):
            raise Conflict("somebody else is reading this ECG", where="claim")
        return reports.version(tx, disclosure, report_id), reading


def _put(tx: Connection, known: Known, made: Report) -> int:
    """The next version, in every place that versions reach."""
    now = audit.now()
    delivery_id = reports.known_delivery(tx, known.id, known.version)
    version = reports.add_version(tx, known, made, delivery_id=delivery_id, now=now)
    at = made.observed_at or made.issued_at or now
    observations.put_observations(tx, known.id, version, made, patient_id=known.patient_id, observed_at=at)
    derived.put_anew(tx, known.id, made)
    readings.put(tx, known.id, made, now)
    topic = "report.withdrawn" if made.status.value == "entered-in-error" else "report.changed"
    relied = list(decisions.known_on(tx, known.id))
    outbox.add(tx, topic, {"report": known.id, "version": version, "decisions": relied}, now)
    return version


def _record(tx: Connection, disclosure: Disclosure, record: ReportRecord, detail: str) -> None:
    entity = f"DiagnosticReport/{record.id}"
    audit.record(tx, disclosure, Action.DECIDE, entity, patient_id=record.patient_id, detail=detail)
