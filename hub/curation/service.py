"""Looking after studies. Every change keeps who made it, when and why; what was sent stays as it was sent."""

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.faults import InvalidPayload
from schemas.image_quality import Grade, Graded
from schemas.study import StudyCriteria, StudyRecord
from schemas.study_life import StudyLife
from storage import outbox, rejections, removals, studies, study_changes, study_content, study_quality
from storage.database import Database
from storage.objects import Objects

from .moving import move, undo_move
from .removing import remove

_LOOKING = (Permission.READ_REPORTS, Permission.MANAGE_STUDIES, Permission.READ_AUDIT)
_MOST = 50


def _literal(text: str) -> str:
    """What is typed here is meant as it stands."""
    return text.replace("*", "").replace("?", "")


class Curation:
    """The verb of readers who grade images, and of whoever administers studies."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects

    def study(self, disclosure: Disclosure, study_id: int) -> StudyLife:
        """What became of a study, also where every image is hidden. Raises NotFound."""
        with disclosing(self._database, disclosure, Action.READ, f"ImagingStudy/{study_id}", *_LOOKING) as asked:
            record = studies.study(asked.tx, disclosure, study_id, hidden=True)
            asked.shows([record.patient_id])
            return StudyLife(
                study_content.described(asked.tx, disclosure, [record])[0],
                study_changes.hidden_of_study(asked.tx, disclosure, study_id),
                rejections.records(asked.tx, disclosure, record.study.study_instance_uid),
                study_quality.of_study(asked.tx, disclosure, study_id),
                study_changes.of_study(asked.tx, disclosure, study_id),
                removals.of_study(asked.tx, disclosure, study_id),
            )

    def find(self, disclosure: Disclosure, text: str) -> tuple[StudyRecord, ...]:
        """Studies under this accession number, Study Instance UID or patient number, hidden ones as well."""
        with disclosing(self._database, disclosure, Action.SEARCH, "ImagingStudy", Permission.MANAGE_STUDIES) as asked:
            criteria = (
                StudyCriteria(study_instance_uids=(text,), hidden=True),
                StudyCriteria(accession_number=_literal(text), hidden=True, limit=_MOST),
                StudyCriteria(patient_identifier=_literal(text), hidden=True, limit=_MOST),
            )
            found = (each for which in criteria if text for each in studies.search(asked.tx, disclosure, which).items)
            records = tuple({each.id: each for each in found}.values())
            asked.shows(each.patient_id for each in records)
            return records

    def grade(self, disclosure: Disclosure, study_id: int, graded: Graded) -> None:
        """Grades the images of a study. Raises InvalidPayload for a grade below the best without a reason."""
        require(disclosure.principal, Permission.GRADE_IMAGES)
        if graded.grade in (Grade.C, Grade.REJECT) and not graded.reasons:
            raise InvalidPayload("expected a reason for this grade", where="reasons")
        with self._database.write() as tx:
            record = studies.study(tx, disclosure, study_id)
            study_quality.add_grade(tx, disclosure, study_id, graded, audit.now())
            payload: dict[str, object] = {"study": study_id, "report": record.report_id, "grade": graded.grade.value}
            outbox.add(tx, "study.graded", payload, audit.now())
            detail = " ".join(["grade", graded.grade.value, *(each.value for each in graded.reasons)])
            entity = f"ImagingStudy/{study_id}"
            audit.record(tx, disclosure, Action.DECIDE, entity, patient_id=record.patient_id, detail=detail)

    def remove(self, disclosure: Disclosure, study_id: int, reason: str) -> int:
        """Has the bytes of a study's hidden images removed; of how many. Raises NotFound, Forbidden for another
        institution's study, InvalidPayload without a reason, Conflict where nothing can be removed.
        """
        require(disclosure.principal, Permission.MANAGE_STUDIES)
        return remove(self._database, self._objects, disclosure, study_id, reason)

    def move(self, disclosure: Disclosure, study_id: int, person_id: int, reason: str) -> None:
        """Gives a study, its reports and what rests on them to the patient to whom they belong.

        person_id: of the patient's record. Raises NotFound, Conflict where it is that patient's already,
        InvalidPayload without a reason.
        """
        require(disclosure.principal, Permission.MANAGE_STUDIES)
        with self._database.write() as tx:
            move(tx, disclosure, study_id, person_id, reason)

    def undo_move(self, disclosure: Disclosure, study_id: int, reason: str) -> None:
        """Takes the last move back. Raises NotFound, Conflict where there is none, InvalidPayload without a reason."""
        require(disclosure.principal, Permission.MANAGE_STUDIES)
        with self._database.write() as tx:
            undo_move(tx, disclosure, study_id, reason)
