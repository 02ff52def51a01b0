"""Recordings that came before anybody knew whose they are: read like any other, and attached by a person later."""

from sqlalchemy import Connection

from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.faults import Busy, Conflict, InvalidPayload, NotFound
from schemas.paging import Page
from schemas.reading import WaitingEcg
from schemas.report import ReportRecord
from schemas.study_life import ChangeKind
from storage import patients, reports, studies, study_changes
from storage import unidentified as storage
from storage.database import Database
from storage.unidentified import Attached

from .moving import hold, move, undo_move

# A technician sees what their own institution sent, and knows best who sat at the cart.
_MAY = (Permission.READ_ECGS, Permission.MANAGE_STUDIES, Permission.UPLOAD)


class Unidentified:
    """The verb of whoever says whose a recording is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, disclosure: Disclosure, *, limit: int = 50, offset: int = 0) -> Page[WaitingEcg]:
        """Recordings that nobody has identified: critical first, then the longest waiting."""
        with disclosing(self._database, disclosure, Action.SEARCH, "DiagnosticReport", *_MAY) as asked:
            page = storage.waiting(asked.tx, disclosure, limit=limit, offset=offset)
            asked.shows(record.patient_id for record, _ in page.items)
            asked.detail = "unidentified ecgs"
            return Page(tuple(WaitingEcg(*pair) for pair in page.items), page.total, page.offset)

    def attached(self, disclosure: Disclosure) -> tuple[Attached, ...]:
        """What was attached of late and can be taken back, the newest first."""
        with disclosing(self._database, disclosure, Action.SEARCH, "ImagingStudy", *_MAY) as asked:
            found = storage.attached(asked.tx, disclosure)
            asked.shows({patients.known_by_id(asked.tx, each.change.to_patient).person_id for each in found})
            return found

    def recording(self, disclosure: Disclosure, report_id: int) -> ReportRecord:
        """One that waits. Raises NotFound, Conflict where somebody has said whose it is."""
        with disclosing(self._database, disclosure, Action.READ, f"DiagnosticReport/{report_id}", *_MAY) as asked:
            record = reports.version(asked.tx, disclosure, report_id)
            asked.shows([record.patient_id])
            _require_nobodys(record)
            return record

    def attach(self, disclosure: Disclosure, report_id: int, person_id: int, reason: str) -> None:
        """Gives the recording, with all that was read in it, to the person whose it is.

        Raises NotFound, also where the asker may not know of the person; Conflict where somebody was quicker or the
        person is nobody known either; InvalidPayload without a reason; Busy while the recording is still filed.
        """
        require(disclosure.principal, *_MAY)
        if not reason.strip():
            raise InvalidPayload("expected a reason", where="reason")
        with self._database.write() as tx:
            record = reports.version(tx, disclosure, report_id)
            _require_nobodys(record)
            (person, *_) = patients.versions(tx, disclosure, person_id)
            if not person.patient.identified:
                raise Conflict("nobody has said who this patient is either", where="patient")
            study = studies.known_study(tx, record.report.study_instance_uid)
            if study is None:
                raise Busy("the recording is still being filed; try again in a moment", where="study")
            if hold(tx, study.id).study.patient.identified:
                raise _known()
            move(tx, disclosure, study.id, person_id, reason)

    def detach(self, disclosure: Disclosure, study_id: int, reason: str) -> None:
        """Takes it back: the recording waits again. Raises NotFound, Conflict where it was not attached,
        InvalidPayload without a reason.
        """
        require(disclosure.principal, *_MAY)
        with self._database.write() as tx:
            hold(tx, study_id)
            _require_attached(tx, disclosure, study_id)
            undo_move(tx, disclosure, study_id, reason)


def _require_nobodys(record: ReportRecord) -> None:
    if record.report.patient.identified:
        raise _known()


def _known() -> Conflict:
    return Conflict("somebody has said whose this recording is", where="patient")


def _require_attached(tx: Connection, disclosure: Disclosure, study_id: int) -> None:
    changes = study_changes.of_study(tx, disclosure, study_id)
    if not changes:
        raise NotFound("no such study", where="study")
    # A move by an administrator between two patients who are known is not theirs to undo.
    last = changes[0]
    if last.kind is not ChangeKind.MOVE or patients.known_by_id(tx, last.from_patient).patient.identified:
        raise Conflict("this recording was not attached, or was taken back", where="study")
