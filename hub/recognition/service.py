"""Decisions of treating doctors, each about the version that they saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.catalogue import items_of_report
from schemas.card import Answering
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload
from schemas.observation import WITHDRAWN as TAKEN_BACK
from schemas.recognition import Decided, Decision, Order, reason_list
from schemas.report import SUPPLEMENT, WITHDRAWN, ReportRecord
from storage import cards, catalogue, decisions, ledger, mappings, organizations, outbox, reports
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
        made = self.decide_all(
            disclosure,
            [(report_id, version)],
            verdict=verdict,
            reason=reason,
            comment=comment,
            order=order,
            item=item,
        )
        return made[0]

    def decide_all(
        self,
        disclosure: Disclosure,
        versions: Sequence[tuple[int, int]],
        *,
        verdict: Decided,
        reason: str = "",
        comment: str = "",
        order: Order | None = None,
        item: str = "",
        answering: Answering | None = None,
    ) -> tuple[Decision, ...]:
        """One decision about several reports (id, version), as `decide`: all of it or nothing is recorded.

        answering: the card of which this is said; nothing is decided where the same was said of it meanwhile.
        """
        require(disclosure.principal, Permission.DECIDE)
        order = order or Order()
        _check_reason(verdict, reason, order)
        with self._database.write() as tx:
            if item and catalogue.catalogue(tx).version(item) is None:
                raise InvalidPayload("expected the code of an item of the catalogue", where="item")
            if answering:
                cards.card(tx, disclosure, answering.uuid)
                if not cards.put_outcome(tx, answering):
                    return ()
            said = _Said(verdict, reason, comment, order, item)
            return tuple(_decide(tx, disclosure, report_id, version, said) for report_id, version in versions)

    def counts(self) -> dict[Decided, int]:
        """How many decisions of each kind the district has made."""
        with self._database.read() as tx:
            return decisions.counts(tx)


@dataclass(frozen=True, slots=True)
class _Said:
    verdict: Decided
    reason: str
    comment: str
    order: Order
    item: str


def _decide(tx: Connection, disclosure: Disclosure, report_id: int, version: int, said: _Said) -> Decision:
    record = reports.version(tx, disclosure, report_id, version)
    if said.verdict is Decided.RECOGNISED:
        _check_reusable(record, reports.version(tx, disclosure, report_id))
    now = audit.now()
    shown = ledger.known_latest(tx, disclosure, report_id, version, said.item)
    issuer = organizations.organization(tx, record.organization).organization.name
    why = reason_list().find(said.reason)
    decision_id = decisions.add(
        tx,
        disclosure,
        report_id=report_id,
        version=version,
        verdict=said.verdict,
        reason=said.reason,
        reasons_version=reason_list().version if said.reason else "",
        comment=said.comment,
        order=said.order,
        item=shown[1] if shown else said.item or _item(tx, record),
        advice=shown[2] if shown else "",
        showing_id=shown[0] if shown else 0,
        record_text=record_text(said.verdict, record, issuer, why, said.comment),
        patient_text=patient_text(said.verdict, record, issuer, why),
        now=now,
    )
    outbox.add(tx, "decision.new", {"decision": decision_id}, now)
    entity = f"DiagnosticReport/{report_id}/_history/{version}"
    detail = f"{said.verdict.value} {said.reason}".strip()
    audit.record(tx, disclosure, Action.DECIDE, entity, patient_id=record.patient_id, detail=detail)
    return decisions.records(tx, disclosure, decision_id=decision_id)[0]


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
    if known.needs_diagnosis and not order.diagnosis.strip():
        raise InvalidPayload("expected the code of a diagnosis with this reason", where="order.diagnosis")


def _check_reusable(record: ReportRecord, current: ReportRecord) -> None:
    results = current.report.observations
    if current.report.status in WITHDRAWN or (results and all(each.status in TAKEN_BACK for each in results)):
        raise Conflict("the report was withdrawn by its source; it cannot be recognised", where="report")
    if SUPPLEMENT in record.report.flags:
        raise Conflict(
            "measurements, dose and logs stand beside a report; only the report is recognised", where="report"
        )
    if not record.current:
        raise Conflict("a newer version of this report exists; look at that one", where="version")
    if record.doubtful:
        raise Conflict("the patient's identity is in doubt; the report cannot be recognised yet", where="patient")
