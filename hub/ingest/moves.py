"""More images of a study that a person has moved to the patient to whom it belongs: they go where it went."""

from dataclasses import replace

from sqlalchemy import Connection

from hub.identity import same_person
from schemas.delivery import Reading
from storage import patients, study_changes


def follow_moves(tx: Connection, reading: Reading) -> Reading:
    """The reading with the patient to whom its study was moved, where it names the one from whom it was."""
    said = [(each.study.study_instance_uid, each.study.patient) for each in reading.instances]
    # A recording in a form that knows no studies has one of its own.
    said += [(each.study_instance_uid, each.patient) for each in reading.reports if each.recording]
    for uid, patient in dict(said).items():
        known = study_changes.known_move(tx, uid)
        if known is None:
            continue
        sender = patients.known_by_key(tx, patient.key)
        if sender is None or not same_person(tx, sender.id, known.from_patient):
            continue
        now = known.after
        return replace(
            reading,
            reports=tuple(replace(report, patient=now) for report in reading.reports),
            instances=tuple(replace(each, study=replace(each.study, patient=now)) for each in reading.instances),
        )
    return reading
