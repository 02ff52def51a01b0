"""Images that their institution takes back. Source: IHE RAD TF-2 4.66 (Rejection Note Stored), DICOM PS3.16 CID 7011.

A note hides what it names, also what arrives after it, and revokes the reports of a study that has no image left. What
was rejected stays so when it is sent again, unless it had only been kept for long enough: who sends that again wants
it kept anew.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from hub.identity import recognise, same_person
from schemas.delivery import Reading
from schemas.faults import Conflict, ContentConflict, IdentityConflict, InvalidPayload
from schemas.report import WITHDRAWN, Report, ReportStatus
from schemas.study import Hidden, Instance
from storage import hiding, outbox, rejections, removals, reports, studies
from storage.rejections import Known
from storage.studies import KnownStudy

from .prepared import Prepared
from .restating import restate

# The images on which the report rests were taken back, or are no longer kept.
IMAGES_REJECTED, IMAGES_EXPIRED = "images-rejected", "images-expired"
_STATUS = {
    Hidden.QUALITY: ReportStatus.CANCELLED,
    Hidden.PATIENT_SAFETY: ReportStatus.ENTERED_IN_ERROR,
    Hidden.WORKLIST: ReportStatus.ENTERED_IN_ERROR,
    Hidden.EXPIRED: ReportStatus.CANCELLED,
}


def note_of(reading: Reading) -> Instance | None:
    """The rejection note that was read."""
    return next((each for each in reading.instances if each.key_objects and each.key_objects.rejection), None)


def index_note(
    tx: Connection, note: Instance, prepared: Prepared, organization_id: int, delivery_id: int, now: dt.datetime
) -> tuple[int, ...]:
    """The reports that a note touches. It makes no study of its own: it may come before the images.

    Raises Conflict where a study is another institution's, IdentityConflict where it is another patient's.
    """
    told = note.key_objects
    if told is None or told.rejection is None:
        raise InvalidPayload("expected a rejection note", where="(0040,A043)")
    stored = studies.known_instance(tx, note.sop_instance_uid)
    if stored and stored.data_set_digest != note.data_set_digest:
        raise ContentConflict("another instance is stored under this SOP Instance UID", where="(0008,0018)")
    uids = dict.fromkeys([note.study.study_instance_uid, *(each.study_instance_uid for each in told.references)])
    found = {uid: study for uid in uids if (study := studies.known_study(tx, uid))}
    for study in found.values():
        _require_own(tx, note, study, organization_id, now)
    rejections.add(
        tx,
        told.references,
        note_instance_uid=note.sop_instance_uid,
        organization_id=organization_id,
        delivery_id=delivery_id,
        code=told.rejection,
        now=now,
    )
    if stored is None and (home := found.get(note.study.study_instance_uid)):
        _keep(tx, note, home, prepared, delivery_id, now)
    touched: set[int] = set()
    for uid, study in found.items():
        named = [each.sop_instance_uid for each in told.references if each.study_instance_uid == uid]
        hiding.hide(tx, study.id, named, told.rejection, f"Delivery/{delivery_id}")
        touched |= {study.report_id, *settle(tx, study, uid, told.rejection, now, delivery_id)}
    return tuple(sorted(touched))


def _require_own(tx: Connection, note: Instance, study: KnownStudy, organization_id: int, now: dt.datetime) -> None:
    if rejections.known_owner(tx, study.id) != organization_id:
        raise Conflict("only the institution whose study it is may reject its images", where="(0020,000D)")
    if not same_person(tx, study.patient_id, recognise(tx, note.study.patient, update=False, now=now)):
        raise IdentityConflict("the study is already bound to another patient", where="(0020,000D)")


def _keep(
    tx: Connection, note: Instance, study: KnownStudy, prepared: Prepared, delivery_id: int, now: dt.datetime
) -> None:
    """The note as an instance of its study that nobody meets: whoever sent it may ask whether it is stored."""
    known = studies.known_series(tx, note.series.series_instance_uid)
    if known and known[1] != study.id:
        raise ContentConflict("the series belongs to another study", where="(0020,000E)")
    studies.add_instance(
        tx,
        note,
        series_id=known[0] if known else studies.add_series(tx, study, note.series),
        study_id=study.id,
        delivery_id=delivery_id,
        digest=prepared.digest,
        now=now,
        hidden=Hidden.NOTE,
        hidden_by=f"Delivery/{delivery_id}",
    )


def add_unless_rejected(
    tx: Connection,
    instance: Instance,
    study: KnownStudy,
    series_id: int,
    delivery_id: int,
    digest: str,
    organization_id: int,
    now: dt.datetime,
) -> None:
    """Adds an instance to its study: hidden where a note of its sender's, or of the study's institution, rejects it."""
    add = partial(
        studies.add_instance,
        tx,
        instance,
        series_id=series_id,
        study_id=study.id,
        delivery_id=delivery_id,
        digest=digest,
        now=now,
    )
    if not rejections.known_any(tx, instance.study.study_instance_uid):
        add()
        # None was shown: it is new, or a rule had hidden it all.
        if not study.instance_count:
            images_came(tx, study, delivery_id, now)
        return
    found = _rejection(tx, instance, (organization_id, rejections.known_owner(tx, study.id)))
    if found:
        add(hidden=found.code, hidden_by=found.by)
        settle(tx, study, instance.study.study_instance_uid, found.code, now, delivery_id)
    else:
        add()
        images_came(tx, study, delivery_id, now)


def _rejection(tx: Connection, instance: Instance, organization_ids: Iterable[int]) -> Known | None:
    found = (rejections.known_of(tx, instance.sop_instance_uid, each) for each in dict.fromkeys(organization_ids))
    return next((each for each in found if each), None)


def settle(
    tx: Connection, study: KnownStudy, study_instance_uid: str, code: Hidden, now: dt.datetime, delivery_id: int = 0
) -> tuple[int, ...]:
    """Revokes the reports of a study that has no image left; in any case leaves word. Returns those revoked.

    delivery_id: of what took the images back; 0 where a rule did, and nothing new was read.
    """
    left = rejections.known_images_left(tx, study.id)
    revoked = []
    for report_id in () if left else rejections.known_reports(tx, study.id, study_instance_uid):
        known = reports.known_by_id(tx, report_id)
        if known and (without := revoked_version(known.report, code)):
            read_from = delivery_id or reports.known_delivery(tx, report_id, known.version)
            restate(tx, known, without, read_from, now)
            revoked.append(report_id)
    payload: dict[str, object] = {
        "study": study.id,
        "report": study.report_id,
        "code": code.value,
        "left": left,
        "revoked": revoked,
    }
    outbox.add(tx, "study.rejected", payload, now)
    return tuple(revoked)


def revoked_version(report: Report, code: Hidden) -> Report | None:
    """What a report becomes without its images; None where it was withdrawn before.

    What a doctor wrote stays true when the images were only kept for long enough, though nobody can look at them.
    """
    flag = IMAGES_EXPIRED if code is Hidden.EXPIRED else IMAGES_REJECTED
    if report.status in WITHDRAWN or flag in report.flags:
        return None
    written = report.status not in (ReportStatus.PARTIAL, ReportStatus.REGISTERED)
    status = report.status if code is Hidden.EXPIRED and written else _STATUS[code]
    return replace(report, status=status, flags=(*report.flags, flag))


def images_came(tx: Connection, study: KnownStudy, delivery_id: int, now: dt.datetime) -> None:
    """Gives a study whose images were all rejected its report back, now that an image is there: read by nobody."""
    known = reports.known_by_id(tx, study.report_id)
    flags = {IMAGES_REJECTED, IMAGES_EXPIRED}
    if known is None or not flags & set(known.report.flags):
        return
    kept = tuple(flag for flag in known.report.flags if flag not in flags)
    if known.report.status not in WITHDRAWN:
        restate(tx, known, replace(known.report, flags=kept), delivery_id, now)
        return
    unread = replace(
        known.report,
        status=ReportStatus.PARTIAL,
        findings="",
        conclusion="",
        observations=(),
        attachments=(),
        flags=kept,
    )
    restate(tx, known, unread, delivery_id, now)


def came_again(tx: Connection, reading: Reading, prepared: Prepared, delivery_id: int, now: dt.datetime) -> None:
    """Shows instances again that had been kept for long enough or were removed, and that their institution sends."""
    for instance in reading.instances:
        study = studies.known_study(tx, instance.study.study_instance_uid)
        if study is None or rejections.known_owner(tx, study.id) != prepared.delivery.origin.source.organization_id:
            continue
        removed = removals.known_removed(tx, instance.sop_instance_uid)
        # What it was before other content took its place is not what was removed.
        same = removed and (
            prepared.digest == removed.digest or instance.data_set_digest == removed.data_set_digest != ""
        )
        if same:
            put_back(tx, instance, study, prepared.digest, delivery_id, now)
        elif hiding.show_expired(tx, study.id, instance.sop_instance_uid, now):
            rejections.settle_undone(tx, "sent-again", now, sop_instance_uid=instance.sop_instance_uid)
            images_came(tx, study, delivery_id, now)


def put_back(
    tx: Connection, instance: Instance, study: KnownStudy, digest: str, delivery_id: int, now: dt.datetime
) -> None:
    """Shows an instance whose bytes were removed and have come again: unless it is rejected, and not just expired."""
    found = _rejection(tx, instance, [rejections.known_owner(tx, study.id)])
    if found and found.code is Hidden.EXPIRED:
        rejections.settle_undone(tx, "sent-again", now, sop_instance_uid=instance.sop_instance_uid)
        found = None
    why, by = (found.code.value, found.by) if found else ("", "")
    hiding.put_back(tx, study.id, instance, delivery_id=delivery_id, digest=digest, why=why, by=by)
    if not found:
        hiding.put_arrival(tx, study.id, now)
        images_came(tx, study, delivery_id, now)
