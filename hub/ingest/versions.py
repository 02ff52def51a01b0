"""When a report that arrives is new, the same again, late, or the next version of what we have."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import Connection

from hub.identity import recognise, same_person
from schemas.faults import IdentityConflict
from schemas.report import WITHDRAWN, Report, ReportCategory, ReportStatus
from storage import decisions, observations, outbox, reports, studies
from storage.reports import Known

# How far a report has come; one that has come less far never replaces one that has come further.
_RANK = {
    ReportStatus.REGISTERED: 0,
    ReportStatus.PARTIAL: 1,
    ReportStatus.PRELIMINARY: 2,
    ReportStatus.FINAL: 3,
    ReportStatus.AMENDED: 3,
    ReportStatus.CORRECTED: 3,
    ReportStatus.CANCELLED: 3,
    ReportStatus.ENTERED_IN_ERROR: 3,
}


def index_report(tx: Connection, report: Report, organization_id: int, delivery_id: int, now: dt.datetime) -> int:
    """The id of the report that this one made, followed or repeated. Raises IdentityConflict where patients differ."""
    patient_id = recognise(tx, report.patient, update=False, now=now)
    known = _known(tx, report, patient_id, organization_id)
    if known is None:
        report_id = reports.add_report(
            tx, report, patient_id=patient_id, organization_id=organization_id, delivery_id=delivery_id, now=now
        )
        _index_results(tx, report_id, 1, report, patient_id, now)
        outbox.add(tx, "report.new", {"report": report_id, "version": 1}, now)
        return report_id
    if not same_person(tx, known.patient_id, patient_id):
        raise IdentityConflict("this report is already bound to another patient", where="report identifier")
    following = _following(tx, known, report)
    if following is not None:
        version = reports.add_version(tx, known, following, delivery_id=delivery_id, now=now)
        _index_results(tx, known.id, version, following, known.patient_id, now)
        _tell(tx, known.id, version, following, now)
    return known.id


def _known(tx: Connection, report: Report, patient_id: int, organization_id: int) -> Known | None:
    known = reports.known_by_key(tx, organization_id, report.category, report.key)
    if known is None and _images_only(report):
        # A study belongs to whoever sent it first; who sends it on, as a centre does, adds nothing but images.
        study = studies.known_study(tx, report.study_instance_uid)
        known = reports.known_by_id(tx, study.report_id) if study else None
    if known or report.category is not ReportCategory.IMAGING or not report.accession_number:
        return known
    # The reading of images that came before it: the accession number ties the two.
    tied = reports.known_by_accession(tx, patient_id, organization_id, report.accession_number)
    # One order may make several studies; each has a report of its own.
    apart = tied and report.study_instance_uid not in {"", tied.report.study_instance_uid}
    return None if apart else tied


def _following(tx: Connection, known: Known, report: Report) -> Report | None:
    """The next version of a known report; None when the one that arrived says nothing new or comes late."""
    current = known.report
    if _RANK[report.status] < _RANK[current.status]:
        return None
    if _images_only(current) and _images_only(report):
        return None  # more images of a study change nothing that the report itself says
    said = replace(
        report,
        key=current.key,
        patient=current.patient,
        study_instance_uid=report.study_instance_uid or current.study_instance_uid,
    )
    if said == current:
        return None
    if _RANK[current.status] < _RANK[ReportStatus.FINAL]:
        return said
    if _repeats(tx, known, said):
        return None
    # Called final once more, and yet it changes a final report: whoever read the first must be told.
    return replace(said, status=ReportStatus.AMENDED) if report.status is ReportStatus.FINAL else said


def _repeats(tx: Connection, known: Known, said: Report) -> bool:
    """Whether this is an earlier version sent once more, late. It must undo neither a correction nor a withdrawal.

    A final is one however its version was labelled here. A correction is one where the source's clock says that it is
    the same issue, or where the report was withdrawn meanwhile; else it may be meant to bring an earlier value back.
    """
    final = said.status is ReportStatus.FINAL
    if not (final or said.issued_at or known.report.status in WITHDRAWN):
        return False
    earlier = reports.known_versions(tx, known.id)
    return any((replace(said, status=each.status) if final else said) == each for each in earlier)


def _images_only(report: Report) -> bool:
    return report.key == report.study_instance_uid and report.status is ReportStatus.PARTIAL


def _index_results(
    tx: Connection, report_id: int, version: int, report: Report, patient_id: int, now: dt.datetime
) -> None:
    observed_at = report.observed_at or report.issued_at or now
    observations.put_observations(tx, report_id, version, report, patient_id=patient_id, observed_at=observed_at)


def _tell(tx: Connection, report_id: int, version: int, report: Report, now: dt.datetime) -> None:
    """Leaves word for everyone who relied on an earlier version."""
    topic = "report.withdrawn" if report.status in WITHDRAWN else "report.changed"
    relied = list(decisions.known_on(tx, report_id))
    outbox.add(tx, topic, {"report": report_id, "version": version, "decisions": relied}, now)
