"""More instances of series that are here, and nothing else new: what most deliveries of a scanner are.

Whether the ordinary way (`index`) would add an instance and change nothing else is told from what is known now, in
the same transaction, by the rules of that way itself. Where it is not certain the ordinary way is taken.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.likeness import completed, contradicts
from schemas.delivery import Accounting
from schemas.documents import from_json
from schemas.faults import Fault
from schemas.patient import Patient
from schemas.report import Report
from schemas.study import Instance
from storage import deliveries, studies
from storage.database import stamp
from storage.growing import MOST, KnownGrowing, add_to_counts, known_growing, known_stored, known_taken

from .prepared import Prepared
from .versions import changes_nothing

_MOST = 256


@dataclass(frozen=True, slots=True)
class _Settled:
    """What was said, and what was known then: documents of the patient and of the report."""

    said: Report
    patient: bytes
    report: bytes


@dataclass(frozen=True, slots=True)
class _Image:
    """A delivery that says nothing but what an image says of its study, for the first time."""

    prepared: Prepared
    report: Report
    instance: Instance
    accounting: Accounting


class NotGrowingError(Exception):
    """One of the images could not be written, and the transaction cannot go on."""


class Growing:
    """Remembers of each study what was found to change nothing: the same said and known again needs no second look.

    While nobody writes anything but such images, what is known stays, and is not asked for.
    """

    def __init__(self) -> None:
        self._settled: dict[str, _Settled] = {}
        self._homes_of: dict[object, tuple[Report, KnownGrowing]] = {}
        self._stamp: object = None

    def begin(self, tx: Connection) -> None:
        """At the start of each transaction of this connection's index."""
        now = stamp(tx)
        if now is None or now != self._stamp:
            self._homes_of.clear()

    def end(self, tx: Connection) -> None:
        """At its end, when nothing more is written."""
        self._stamp = stamp(tx)

    def forget(self) -> None:
        """Something else is written in it."""
        self._homes_of.clear()

    def add(self, tx: Connection, together: Sequence[Prepared], now: dt.datetime) -> list[tuple[int, int]]:
        """Adds as many of the first as certainly change nothing else: (delivery, report) of each. The next, if any is
        left, is to be taken the ordinary way.
        """
        images = list(_images(together))
        if not images:
            return []
        fresh = images[: _first_known(tx, images)]
        homes = list(self._homes(tx, fresh))
        pairs = _written(tx, fresh[: len(homes)], homes, now)
        if grown := {home.study_id for home in homes if home.completed}:
            for key, (report, home) in self._homes_of.items():
                if home.study_id in grown:
                    self._homes_of[key] = (report, home._replace(completed=False))
        return pairs

    def _homes(self, tx: Connection, images: Sequence[_Image]) -> Iterator[KnownGrowing]:
        """Where each belongs, up to the first of which that is not certain."""
        for image in images:
            known = self._home(tx, image)
            if known is None or not self._changes_nothing(known, image.report, image.instance):
                return
            yield known

    def _home(self, tx: Connection, image: _Image) -> KnownGrowing | None:
        organization_id = image.prepared.delivery.origin.source.organization_id
        key = (organization_id, image.instance.series.series_instance_uid)
        report, known = self._homes_of.get(key, (None, None))
        # The same said of the same series: whoever reads instances hands the same report on for all of them.
        if report is not image.report:
            known = _known(tx, image.report, image.instance, organization_id)
            if known:
                if len(self._homes_of) >= _MOST:
                    self._homes_of.clear()
                self._homes_of[key] = (image.report, known)
        return known

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


def _images(together: Sequence[Prepared]) -> Iterator[_Image]:
    """The first of them, each with an identity of its own."""
    met: set[object] = set()
    for prepared in together[:MOST]:
        image = _image(prepared)
        if image is None:
            return
        own = {(prepared.delivery.origin.source.id, prepared.fingerprint), image.instance.sop_instance_uid}
        if own & met:
            return
        met |= own
        yield image


def _image(prepared: Prepared) -> _Image | None:
    reading = prepared.outcome
    if isinstance(reading, Fault) or prepared.replay_of or prepared.repair or prepared.parts:
        return None
    if reading.patients or reading.merges or reading.orders or len(reading.reports) != 1 or len(reading.instances) != 1:
        return None
    report, instance = reading.reports[0], reading.instances[0]
    alone = not (report.parent or report.replaces or report.placer_order_number or report.filler_order_number)
    if not alone or report.key != instance.study.study_instance_uid or instance.key_objects is not None:
        return None
    return _Image(prepared, report, instance, reading.accounting)


def _first_known(tx: Connection, images: Sequence[_Image]) -> int:
    """The place of the first whose bytes its source has sent before, or under whose UID something is stored."""
    stored = known_stored(tx, [image.instance.sop_instance_uid for image in images])
    sources = {image.prepared.delivery.origin.source.id for image in images}
    taken = {
        (source, fingerprint)
        for source in sources
        for fingerprint in known_taken(tx, source, [image.prepared.fingerprint for image in images])
    }
    for place, image in enumerate(images):
        sent = (image.prepared.delivery.origin.source.id, image.prepared.fingerprint)
        if sent in taken or image.instance.sop_instance_uid in stored:
            return place
    return len(images)


def _written(
    tx: Connection, images: Sequence[_Image], homes: Sequence[KnownGrowing], now: dt.datetime
) -> list[tuple[int, int]]:
    rows = [_delivery(image) for image in images]
    pairs = list(zip(deliveries.add_all(tx, rows), (home.report_id for home in homes), strict=True))
    studies.add_instances(
        tx,
        [
            studies.instance_row(
                image.instance,
                series_id=home.series_id,
                delivery_id=delivery_id,
                digest=image.prepared.digest,
                now=now,
            )
            for image, home, (delivery_id, _) in zip(images, homes, pairs, strict=True)
        ],
    )
    if homes:
        series, study = Counter(home.series_id for home in homes), Counter(home.study_id for home in homes)
        add_to_counts(tx, series, study, now, {home.study_id for home in homes if home.completed})
    deliveries.add_reports(tx, pairs)
    return pairs


def _delivery(image: _Image) -> dict[str, object]:
    prepared = image.prepared
    return deliveries.row(prepared.delivery, prepared.fingerprint, prepared.digest, prepared.size, image.accounting)


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
