"""When a study is complete. C-STORE cannot say so: a quiet while does, or the modality's own list of what it made.

Every study is found complete once, and once more each time that it has grown; what is told of it then is in the outbox
in the same transaction, so that neither two workers nor a crash make it more or fewer.
"""

import datetime as dt
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from hub import audit
from hub.image_quality import check
from schemas.faults import Fault
from schemas.image_quality import Check
from storage import completeness, outbox
from storage.completeness import Completed
from storage.database import Database

log = structlog.get_logger()
# One transaction holds up those who send; a few studies are soon told of.
_MOST = 50


def completed(tx: Connection, study_instance_uid: str, by: str, instances: Sequence[str], now: dt.datetime) -> None:
    """A modality says that it has finished a study: N-SET of a performed procedure step to COMPLETED, our gateway.

    by: who says so (the step's SOP Instance UID): a later word of the same takes the place of its first. instances:
    every SOP Instance UID that it made. Where all have come the study is complete now, else when the last one comes.
    """
    completeness.put_announcement(tx, study_instance_uid, by, instances, now)


class Completeness:
    """Finds studies complete, and looks at their images then.

    quiet: how long nothing may have come. ensure: has the headers of these instances made. clock: ours.
    """

    def __init__(
        self,
        database: Database,
        quiet: dt.timedelta,
        ensure: Callable[[Sequence[int]], None],
        clock: Callable[[], dt.datetime] = audit.now,
    ) -> None:
        self._database = database
        self._quiet = quiet
        self._ensure = ensure
        self._clock = clock

    def round(self) -> int:
        """How many studies were found complete."""
        found = [*self._announced(), *self._by_quiet()]
        return len(found)

    def _announced(self) -> list[Completed]:
        with self._database.read() as tx:
            whole = [
                each
                for each, uid in completeness.known_announced(tx, _MOST)
                if completeness.known_missing(tx, uid) == 0
            ]
        return self._finish(whole, None)

    def _by_quiet(self) -> list[Completed]:
        before = self._clock() - self._quiet
        found: list[Completed] = []
        while True:
            with self._database.read() as tx:
                due = completeness.known_quiet(tx, before, _MOST)
            done = self._finish(due, before)
            found += done
            if len(due) < _MOST or not done:
                return found

    def _finish(self, study_ids: Sequence[int], before: dt.datetime | None) -> list[Completed]:
        # Looked at beforehand: that takes longer than those who send should wait.
        looked = [(study_id, *self._look(study_id)) for study_id in study_ids]
        if not looked:
            return []
        now, done = self._clock(), []
        with self._database.write() as tx:
            for study_id, found, absent in looked:
                if each := completeness.settle(tx, study_id, now, before=before):
                    _tell(tx, each, found, absent, now)
                    done.append(each)
        for each in done:
            log.info("study.complete", study=each.study_id, instances=each.instances, times=each.times)
        return done

    def _look(self, study_id: int) -> tuple[Check, int]:
        """What is missing in a study, and how much of what was announced."""
        with self._database.read() as tx:
            instances = completeness.known_instances(tx, study_id)
        try:
            self._ensure(instances)
        except Fault as fault:
            log.warning("study.headers_missing", study=study_id, category=fault.category.value)
        with self._database.read() as tx:
            absent = completeness.known_missing(tx, completeness.known_uid(tx, study_id)) or 0
            return check(completeness.known_content(tx, study_id), absent), absent


def _tell(tx: Connection, done: Completed, found: Check, absent: int, now: dt.datetime) -> None:
    completeness.add_check(tx, done.study_id, found, now)
    topic = "study.complete" if done.times == 1 else "study.grown"
    payload = {"study": done.study_id, "report": done.report_id, "instances": done.instances, "missing": absent}
    outbox.add(tx, topic, {**payload, "shortcomings": sorted({each.what.value for each in found.findings})}, now)
