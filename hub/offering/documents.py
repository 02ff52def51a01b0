"""Makes the documents of a report: the same version gives the same bytes."""

from pathlib import Path

from sqlalchemy import Connection

from schemas.disclosure import Disclosure
from schemas.ecg import EcgRecording, decode
from schemas.faults import NotFound
from schemas.offered import (
    DocumentKind,
    DocumentWriter,
    Offered,
    has_own_study,
    has_words,
    is_offered,
    is_traced,
    own_pdf,
)
from schemas.report import ReportRecord
from storage import derived, organizations, reports
from storage.objects import Objects

from .page import render
from .sections import sections


class Documents:
    """writer: how a DICOM instance is written. font: a TrueType file that holds Chinese."""

    def __init__(self, objects: Objects, writer: DocumentWriter, font: Path) -> None:
        self._objects = objects
        self._writer = writer
        self._font = font

    def offered(self, tx: Connection, disclosure: Disclosure, report_id: int) -> Offered:
        """The current version of a report, with all that its documents say.

        Raises NotFound where nothing of it is offered: not final and no ECG, withdrawn, a DICOM document itself.
        """
        record = reports.version(tx, disclosure, report_id)
        if not (is_offered(record.report) or is_traced(record.report)):
            raise NotFound("this report is not offered as a document", where="report")
        uid = record.report.study_instance_uid
        # A study that the report has to itself says what the report says.
        owner = derived.known_owner(tx, uid) if uid and not has_own_study(record.report) else None
        return Offered(
            record,
            organizations.organization(tx, record.organization).organization.name,
            sections(record.report),
            owner.study if owner else None,
            _predecessor(reports.versions(tx, disclosure, report_id), record),
        )

    def make(self, offered: Offered, kind: DocumentKind) -> bytes:
        """The document.

        Raises NotFound for the text of a report that has none, for what is not final yet and for the recording of a
        report without one; UnsupportedPayload for a recording that no DICOM waveform can hold.
        """
        if kind is DocumentKind.WAVEFORM:
            return self._writer.waveform(offered, self._recording(offered))
        if not is_offered(offered.report):
            raise NotFound("this report is not offered as a document", where="report")
        if kind is DocumentKind.BASIC_TEXT_SR:
            if not has_words(offered.report):
                raise NotFound("this report has no text that a structured report could hold", where="report")
            return self._writer.basic_text(offered)
        pdf = self._pdf(offered)
        return pdf if kind is DocumentKind.PDF else self._writer.encapsulated_pdf(offered, pdf)

    def _pdf(self, offered: Offered) -> bytes:
        """A page of ours; where the report is nothing but its source's own PDF, that one."""
        if has_words(offered.report):
            return render(offered, self._font, self._recording(offered) if is_traced(offered.report) else None)
        return self._objects.read(own_pdf(offered.report))

    def _recording(self, offered: Offered) -> EcgRecording:
        if not is_traced(offered.report):
            raise NotFound("this report has no waveform", where="report")
        return decode(self._objects.read(offered.report.recording))


def _predecessor(versions: tuple[ReportRecord, ...], record: ReportRecord) -> int:
    earlier = (each.version for each in versions if each.version < record.version and is_offered(each.report))
    return max(earlier, default=0)
