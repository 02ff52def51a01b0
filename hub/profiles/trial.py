"""Reading without keeping: previews of what waits, and test messages of a vendor."""

import datetime as dt
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from hub.vocabulary import Sent, foreign
from schemas.accounts import Examine, Examined
from schemas.codes import Coding
from schemas.conformance import Conformance
from schemas.delivery import Channel, Format, Origin, PatientHint, Read, Reading
from schemas.faults import Fault, Internal, UnsupportedPayload
from schemas.mapping import Concepts, MappingKind
from schemas.organization import Source

log = structlog.get_logger()
_HEAD = 4096
# Stands for a sender that is not registered yet; identifiers without an authority are shown under this one.
_NOBODY = Source(0, "NEW", "NEW", "NEW")


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code or unit of the message that means something to its sender alone."""

    kind: MappingKind
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a test message amounts to: either `reading` or `fault`, what strictness says, and what would be unmapped.

    examined: what became of every field, where the format's adapter can say.
    """

    format: Format
    reading: Reading | None
    fault: Fault | None
    conformance: Conformance | None
    unmapped: tuple[Unmapped, ...]
    examined: Examined | None = None


class Reader:
    """The hub's readers, asked without consequences."""

    def __init__(
        self,
        readers: Mapping[Format, Read],
        sniff: Callable[[bytes], Format],
        strict: Mapping[Format, Callable[[bytes], Conformance]],
        examiners: Mapping[Format, Examine],
    ) -> None:
        self._readers = readers
        self._sniff = sniff
        self._strict = strict
        self._examiners = examiners

    def read(
        self, content: BinaryIO, source: Source, kind: Format, received_at: dt.datetime, hint: PatientHint | None = None
    ) -> tuple[Format, Reading | Fault]:
        """The format, and what the content says when it comes from this source, or why it cannot be read."""
        if kind not in self._readers:
            kind = self._sniff(content.read(_HEAD))
            content.seek(0)
        reader = self._readers.get(kind)
        if reader is None:
            return kind, UnsupportedPayload("the content is of no kind that this hub reads")
        try:
            return kind, reader(content, Origin(source, Channel.UPLOAD, received_at, hint=hint))
        except Fault as fault:
            return kind, fault
        except Exception:  # a reader's bug is an answer too: whoever asks what would become of it must get one
            log.exception("preview.reader_failed", format=kind.value)
            return kind, Internal("the reader failed on this content", where="reader")

    def account(
        self, content: bytes, source: Source, kind: Format, received_at: dt.datetime, hint: PatientHint | None = None
    ) -> Examined | None:
        """What became of every field, as it is read from this source."""
        examine = self._examiners.get(kind)
        return examine(content, Origin(source, Channel.UPLOAD, received_at, hint=hint)) if examine else None

    def examine(self, content: bytes, source: Source | None, known: Concepts) -> Trial:
        """All that can be said of a content without keeping it. `known`: what is mapped already."""
        now, sender = dt.datetime.now(dt.UTC), source or _NOBODY
        kind, outcome = self.read(io.BytesIO(content), sender, Format.UNKNOWN, now)
        strict = self._strict.get(kind)
        reading, fault = (None, outcome) if isinstance(outcome, Fault) else (outcome, None)
        return Trial(
            kind,
            reading,
            fault,
            strict(content) if strict else None,
            _unmapped(reading, known) if reading else (),
            self.account(content, sender, kind, now),
        )


def _unmapped(reading: Reading, known: Concepts) -> tuple[Unmapped, ...]:
    found: dict[Sent, str] = {}
    for sent, display in foreign(reading.reports):
        kind, system, code = sent
        coding = Coding(code, system=system)
        meant = known.of(coding) if kind is MappingKind.CODE else known.of_unit(system, code)
        if meant is None:
            found.setdefault(sent, display)
    return tuple(Unmapped(kind, code, display) for (kind, _, code), display in found.items())
