"""Custody: the bytes are durable before anybody reads them, and read before anything is promised."""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import BinaryIO

import structlog

from hub import access, audit
from hub.measuring import measured
from schemas.delivery import WAITING, Channel, Delivery, Format, Meaning, Origin, PatientHint, Read, Reading, Receipt
from schemas.disclosure import Action, Disclosure
from schemas.ecg import EcgRecording, encode
from schemas.faults import Conflict, Fault, Internal, InvalidPayload, UnsupportedPayload
from schemas.offered import own_study_instance_uid
from schemas.report import Report
from storage import deliveries
from storage.database import Database
from storage.object_stream import sha256_of
from storage.objects import Objects, Spool

from .annotations import measured_on
from .contents import Contents
from .envelopes import envelope, recall
from .group_commit import GroupCommit
from .index import Index
from .nobodys import set_apart
from .prepared import Arrived, Prepared, Repair
from .senders import Senders

log = structlog.get_logger()
_CHUNK = 1 << 20
_HEAD = 4096


class Ingest:
    """Takes deliveries in. `readers`: who reads which format; `sniff`: which format a content's head announces.

    meanings: by format, how two contents are told to say the same.
    """

    def __init__(
        self,
        database: Database,
        objects: Objects,
        senders: Senders,
        readers: Mapping[Format, Read],
        sniff: Callable[[bytes], Format],
        *,
        meanings: Mapping[Format, Meaning] = MappingProxyType({}),
        counted: Callable[[Receipt, Delivery, float], None] = lambda *_: None,
    ) -> None:
        self._database = database
        self._objects = objects
        self._senders = senders
        self._readers = readers
        self._sniff = sniff
        self._counted = counted
        index = Index(database, Contents(self._digest_from, self._meaning_of), objects.exists)
        self._meanings = meanings
        self._commit = GroupCommit(self._archived, index, index.make_durable)
        self._encloses = database.syncs_itself and objects.remember(database.make_durable)
        self.identify = senders.identify

    def close(self) -> None:
        """Finishes what was begun."""
        self._commit.close()

    def deliver(self, delivery: Delivery, *, repair: Repair | None = None) -> Receipt:
        """Takes a delivery into custody and indexes it; see schemas.delivery.Deliver. `repair`: it corrects another."""
        arrived = Arrived(delivery, repair)
        # What is long or comes slowly keeps nobody else waiting until it is archived and read.
        (outcome,) = self._commit.submit(arrived if arrived.whole else self._spooled(arrived))
        if isinstance(outcome, Fault):
            raise outcome
        self._taken(arrived, outcome)
        return outcome

    def recall(self) -> int:
        """Takes again what was promised before the machine stopped and what the index lost then; how many deliveries.

        Call it before anything is taken in. Raises Busy.
        """
        return recall(self._database, self._objects, self.deliver)

    def deliver_together(self, deliveries: Sequence[Delivery]) -> list[Receipt | Fault]:
        """Takes several that are short and stand in memory; see schemas.delivery.DeliverTogether."""
        together = [Arrived(delivery) for delivery in deliveries]
        outcomes = self._commit.submit(*together)
        for arrived, outcome in zip(together, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                self._taken(arrived, outcome)
        return outcomes

    def upload(
        self,
        disclosure: Disclosure,
        content: BinaryIO,
        *,
        filename: str = "",
        hint: PatientHint | None = None,
        address: str = "",
        channel: Channel = Channel.UPLOAD,
    ) -> Receipt:
        """Takes what a person or their program uploads, for their institution. `content` must be seekable."""
        principal = disclosure.principal
        access.require(principal, access.Permission.UPLOAD, access.Permission.MEASURE)
        origin = self._senders.of_account(principal.organization, principal.account, address or disclosure.address)
        start = content.tell()
        kind = self._sniff(content.read(_HEAD))
        content.seek(start)
        origin = measured_on(self._database, disclosure, kind, content, origin)
        del filename  # paths come from our own ids; a sender's file name is not data of ours
        return self.deliver(Delivery(replace(origin, hint=hint, channel=channel), kind, content))

    def replay(self, disclosure: Disclosure, delivery_id: int, *, accept: bool = False) -> Receipt:
        """Reads a refused delivery's bytes again, as after a reader's repair, and indexes what they say now.

        accept: it may take the place of what is stored under the same SOP Instance UID, as its next version.
        """
        access.require(disclosure.principal, access.Permission.MANAGE_DELIVERIES)
        with self._database.write() as tx:
            record = deliveries.record(tx, disclosure, delivery_id)
            source, account, hint = deliveries.known_origin(tx, delivery_id)
            detail = "as the next version" if accept else ""
            audit.record(tx, disclosure, Action.REPLAY, f"Delivery/{delivery_id}", detail=detail)
        if record.state not in WAITING:
            raise Conflict("this delivery does not wait; there is nothing to replay", where="delivery")
        origin = self._senders.of_account(source, account, "")
        origin = Origin(origin.source, record.channel, record.received_at, "", account, hint)
        with self._objects.open(record.digest) as content:
            kind = record.format if record.format in self._readers else self._sniff(content.read(_HEAD))
            delivery = Delivery(origin, kind, content, record.message_id)
            prepared = self._prepare(delivery, record.digest, record.size, lambda: self._objects.open(record.digest))
        accepted_by = disclosure.principal.account if accept else ""
        (outcome,) = self._commit.submit(replace(prepared, replay_of=delivery_id, accepted_by=accepted_by))
        if isinstance(outcome, Fault):
            raise outcome
        self._set_aside(delivery, prepared)
        return outcome

    def _taken(self, arrived: Arrived, receipt: Receipt) -> None:
        if arrived.prepared:
            self._set_aside(arrived.delivery, arrived.prepared)
        took = time.monotonic() - arrived.begun
        self._counted(receipt, arrived.delivery, took)
        log.info(
            "delivery.taken",
            delivery=receipt.delivery_id,
            digest=receipt.digest,
            format=arrived.delivery.format.value,
            source=arrived.delivery.origin.source.name,
            state=receipt.state.value,
            fault=receipt.category,
            took_ms=round(took * 1000, 1),
        )

    def _set_aside(self, delivery: Delivery, prepared: Prepared) -> None:
        """What of a batch could not be read waits as deliveries of its own, to be found, repaired and read again."""
        if isinstance(prepared.outcome, Reading):
            for content in prepared.outcome.refused:
                self.deliver(replace(delivery, content=io.BytesIO(content), message_id=""))

    def _spooled(self, arrived: Arrived) -> Prepared:
        """Keeps the content as it comes, then reads it. Raises Busy or Internal where it cannot be kept."""
        with self._objects.spool() as spool:
            for piece in arrived.pieces():
                spool.write(piece)
            if not spool.size:
                raise _nothing()
            # Archive before reading: a reader may be wrong for years, the bytes cannot be asked for again.
            spool.keep()
            return self._prepared(arrived, spool.digest, spool.size, spool.open)

    def _archived(self, together: Sequence[Arrived]) -> list[Prepared | Fault]:
        """The same for several at once that stand in memory."""
        contents = [each.content for each in together]
        envelopes = [self._envelope(each) for each in together]
        some = [place for place, content in enumerate(contents) if content]
        kept = iter(self._objects.keep([contents[place] for place in some], [envelopes[place] for place in some]))
        return [
            self._read_back(arrived, content, next(kept) if content else _nothing(), enclosed=bool(envelope))
            for arrived, content, envelope in zip(together, contents, envelopes, strict=True)
        ]

    def _envelope(self, arrived: Arrived) -> bytes:
        return envelope(arrived.delivery) if self._encloses and not arrived.repair else b""

    def _read_back(self, arrived: Arrived, content: bytes, kept: str | Fault, *, enclosed: bool) -> Prepared | Fault:
        if isinstance(kept, Fault):
            return kept
        prepared = self._prepared(arrived, kept, len(content), lambda: io.BytesIO(content))
        return replace(prepared, enclosed=True) if enclosed else prepared

    def _prepared(self, arrived: Arrived, digest: str, size: int, reopen: Callable[[], BinaryIO]) -> Prepared:
        prepared = self._prepare(arrived.delivery, digest, size, reopen)
        arrived.prepared = replace(prepared, repair=arrived.repair) if arrived.repair else prepared
        return arrived.prepared

    def _prepare(self, delivery: Delivery, digest: str, size: int, reopen: Callable[[], BinaryIO]) -> Prepared:
        outcome = self._read(delivery, reopen)
        if isinstance(outcome, Fault):
            return Prepared(delivery, digest, size, outcome)
        parts = [self._keep(part) for part in outcome.parts]
        waveforms = dict(outcome.recordings)
        recordings = {key: self._keep(encode(recording)) for key, recording in outcome.recordings}
        reports = tuple(
            _traced(report, recordings[report.key][0], waveforms[report.key]) if report.key in recordings else report
            for report in outcome.reports
        )
        outcome = set_apart(replace(outcome, reports=reports, parts=(), recordings=()))
        return Prepared(delivery, digest, size, outcome, (*parts, *recordings.values()))

    def _read(self, delivery: Delivery, reopen: Callable[[], BinaryIO]) -> Reading | Fault:
        reader = self._readers.get(delivery.format)
        if reader is None:
            return UnsupportedPayload("the content is of no kind that this hub reads")
        try:
            with reopen() as content:
                return reader(content, delivery.origin)
        except Fault as fault:
            return fault
        except Exception:  # a reader's bug must cost neither the bytes nor the hub
            log.exception("delivery.reader_failed", format=delivery.format.value)
            return Internal("the reader failed on this content; it is kept and can be replayed", where="reader")

    def _digest_from(self, digest: str, offset: int) -> str:
        return sha256_of(self._objects.stream(digest, offset))

    def _meaning_of(self, digest: str, kind: Format) -> str:
        meaning = self._meanings.get(kind)
        if meaning is None:
            return ""
        try:
            with self._objects.open(digest) as content:
                return meaning(content)
        except Fault:
            return ""
        except Exception:  # as with a reader: what it cannot tell stays another content
            log.exception("delivery.meaning_failed", format=kind.value)
            return ""

    def _keep(self, content: bytes) -> tuple[str, int]:
        with self._objects.spool() as spool:
            _write(spool, content)
            spool.keep()
            return spool.digest, spool.size


def _traced(report: Report, digest: str, recording: EcgRecording) -> Report:
    """The report with its recording, of a study of its own where its source knows none, and with its heart rate."""
    uid = report.study_instance_uid or own_study_instance_uid(report)
    return replace(measured(report, recording), recording=digest, study_instance_uid=uid)


def _nothing() -> Fault:
    return InvalidPayload("expected content, found none")


def _write(spool: Spool, content: bytes) -> None:
    for start in range(0, len(content), _CHUNK):
        spool.write(content[start : start + _CHUNK])
