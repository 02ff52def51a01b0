"""One more instance of a series that is here, and nothing else new: what most deliveries of a scanner are.

Whether the ordinary way (`index`) would add the instance and change nothing else is told from what is known now, in
the same transaction, by the rules of that way itself. Where it is not certain the ordinary way is taken.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.likeness import completed, contradicts
from schemas.delivery import Reading
from schemas.documents import from_json
from schemas.patient import Patient
from schemas.report import Report
from schemas.study import Instance
from storage import studies
from storage.growing import KnownGrowing, known_growing

from .prepared import Prepared
from .versions import changes_nothing

_MOST = 256


@dataclass(frozen=True, slots=True)
class _Settled:
    """What was said, and what was known then: documents of the patient and of the report."""

    said: Report
    patient: bytes
    report: bytes


class Growing:
    """Remembers of each study what was found to change nothing: the same said and known again needs no second look."""

    def __init__(self) -> None:
        self._settled: dict[str, _Settled] = {}

    def add(
        self, tx: Connection, prepared: Prepared, reading: Reading, delivery_id: int, now: dt.datetime
    ) -> tuple[int, ...]:
        """The reports of an instance that was added here; none where the ordinary way is to be taken."""
        if not _is_one_image(prepared, reading):
            return ()
        (report,), (instance,) = reading.reports, reading.instances
        known = _known(tx, report, instance, prepared.delivery.origin.source.organization_id)
        if known is None or not self._changes_nothing(known, report, instance):
            return ()
        if studies.known_instance(tx, instance.sop_instance_uid):
            return ()
        studies.add_instance(
            tx,
            instance,
            series_id=known.series_id,
            study_id=known.study_id,
            delivery_id=delivery_id,
            digest=prepared.digest,
            now=now,
        )
        return (known.report_id,)

    def _changes_nothing(self, known: KnownGrowing, said: Report, instance: Instance) -> bool:
        one_patient = known.study_patient_id == known.report_patient_id == known.patient_id
        if not one_patient or known.keyed != known.report_id or known.moved or known.rejected or known.ordered:
            return False
        before = self._settled.get(said.key)
        if before and before.said is said and (before.patient, before.report) == (known.patient, known.report):
            return True
        patient = from_json(Patient, known.patient)
        if contradicts(patient, said.patient) or completed(patient, said.patient) != patient:
            return False
        if instance.study.patient != said.patient or not changes_nothing(from_json(Report, known.report), said):
            return False
        if len(self._settled) >= _MOST:
            self._settled.pop(next(iter(self._settled)), None)
        self._settled[said.key] = _Settled(said, known.patient, known.report)
        return True


def _is_one_image(prepared: Prepared, reading: Reading) -> bool:
    """Whether it says nothing but what an image says of its study, for the first time."""
    if prepared.replay_of or prepared.repair or prepared.parts or len(reading.instances) != 1:
        return False
    if reading.patients or reading.merges or reading.orders or len(reading.reports) != 1:
        return False
    report, instance = reading.reports[0], reading.instances[0]
    alone = not (report.parent or report.replaces or report.placer_order_number or report.filler_order_number)
    return alone and report.key == instance.study.study_instance_uid and instance.key_objects is None


def _known(tx: Connection, report: Report, instance: Instance, organization_id: int) -> KnownGrowing | None:
    return known_growing(
        tx,
        organization_id=organization_id,
        category=report.category.value,
        study=instance.study.study_instance_uid,
        series=instance.series.series_instance_uid,
        system=report.patient.key.system,
        value=report.patient.key.value,
        accession=report.accession_number,
    )
