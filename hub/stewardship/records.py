"""The verb of whoever keeps quality records. What was judged by a record stays judged by it: verdicts keep theirs."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import Connection

from hub import audit
from schemas.catalogue import Catalogue
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload
from schemas.quality import Assessed, QualityBook, QualityRecord, QualityVersion, Standing
from schemas.wording import ZONE
from storage import catalogue, organizations, outbox, quality
from storage.database import Database

from . import record_sheet
from .keeping import reason_of, require_keeper, saving
from .record_sheet import RecordSheet

CHANGED = "quality.changed"
_DAY = dt.timedelta(days=1)


class QualityDesk:
    """The records, their history, and their editing. No patient data."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def book(self) -> QualityBook:
        """Every record, with all its versions."""
        with self._database.read() as tx:
            return quality.book(tx)

    def save(
        self, disclosure: Disclosure, record: QualityRecord, reason: str, known_version: int, *, withdrawn: bool = False
    ) -> QualityVersion:
        """Saves a record; `known_version`: the one that was edited, 0 for a new one. withdrawn: it was an error.

        Raises InvalidPayload for a record that is none, Conflict where somebody else has saved it meanwhile.
        """
        with saving(self._database, disclosure.principal) as tx:
            said = reason_of(reason)
            before = self._checked(tx, record, known_version)
            (made,) = self._put(tx, disclosure, [(before, record)], said, withdrawn=withdrawn)
            about = f"QualityRecord/{record.organization}/{record.item}"
            detail = f"{'withdrawn' if withdrawn else record.standing} {record.since} version {made.version}"
            audit.record(tx, disclosure, Action.ADMINISTER, about, detail=detail)
            return made

    @staticmethod
    def _checked(tx: Connection, record: QualityRecord, known_version: int) -> QualityVersion | None:
        newest = next(iter(quality.history(tx, record)), None)
        if (newest.version if newest else 0) != known_version:
            raise Conflict("somebody has changed this record meanwhile; look at it again", where="record")
        organizations.organization(tx, record.organization)
        if catalogue.catalogue(tx).version(record.item) is None:
            raise InvalidPayload("expected the code of an item in the catalogue", where="item")
        if wrong := next(record_sheet.problems(record), None):
            raise InvalidPayload(f"expected {wrong.expected}", where=wrong.column)
        return None if newest is None or newest.withdrawn else newest

    def preview(self, disclosure: Disclosure, content: bytes) -> tuple[RecordSheet, int]:
        """What a sheet would change, and the state of the records beside which that was found."""
        with self._database.read() as tx:
            require_keeper(tx, disclosure.principal)
            book = quality.book(tx)
            return record_sheet.read(book, catalogue.catalogue(tx), _codes(tx), content), book.stamp

    def apply(self, disclosure: Disclosure, content: bytes, reason: str, stamp: int) -> int:
        """Saves what a sheet changes, all of it or nothing; returns how many records that were.

        Raises InvalidPayload where anything is wrong with it, Conflict where the records are no longer what the
        preview showed.
        """
        with saving(self._database, disclosure.principal) as tx:
            said = reason_of(reason)
            book = quality.book(tx)
            if book.stamp != stamp:
                raise Conflict("the records have changed since the preview; look at it again", where="sheet")
            found = record_sheet.read(book, catalogue.catalogue(tx), _codes(tx), content)
            if found.problems:
                raise InvalidPayload("a row of the sheet cannot be taken", where=str(found.problems[0].row))
            if found.changes:
                self._put(tx, disclosure, [(each.before, each.after) for each in found.changes], said)
            detail = f"sheet: {len(found.changes)} records"
            audit.record(tx, disclosure, Action.ADMINISTER, "QualityRecord", detail=detail)
            return len(found.changes)

    def sheet(self, organization: str, language: str) -> bytes:
        """The records of an institution, or of all, as a sheet that can be edited and read back."""
        with self._database.read() as tx:
            book, known = quality.book(tx), catalogue.catalogue(tx)
        return record_sheet.write(records_of(book, organization), known, language)

    def catalogue(self) -> Catalogue:
        """The items that records are about."""
        with self._database.read() as tx:
            return catalogue.catalogue(tx)

    @staticmethod
    def _put(
        tx: Connection,
        disclosure: Disclosure,
        changes: Sequence[tuple[QualityVersion | None, QualityRecord]],
        reason: str,
        *,
        withdrawn: bool = False,
    ) -> tuple[QualityVersion, ...]:
        now = audit.now()
        account = disclosure.principal.account
        records = [after for _, after in changes]
        made = quality.put(tx, records, changed_by=account, reason=reason, now=now, withdrawn=withdrawn)
        for (before, after), version in zip(changes, made, strict=True):
            worse = worsened(before.record if before else None, None if withdrawn else after, now)
            for standing, since, until in worse:
                payload = {"organization": after.organization, "item": after.item, "method": after.method}
                payload |= {"standing": standing.value, "since": since.isoformat(), "until": until.isoformat()}
                outbox.add(tx, CHANGED, {**payload, "change": version.change}, now)
        return made


def worsened(
    before: QualityRecord | None, after: QualityRecord | None, now: dt.datetime
) -> Iterator[tuple[Assessed, dt.date, dt.date]]:
    """The days up to today, half open, on which a result can no longer be relied on: how it stands, since, until.

    before, after: the same record; None where there was none, or it is withdrawn. What lies ahead concerns nobody yet.
    """
    tomorrow = now.astimezone(ZONE).date() + _DAY
    known = [each for each in (before, after) if each]
    edges = sorted({day for each in known for day in (each.since, each.until) if day < tomorrow} | {tomorrow})
    for since, until in pairwise(edges):
        was, is_now = (_on(each, since) for each in (before, after))
        if is_now is Standing.PASSED or is_now is was:
            continue
        if is_now is None and was is Standing.PASSED:
            yield Assessed.EXPIRED, since, until
        elif is_now and was in (None, Standing.PASSED):
            yield Assessed(is_now), since, until


def _on(record: QualityRecord | None, day: dt.date) -> Standing | None:
    return record.standing if record and record.since <= day < record.until else None


def records_of(book: QualityBook, organization: str = "") -> list[QualityRecord]:
    """The records in force, of one institution or of all, by institution, item and day."""
    about = (pair for pair in book.about() if organization in ("", pair[0]))
    found = (each.record for pair in about for each in book.in_force(*pair))
    return sorted(found, key=lambda record: record.key)


def _codes(tx: Connection) -> frozenset[str]:
    return frozenset(each.organization.code for each in organizations.organizations(tx))
