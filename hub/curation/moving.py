"""Giving a study to the patient to whom it belongs, and taking that back. The caller knows that it is allowed."""

from dataclasses import replace

from sqlalchemy import Connection

from hub import audit
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload, NotFound
from schemas.study_life import ChangeKind
from storage import decisions, derived, outbox, patients, reports, studies, study_changes
from storage.study_changes import KnownState


def hold(tx: Connection, study_id: int) -> KnownState:
    """Whose the study is; nobody else moves it until the transaction ends. Raises NotFound."""
    state = study_changes.known_state(tx, study_id)
    if state is None:
        raise NotFound("no such study", where="study")
    return state


def move(tx: Connection, disclosure: Disclosure, study_id: int, person_id: int, reason: str) -> None:
    """Raises NotFound, Conflict where it is that person's already, InvalidPayload without a reason."""
    hold(tx, study_id)
    record = studies.study(tx, disclosure, study_id, hidden=True)
    members = patients.known_of_person(tx, person_id)
    if not members:
        raise NotFound("no such patient", where="patient")
    if record.patient_id == person_id:
        raise Conflict("the study is this patient's already", where="patient")
    # As the study's own institution knows the patient, where it does.
    system = record.study.patient.key.system
    target = next((each for each in members if each.patient.key.system == system), members[0])
    _give(tx, disclosure, study_id, target.id, ChangeKind.MOVE, reason)


def undo_move(tx: Connection, disclosure: Disclosure, study_id: int, reason: str) -> None:
    """Raises NotFound, Conflict where it was not moved, InvalidPayload without a reason."""
    hold(tx, study_id)
    changes = study_changes.of_study(tx, disclosure, study_id)
    if not changes or changes[0].kind is ChangeKind.UNDO:
        raise Conflict("this study was not moved; there is nothing to undo", where="study")
    _give(tx, disclosure, study_id, changes[0].from_patient, ChangeKind.UNDO, reason)


def _give(
    tx: Connection, disclosure: Disclosure, study_id: int, patient_id: int, kind: ChangeKind, reason: str
) -> None:
    reason = reason.strip()[:500]
    if not reason:
        raise InvalidPayload("expected a reason", where="reason")
    state = hold(tx, study_id)
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
        audit.record(tx, disclosure, Action.ADMINISTER, f"ImagingStudy/{study_id}", patient_id=person, detail=detail)
