"""Looking after studies. Every change keeps who made it, when and why; what was sent stays as it was sent."""

from dataclasses import replace

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload, NotFound
from schemas.image_quality import Grade, Graded
from schemas.study import StudyCriteria, StudyRecord
from schemas.study_life import ChangeKind, StudyLife
from storage import decisions, derived, outbox, patients, rejections, reports, studies, study_changes, study_quality
from storage.database import Database

_LOOKING = (Permission.READ_REPORTS, Permission.MANAGE_STUDIES, Permission.READ_AUDIT)
_MOST = 50


def _literal(text: str) -> str:
    """What is typed here is meant as it stands."""
    return text.replace("*", "").replace("?", "")


class Curation:
    """The verb of readers who grade images, and of whoever administers studies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def study(self, disclosure: Disclosure, study_id: int) -> StudyLife:
        """What became of a study, also where every image is hidden. Raises NotFound."""
        with disclosing(self._database, disclosure, Action.READ, f"ImagingStudy/{study_id}", *_LOOKING) as asked:
            record = studies.study(asked.tx, disclosure, study_id, hidden=True)
            asked.shows([record.patient_id])
            return StudyLife(
                record,
                study_changes.hidden_of_study(asked.tx, disclosure, study_id),
                rejections.records(asked.tx, disclosure, record.study.study_instance_uid),
                study_quality.of_study(asked.tx, disclosure, study_id),
                study_changes.of_study(asked.tx, disclosure, study_id),
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

    def move(self, disclosure: Disclosure, study_id: int, person_id: int, reason: str) -> None:
        """Gives a study, its reports and what rests on them to the patient to whom they belong.

        person_id: of the patient's record. Raises NotFound, Conflict where it is that patient's already,
        InvalidPayload without a reason.
        """
        require(disclosure.principal, Permission.MANAGE_STUDIES)
        with self._database.write() as tx:
            record = studies.study(tx, disclosure, study_id, hidden=True)
            members = patients.known_of_person(tx, person_id)
            if not members:
                raise NotFound("no such patient", where="patient")
            if record.patient_id == person_id:
                raise Conflict("the study is this patient's already", where="patient")
            # As the study's own institution knows the patient, where it does.
            system = record.study.patient.key.system
            target = next((each for each in members if each.patient.key.system == system), members[0])
            self._give(tx, disclosure, study_id, target.id, ChangeKind.MOVE, reason)

    def undo_move(self, disclosure: Disclosure, study_id: int, reason: str) -> None:
        """Takes the last move back. Raises NotFound, Conflict where there is none, InvalidPayload without a reason."""
        require(disclosure.principal, Permission.MANAGE_STUDIES)
        with self._database.write() as tx:
            changes = study_changes.of_study(tx, disclosure, study_id)
            if not changes or changes[0].kind is ChangeKind.UNDO:
                raise Conflict("this study was not moved; there is nothing to undo", where="study")
            self._give(tx, disclosure, study_id, changes[0].from_patient, ChangeKind.UNDO, reason)

    def _give(
        self, tx: Connection, disclosure: Disclosure, study_id: int, patient_id: int, kind: ChangeKind, reason: str
    ) -> None:
        reason = reason.strip()[:500]
        if not reason:
            raise InvalidPayload("expected a reason", where="reason")
        state = study_changes.known_state(tx, study_id)
        if state is None:
            raise NotFound("no such study", where="study")
        now = audit.now()
        before = patients.known_by_id(tx, state.patient_id)
        target = patients.known_by_id(tx, patient_id)
        described = target.patient
        if kind is ChangeKind.UNDO:
            described = study_changes.of_study(tx, disclosure, study_id)[0].before
        study_changes.put_patient(tx, study_id, state, patient_id, described)
        for report_id in state.report_ids:
            known = reports.known_by_id(tx, report_id)
            if known:
                delivery_id = reports.known_delivery(tx, report_id, known.version)
                anew = replace(known.report, patient=described)
                version = reports.add_version(tx, known, anew, delivery_id=delivery_id, now=now)
                derived.put_anew(tx, report_id, anew)
                relied = list(decisions.known_on(tx, report_id))
                outbox.add(tx, "report.changed", {"report": report_id, "version": version, "decisions": relied}, now)
        study_changes.add(
            tx,
            disclosure,
            study_id,
            kind,
            before=(state.patient_id, state.study.patient),
            after=(patient_id, described),
            reason=reason,
            now=now,
        )
        payload: dict[str, object] = {"study": study_id, "from": before.person_id, "to": target.person_id}
        outbox.add(tx, "study.moved", payload, now)
        for person in (before.person_id, target.person_id):
            detail = f"{kind.value} to Patient/{target.person_id}"
            audit.record(
                tx, disclosure, Action.ADMINISTER, f"ImagingStudy/{study_id}", patient_id=person, detail=detail
            )
