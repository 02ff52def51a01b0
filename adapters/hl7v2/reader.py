"""HL7 v2 content to canonical values: one message, a batch, or a recorded stream of frames."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from schemas.delivery import Accounting, Origin, Reading
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from schemas.organization import Source

from . import repairs
from .accounting import Ledger
from .batch import pieces
from .charset import decode
from .context import Context
from .er7 import ENVELOPE, Message, parse, tokenize
from .kinds import KINDS

_LARGE = 1 << 20  # characters


def read(content: BinaryIO, origin: Origin) -> Reading:
    """All that the messages in `content` say. Of several, one that cannot be read is noted and the others count.

    Raises the fault of the first where none can be read.
    """
    found = pieces(content.read())
    if not found:
        raise InvalidPayload("expected a message, found an empty one", where="MSH")
    if len(found) == 1:
        return read_message(found[0], origin)
    readings: list[Reading] = []
    faults: list[Fault] = []
    for number, each in enumerate(found, 1):
        try:
            readings.append(read_message(each, origin))
        except Fault as fault:
            faults.append(fault)
            # Of a message that cannot be read we know no segments: it counts as one part.
            note = f"message {number}: {fault}"
            readings.append(Reading(refused=(each,), accounting=Accounting(1, 0, 0, 1, (note,))))
    if len(faults) == len(found):
        raise faults[0]
    return _together(readings)


def read_message(content: bytes, origin: Origin) -> Reading:
    """What one message says. Raises InvalidPayload where it cannot be read, UnsupportedPayload for other kinds."""
    context = opened(content, origin)
    return replace(interpret(context), accounting=context.ledger.account())


def opened(content: bytes, origin: Origin) -> Context:
    """A message, tokenized and with the repairs of its source's profile, before anything is made of it."""
    message, repaired = _parsed(content, origin.source)
    ledger = Ledger(message)
    for index, field, repair in repaired:
        ledger.kept(
            index, f"field {field} read with the repair {repair}" if field else f"read with the repair {repair}"
        )
    return Context(message, origin, ledger)


def interpret(context: Context) -> Reading:
    """What an opened message says; its accounting stays with the ledger. Raises as `read_message`."""
    kind = _kind(context)
    _account_for_frame(context)
    return kind(context)


def _parsed(content: bytes, source: Source) -> tuple[Message, tuple[repairs.Note, ...]]:
    """The message, and which of the repairs that the source's profile names changed something in it."""
    if not source.repairs:
        return _readable(parse(content, charset=source.charset)), ()
    decoded, in_text = repairs.of_text(decode(content, charset=source.charset), source)
    message, in_segments = repairs.of_segments(_readable(tokenize(decoded)), source)
    return message, in_text + in_segments


def _readable(message: Message) -> Message:
    """The message in characters that databases and documents can hold; the bytes as sent are kept elsewhere."""
    decoded = message.decoded
    if decoded.clean and "\0" not in decoded.text:
        # The fields hold all of it: beside them a document would be there twice, at up to four bytes a character.
        return message if len(decoded.text) < _LARGE else replace(message, decoded=replace(decoded, text=""))
    text = decoded.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    return tokenize(replace(decoded, text=text))


def _kind(context: Context) -> Callable[[Context], Reading]:
    header = context.message.header
    code, trigger = context.first(header, 9), context.first(header, 9, 2)
    if not code:
        raise InvalidPayload("expected a message type, found none", where="MSH-9")
    if (code, trigger) not in KINDS:
        raise UnsupportedPayload(f"messages of type {_safe(code)}^{_safe(trigger)} are not taken", where="MSH-9")
    return KINDS[code, trigger]


def _safe(word: str) -> str:
    return word if word.isascii() and word.isalnum() and len(word) <= 4 else "?"


def _account_for_frame(context: Context) -> None:
    """MSH and the envelope of a batch; doubts about the character set belong to MSH-18."""
    for index, segment in enumerate(context.message.segments):
        if segment.name == "MSH":
            context.ledger.mapped(index)
            if context.message.decoded.doubt:
                context.ledger.flagged(index, 18, context.message.decoded.doubt)
        elif segment.name in ENVELOPE:
            context.ledger.kept(index, "envelope of a batch")
        if segment.continued and segment.name != "OBX":
            context.ledger.flagged(index, 0, "holds lines that are no segments")


def _together(readings: list[Reading]) -> Reading:
    parts = [reading.accounting for reading in readings]
    return Reading(
        reports=tuple(chain.from_iterable(reading.reports for reading in readings)),
        patients=tuple(chain.from_iterable(reading.patients for reading in readings)),
        update=any(reading.update for reading in readings),
        merges=tuple(chain.from_iterable(reading.merges for reading in readings)),
        orders=tuple(chain.from_iterable(reading.orders for reading in readings)),
        recordings=tuple(chain.from_iterable(reading.recordings for reading in readings)),
        parts=tuple(dict.fromkeys(chain.from_iterable(reading.parts for reading in readings))),
        refused=tuple(chain.from_iterable(reading.refused for reading in readings)),
        accounting=Accounting(
            total=sum(part.total for part in parts),
            mapped=sum(part.mapped for part in parts),
            kept=sum(part.kept for part in parts),
            flagged=sum(part.flagged for part in parts),
            notes=tuple(chain.from_iterable(part.notes for part in parts)),
        ),
    )
