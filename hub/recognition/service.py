"""Decisions of treating doctors, each about the version that they saw."""

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.catalogue import items_of_report
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload
from schemas.recognition import Decided, Decision, Order, reason_list
from schemas.report import SUPPLEMENT, WITHDRAWN, ReportRecord
from storage import catalogue, decisions, ledger, mappings, organizations, outbox, reports
from storage.database import Database

from .words import patient_text, record_text


class Recognition:
    """Records decisions. The hub advises; the doctor decides; nothing decided is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(
        self,
        disclosure: Disclosure,
        *,
        report_id: int,
        version: int,
        verdict: Decided,
        reason: str = "",
        comment: str = "",
        order: Order | None = None,
        item: str = "",
    ) -> Decision:
        """A decision of the asker, for the asker's institution, about one version of a report.

        item: code of the catalogue's item that was ordered; where it is not said, that of the last advice shown.
        Raises NotFound for a version that does not exist, InvalidPayload for a refusal without a reason of the list
        in force, Conflict for recognising what must never be reused.
        """
        require(disclosure.principal, Permission.DECIDE)
        order = order or Order()
        _check_reason(verdict, reason, order)
        with self._database.write() as tx:
            record = reports.version(tx, disclosure, report_id, version)
            if verdict is Decided.RECOGNISED:
                _check_reusable(record, reports.version(tx, disclosure, report_id))
            now = audit.now()
            shown = ledger.known_latest(tx, disclosure, report_id, version, item)
            issuer, why = (
                organizations.organization(tx, record.organization).organization.name,
                reason_list().find(reason),
            )
            decision_id = decisions.add(
                tx,
                disclosure,
                report_id=report_id,
                version=version,
                verdict=verdict,
                reason=reason,
                reasons_version=reason_list().version if reason else "",
                comment=comment,
                order=order,
                item=shown[1] if shown else item or _item(tx, record),
                advice=shown[2] if shown else "",
                showing_id=shown[0] if shown else 0,
                record_text=record_text(verdict, record, issuer, why, comment),
                patient_text=patient_text(verdict, record, issuer, why),
                now=now,
            )
            outbox.add(tx, "decision.new", {"decision": decision_id}, now)
            entity = f"DiagnosticReport/{report_id}/_history/{version}"
            detail = f"{verdict.value} {reason}".strip()
            audit.record(tx, disclosure, Action.DECIDE, entity, patient_id=record.patient_id, detail=detail)
            return decisions.records(tx, disclosure, decision_id=decision_id)[0]

    def counts(self) -> dict[Decided, int]:
        """How many decisions of each kind the district has made."""
        with self._database.read() as tx:
            return decisions.counts(tx)


def _item(tx: Connection, record: ReportRecord) -> str:
    """What the report is of, where the catalogue has it: a whole panel before its items."""
    found = items_of_report(catalogue.catalogue(tx), mappings.concepts(tx), record.report)
    return found[0].item.code if found else ""


def _check_reason(verdict: Decided, reason: str, order: Order) -> None:
    if verdict is Decided.RECOGNISED and reason:
        raise InvalidPayload("expected no reason with a recognition", where="reason")
    if verdict is Decided.RECOGNISED:
        return
    known = reason_list().find(reason)
    if known is None:
        raise InvalidPayload(
            f"expected a reason of the list, version {reason_list().version}, with a refusal", where="reason"
        )
    if known.needs_diagnosis and not order.diagnosis:
        raise InvalidPayload("expected the code of a diagnosis with this reason", where="order.diagnosis")


def _check_reusable(record: ReportRecord, current: ReportRecord) -> None:
    if current.report.status in WITHDRAWN:
        raise Conflict("the report was withdrawn by its source; it cannot be recognised", where="report")
    if SUPPLEMENT in record.report.flags:
        raise Conflict(
            "measurements, dose and logs stand beside a report; only the report is recognised", where="report"
        )
    if not record.current:
        raise Conflict("a newer version of this report exists; look at that one", where="version")
    if record.doubtful:
        raise Conflict("the patient's identity is in doubt; the report cannot be recognised yet", where="patient")
