"""Modality performed procedure step: N-CREATE and N-SET. Source: DICOM PS3.4 F.7, PS3.7 10.1.3, 10.1.5."""

import io
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.uid import generate_uid

from adapters.dicom.dimse import Association, Request, Response, decoded, failed
from schemas.faults import Category, Fault, InvalidPayload
from schemas.network import Archive, ProcedureStep, StepMessage, StepState

MISSING_ATTRIBUTE, INVALID_VALUE, DUPLICATE, PROCESSING_FAILURE = 0x0120, 0x0106, 0x0111, 0x0110
NO_SUCH_INSTANCE = 0x0112
# PS3.4 F.7.2.2.2: "Performed Procedure Step Object may no longer be updated".
NO_LONGER_UPDATED = 0xA710
_STATUS_TAG, _SERIES_TAG = 0x00400252, 0x00400340
# A step of ten thousand images names them in about two megabytes.
_MOST = 8 << 20


class _Refused(Exception):
    def __init__(self, status: int, tag: int) -> None:
        super().__init__()
        self.status = status
        self.tag = tag


class CreateStep:
    """N-CREATE: a step begins."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        """One request."""
        uid = request.text("AffectedSOPInstanceUID") or str(generate_uid(prefix=None))
        try:
            raw, dataset = _read(request)
            state = _state(dataset)
            if state is None:
                raise _Refused(MISSING_ATTRIBUTE, _STATUS_TAG)
            if state is not StepState.IN_PROGRESS:
                raise _Refused(INVALID_VALUE, _STATUS_TAG)
            message = StepMessage("N-CREATE", request.context.transfer_syntax, raw)
            self._archive.create_step(association.origin, _step(uid, state, dataset), message)
        except _Refused as refused:
            yield Response(refused.status, more=_offending(refused))
        except Fault as fault:
            yield Response(DUPLICATE) if fault.category is Category.CONFLICT else failed(fault)
        else:
            yield Response(0x0000, more={"AffectedSOPInstanceUID": uid})


class SetStep:
    """N-SET: what became of it; nothing any more once it is COMPLETED or DISCONTINUED."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        """One request."""
        uid = request.text("RequestedSOPInstanceUID")
        try:
            raw, dataset = _read(request)
            state = _state(dataset)
            if state is StepState.COMPLETED and not dataset.get("PerformedSeriesSequence"):
                raise _Refused(MISSING_ATTRIBUTE, _SERIES_TAG)
            said = _step(uid, state or StepState.IN_PROGRESS, dataset)
            message = StepMessage("N-SET", request.context.transfer_syntax, raw)
            self._archive.set_step(association.origin, uid, said, message)
        except _Refused as refused:
            yield Response(refused.status, more=_offending(refused))
        except Fault as fault:
            yield _answer(fault)
        else:
            yield Response(0x0000)


def _answer(fault: Fault) -> Response:
    if fault.category is Category.CONFLICT:
        more: dict[str, int | str] = {
            "ErrorID": NO_LONGER_UPDATED,
            "ErrorComment": "Performed Procedure Step Object may no longer be updated",
        }
        return Response(PROCESSING_FAILURE, more=more)
    return Response(NO_SUCH_INSTANCE) if fault.category is Category.NOT_FOUND else failed(fault)


def _offending(refused: _Refused) -> dict[str, int | str | tuple[int, ...]]:
    return {"AttributeIdentifierList": (refused.tag,)}


def _read(request: Request) -> tuple[bytes, Dataset]:
    if request.data is None:
        raise _Refused(MISSING_ATTRIBUTE, _STATUS_TAG)
    raw = bytearray()
    while piece := request.data.read(1 << 16):
        raw += piece
        if len(raw) > _MOST:
            raise InvalidPayload(f"a procedure step of more than {_MOST >> 20} MiB")
    return bytes(raw), decoded(io.BytesIO(raw), request.context, _MOST)


def _state(dataset: Dataset) -> StepState | None:
    """None where the message does not say. Raises _Refused for one that there is not."""
    said = str(dataset.get("PerformedProcedureStepStatus") or "").strip()
    if not said:
        return None
    if said not in set(StepState):
        raise _Refused(INVALID_VALUE, _STATUS_TAG)
    return StepState(said)


def _step(uid: str, state: StepState, dataset: Dataset) -> ProcedureStep:
    scheduled = list(dataset.get("ScheduledStepAttributesSequence") or ())
    return ProcedureStep(
        uid,
        state,
        _first(scheduled, "StudyInstanceUID"),
        _first(scheduled, "AccessionNumber"),
        tuple(dict.fromkeys(_made(dataset))),
    )


def _first(items: list[Dataset], keyword: str) -> str:
    return next((str(item.get(keyword)).strip() for item in items if item.get(keyword)), "")


def _made(dataset: Dataset) -> Iterator[str]:
    for series in dataset.get("PerformedSeriesSequence") or ():
        for keyword in ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence"):
            for item in series.get(keyword) or ():
                if uid := item.get("ReferencedSOPInstanceUID"):
                    yield str(uid)
