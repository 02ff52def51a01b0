"""Storage commitment, push model. Source: DICOM PS3.4 annex J, PS3.7 10.1.1, 10.1.4."""

import ssl
from collections.abc import Iterator

import structlog
from pydicom import Dataset

from adapters.dicom.dimse import Association, Context, Ended, Request, Response, encoded, failed
from adapters.dicom.dimse.command import N_EVENT_REPORT, Value, number
from adapters.dicom.dimse.requestor import Requestor
from schemas.faults import Busy, Fault, InvalidPayload
from schemas.network import Archive, Commitment, Node, Outcome, Reference

from .sop_classes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
from .transcoding import TARGETS

log = structlog.get_logger()

_REQUEST = 1
ALL_COMMITTED, FAILURES_EXIST = 1, 2
NO_SUCH_INSTANCE, NO_SUCH_ACTION, INVALID_ARGUMENT = 0x0112, 0x0123, 0x0115
_MOST = 8 << 20


class Commit:
    """N-ACTION: taken down and answered; then the outcome, on the same association while the peer keeps it."""

    def __init__(self, archive: Archive, ae_title: str) -> None:
        self._archive = archive
        self._ae_title = ae_title

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        """One request, and its N-EVENT-REPORT."""
        if request.text("RequestedSOPInstanceUID") != STORAGE_COMMITMENT_INSTANCE:
            yield Response(NO_SUCH_INSTANCE)
            return
        if number(request.command, "ActionTypeID") != _REQUEST:
            yield Response(NO_SUCH_ACTION)
            return
        try:
            uid, references = _asked(request.dataset(_MOST))
            kept = self._archive.commit(association.origin, association.calling_ae_title, uid, references)
        except InvalidPayload as fault:
            yield Response(INVALID_ARGUMENT, more={"ErrorComment": str(fault)[:64]})
            return
        except Fault as fault:
            yield failed(fault)
            return
        yield Response(0x0000, more={"ActionTypeID": _REQUEST})
        self._tell(association, request.context, kept)

    def _tell(self, association: Association, context: Context, kept: int) -> None:
        """What fails here is told later, on an association of our own."""
        try:
            found = self._archive.commitment(kept)
            command, data = report(found, context, self._ae_title)
            answer = association.ask(context, command, data)
        except Ended:
            self._archive.report_elsewhere(kept)
            log.info("commitment.told-elsewhere", commitment=kept)
            raise
        except Fault as fault:
            log.warning("commitment.told-later", commitment=kept, fault=fault.category.value)
            return
        if number(answer, "Status") == 0:
            self._archive.reported(kept)
        log.info("commitment.told", commitment=kept, status=f"{number(answer, 'Status'):04X}")


class CommitmentCourier:
    """Reports on associations of our own, on which we are the SCP all the same (PS3.4 J.3.3)."""

    def __init__(self, ae_title: str, context: ssl.SSLContext | None) -> None:
        self._ae_title = ae_title
        self._context = context

    def report(self, node: Node, commitment: Commitment) -> None:
        """Returns when the peer has confirmed. Raises Busy where it did not."""
        if node.tls and self._context is None:
            raise Busy("no certificates to trust are configured", where="tls")
        try:
            with Requestor(
                node.host,
                node.port,
                called=node.ae_title,
                calling=self._ae_title,
                proposed=[(STORAGE_COMMITMENT, TARGETS)],
                scp_for=[STORAGE_COMMITMENT],
                context=self._context if node.tls else None,
            ) as line:
                for context in line.contexts_for(STORAGE_COMMITMENT):
                    command, data = report(commitment, context, self._ae_title)
                    answer = line.ask(context, command, data)
                    if number(answer, "Status") != 0:
                        raise Busy(f"the peer answered {number(answer, 'Status'):04X}", where="N-EVENT-REPORT")
                    return
        except Ended as end:
            raise Busy("the association was lost", where="association") from end
        raise Busy("the peer takes no reports of storage commitment", where="association")


def _asked(dataset: Dataset) -> tuple[str, tuple[Reference, ...]]:
    """The transaction and what it names. Raises InvalidPayload."""
    uid = str(dataset.get("TransactionUID") or "")
    if not 0 < len(uid) <= 64:
        raise InvalidPayload("a Transaction UID is missing", where="(0008,1195)")
    references = []
    for item in dataset.get("ReferencedSOPSequence") or ():
        each = Reference(str(item.get("ReferencedSOPClassUID") or ""), str(item.get("ReferencedSOPInstanceUID") or ""))
        if not each.sop_class_uid or not each.sop_instance_uid:
            raise InvalidPayload("a reference without class or instance", where="(0008,1199)")
        references.append(each)
    return uid, tuple(references)


def report(commitment: Commitment, context: Context, ae_title: str) -> tuple[dict[str, Value], bytes]:
    """The command and the data set of an N-EVENT-REPORT."""
    outcome = commitment.outcome or Outcome()
    dataset = Dataset()
    dataset.TransactionUID = commitment.transaction_uid
    dataset.RetrieveAETitle = ae_title
    if outcome.committed:
        dataset.ReferencedSOPSequence = [_item(each) for each in outcome.committed]
    if outcome.failed:
        dataset.FailedSOPSequence = [_item(each.reference, each.reason) for each in outcome.failed]
    command: dict[str, Value] = {
        "CommandField": N_EVENT_REPORT,
        "AffectedSOPClassUID": STORAGE_COMMITMENT,
        "AffectedSOPInstanceUID": STORAGE_COMMITMENT_INSTANCE,
        "EventTypeID": FAILURES_EXIST if outcome.failed else ALL_COMMITTED,
    }
    return command, encoded(dataset, context)


def _item(reference: Reference, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reason is not None:
        item.FailureReason = reason
    return item
