"""Uploading: any file, many at once, a receipt for each in plain words."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.concurrency import run_in_threadpool

from hub.access import Permission, require
from hub.uploads import Form, Upload, received
from schemas.delivery import DeliveryRecord, PatientHint, Receipt
from schemas.faults import Fault, Forbidden, InvalidPayload
from schemas.identifiers import RESIDENT_ID, Identifier, authority_system, resident_number
from schemas.patient import Patient, PersonName, Sex
from schemas.report import ReportCategory

from .formats import ZONE
from .render import fragment, page
from .session import CSRF_FIELD, CSRF_HEADER, Visit, Visiting, address_of, check_csrf

router = APIRouter(include_in_schema=False)

_RECENT = 20
# Of all files of one form together, as for programs that upload.
_FILES_WORTH = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a receipt, or the fault for which nothing could be promised."""

    filename: str
    size: int
    receipt: Receipt | None
    fault: Fault | None


def uploading(visit: Visiting) -> Visit:
    """Who may upload. Decided before a byte of the body is read."""
    require(visit.principal, Permission.UPLOAD)
    return visit


Uploading = Annotated[Visit, Depends(uploading)]


@router.get("/upload")
def upload_page(visit: Uploading) -> Response:
    """The page onto which files are dropped, and what this institution sent lately."""
    return page(
        visit, "upload.html", recent=_recent(visit), categories=tuple(ReportCategory), most_bytes=_most_bytes(visit)
    )


def _most_bytes(visit: Visit) -> int:
    megabytes: int = visit.request.app.state.settings.max_upload_mb
    return megabytes * 1_000_000


@router.get("/upload/recent")
def recent(visit: Uploading) -> Response:
    """The latest deliveries again, after some were added."""
    return fragment(visit, "_recent_deliveries.html", recent=_recent(visit))


def _recent(visit: Visit) -> tuple[DeliveryRecord, ...]:
    return visit.verbs.query.deliveries(visit.disclosure, limit=_RECENT).items


@router.post("/upload")
async def upload(visit: Uploading) -> Response:
    """Takes the files of one form, one after another: what one of them says never costs another its receipt."""
    request = visit.request
    token = request.headers.get(CSRF_HEADER, "")
    if token:
        check_csrf(visit, token)
    most_bytes = _most_bytes(visit)
    async with received(request, most_bytes=_FILES_WORTH * most_bytes) as form:
        check_csrf(visit, token or form.fields.get(CSRF_FIELD, ""))
        outcomes = await run_in_threadpool(_take, visit, form, most_bytes)
    if request.headers.get("hx-request") == "true":
        return fragment(visit, "_receipts.html", outcomes=outcomes)
    return page(visit, "upload_done.html", outcomes=outcomes)


def _take(visit: Visit, form: Form, most_bytes: int) -> list[Outcome]:
    words = {name: value.strip() for name, value in form.fields.items()}
    try:
        hint = patient_hint(words, visit.principal.organization)
    except Fault as fault:
        return [Outcome(upload.name, upload.size, None, fault) for upload in form.files]
    # A form that was sent without choosing a file has one nameless, empty part.
    chosen = [upload for upload in form.files if upload.name]
    return [_one(visit, upload, hint, most_bytes) for upload in chosen]


def _one(visit: Visit, upload: Upload, hint: PatientHint | None, most_bytes: int) -> Outcome:
    try:
        if upload.size > most_bytes:
            raise InvalidPayload(f"expected a file of at most {most_bytes} bytes", where="file")
        receipt = visit.verbs.ingest.upload(
            visit.disclosure, upload.content, filename=upload.name, hint=hint, address=address_of(visit.request)
        )
    except Forbidden:
        raise
    except Fault as fault:
        return Outcome(upload.name, upload.size, None, fault)
    return Outcome(upload.name, upload.size, receipt, receipt.fault)


def patient_hint(words: Mapping[str, str], organization: str) -> PatientHint | None:
    """Who the files speak of, as typed beside them; None when nothing was typed.

    Raises InvalidPayload where what was typed cannot be a patient.
    """
    name, number, card = words.get("name", ""), words.get("resident_number", ""), words.get("card_number", "")
    if not (name or number or card):
        return None
    if not name:
        raise InvalidPayload("expected the patient's name beside the number", where="name")
    identifiers = _identifiers(number, card, organization)
    patient = Patient(identifiers, PersonName(name), _birth_date(words, number), _sex(words, number))
    category = words.get("category", "")
    return PatientHint(
        patient,
        category=category if category in set(ReportCategory) else "",
        title=words.get("title", ""),
        observed_at=_observed_at(words.get("observed_at", "")),
    )


def _identifiers(number: str, card: str, organization: str) -> tuple[Identifier, ...]:
    found = []
    if card:
        found.append(Identifier(authority_system(organization), card))
    if number:
        checked = resident_number(number)
        if checked is None:
            raise InvalidPayload("expected 18 characters with a correct check digit", where="resident_number")
        found.append(Identifier(RESIDENT_ID, checked.number))
    if not found:
        raise InvalidPayload("expected an identity number or a card number", where="resident_number")
    return tuple(found)


def _birth_date(words: Mapping[str, str], number: str) -> dt.date | None:
    said = words.get("birth_date", "")
    if said:
        try:
            return dt.date.fromisoformat(said)
        except ValueError as error:
            raise InvalidPayload("expected a date like 1980-02-03", where="birth_date") from error
    checked = resident_number(number) if number else None
    return checked.birth_date if checked else None


def _sex(words: Mapping[str, str], number: str) -> Sex:
    said = words.get("sex", "")
    if said in set(Sex):
        return Sex(said)
    checked = resident_number(number) if number else None
    return (Sex.MALE if checked.male else Sex.FEMALE) if checked else Sex.UNKNOWN


def _observed_at(said: str) -> dt.datetime | None:
    if not said:
        return None
    try:
        return dt.datetime.fromisoformat(said).replace(tzinfo=ZONE)
    except ValueError as error:
        raise InvalidPayload("expected a date and time like 2026-11-21T10:30", where="observed_at") from error
