"""Indexing SOP instances: the same again is welcome, other content under the same UID is held."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.identity import recognise, same_person
from schemas.faults import ContentConflict, IdentityConflict, InvalidPayload
from schemas.report import Report, ReportCategory
from schemas.study import Instance
from storage import derived, relations, reports, studies
from storage.instance_versions import known_former
from storage.studies import KnownStudy

from .prepared import Prepared
from .rejections import add_unless_rejected
from .replacing import replace_instance


def reports_of_stored(tx: Connection, instances: Sequence[Instance]) -> set[int]:
    """The reports of instances that are stored as they are, every one; empty where any of them says something new."""
    found: set[int] = set()
    for instance in instances:
        stored = studies.known_instance(tx, instance.sop_instance_uid)
        same = stored and stored.data_set_digest == instance.data_set_digest
        # What it was before other content took its place says nothing new either.
        if not stored or not (same or known_former(tx, instance.sop_instance_uid, instance.data_set_digest)):
            return set()
        found.add(stored.report_id)
    return found


def index_instance(
    tx: Connection, instance: Instance, prepared: Prepared, organization_id: int, delivery_id: int, now: dt.datetime
) -> int:
    """The id of the report of the study that the instance belongs to.

    Raises ContentConflict where the UID is taken by other content, IdentityConflict where the study is another's.
    """
    stored = studies.known_instance(tx, instance.sop_instance_uid)
    if stored:
        if stored.data_set_digest != instance.data_set_digest:
            replace_instance(tx, stored, instance, prepared, delivery_id, now)
        return stored.report_id
    patient_id = recognise(tx, instance.study.patient, update=False, now=now)
    study = studies.known_study(tx, instance.study.study_instance_uid)
    if study is None:
        study = _add_study(tx, instance, organization_id, patient_id, now)
    elif not same_person(tx, study.patient_id, patient_id):
        raise IdentityConflict("the study is already bound to another patient", where="(0020,000D)")
    series_id = _series(tx, study, instance)
    add_unless_rejected(tx, instance, study, series_id, delivery_id, prepared.digest, organization_id, now)
    return study.report_id


def _add_study(
    tx: Connection, instance: Instance, organization_id: int, patient_id: int, now: dt.datetime
) -> KnownStudy:
    report_id, report = _report_of(tx, instance, organization_id)
    study_id = studies.add_study(
        tx,
        instance.study,
        patient_id=patient_id,
        organization_id=organization_id,
        report_id=report_id,
        observed_at=report.observed_at or report.issued_at or now,
        now=now,
    )
    derived.add_due_of_study(tx, instance.study.study_instance_uid)
    return KnownStudy(study_id, patient_id, report_id, "")


def _report_of(tx: Connection, instance: Instance, organization_id: int) -> tuple[int, Report]:
    """The report that was indexed just before from the same delivery, whatever its category."""
    uid = instance.study.study_instance_uid
    for category in (ReportCategory.IMAGING, ReportCategory.ECG, ReportCategory.OTHER, ReportCategory.LABORATORY):
        for key in (uid, instance.sop_instance_uid):
            known = reports.known_by_key(tx, organization_id, category, key)
            if known:
                return known.id, known.report
    # A document of this study that went on from a report of another; or images that came behind their reading.
    known = relations.known_by_alias(tx, organization_id, [instance.sop_instance_uid])
    known = known or reports.known_of_study(tx, organization_id, uid)
    if known:
        return known.id, known.report
    raise InvalidPayload("an instance came without a report of its study", where="(0020,000D)")


def _series(tx: Connection, study: KnownStudy, instance: Instance) -> int:
    known = studies.known_series(tx, instance.series.series_instance_uid)
    if known is None:
        return studies.add_series(tx, study, instance.series)
    if known[1] != study.id:
        raise ContentConflict("the series belongs to another study", where="(0020,000E)")
    return known[0]
