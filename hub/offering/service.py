"""What a clinician or a program takes away of a report: made when it is asked for, audited."""

from hub.access import Permission
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.offered import PDF, DocumentKind, Rendition
from storage.database import Database

from .documents import Documents

_FORMS = {
    DocumentKind.PDF: (PDF, "pdf"),
    DocumentKind.ENCAPSULATED_PDF: ("application/dicom", "pdf.dcm"),
    DocumentKind.BASIC_TEXT_SR: ("application/dicom", "sr.dcm"),
    DocumentKind.WAVEFORM: ("application/dicom", "ecg.dcm"),
}


class Offering:
    """Hands out documents of reports."""

    def __init__(self, database: Database, documents: Documents) -> None:
        self._database = database
        self._documents = documents

    def document(self, disclosure: Disclosure, report_id: int, kind: DocumentKind) -> Rendition:
        """The current version of a report in this form. Raises NotFound where it is not offered."""
        entity = f"DiagnosticReport/{report_id}"
        with disclosing(self._database, disclosure, Action.EXPORT, entity, Permission.READ_REPORTS) as asked:
            offered = self._documents.offered(asked.tx, disclosure, report_id)
            asked.shows([offered.record.patient_id])
        made = self._documents.make(offered, kind)
        media_type, ending = _FORMS[kind]
        name = f"report-{report_id}-v{offered.record.version}.{ending}"
        return Rendition(media_type, name, made)
