"""Other content under a SOP Instance UID that is taken: refused, unless a person or the source's profile accepts it."""

import datetime as dt

from sqlalchemy import Connection

from schemas.faults import ContentConflict
from schemas.study import Instance
from storage import decisions, instance_versions, outbox, removals, studies
from storage.studies import KnownInstance

from .prepared import Prepared
from .rejections import put_back

# What stands in the place of an account where the source's profile accepts new versions by itself.
BY_PROFILE = "profile"


def replace_instance(
    tx: Connection,
    stored: KnownInstance,
    instance: Instance,
    prepared: Prepared,
    delivery_id: int,
    now: dt.datetime,
) -> None:
    """Makes the content the next version of the instance; the former one is kept with its bytes.

    Raises ContentConflict where nobody accepts it, or where it claims to belong elsewhere than the former one.
    """
    by = prepared.accepted_by or (BY_PROFILE if prepared.delivery.origin.source.new_versions else "")
    place = instance_versions.known_place(tx, instance.sop_instance_uid)
    if not by or place is None:
        raise ContentConflict("another instance is stored under this SOP Instance UID", where="(0008,0018)")
    if (place.study_instance_uid, place.series_instance_uid) != (
        instance.study.study_instance_uid,
        instance.series.series_instance_uid,
    ):
        raise ContentConflict("the instance belongs to another series", where="(0020,000E)")
    removed = removals.known_removed(tx, instance.sop_instance_uid)
    instance_versions.add_version(tx, place, instance, delivery_id=delivery_id, digest=prepared.digest, by=by, now=now)
    study = studies.known_study(tx, place.study_instance_uid)
    if removed and study:
        put_back(tx, instance, study, prepared.digest, delivery_id, now)
    relied = list(decisions.known_on(tx, stored.report_id))
    payload: dict[str, object] = {"study": place.study_id, "report": stored.report_id, "decisions": relied}
    outbox.add(tx, "study.replaced", payload, now)
