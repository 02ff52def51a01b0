"""C-MOVE and C-GET: what was selected, sub-operation by sub-operation. Source: DICOM PS3.4 C.4.2, C.4.3."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from pydicom import Dataset

from adapters.dicom.dimse import Association, Ended, Request, Response, encoded
from adapters.dicom.dimse.pdu import UNSPECIFIED, Violation
from adapters.dicom.dimse.requestor import MOST_CONTEXTS, Requestor
from schemas.disclosure import Disclosure
from schemas.faults import Busy, Category, Fault, NotFound
from schemas.network import Archive, Level, Node, Selection
from schemas.study import InstanceRecord

from . import identifier as identifiers
from .answer import above
from .attributes import BY_TAG, UNIQUE
from .find import CANCELLED, NOT_AUTHORIZED, PENDING, SUCCESS, comment, refusal
from .identifier import IDENTIFIER_DOES_NOT_MATCH, UNABLE, Identifier, Refused
from .sending import BrokenOff, Sending, proposals
from .sop_classes import PATIENT_ROOT

log = structlog.get_logger()

WITH_FAILURES, OUT_OF_RESOURCES = 0xB000, 0xA702
DESTINATION_UNKNOWN = 0xA801
_STATUS = {Category.FORBIDDEN: NOT_AUTHORIZED, Category.BUSY: OUT_OF_RESOURCES}
_PATIENT_ID, _ISSUER = 0x00100020, 0x00100021
# The counts of a response are US.
_MOST = 0xFFFF


@dataclass
class Progress:
    """How far a retrieval is. why: the first reason why something failed."""

    remaining: int
    completed: int = 0
    warnings: int = 0
    failed: list[str] = field(default_factory=list)
    why: str = ""

    def count(self, uid: str, status: int, why: str = "") -> None:
        """One sub-operation is over, with that status of C-STORE."""
        self.remaining -= 1
        self.why = self.why or why
        if status == SUCCESS:
            self.completed += 1
        elif status >> 12 == 0xB:
            self.warnings += 1
        else:
            self.failed.append(uid)

    def response(self, request: Request, status: int) -> Response:
        """The counts so far; with the final answer also which instances failed."""
        more: dict[str, int | str | tuple[int, ...]] = {
            "NumberOfCompletedSuboperations": self.completed,
            "NumberOfFailedSuboperations": len(self.failed),
            "NumberOfWarningSuboperations": self.warnings,
        }
        if status in {PENDING, CANCELLED}:
            more["NumberOfRemainingSuboperations"] = self.remaining
        if self.why and status != PENDING:
            more["ErrorComment"] = comment(self.why)
        if status == PENDING or not self.failed:
            return Response(status, more=more)
        failures = Dataset()
        failures.FailedSOPInstanceUIDList = self.failed
        return Response(status, encoded(failures, request.context), more)

    def final(self, request: Request) -> Response:
        """Success, the warning that some failed, or the failure of all."""
        if not self.failed:
            return self.response(request, SUCCESS)
        done = self.completed + self.warnings
        return self.response(request, WITH_FAILURES if done else OUT_OF_RESOURCES)


class _Retrieve:
    """What both have in common. name: for the log."""

    name = ""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        """One request, from its first to its final answer."""
        began, last = time.monotonic(), Response(SUCCESS)
        try:
            asker = self._archive.asker(association.origin)
            for answer in self._retrieve(association, request, asker):
                last = answer
                yield answer
        except Refused as refused:
            last = refusal(refused)
            yield last
        except Fault as fault:
            last = Response(_STATUS.get(fault.category, UNABLE), more={"ErrorComment": comment(str(fault))})
            yield last
        took_ms = round((time.monotonic() - began) * 1000, 1)
        done = last.more.get("NumberOfCompletedSuboperations", 0)
        log.info(self.name, status=f"{last.status:04X}", completed=done, took_ms=took_ms)

    def _retrieve(self, association: Association, request: Request, asker: Disclosure) -> Iterator[Response]:
        raise NotImplementedError

    def _select(self, association: Association, request: Request, asker: Disclosure) -> tuple[InstanceRecord, ...]:
        identifier = identifiers.read(request, association.origin.source.charset)
        patient_root = request.context.abstract_syntax in PATIENT_ROOT
        found = self._archive.select(asker, selection(identifier, patient_root=patient_root))
        if len(found) > _MOST:
            raise Refused(OUT_OF_RESOURCES, f"more than {_MOST} instances; ask for less at a time")
        return found


class Move(_Retrieve):
    """C-MOVE, to nodes of the asker's own institution alone. context: for those that are reached over TLS."""

    name = "dicom.moved"

    def __init__(self, archive: Archive, ae_title: str, context: ssl.SSLContext | None) -> None:
        super().__init__(archive)
        self._ae_title = ae_title
        self._context = context

    def _retrieve(self, association: Association, request: Request, asker: Disclosure) -> Iterator[Response]:
        try:
            node = self._archive.destination(asker, request.text("MoveDestination"))
        except NotFound as fault:
            raise Refused(DESTINATION_UNKNOWN, str(fault)) from fault
        instances = self._select(association, request, asker)
        progress, begun = Progress(len(instances)), 0
        more: dict[str, int | str | tuple[int, ...]] = {
            "MoveOriginatorApplicationEntityTitle": association.calling_ae_title,
            "MoveOriginatorMessageID": request.message_id,
        }
        for proposed, count in proposals(instances, MOST_CONTEXTS):
            some, begun = instances[begun : begun + count], begun + count
            left = progress.remaining - count
            try:
                with self._reached(node, proposed) as line:
                    sending = Sending(self._archive, line.contexts_for, line.ask, more)
                    for each in some:
                        if association.ending or association.cancelled(request):
                            yield progress.response(request, CANCELLED)
                            return
                        progress.count(each.sop_instance_uid, *_sent(sending, each))
                        if progress.remaining:
                            yield progress.response(request, PENDING)
            except (_Lost, Busy) as lost:
                # What was told of is counted; the rest of this association's share has failed.
                for each in some[count - (progress.remaining - left) :]:
                    progress.count(each.sop_instance_uid, UNABLE, str(lost))
        yield progress.final(request)

    def _reached(self, node: Node, proposed: list[tuple[str, tuple[str, ...]]]) -> Requestor:
        if node.tls and self._context is None:
            raise Busy("no certificates to trust are configured", where="tls")
        context = self._context if node.tls else None
        return Requestor(
            node.host, node.port, called=node.ae_title, calling=self._ae_title, proposed=proposed, context=context
        )


