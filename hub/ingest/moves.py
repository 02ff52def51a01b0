"""More images of a study that a person has moved to the patient to whom it belongs: they go where it went."""

from dataclasses import replace

from sqlalchemy import Connection

from hub.identity import same_person
from schemas.delivery import Reading
from storage import patients, study_changes


def follow_moves(tx: Connection, reading: Reading) -> Reading:
    """The reading with the patient to whom its study was moved, where it names the one from whom it was."""
    for instance in reading.instances:
        known = study_changes.known_move(tx, instance.study.study_instance_uid)
        if known is None:
            continue
        sender = patients.known_by_key(tx, instance.study.patient.key)
        if sender is None or not same_person(tx, sender.id, known.from_patient):
            continue
        now = known.after
        return replace(
            reading,
            reports=tuple(replace(report, patient=now) for report in reading.reports),
            instances=tuple(replace(each, study=replace(each.study, patient=now)) for each in reading.instances),
        )
    return reading
