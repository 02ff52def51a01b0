"""At start: what a killed process left behind. Nothing here was ever acknowledged."""

import structlog

from storage import deliveries
from storage.database import Database
from storage.objects import Objects

from .removed import finish

log = structlog.get_logger()


def reconcile(database: Database, objects: Objects) -> int:
    """Removes objects that no row stands for, and abandoned temporaries; returns how many objects went.

    A process that died between archive and commit told its sender nothing, so the sender still has the bytes and
    sends them again. So it is with what a person had removed and what is still there. Call it only while nobody
    receives.
    """
    objects.sweep()
    finish(database, objects)
    with database.read() as tx:
        known = set(deliveries.objects(tx))
    strays = [digest for digest in objects.digests() if digest not in known]
    for digest in strays:
        objects.remove(digest)
    if strays:
        log.info("reconcile.strays_removed", strays=len(strays))
    return len(strays)