class Get(_Retrieve):
    """C-GET: on the association of the asker, which has said what it takes by role selection."""

    name = "dicom.got"

    def _retrieve(self, association: Association, request: Request, asker: Disclosure) -> Iterator[Response]:
        instances = self._select(association, request, asker)
        progress = Progress(len(instances))
        sending = Sending(self._archive, association.contexts_for, association.ask, {})
        for each in instances:
            if association.ending or association.cancelled(request):
                yield progress.response(request, CANCELLED)
                return
            try:
                progress.count(each.sop_instance_uid, *_status(sending, each))
            except BrokenOff as broken:
                raise Violation("an object could not be read on", UNSPECIFIED) from broken
            if progress.remaining:
                yield progress.response(request, PENDING)
        yield progress.final(request)


class _Lost(Exception):
    """The association with the destination is over."""


def _sent(sending: Sending, instance: InstanceRecord) -> tuple[int, str]:
    try:
        return _status(sending, instance)
    except (Ended, BrokenOff) as end:
        raise _Lost("the association with the destination was lost") from end


def _status(sending: Sending, instance: InstanceRecord) -> tuple[int, str]:
    """The status of one sub-operation, and why it failed where we know."""
    try:
        status = sending.send(instance)
    except Fault as fault:
        log.warning("dicom.not-sent", digest=instance.digest, category=fault.category.value)
        return UNABLE, str(fault)
    return status, "" if status == SUCCESS or status >> 12 == 0xB else f"the peer answered {status:04X}"


def selection(identifier: Identifier, *, patient_root: bool) -> Selection:
    """What is meant: unique keys alone, one value above the level, any number at it. Raises Refused."""
    uids: dict[Level, tuple[str, ...]] = {}
    for level in (*above(identifier.level), identifier.level):
        if level is Level.PATIENT:
            continue
        uids[level] = identifier.uids(UNIQUE[level])
        if not uids[level] or (level is not identifier.level and len(uids[level]) > 1):
            which = "a" if level is identifier.level else "one"
            said = f"expected {which} {BY_TAG[UNIQUE[level]].keyword} at this level"
            raise Refused(IDENTIFIER_DOES_NOT_MATCH, said, UNIQUE[level])
    patient = identifier.text(_PATIENT_ID) if patient_root else ""
    if {"*", "?"} & set(patient) or (identifier.level is Level.PATIENT and not patient):
        raise Refused(IDENTIFIER_DOES_NOT_MATCH, "expected one PatientID, without wild cards", _PATIENT_ID)
    return Selection(
        identifier.level,
        patient,
        identifier.text(_ISSUER) if patient else "",
        uids.get(Level.STUDY, ()),
        uids.get(Level.SERIES, ()),
        uids.get(Level.IMAGE, ()),
    )
