"""Examining kept bytes on demand. Nothing is stored; every look at what was sent is audited."""

import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from hub.access import Permission, require
from hub.disclosing import disclosing
from schemas.accounts import Examine, Examined
from schemas.delivery import Channel, DeliveryRecord, Format, Origin, Read, Reading, State
from schemas.disclosure import Action, Disclosure
from schemas.editing import Editor
from schemas.faults import Conflict, Fault, Forbidden, Internal, InvalidPayload, UnsupportedPayload
from storage import deliveries, organizations, reports
from storage.database import Database
from storage.objects import Objects

log = structlog.get_logger()

# Beyond this a person does not edit in a browser, and a browser does not like to.
MOST_EDITED_BYTES = 1 << 20
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Preview:
    """What a changed text would become. `outcome`: what it says, or why it would be refused.

    changed: whether it differs from the original at all.
    """

    outcome: Reading | Fault
    examined: Examined | None
    changed: bool


class Examination:
    """`readers`, `examiners`, `editors`: by format; `sniff`: which format a content's head announces."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        readers: Mapping[Format, Read],
        sniff: Callable[[bytes], Format],
        examiners: Mapping[Format, Examine],
        editors: Mapping[Format, Editor],
    ) -> None:
        self._database = database
        self._objects = objects
        self._readers = readers
        self._sniff = sniff
        self._examiners = examiners
        self._editors = editors

    def examined(self, disclosure: Disclosure, delivery_id: int) -> Examined | None:
        """What became of every part of a delivery, and its parts as sent; None for a format that has no such account.

        Rights as for the original: once it has become a report, its content is for those who treat the patient.
        """
        who = (Permission.READ_REPORTS, Permission.MANAGE_DELIVERIES)
        record, origin = self._known(disclosure, delivery_id, *who)
        examine = self._examiners.get(record.format)
        if examine is None or record.size > MOST_EDITED_BYTES * 32:
            return None
        return examine(self._objects.read(record.digest), origin)

    def editable(self, record: DeliveryRecord) -> bool:
        """Whether the text of a delivery can be edited here."""
        return record.format in self._editors and record.size <= MOST_EDITED_BYTES

    def text(self, disclosure: Disclosure, delivery_id: int) -> str:
        """The text of a delivery for an editor. Raises UnsupportedPayload where it has none or is too long."""
        editor, content, origin = self._edited(disclosure, delivery_id)
        return editor.show(content, origin)

    def written(self, disclosure: Disclosure, delivery_id: int, text: str) -> bytes:
        """The delivery's bytes with a changed text; lines that nobody touched keep theirs. Raises InvalidPayload."""
        editor, content, origin = self._edited(disclosure, delivery_id)
        return editor.write(content, origin, text)

    def preview(self, disclosure: Disclosure, delivery_id: int, text: str) -> Preview:
        """What a changed text would become, were it delivered now. Nothing is kept."""
        editor, content, origin = self._edited(disclosure, delivery_id)
        try:
            copy = editor.write(content, origin, text)
        except InvalidPayload as fault:
            return Preview(fault, None, changed=True)
        kind = self._sniff(copy[:_HEAD])
        examine = self._examiners.get(kind)
        return Preview(self._read(kind, copy, origin), examine(copy, origin) if examine else None, copy != content)

    def _read(self, kind: Format, content: bytes, origin: Origin) -> Reading | Fault:
        reader = self._readers.get(kind)
        if reader is None:
            return UnsupportedPayload("the content is of no kind that this hub reads")
        try:
            return reader(io.BytesIO(content), origin)
        except Fault as fault:
            return fault
        except Exception:  # as when it is taken in: a reader's bug must not take the page away
            log.exception("examination.reader_failed", format=kind.value)
            return Internal("the reader failed on this content; it is kept and can be replayed", where="reader")

    def _edited(self, disclosure: Disclosure, delivery_id: int) -> tuple[Editor, bytes, Origin]:
        record, origin = self._known(disclosure, delivery_id, Permission.MANAGE_DELIVERIES)
        if record.state is State.INDEXED:
            raise Conflict("this delivery does not wait; there is nothing to repair", where="delivery")
        if not self.editable(record):
            raise UnsupportedPayload("content of this kind or size cannot be edited here", where="delivery")
        return self._editors[record.format], self._objects.read(record.digest), origin

    def _known(
        self, disclosure: Disclosure, delivery_id: int, *permissions: Permission
    ) -> tuple[DeliveryRecord, Origin]:
        with disclosing(self._database, disclosure, Action.READ, f"Delivery/{delivery_id}", *permissions) as asked:
            record = deliveries.record(asked.tx, disclosure, delivery_id)
            if record.state is State.INDEXED:
                require(disclosure.principal, Permission.READ_REPORTS)
            asked.shows(reports.persons(asked.tx, disclosure, record.report_ids))
            name, account, hint = deliveries.known_origin(asked.tx, delivery_id)
            source = organizations.source(asked.tx, name)
        if source is None:
            raise Forbidden("this sender is not registered", where="source")
        return record, Origin(source, Channel.REPAIR, dt.datetime.now(dt.UTC), "", account, hint)
