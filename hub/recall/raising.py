"""From what changed to a notice for everyone who relied on it: each entry of the outbox once, in its order."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from hub import audit
from hub.catalogue import items_of_report
from hub.metrics import count_notices
from schemas.disclosure import Disclosure, Principal, Purpose, Role
from schemas.faults import Busy, NotFound
from schemas.image_quality import Grade
from schemas.notice import Change, NoticeKind, Reliance
from schemas.report import WITHDRAWN, Report
from schemas.wording import ZONE
from storage import catalogue, mappings, notices, outbox, reports
from storage.database import Database
from storage.notices import Relied
from storage.outbox import Entry

from .differences import differences, matters

log = structlog.get_logger()
_TOGETHER = 50
# Whoever opens a version while it is being corrected has left word of it by then.
_GRACE = dt.timedelta(seconds=2)
# Who decided, or read for a treatment, hears; the hub itself reads what it compares.
_ITSELF = Disclosure(Principal("", "dxhub", Role.SYSTEM, ""), Purpose.TREATMENT)
_GRADES_THAT_FAIL = frozenset({Grade.REJECT.value})


class Raising:
    """Call it again and again; what a killed process had not finished is begun anew. grace: see above."""

    def __init__(self, database: Database, grace: dt.timedelta = _GRACE) -> None:
        self._database = database
        self._grace = grace
        # What failed unexpectedly holds up nothing behind it; the next start tries again.
        self._put_aside: set[int] = set()

    def __call__(self) -> bool:
        """Looks at the oldest changes. Whether more may be waiting."""
        with self._database.read() as tx:
            known = outbox.unnoticed(tx, audit.now() - self._grace, _TOGETHER + len(self._put_aside))
        for entry in known:
            if entry.id not in self._put_aside:
                self._look(entry)
        return len(known) == _TOGETHER + len(self._put_aside)

    def _look(self, entry: Entry) -> None:
        try:
            with self._database.write() as tx:
                # Another process may have been quicker.
                if not outbox.put_noticed(tx, entry.id, now := audit.now()):
                    return
                raised = _FINDS[entry.topic](tx, entry, now)
        except Busy:
            raise
        except Exception:  # the edge: one entry that cannot be understood must not keep others from hearing
            log.exception("notices.not_raised", entry=entry.id, topic=entry.topic)
            self._put_aside.add(entry.id)
            return
        if raised:
            count_notices(raised)
            log.info("notices.raised", topic=entry.topic, notices=raised)


def _changed(tx: Connection, entry: Entry, now: dt.datetime) -> int:
    report_id, version = entry.payload["report"], entry.payload["version"]
    try:
        after = reports.version(tx, _ITSELF, report_id, version)
    except NotFound:
        return 0
    kind = NoticeKind.WITHDRAWN if after.report.status in WITHDRAWN else NoticeKind.CORRECTED
    seen: dict[int, Report] = {}
    raised = 0
    told = notices.known_told(tx, report_id)
    for relied in notices.known_relied(tx, report_id):
        # Whoever saw this version, or a later one, knows already.
        if relied.version >= version:
            continue
        if relied.version not in seen:
            seen[relied.version] = reports.version(tx, _ITSELF, report_id, relied.version).report
        before = seen[relied.version]
        found = differences(before, after.report)
        last = told.get((relied.organization_id, relied.account), 0)
        if not found and relied.version < last < version:
            # It says again what it said at first: whoever was told otherwise in between must hear that as well.
            relied = replace(relied, version=last)
            before = reports.version(tx, _ITSELF, report_id, last).report
            found = differences(before, after.report)
        if _must_hear(relied, before, after.report, found):
            raised += _raise(tx, relied, kind, version, found, entry, now)
    return raised


def _must_hear(relied: Relied, before: Report, after: Report, found: tuple[Change, ...]) -> bool:
    if relied.reliance is Reliance.OPENED:
        return matters(before, after, found)
    return bool(found)


def _images_changed(tx: Connection, entry: Entry, now: dt.datetime) -> int:
    """Some images were replaced, rejected or graded as useless; a report without any image left is withdrawn by itself.

    Only who reused them hears: who merely looked was not told anything by the images that is untrue now.
    """
    payload = entry.payload
    report_id = payload["report"]
    if payload.get("revoked") or (entry.topic == "study.graded" and payload["grade"] not in _GRADES_THAT_FAIL):
        return 0
    reused = (each for each in notices.known_relied(tx, report_id) if each.reliance is Reliance.REUSED)
    what = {"study.replaced": "images-replaced", "study.rejected": "images-rejected"}.get(entry.topic, "images-graded")
    change = Change(what, "", str(payload.get("grade", "")))
    return _raise_all(tx, reused, NoticeKind.IMAGES, (change,), entry, now)


def _quality_changed(tx: Connection, entry: Entry, now: dt.datetime) -> int:
    """An institution's item failed its assessment, or was suspended, for a time in which results were reused."""
    payload = entry.payload
    if payload.get("standing") == "passed":
        return 0
    since, until = (_start_of(payload[name]) for name in ("since", "until"))
    known, concepts = catalogue.catalogue(tx), mappings.concepts(tx)
    panels = known.panels_of(payload["item"])
    items = (payload["item"], *(panel.code for panel in panels))
    reused = {each.cause_id: each for each in notices.known_reused(tx, payload["organization"], items, since, until)}
    # Whoever reused a report as a whole relied on every item of it, whichever one the ledger names.
    for each in notices.known_reused_whole(tx, payload["organization"], since, until):
        report = reports.version(tx, _ITSELF, each.report_id, each.version).report
        if any(match.item.code in items for match in items_of_report(known, concepts, report)):
            reused[each.cause_id] = each
    change = Change("quality", "", str(payload.get("standing", "")))
    return _raise_all(tx, reused.values(), NoticeKind.QUALITY, (change,), entry, now)


