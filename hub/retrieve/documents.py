"""Originals as received, documents that came with reports, waveforms in canonical form."""

from contextlib import AbstractContextManager

from hub.access import Permission, require
from hub.disclosing import Asked, disclosing
from schemas.content_tree import ContentTree
from schemas.delivery import Format, State
from schemas.disclosure import Action, Disclosure
from schemas.documents import from_json
from schemas.ecg import EcgRecording, decode
from schemas.faults import NotFound
from storage import deliveries, reports
from storage.database import Database
from storage.objects import Objects

from .content import Content

_ORIGINALS = {
    Format.DICOM: ("application/dicom", "dcm"),
    Format.HL7V2: ("application/hl7-v2", "hl7"),
    Format.AECG: ("application/xml", "xml"),
    Format.SCP_ECG: ("application/octet-stream", "scp"),
    Format.MUSE_XML: ("application/xml", "xml"),
    Format.SIERRA_XML: ("application/xml", "xml"),
    Format.MFER: ("application/octet-stream", "mwf"),
    Format.EDF: ("application/octet-stream", "edf"),
    Format.WFDB: ("application/zip", "zip"),
    Format.PDF: ("application/pdf", "pdf"),
    Format.PICTURE: ("application/octet-stream", "picture"),
}


class Documents:
    """What a report stands on. Every one handed out is audited."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    def original(self, disclosure: Disclosure, delivery_id: int) -> Content:
        """The bytes of a delivery as they were received.

        Raises NotFound; Forbidden where somebody who does not treat asks for what has become a report.
        """
        who = (Permission.READ_REPORTS, Permission.MANAGE_DELIVERIES)
        with disclosing(self._database, disclosure, Action.EXPORT, f"Delivery/{delivery_id}", *who) as asked:
            record = deliveries.record(asked.tx, disclosure, delivery_id)
            if record.state is State.INDEXED:
                require(disclosure.principal, Permission.READ_REPORTS)
            asked.shows(reports.persons(asked.tx, disclosure, record.report_ids))
        media_type, ending = _ORIGINALS.get(record.format, ("application/octet-stream", "bin"))
        return self._content(record.digest, media_type, f"delivery-{delivery_id}.{ending}")

    def attachment(self, disclosure: Disclosure, report_id: int, digest: str, version: int | None = None) -> Content:
        """A document of a report's version. Raises NotFound, also for an object that is not one of its documents."""
        with self._asking(disclosure, Action.EXPORT, report_id) as asked:
            record = reports.version(asked.tx, disclosure, report_id, version)
            found = next((item for item in record.report.attachments if item.digest == digest), None)
            if found is None:
                raise NotFound("this report has no such document", where="attachment")
            asked.shows([record.patient_id])
        ending = found.media_type.rpartition("/")[2]
        return self._content(digest, found.media_type, f"report-{report_id}.{ending}")

    def recording(self, disclosure: Disclosure, report_id: int, version: int | None = None) -> EcgRecording:
        """The waveform of an ECG report. Raises NotFound where the report has none."""
        with self._asking(disclosure, Action.READ, report_id) as asked:
            record = reports.version(asked.tx, disclosure, report_id, version)
            if not record.report.recording:
                raise NotFound("this report has no waveform", where="report")
            asked.shows([record.patient_id])
        return decode(self._objects.read(record.report.recording))

    def content_tree(self, disclosure: Disclosure, report_id: int, version: int | None = None) -> ContentTree:
        """A structured report as it was written. Raises NotFound where the report did not come as one."""
        with self._asking(disclosure, Action.READ, report_id) as asked:
            record = reports.version(asked.tx, disclosure, report_id, version)
            if not record.report.content_tree:
                raise NotFound("this report has no content tree", where="report")
            asked.shows([record.patient_id])
        return from_json(ContentTree, self._objects.read(record.report.content_tree))

    def _asking(self, disclosure: Disclosure, action: Action, report_id: int) -> AbstractContextManager[Asked]:
        return disclosing(self._database, disclosure, action, f"DiagnosticReport/{report_id}", Permission.READ_REPORTS)

    def _content(self, digest: str, media_type: str, filename: str) -> Content:
        return Content(media_type, filename, self._objects.size(digest), self._objects.stream(digest))
