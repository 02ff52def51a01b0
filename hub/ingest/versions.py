"""When a report that arrives is new, the same again, late, or the next version of what we have."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import Connection

from hub.identity import recognise, same_person
from schemas.faults import IdentityConflict
from schemas.observation import Observation
from schemas.offered import has_own_study, own_study_instance_uid
from schemas.patient import Patient
from schemas.report import SUPPLEMENT, WITHDRAWN, Report, ReportCategory, ReportStatus
from storage import decisions, derived, observations, outbox, readings, relations, reports, studies
from storage.reports import Known

from .life import Step, rank, repeats, step
from .snapshot import folded, merged, refused, stated

_CORRECTIONS = WITHDRAWN | {ReportStatus.CORRECTED, ReportStatus.AMENDED}
# A correction under a new filler order number, of an order of which we know several results.
UNATTACHED = "correction-unattached"


def index_report(
    tx: Connection,
    report: Report,
    organization_id: int,
    delivery_id: int,
    now: dt.datetime,
    *,
    described: Patient | None = None,
) -> int:
    """The id of the report that this one made, followed or repeated. Raises IdentityConflict where patients differ.

    described: the report's patient with what is known of them from elsewhere.
    """
    patient_id = recognise(tx, described or report.patient, update=False, now=now)
    known = _known(tx, report, patient_id, organization_id)
    if known is None and report.status in _CORRECTIONS and report.placer_order_number:
        known, report = _corrected(tx, report, patient_id, organization_id)
    if known is None:
        report_id = reports.add_report(
            tx, report, patient_id=patient_id, organization_id=organization_id, delivery_id=delivery_id, now=now
        )
        _index_results(tx, report_id, 1, report, patient_id, now)
        _adopt(tx, report, report_id)
        derived.put_anew(tx, report_id, report)
        readings.put(tx, report_id, report, now)
        outbox.add(tx, "report.new", {"report": report_id, "version": 1}, now)
        return report_id
    if not same_person(tx, known.patient_id, patient_id):
        raise IdentityConflict("this report is already bound to another patient", where="report identifier")
    _follow(tx, known, report, delivery_id, now)
    return known.id


def _known(tx: Connection, report: Report, patient_id: int, organization_id: int) -> Known | None:
    known = reports.known_by_key(tx, organization_id, report.category, report.key)
    if known is None and (report.replaces or report.sop_instance_uid):
        known = relations.known_by_alias(tx, organization_id, (report.key, report.replaces))
    if known is None and _images_only(report):
        # A study belongs to whoever sent it first; who sends it on, as a centre does, adds nothing but images.
        known = _of_study(tx, report)
    if known is None and report.sop_instance_uid:
        return _unread(tx, report)
    if known or report.category is not ReportCategory.IMAGING or not report.accession_number:
        return known
    # The reading of images that came before it: the accession number ties the two.
    found = reports.known_by_accession(tx, patient_id, organization_id, report.accession_number)
    tied = next((each for each in found if SUPPLEMENT not in each.report.flags), None)
    # One order may make several studies; each has a report of its own.
    apart = tied and report.study_instance_uid not in {"", tied.report.study_instance_uid}
    return None if apart else tied


def _of_study(tx: Connection, report: Report) -> Known | None:
    """The report that stands for the study, unless that only supplements a reading which is still to come."""
    study = studies.known_study(tx, report.study_instance_uid)
    known = reports.known_by_id(tx, study.report_id) if study else None
    return None if known and SUPPLEMENT in known.report.flags else known


def _unread(tx: Connection, report: Report) -> Known | None:
    """The images that a DICOM document is the reading of: of the same institution, and read by nobody so far.

    A study may have several documents. Only the first reading goes on from the images; others stand beside it.
    """
    if SUPPLEMENT in report.flags or report.category is not ReportCategory.IMAGING:
        return None
    known = _of_study(tx, report)
    same = known and known.report.organization == report.organization and _images_only(known.report)
    return known if same else None


def _adopt(tx: Connection, report: Report, report_id: int) -> None:
    """Has the new report stand for its study where only a supplement did, which had come before the images."""
    if SUPPLEMENT in report.flags or not (report.sop_instance_uid or _images_only(report)):
        return
    study = studies.known_study(tx, report.study_instance_uid)
    if study and _of_study(tx, report) is None:
        derived.put_report_of_study(tx, study.id, report_id)


def _corrected(tx: Connection, report: Report, patient_id: int, organization_id: int) -> tuple[Known | None, Report]:
    """The report that a correction under a new filler order number is of: same order, service, specimen, patient."""
    found = [
        known
        for known in reports.known_by_placer(tx, organization_id, report.category, report.placer_order_number)
        if _same_specimen(known.report, report) and same_person(tx, known.patient_id, patient_id)
    ]
    if len(found) > 1:
        # A placer order may have many results, as of a tolerance test: none of them is changed on a guess.
        return None, replace(report, flags=(*report.flags, UNATTACHED))
    return (found[0] if found else None), report


def _same_specimen(known: Report, report: Report) -> bool:
    told = ((known.specimen, report.specimen), (known.observed_at, report.observed_at))
    same = all(one == other for one, other in told if one and other)
    return same and (known.code.code, known.code.system) == (report.code.code, report.code.system)


def _follow(tx: Connection, known: Known, report: Report, delivery_id: int, now: dt.datetime) -> None:
    """Records what a report says that we know already: as the next version, as an earlier one, or not at all."""
    said = _in_place_of(known.report, report)
    current = stated(known.report)
    if said == current or _adds_images_alone(known.report, said):
        return
    if known.report.overread and said.status not in WITHDRAWN:
        _beside(tx, known, said, delivery_id, now)
        return
    found = step(current, said)
    earlier: list[Report] = []
    if found is Step.EARLIER or rank(current.status) == rank(said.status):
        earlier = [stated(each) for each in reports.known_versions(tx, known.id)]
    if _may_repeat(found, current, said) and any(repeats(said, each) for each in earlier):
        return
    if found is Step.EARLIER:
        _keep(tx, known, said, delivery_id, now)
        _fill_up(tx, known, folded([*earlier, said], current), now)
        return
    if refused(said, known.report):
        _keep(tx, known, said, delivery_id, now)
    whole = merged(said, known.report)
    if stated(whole) != current or whole != known.report:
        _replace(tx, known, replace(whole, status=_named(found, said)), delivery_id, now)


def _beside(tx: Connection, known: Known, said: Report, delivery_id: int, now: dt.datetime) -> None:
    """Keeps what the source says after a person read the report here: shown beside it, until a reader looks at it.

    A doctor stands by the current version, and a cart that sends again must not take it away from whoever relies on
    it. A withdrawal does: to show as valid what may be another patient's harms more.
    """
    if any(repeats(said, stated(each)) for each in reports.known_versions(tx, known.id)):
        return
    version = reports.add_version(tx, known, said, delivery_id=delivery_id, now=now, current=False)
    readings.put_later(tx, known.id, version)


def _fill_up(tx: Connection, known: Known, whole: Report, now: dt.datetime) -> None:
    """The current version once more where what arrived late holds results that it left out without taking them back."""
    if whole.observations == known.report.observations:
        return
    # What it says itself was read from the same bytes as before.
    delivery_id = reports.known_delivery(tx, known.id, known.version)
    _replace(tx, known, replace(whole, status=known.report.status), delivery_id, now)


def _in_place_of(current: Report, report: Report) -> Report:
    uid = report.study_instance_uid
    if has_own_study(report):
        # Under the key of what it goes on from, which may be another.
        uid = current.study_instance_uid or own_study_instance_uid(current)
    return replace(
        report,
        observations=_unless_sent(report.observations, current.observations),
        key=current.key,
        patient=current.patient,
        study_instance_uid=uid or current.study_instance_uid,
        # What was examined is known from the images; a document is often named by nothing but its title.
        code=current.code if report.sop_instance_uid else report.code,
    )


def _unless_sent(said: tuple[Observation, ...], current: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """What is said, without what we worked out and the source itself has measured before."""
    sent = {(each.code.system, each.code.code) for each in current if not each.computed}
    return tuple(each for each in said if not (each.computed and (each.code.system, each.code.code) in sent))


def _may_repeat(found: Step, current: Report, said: Report) -> bool:
    """Whether words that were said before are said once more, rather than meant to bring an earlier value back.

    A final is a repetition, and so is what carries the source's clock or would undo a withdrawal.
    """
    final = said.status is ReportStatus.FINAL
    return bool(found is Step.EARLIER or final or said.issued_at or current.status in WITHDRAWN)


def _named(found: Step, said: Report) -> ReportStatus:
    # Whoever read the first final must be told that this one differs.
    return ReportStatus.AMENDED if found is Step.AMEND else said.status


def _keep(tx: Connection, known: Known, said: Report, delivery_id: int, now: dt.datetime) -> None:
    """Puts into the history what never was current."""
    reports.add_version(tx, known, said, delivery_id=delivery_id, now=now, current=False)


def _replace(tx: Connection, known: Known, report: Report, delivery_id: int, now: dt.datetime) -> None:
    version = reports.add_version(tx, known, report, delivery_id=delivery_id, now=now)
    _index_results(tx, known.id, version, report, known.patient_id, now)
    derived.put_anew(tx, known.id, report)
    readings.put(tx, known.id, report, now)
    _tell(tx, known.id, version, report, now)


def _images_only(report: Report) -> bool:
    said = report.sop_instance_uid or report.findings or report.conclusion
    return report.key == report.study_instance_uid and report.status is ReportStatus.PARTIAL and not said


def changes_nothing(current: Report, report: Report) -> bool:
    """Whether a report tells of more images of a study alone, which changes nothing of the study's current one."""
    return _adds_images_alone(current, _in_place_of(current, report))


def _adds_images_alone(current: Report, said: Report) -> bool:
    return _images_only(said) and rank(current.status) >= rank(ReportStatus.PARTIAL)


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
