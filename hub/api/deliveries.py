"""Uploads over HTTP: any supported format, many at once, a receipt for each."""

import datetime as dt
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.uploads import Upload, received
from hub.verbs import Verbs
from schemas.delivery import PatientHint, Receipt, State
from schemas.disclosure import Disclosure
from schemas.faults import Busy, Category, Fault, InvalidPayload
from schemas.identifiers import Identifier, authority_system
from schemas.patient import Patient, PersonName, Sex
from schemas.report import ReportCategory

from .dependencies import Asker, TheVerbs
from .outcomes import RETRY_AFTER_S, STATUS, Problem

router = APIRouter(tags=["deliveries"])

# Of all files of one request together.
_FILES_WORTH = 2
_DISTRICT = ZoneInfo("Asia/Shanghai")
T = TypeVar("T", Sex, ReportCategory)


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


_HINT = {
    "identifier": ("the patient's identifier", "P000123"),
    "identifier_system": ("its system, a URI; or name the authority", ""),
    "authority": ("short name of the assigning authority, such as the facility's code", "CHC01"),
    "name": ("the patient's name", "王芳"),
    "birth_date": ("YYYY-MM-DD", "1985-03-07"),
    "sex": ("male, female, other or unknown", "female"),
    "category": ("imaging, laboratory, ecg or other", "ecg"),
    "title": ("what the document is", "十二导联心电图"),
    "observed_at": ("when it was taken, with a zone; the district's where it has none", "2024-05-06T08:30:00+08:00"),
}
_FIELDS: dict[str, Any] = {
    name: {"type": "string", "description": words, **({"examples": [example]} if example else {})}
    for name, (words, example) in _HINT.items()
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
        hint = _hint(form.fields)
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


def _hint(fields: dict[str, str]) -> PatientHint | None:
    """Who the patient is, as told beside the files; None where nothing was."""
    told = {name: value.strip() for name, value in fields.items() if value.strip()}
    if unknown := told.keys() - _HINT.keys():
        raise InvalidPayload("unknown field", where=min(unknown)[:64])
    if not told:
        return None
    if "identifier" not in told or "name" not in told:
        raise InvalidPayload("expected identifier and name of the patient", where="identifier")
    if not ("identifier_system" in told or "authority" in told):
        raise InvalidPayload("expected the system or the authority of the identifier", where="authority")
    system = told.get("identifier_system") or authority_system(told["authority"])
    patient = Patient(
        (Identifier(system, told["identifier"]),),
        PersonName(told["name"]),
        _date(told.get("birth_date", "")),
        _of(Sex, told.get("sex", "unknown"), "sex"),
    )
    category = _of(ReportCategory, told["category"], "category") if "category" in told else ""
    return PatientHint(patient, category, told.get("title", ""), _moment(told.get("observed_at", "")))


def _of(kind: type[T], value: str, where: str) -> T:
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidPayload(f"expected one of {', '.join(kind)}", where=where) from error


def _date(value: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidPayload("expected YYYY-MM-DD", where="birth_date") from error


def _moment(value: str) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidPayload("expected a time such as 2024-05-06T08:30:00+08:00", where="observed_at") from error
    return read.replace(tzinfo=_DISTRICT) if read and read.tzinfo is None else read
