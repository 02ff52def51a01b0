"""Recordings of nobody known: each study of them is of a patient of its own, until a person says whose it is."""

from dataclasses import replace

from schemas.delivery import Reading
from schemas.identifiers import UNIDENTIFIED, Identifier
from schemas.patient import Patient


def set_apart(reading: Reading) -> Reading:
    """The reading with a patient of its own for each study that came without an identifier."""
    said = [report.patient for report in reading.reports] + [each.study.patient for each in reading.instances]
    if all(patient.identified for patient in said):
        return reading
    return replace(
        reading,
        reports=tuple(
            replace(each, patient=_of_study(each.patient, each.study_instance_uid)) for each in reading.reports
        ),
        instances=tuple(
            replace(each, study=replace(each.study, patient=_of_study(each.study.patient, uid)))
            for each in reading.instances
            for uid in [each.study.study_instance_uid]
        ),
    )


def _of_study(patient: Patient, study_instance_uid: str) -> Patient:
    if patient.identified:
        return patient
    return replace(patient, identifiers=(Identifier(UNIDENTIFIED, study_instance_uid), *patient.identifiers[1:]))
