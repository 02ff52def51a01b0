"""Images that were kept for as long as the operator's rule says: hidden then, with their bytes, as by a note of theirs.

Who sends a study again wants it kept anew: its last arrival counts as well as its date (storage.retention.Until).
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from hub import audit
from hub.ingest.rejections import settle
from schemas.disclosure import Action, Purpose, Role
from schemas.study import Hidden
from storage import audit as trail
from storage import hiding, retention, studies
from storage.audit import Entry
from storage.database import Database
from storage.retention import Until

log = structlog.get_logger()
_EVERY_S = 3600.0
# One transaction holds up those who send; and a rule that is new finds all that an archive has of old.
_HANDFUL, _MOST = 5, 200


class Retention:
    """Hides what has been kept for long enough. years: 0 keeps everything. clock: ours."""

    def __init__(self, database: Database, years: int, clock: Callable[[], dt.datetime] = audit.now) -> None:
        self._database = database
        self._years = years
        self._clock = clock
        self._next = 0.0

    def round(self) -> int:
        """How many studies were hidden; it looks once an hour, or at the next round where there were many."""
        if not self._years or time.monotonic() < self._next:
            return 0
        until = self._until()
        with self._database.read() as tx:
            due = retention.known_due(tx, until, _MOST)
        hidden = sum(self._hide(due[at : at + _HANDFUL], until) for at in range(0, len(due), _HANDFUL))
        if len(due) < _MOST:
            self._next = time.monotonic() + _EVERY_S
        return hidden

    def _until(self) -> Until:
        now = self._clock()
        try:
            then = now.replace(year=now.year - self._years)
        except ValueError:
            then = now.replace(year=now.year - self._years, day=28)
        return Until(f"{then:%Y%m%d}", then)

    def _hide(self, study_ids: Sequence[int], until: Until) -> int:
        with self._database.write() as tx:
            entries = [entry for study_id in study_ids if (entry := self._expire(tx, study_id, until))]
            if entries:
                trail.add(tx, entries)
        for entry in entries:
            log.info("study.expired", study=entry.entity)
        return len(entries)

    def _expire(self, tx: Connection, study_id: int, until: Until) -> Entry | None:
        """Hides a study as its institution's own note with the same reason would; what the trail says of it."""
        due = retention.known_still_due(tx, study_id, until)
        study = studies.known_study(tx, due.study_instance_uid) if due else None
        if due is None or study is None:
            return None
        number = hiding.hide_shown(tx, study_id, Hidden.EXPIRED, f"Rule/image_retention_years/{self._years}")
        settle(tx, study, due.study_instance_uid, Hidden.EXPIRED, self._clock())
        return Entry(
            at=audit.now(),
            action=Action.ADMINISTER,
            entity=f"ImagingStudy/{study_id}",
            patient_id=due.person_id,
            role=Role.SYSTEM.value,
            organization=due.organization,
            purpose=Purpose.ADMINISTRATION.value,
            detail=f"kept for {self._years} years: {number} instances hidden",
        )
