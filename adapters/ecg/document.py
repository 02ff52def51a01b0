"""A report that is only a document, a PDF or a picture: what cheap carts make, first-class but without a waveform.

A picture is never digitised: what a line on paper measured to a tenth of a millimetre is no sample of anything.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from schemas.codes import Coding
from schemas.delivery import Accounting, Origin, PatientHint, Reading
from schemas.faults import InvalidPayload
from schemas.report import Attachment, Report, ReportCategory, ReportStatus

from .content import digest
from .measurement_codes import EKG_STUDY


def reading(data: bytes, media_type: str, origin: Origin, name: str, nobodys: str) -> Reading:
    """One report with the document as its attachment; patient, category and time are what the upload says.

    An ECG of which nobody has said that it is confirmed stays preliminary; other documents are final as issued.
    name: what the document is called where the upload gives it no title. nobodys: the words of a refusal, before what
    is missing. Raises InvalidPayload where the upload leaves out what the document cannot say.
    """
    hint, category, observed_at = _told(origin, nobodys)
    report = Report(
        key=f"{observed_at}|{hint.patient.key.value}|{digest(data)[:16]}",
        category=category,
        status=ReportStatus.PRELIMINARY if category is ReportCategory.ECG else ReportStatus.FINAL,
        code=EKG_STUDY if category is ReportCategory.ECG else Coding("", hint.title),
        patient=hint.patient,
        organization=origin.source.organization,
        observed_at=observed_at,
        attachments=(Attachment.of(data, media_type, hint.title or name),),
        flags=("no-waveform",) if category is ReportCategory.ECG else (),
    )
    accounting = Accounting(1, 0, 1, 0, ("document: kept as an attachment, its text is not read",))
    return Reading((report,), parts=(data,), accounting=accounting)


def _told(origin: Origin, nobodys: str) -> tuple[PatientHint, ReportCategory, dt.datetime]:
    hint = origin.hint
    category = ReportCategory(hint.category) if hint and hint.category in set(ReportCategory) else None
    if hint is None or not hint.patient.identifiers or category is None or hint.observed_at is None:
        said = {
            "patient": hint is not None and bool(hint.patient.identifiers),
            "category": category is not None,
            "time of the examination": hint is not None and hint.observed_at is not None,
        }
        missing = ", ".join(what for what, there in said.items() if not there)
        raise InvalidPayload(f"{nobodys}{missing}", where="upload")
    observed_at = hint.observed_at
    if observed_at.tzinfo is None:
        observed_at = observed_at.replace(tzinfo=ZoneInfo(origin.source.time_zone))
    return hint, category, observed_at
