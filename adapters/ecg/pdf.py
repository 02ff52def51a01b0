"""A report that is only a document: what cheap carts make, first-class but marked as without a waveform."""

import datetime as dt
from typing import BinaryIO
from zoneinfo import ZoneInfo

from schemas.codes import Coding
from schemas.delivery import Accounting, Origin, PatientHint, Reading
from schemas.faults import InvalidPayload
from schemas.report import Attachment, Report, ReportCategory, ReportStatus

from .content import digest, whole
from .measurement_codes import EKG_STUDY

_MAX_BYTES = 64 * 1024 * 1024
_MEDIA_TYPE = "application/pdf"


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a PDF."""
    return head.startswith(b"%PDF-")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with the document as its attachment; patient, category and time are what the upload says.

    An ECG of which nobody has said that it is confirmed stays preliminary; other documents are final as issued.
    Raises InvalidPayload where the document is damaged or the upload leaves out what the document cannot say.
    """
    data = whole(content, _MAX_BYTES)
    if not looks_like(data):
        raise InvalidPayload("expected a PDF header", where="byte 0")
    if b"%%EOF" not in data[-2048:]:
        raise InvalidPayload("PDF is cut short: its end mark is missing", where="%%EOF")
    hint, category, observed_at = _told(origin)
    report = Report(
        key=f"{observed_at}|{hint.patient.key.value}|{digest(data)[:16]}",
        category=category,
        status=ReportStatus.PRELIMINARY if category is ReportCategory.ECG else ReportStatus.FINAL,
        code=EKG_STUDY if category is ReportCategory.ECG else Coding("", hint.title),
        patient=hint.patient,
        organization=origin.source.organization,
        observed_at=observed_at,
        attachments=(Attachment.of(data, _MEDIA_TYPE, hint.title or "PDF"),),
        flags=("no-waveform",) if category is ReportCategory.ECG else (),
    )
    accounting = Accounting(1, 0, 1, 0, ("document: kept as an attachment, its text is not read",))
    return Reading((report,), parts=(data,), accounting=accounting)


def _told(origin: Origin) -> tuple[PatientHint, ReportCategory, dt.datetime]:
    hint = origin.hint
    category = ReportCategory(hint.category) if hint and hint.category in set(ReportCategory) else None
    if hint is None or not hint.patient.identifiers or category is None or hint.observed_at is None:
        said = {
            "patient": hint is not None and bool(hint.patient.identifiers),
            "category": category is not None,
            "time of the examination": hint is not None and hint.observed_at is not None,
        }
        missing = ", ".join(what for what, there in said.items() if not there)
        raise InvalidPayload(f"a PDF cannot say whose it is: the upload must name {missing}", where="upload")
    observed_at = hint.observed_at
    if observed_at.tzinfo is None:
        observed_at = observed_at.replace(tzinfo=ZoneInfo(origin.source.time_zone))
    return hint, category, observed_at
