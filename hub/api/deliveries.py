"""Uploads over HTTP: any supported format, many at once, a receipt for each."""

import datetime as dt
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.hints import FIELDS, patient_hint
from hub.uploads import Upload, received
from hub.verbs import Verbs
from schemas.delivery import PatientHint, Receipt, State
from schemas.disclosure import Disclosure
from schemas.faults import Busy, Category, Fault, InvalidPayload

from .dependencies import Asker, TheVerbs
from .outcomes import RETRY_AFTER_S, STATUS, Problem

router = APIRouter(tags=["deliveries"])

# Of all files of one request together.
_FILES_WORTH = 2


class ReceiptView(BaseModel):
    """What the hub promises about one file. `state` null: nothing could be promised, send it again later."""

    filename: str = Field(description="as the sender calls it", examples=["ecg-0001.xml"])
    delivery: int | None = Field(None, description="the hub's number of the delivery", examples=[41])
    digest: str = Field("", description="SHA-256 of the bytes that are kept")
    state: State | None = Field(None, description="indexed, held for a person, or kept but not readable")
    received_at: dt.datetime | None = None
    reports: list[int] = Field([], description="ids of the reports that it made or extended", examples=[[7]])
    category: Category | None = Field(None, description="why it was refused; null where it was indexed")
    text: str = ""
    where: str = ""


class Receipts(BaseModel):
    """A receipt for every file, in the order in which they came."""

    receipts: list[ReceiptView]


_FIELDS: dict[str, Any] = {
    name: {"type": "string", "description": words, **({"examples": [example]} if example else {})}
    for name, (words, example) in FIELDS.items()
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}}
                    | _FIELDS,
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def uploader(asker: Asker) -> Disclosure:
    """Whoever may upload; asked before a byte of the body is read."""
    require(asker.principal, Permission.UPLOAD)
    return asker


@router.post(
    "/deliveries",
    summary="Upload one or many files",
    response_model=Receipts,
    responses={
        207: {"model": Receipts, "description": "some were indexed, others not: each receipt tells"},
        401: {"model": Problem, "description": "no bearer token, or not a valid one"},
        409: {"model": Receipts, "description": "kept, but it contradicts what is known; a person decides"},
        413: {"model": Problem, "description": "more bytes than one upload may hold"},
        422: {"model": Receipts, "description": "kept, but of no kind that this hub reads"},
        "default": {"model": Receipts, "description": "nothing was indexed: the status of the gravest refusal"},
    },
    openapi_extra=_BODY,
)
async def deliver(request: Request, verbs: TheVerbs, asker: Annotated[Disclosure, Depends(uploader)]) -> Response:
    """DICOM, HL7 v2, HL7 aECG, SCP-ECG or PDF; the hub looks at the content, not at the name.

    The other fields say whose a PDF is, which cannot say it itself. A body that is no form is one file, its fields
    then stand in the address. 200 means that every file is kept, indexed and findable.
    """
    most_bytes = request.app.state.settings.max_upload_mb * 1_000_000
    async with received(request, most_bytes=_FILES_WORTH * most_bytes) as form:
        if not form.files:
            raise InvalidPayload("expected at least one file", where="body")
        hint = patient_hint(form.fields)
        views = await run_in_threadpool(lambda: [_take(verbs, asker, each, hint, most_bytes) for each in form.files])
    return _answer(views)


def _take(verbs: Verbs, asker: Disclosure, upload: Upload, hint: PatientHint | None, most_bytes: int) -> ReceiptView:
    try:
        if upload.size > most_bytes:
            raise InvalidPayload(f"expected a file of at most {most_bytes} bytes", where="file")
        receipt = verbs.ingest.upload(asker, upload.content, filename=upload.name, hint=hint)
    except Fault as fault:
        return ReceiptView(filename=upload.name, category=fault.category, text=fault.text, where=fault.where)
    return _view(upload.name, receipt)


def _view(filename: str, receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        filename=filename,
        delivery=receipt.delivery_id,
        digest=receipt.digest,
        state=receipt.state,
        received_at=receipt.received_at,
        reports=list(receipt.report_ids),
        category=Category(receipt.category) if receipt.category else None,
        text=receipt.text,
        where=receipt.where,
    )


def _answer(views: list[ReceiptView]) -> Response:
    status = _status(views)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == STATUS[Busy.category] else {}
    return JSONResponse(Receipts(receipts=views).model_dump(mode="json"), status, headers)


def _status(views: Iterable[ReceiptView]) -> int:
    """200 where all were indexed, 207 where some; a 2xx is never said where none was."""
    statuses = {STATUS[view.category] if view.category else HTTPStatus.OK.value for view in views}
    if HTTPStatus.OK.value not in statuses:
        return max(statuses)
    return HTTPStatus.OK.value if len(statuses) == 1 else HTTPStatus.MULTI_STATUS.value
