"""Files the documents of final reports with the images that they are of, so that whoever asks for a study finds them.

An ECG whose cart knows no DICOM has a study of its own, which begins with the waveform that the hub writes of it.
They are instances like any other: QIDO-RS, WADO-RS, C-FIND and C-MOVE need no code for them. They are never read as
reports again. Of a report only the documents of its current version are shown.
"""

import io
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from hub import audit
from schemas.delivery import Channel, Origin, Read
from schemas.disclosure import Disclosure, Principal, Purpose, Role
from schemas.faults import Busy, Fault, UnsupportedPayload
from schemas.offered import DocumentKind, Offered, has_own_study, has_words, is_offered, is_traced
from schemas.organization import Source
from schemas.study import Hidden, Instance
from storage import deliveries, derived, hiding, reports, studies
from storage.database import Database
from storage.objects import Objects

from .documents import Documents

log = structlog.get_logger()
_TOGETHER = 20
_EVERY_S = 1.0
# Nobody is shown anything here: what is made is read, and audited, when somebody asks for it.
_HUB = Disclosure(Principal("", "dxhub", Role.CLINICIAN, ""), Purpose.TREATMENT)


@dataclass(frozen=True, slots=True)
class _Made:
    """A document in the object store, and what an index says of it."""

    instance: Instance
    digest: str
    size: int


class Filing:
    """Call it again and again; what a killed process had not finished is begun anew."""

    def __init__(self, database: Database, objects: Objects, documents: Documents, read: Read) -> None:
        self._database = database
        self._objects = objects
        self._documents = documents
        self._read = read

    def __call__(self) -> bool:
        """Makes what is due, the oldest first. Whether more may be waiting. Raises Busy where a store is."""
        with self._database.read() as tx:
            due = derived.known_due(tx, _TOGETHER)
        for entry_id, report_id in due:
            offered, made = self._make(report_id)
            with self._database.write() as tx:
                if derived.settle(tx, entry_id) and offered:
                    _file(tx, offered, made, audit.now())
        return len(due) == _TOGETHER

    def _make(self, report_id: int) -> tuple[Offered | None, list[_Made]]:
        try:
            with self._database.read() as tx:
                offered = self._documents.offered(tx, _HUB, report_id)
            kinds = _kinds(offered) if offered.study or has_own_study(offered.report) else ()
            return offered, [made for kind in kinds if (made := self._keep(offered, kind))]
        except Busy:
            raise
        except Fault as fault:
            log.info("document.not_made", report=report_id, category=fault.category.value)
        except Exception:  # a report that cannot be written must not hold up those behind it
            log.exception("document.failed", report=report_id)
        return None, []

    def _keep(self, offered: Offered, kind: DocumentKind) -> _Made | None:
        """The document in the object store; None where the report holds what this form cannot."""
        try:
            content = self._documents.make(offered, kind)
        except UnsupportedPayload as fault:
            log.info("document.not_made", report=offered.record.id, kind=kind.value, category=fault.category.value)
            return None
        with self._objects.spool() as spool:
            spool.write(content)
            spool.keep()
            digest, size = spool.digest, spool.size
        code = offered.record.organization
        origin = Origin(Source(0, code, code, code), Channel.UPLOAD, offered.record.recorded_at)
        (instance,) = self._read(io.BytesIO(content), origin).instances
        return _Made(instance, digest, size)


def _kinds(offered: Offered) -> Iterable[DocumentKind]:
    report = offered.report
    # Where its cart sent DICOM, the waveform of the cart itself is in the study: the same again would mislead.
    if is_traced(report) and has_own_study(report):
        yield DocumentKind.WAVEFORM
    if is_offered(report):
        if has_words(report):
            yield DocumentKind.BASIC_TEXT_SR
        yield DocumentKind.ENCAPSULATED_PDF


def _file(tx: Connection, offered: Offered, made: list[_Made], now: datetime) -> None:
    """Adds them to their study, unless the report says something else by now or another process was quicker."""
    record = offered.record
    known = reports.known_by_id(tx, record.id)
    if known is None or known.version != record.version:
        return
    if made and has_own_study(offered.report):
        own = replace(made[0].instance.study, patient=known.report.patient)
        derived.put_own_study(tx, own, record, known.patient_id, now)
    study = studies.known_study(tx, offered.study_instance_uid)
    if study is None:
        return
    new = [each for each in made if studies.known_instance(tx, each.instance.sop_instance_uid) is None]
    # Hidden until all are there: a study does not grow because somebody wrote down what was said of it.
    reference = f"DiagnosticReport/{record.id}/_history/{record.version}"
    for each in new:
        series = studies.known_series(tx, each.instance.series.series_instance_uid)
        studies.add_instance(
            tx,
            each.instance,
            series_id=series[0] if series else studies.add_series(tx, study, each.instance.series),
            study_id=study.id,
            delivery_id=record.delivery_id,
            digest=each.digest,
            now=now,
            hidden=Hidden.SUPERSEDED,
            hidden_by=reference,
        )
        derived.add(tx, record.id, record.version, each.instance.sop_instance_uid)
    if new:
        deliveries.add_parts(tx, record.delivery_id, [(each.digest, each.size) for each in new])
        hiding.show(tx, study.id, reference)


class FilingThread:
    """Files what is due while the hub runs. port: none, 0."""

    port = 0

    def __init__(self, filing: Filing, waiting: Callable[[float], bool] | None = None) -> None:
        self._filing = filing
        self._stopping = threading.Event()
        self._waiting = waiting or self._stopping.wait
        self._thread = threading.Thread(target=self._run, name="filing", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present documents."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._waiting(_EVERY_S):
            try:
                while not self._stopping.is_set() and self._filing():
                    pass
            except Fault as fault:
                log.warning("filing.round_failed", category=fault.category.value)
