"""Removing the bytes of images that nobody is shown any more. The caller knows that the role allows it."""

from dataclasses import replace

from sqlalchemy import Connection

from hub import audit
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, Forbidden, InvalidPayload
from schemas.organization import OrganizationKind
from schemas.study import StudyRecord
from storage import organizations, outbox, removals, studies
from storage.database import Database
from storage.object_stream import sha256_of
from storage.objects import Objects
from storage.removals import Removable

_LONGEST_REASON = 500


def remove(database: Database, objects: Objects, disclosure: Disclosure, study_id: int, reason: str) -> int:
    """Marks what is hidden of a study as removed, with its objects; the worker then takes those out of the store.

    How many instances. Left as they are: those whose bytes are another delivery's as well, or a former version's.
    Raises NotFound, Forbidden for another institution's study, InvalidPayload without a reason, Conflict where nothing
    can be removed.
    """
    reason = reason.strip()[:_LONGEST_REASON]
    if not reason:
        raise InvalidPayload("expected a reason", where="reason")
    with database.read() as tx:
        _require_house(tx, disclosure, studies.study(tx, disclosure, study_id, hidden=True))
        found = removals.known_removable(tx, study_id)
        held = removals.known_held(tx, found)
    # Counted before the bytes go: what comes later under the same UID is compared with it.
    wanted = [_counted(objects, each) for each in found if each.digest not in held]
    if not wanted:
        raise Conflict("nothing of this study is hidden that could be removed", where="study")
    now = audit.now()
    with database.write() as tx:
        record = studies.study(tx, disclosure, study_id, hidden=True)
        removal_id = removals.add(tx, study_id, disclosure.principal.account, reason, now)
        number = removals.put_removed(tx, removal_id, wanted, now)
        if not number:
            raise Conflict("nothing of this study is hidden that could be removed", where="study")
        outbox.add(tx, "study.removed", {"study": study_id, "removal": removal_id, "instances": number}, now)
        detail = f"Removal/{removal_id}: {number} instances removed: {reason}"
        entity = f"ImagingStudy/{study_id}"
        audit.record(tx, disclosure, Action.ADMINISTER, entity, patient_id=record.patient_id, detail=detail)
    return number


def _require_house(tx: Connection, disclosure: Disclosure, record: StudyRecord) -> None:
    own = disclosure.principal.organization
    if own == record.organization:
        return
    if organizations.organization(tx, own).organization.kind is not OrganizationKind.BUREAU:
        raise Forbidden("only the institution whose study it is, or the health bureau, may remove its images")


def _counted(objects: Objects, each: Removable) -> Removable:
    if each.data_set_digest:
        return each
    return replace(each, data_set_digest=sha256_of(objects.stream(each.digest, each.data_set_offset)))