def _identity_changed(tx: Connection, entry: Entry, now: dt.datetime) -> int:
    """Two who were held for one are apart again, or a report is said to be another's: so may be what was reused."""
    reused = [*notices.known_reused_of(tx, list(entry.payload.get("patients", ())))]
    for report_id in entry.payload.get("reports", ()):
        reused += [each for each in notices.known_relied(tx, report_id) if each.reliance is Reliance.REUSED]
    return _raise_all(tx, reused, NoticeKind.IDENTITY, (Change("patient"),), entry, now)


def _start_of(day: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), ZONE)


def _raise_all(
    tx: Connection,
    relied: Iterable[Relied],
    kind: NoticeKind,
    changes: tuple[Change, ...],
    entry: Entry,
    now: dt.datetime,
) -> int:
    return sum(_raise(tx, each, kind, each.version, changes, entry, now) for each in relied)


def _raise(
    tx: Connection,
    relied: Relied,
    kind: NoticeKind,
    version: int,
    changes: tuple[Change, ...],
    entry: Entry,
    now: dt.datetime,
) -> int:
    notices.add(tx, relied, kind=kind, version=version, changes=changes, outbox_id=entry.id, now=now)
    told: dict[str, object] = {"report": relied.report_id, "version": version, "organization": relied.organization}
    if kind in (NoticeKind.CORRECTED, NoticeKind.WITHDRAWN) and relied.reliance is Reliance.REUSED:
        # The system of whoever reused it has the earlier version on its screens.
        outbox.add(tx, "report.recalled", told, now)
    return 1


_Find = Callable[[Connection, Entry, dt.datetime], int]
_FINDS: Mapping[str, _Find] = {
    "report.changed": _changed,
    "report.withdrawn": _changed,
    "study.replaced": _images_changed,
    "study.rejected": _images_changed,
    "study.graded": _images_changed,
    "quality.changed": _quality_changed,
    "identity.changed": _identity_changed,
}
