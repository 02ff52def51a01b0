"""From the outbox to the queues of destinations: each entry once, in its order, the message made for good."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from hub import audit
from schemas.disclosure import Disclosure, Principal, Purpose, Role
from schemas.dispatch import Destination, Outgoing, Sender
from schemas.faults import Fault, NotFound
from schemas.report import Attachment, ReportRecord, ReportStatus
from storage import destinations, dispatches, orders, outbox, reports
from storage.audit import add as add_audit
from storage.database import Database
from storage.objects import Objects
from storage.outbox import Entry

log = structlog.get_logger()
_TOPICS = frozenset({"report.new", "report.changed", "report.withdrawn", "report.ordered"})
# To an institution that reused an earlier version, whoever ordered it.
_RECALLED = "report.recalled"
# Before a result is final its placer has nothing to act on.
_SENT = frozenset(
    {
        ReportStatus.FINAL,
        ReportStatus.AMENDED,
        ReportStatus.CORRECTED,
        ReportStatus.CANCELLED,
        ReportStatus.ENTERED_IN_ERROR,
    }
)
_TOGETHER = 200
# Of the documents of one report; more would hold up everything behind it, so the receiver is told where they are.
_MOST_BYTES = 20 << 20


@dataclass(frozen=True, slots=True)
class _Planned:
    """A report that an entry speaks of, and the destinations of the institution that ordered it."""

    entry: Entry
    organization: str
    to: tuple[tuple[int, Destination], ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """A message for one destination; `fault`: why there is none."""

    entry_id: int
    destination_id: int
    report_id: int
    version: int
    control_id: str
    message: bytes
    fault: str = ""


def on_behalf_of(organization: str) -> Disclosure:
    """The right under which the hub reads a report for whoever ordered it."""
    return Disclosure(Principal("", "dxhub", Role.CLINICIAN, organization), Purpose.TREATMENT)


class Queueing:
    """Call it again and again; what a killed process had not finished is begun anew."""

    def __init__(self, database: Database, objects: Objects, sender: Sender) -> None:
        self._database = database
        self._objects = objects
        self._sender = sender

    def __call__(self) -> bool:
        """Takes the oldest entries off the outbox. Whether more may be waiting."""
        with self._database.read() as tx:
            entries = outbox.pending(tx, _TOGETHER)
            active = destinations.active(tx) if entries else {}
            # Where nobody waits for reports, nobody need be looked for: reports come in at the full speed of the hub.
            planned = [plan for entry in entries if (plan := _plan(tx, entry, active))] if active else []
        if not entries:
            return False
        made = [each for plan, record in self._read(planned) for each in self._render(plan, record)]
        self._queue(made, {entry.id for entry in entries})
        return len(entries) == _TOGETHER

    def _read(self, planned: list[_Planned]) -> list[tuple[_Planned, ReportRecord]]:
        """The reports, with a record of who is to be shown them."""
        found: list[tuple[_Planned, ReportRecord]] = []
        if not planned:
            return found
        with self._database.write() as tx:
            for plan in planned:
                payload, disclosure = plan.entry.payload, on_behalf_of(plan.organization)
                record = reports.version(tx, disclosure, payload["report"], payload["version"])
                if record.report.status in _SENT and record.organization != plan.organization:
                    found.append((plan, record))
            if found:
                add_audit(tx, [audit.sent(record, plan.organization) for plan, record in found])
        return found

    def _render(self, plan: _Planned, record: ReportRecord) -> Iterable[_Made]:
        contents = self._contents(record.report.attachments)
        for destination_id, destination in plan.to:
            if not destination.takes(record.report.category):
                continue
            control_id = secrets.token_hex(10)
            outgoing = Outgoing(record.report, control_id, audit.now(), contents)
            message, fault = self._message(outgoing, destination)
            yield _Made(plan.entry.id, destination_id, record.id, record.version, control_id, message, fault)

    def _message(self, outgoing: Outgoing, destination: Destination) -> tuple[bytes, str]:
        """The message, or why there is none: one that cannot be written must not hold up those behind it."""
        try:
            return self._sender.render(outgoing, destination), ""
        except Fault as fault:
            return b"", str(fault)
        except Exception:
            log.exception("dispatch.not_written", control_id=outgoing.control_id)
            return b"", "the report could not be written as a message"

    def _contents(self, attachments: Iterable[Attachment]) -> Mapping[str, bytes]:
        contents: dict[str, bytes] = {}
        left = _MOST_BYTES
        for each in attachments:
            if each.size > left:
                continue
            try:
                contents[each.digest] = self._objects.read(each.digest)
                left -= each.size
            except NotFound:
                # The report itself must go out; that a document is gone is for `dxhub verify` to tell.
                log.error("dispatch.document_missing", digest=each.digest)
        return contents

    def _queue(self, made: list[_Made], entry_ids: set[int]) -> None:
        with self._database.write() as tx:
            # Another process may have been quicker with some of them.
            still = set(outbox.known_pending(tx, entry_ids))
            now = audit.now()
            for each in made:
                known = dispatches.known_dispatch(tx, each.destination_id, each.report_id, each.version)
                if each.entry_id in still and not known:
                    dispatches.add(
                        tx,
                        destination_id=each.destination_id,
                        report_id=each.report_id,
                        version=each.version,
                        control_id=each.control_id,
                        message=each.message,
                        fault=each.fault,
                        now=now,
                    )
            outbox.settle(tx, still, now)
        if made:
            log.info("dispatch.queued", entries=len(entry_ids), messages=len(made))


def _plan(tx: Connection, entry: Entry, active: Mapping[str, tuple[tuple[int, Destination], ...]]) -> _Planned | None:
    if entry.topic == _RECALLED:
        organization = entry.payload["organization"]
    elif entry.topic in _TOPICS:
        organization = orders.known_requester(tx, entry.payload["report"])
    else:
        return None
    to = active.get(organization, ())
    return _Planned(entry, organization, to) if to else None
