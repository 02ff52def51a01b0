"""Headers of instances: made once, soon after their acknowledgement, or when somebody asks for one before."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from schemas.faults import Busy, Fault
from schemas.header import Describe, InstanceHeader
from storage import headers
from storage.database import Database
from storage.headers import Packed, Undescribed
from storage.objects import Objects

log = structlog.get_logger()
_BATCH = 64
_EVERY_S = 1.0
# A transaction that began earlier may commit a smaller number later: so far back each round looks again.
_OVERLAP = 2000
# While instances keep coming, they come first; but who looks at one should not wait for its header for ever.
_MOST_POSTPONED = 10
_NICENESS = 10


class Headers:
    """Makes and keeps them. describe: what an adapter reads in a stored instance."""

    def __init__(self, database: Database, objects: Objects, describe: Describe) -> None:
        self._database = database
        self._objects = objects
        self._describe = describe

    def newest(self) -> int:
        """The id of the instance that came last."""
        with self._database.read() as tx:
            return headers.known_newest(tx)

    def next_batch(self, after: int) -> list[Undescribed]:
        """Instances without a header, by id, the first behind `after`."""
        with self._database.read() as tx:
            return headers.known_undescribed(tx, after, _BATCH)

    def ensure(self, instance_ids: Sequence[int]) -> None:
        """Makes those of these instances that nobody has made yet. Raises Busy where the store does not answer."""
        for start in range(0, len(instance_ids), _BATCH):
            with self._database.read() as tx:
                missing = headers.known_undescribed_of(tx, instance_ids[start : start + _BATCH])
            self.make(missing)

    def make(self, missing: Iterable[Undescribed]) -> None:
        """Describes each and keeps all of them in one transaction. Raises Busy where a store does not answer."""
        self.keep(self.described(missing))

    def described(self, missing: Iterable[Undescribed]) -> list[Packed]:
        """The headers of these. Raises Busy where the object store does not answer."""
        return [Packed.of(each, self._of(each)) for each in missing]

    def keep(self, made: Sequence[Packed]) -> None:
        """Writes them in one transaction. Raises Busy where the database does not answer."""
        if made:
            with self._database.write() as tx:
                headers.add(tx, made)

    def _of(self, which: Undescribed) -> InstanceHeader:
        try:
            with self._objects.open(which.digest) as content:
                return self._describe(content, which.charset)
        except Busy:
            raise
        except Fault as fault:
            log.warning("header.not_made", instance=which.instance_id, category=fault.category.value)
        except Exception:  # a reader's bug: to try again what cannot succeed would hold up all that come after it
            log.exception("header.reader_failed", instance=which.instance_id)
        return InstanceHeader(b"{}")


class Describing:
    """A thread that makes what nobody has asked for yet, when there is time. port: none, 0."""

    port = 0

    def __init__(self, headers: Headers, waiting: Callable[[float], bool] | None = None) -> None:
        self._headers = headers
        self._stopping = threading.Event()
        self._waiting = waiting or self._stopping.wait
        self._thread = threading.Thread(target=self._run, name="headers", daemon=True)
        # Who is held back must not hold the turn to write: all who receive would wait for it.
        self._keeper = ThreadPoolExecutor(1, "headers-keeper")
        self._seen = 0
        self._newest = 0
        self._postponed = 0

    def start(self) -> None:
        """Begins."""
        # A thread has the niceness of who makes it: this one is made here, not by the one that is held back.
        self._keeper.submit(int)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present batch."""
        self._stopping.set()
        self._thread.join()
        self._keeper.shutdown()

    def _run(self) -> None:
        # Those who send and those who read come first. On Linux a thread has a niceness of its own.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while not self._waiting(_EVERY_S):
            try:
                if self._is_time():
                    self._round()
            except Fault as fault:
                log.warning("headers.round_failed", category=fault.category.value)

    def _is_time(self) -> bool:
        """Whether nothing has come since the last time that this was asked, or it was put off often enough."""
        before, self._newest = self._newest, self._headers.newest()
        self._postponed = self._postponed + 1 if self._newest != before else 0
        return not 0 < self._postponed <= _MOST_POSTPONED

    def _round(self) -> None:
        """Makes what is missing now; where more comes meanwhile, that is first, unless it was put off often enough."""
        after = max(self._seen - _OVERLAP, 0)
        last = self._newest
        while not self._stopping.is_set() and (batch := self._headers.next_batch(after)):
            self._keeper.submit(self._headers.keep, self._headers.described(batch)).result()
            after = batch[-1].instance_id
            self._seen = max(self._seen, after)
            if after >= last or (not self._postponed and self._headers.newest() != last):
                break
        self._postponed = 0
