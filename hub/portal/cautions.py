"""What a clinician should know before reusing a report. Advice: nothing here forbids anything."""

from schemas.report import WITHDRAWN, ReportRecord, ReportStatus

from .i18n import N_
from .timeline import flagged, is_critical

_UNCONFIRMED = frozenset({ReportStatus.REGISTERED, ReportStatus.PRELIMINARY})
_CORRECTED = frozenset({ReportStatus.CORRECTED, ReportStatus.AMENDED})


def cautions(record: ReportRecord, *, read: bool = False, out_of_quality: bool = False) -> tuple[str, ...]:
    """Msgids, gravest first; empty when nothing speaks against reuse on the face of the report.

    read: whether somebody has written a report of these images that stands by itself. out_of_quality: whether its
    institution had not passed assessment of all that it tells.
    """
    status = record.report.status
    pictures = status is ReportStatus.PARTIAL
    said = (
        (status in WITHDRAWN, N_("The issuing institution has withdrawn this report.")),
        (not record.current, N_("A later version of this report exists. You are looking at an earlier one.")),
        (record.doubtful, N_("The identity of this patient is in doubt. The report may belong to somebody else.")),
        (status in _UNCONFIRMED, N_("This report is preliminary: nobody has confirmed it yet.")),
        (pictures and not read, N_("The images are here; a written report is not.")),
        (
            pictures and read,
            N_("These are the images alone. Their written report stands by itself; this page links to it."),
        ),
        (any(is_critical(o) for o in flagged(record)), N_("It holds a critical value: never reuse it without a look.")),
        (out_of_quality, N_("Its institution had not passed quality assessment of all of this when it was taken.")),
    )
    return tuple(words for holds, words in said if holds)


def corrected(record: ReportRecord) -> bool:
    """Whether this version replaced an earlier one."""
    return record.report.status in _CORRECTED


def withdrawn(record: ReportRecord) -> bool:
    """Whether the issuer took the report back."""
    return record.report.status in WITHDRAWN
