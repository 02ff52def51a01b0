"""Objects that a person had removed: taken out of the store once the index says so, and what happens when they return.

First the index says that an object is gone, then it goes: after a crash in between the next start finishes it. Both who
removes an object and who takes it in anew hold its row, so that nobody is promised bytes that are just being removed.
"""

import datetime as dt
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from hub import audit
from schemas.delivery import Origin
from schemas.disclosure import Action
from schemas.faults import Busy, Fault
from storage import removals
from storage.audit import Entry
from storage.database import Database
from storage.objects import Objects

log = structlog.get_logger()
_HANDFUL = 20


def finish(database: Database, objects: Objects) -> int:
    """Removes the objects that removals name and that are still there; how many removals were finished.

    What stands in a journal stays until it has a file of its own: the next time finds it.
    """
    with database.read() as tx:
        waiting = removals.known_open(tx)
    return sum(_finish(database, objects, each) for each in waiting)


def _finish(database: Database, objects: Objects, removal_id: int) -> bool:
    with database.read() as tx:
        digests = removals.known_objects_of(tx, removal_id)
    try:
        for start in range(0, len(digests), _HANDFUL):
            with database.write() as tx:
                for digest in removals.known_still_removed(tx, removal_id, digests[start : start + _HANDFUL]):
                    objects.remove(digest)
    except Busy as fault:
        log.info("removal.postponed", removal=removal_id, reason=fault.text)
        return False
    except Fault as fault:
        log.warning("removal.failed", removal=removal_id, category=fault.category.value)
        return False
    with database.write() as tx:
        removals.settle(tx, removal_id, audit.now())
    log.info("removal.finished", removal=removal_id, objects=len(digests))
    return True


def came_back(
    tx: Connection, digest: str, exists: Callable[[str], bool], origin: Origin, now: dt.datetime
) -> list[Entry]:
    """Forgets that these bytes were removed, now that they have been kept anew; what the trail says of it.

    Raises Busy where they went while they came: nothing may be promised, and who sends again finds them gone.
    """
    removal_id = removals.known_removal(tx, digest)
    if not removal_id:
        return []
    removals.remove_object(tx, digest)
    if not exists(digest):
        raise Busy("the same content is just being removed; send it again", where="objects")
    detail = "the removed bytes again; they are kept anew"
    entity, organization = f"Removal/{removal_id}", origin.source.organization
    return [
        Entry(now, Action.RECEIVE, entity, organization=organization, account=origin.account, detail=detail),
    ]
