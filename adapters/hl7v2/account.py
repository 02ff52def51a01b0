"""What became of every segment and every valued field of a content, made when somebody asks.

Segments and their reasons come from the ledger that the mapping itself keeps; fields from trials on the mapping (see
trials). Neither is a list of what ought to be mapped, so neither can say more than is true.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from schemas.accounts import Examined, Fate, FieldAccount, MessageAccount, SegmentAccount
from schemas.delivery import Origin
from schemas.faults import Fault, InvalidPayload
from schemas.places import Place, place_of

from .accounting import Note, printable
from .batch import pieces
from .context import Context
from .er7 import ENVELOPE, Message, Segment
from .header import Header, header
from .reader import interpret, opened
from .trials import Trials, Verdict, Watched

# How the header is used beside the mapping: to answer, and to know who sends what.
_OF_HEADER = {"sending_facility": "delivery.source", "control_id": "delivery.message_id"}
_KEPT = "nothing in the report is made of it; kept as sent"
_PASSED_OVER = "looked at, and changes nothing in the report; kept as sent"
_TOO_LONG = "the message is too long to try each field; told by others of its kind"
_REFUSED = "the message was refused; kept as sent"
_EMPTIED = 'says "delete" (""), and there was nothing to take away'
_MARKS = {1: "message.delimiters", 2: "message.delimiters"}


def examine(content: bytes, origin: Origin) -> Examined:
    """See schemas.accounts.Examine."""
    found = pieces(content)
    examined = [_message(each, origin) for each in found] or [_nothing("expected a message, found an empty one")]
    return Examined(
        tuple(each.account for each in examined),
        tuple(each.texts for each in examined),
        tuple(each.component for each in examined),
    )


@dataclass(frozen=True, slots=True)
class _Message:
    account: MessageAccount
    texts: tuple[tuple[str, ...], ...] = ()
    component: str = "^"


def _nothing(text: str) -> _Message:
    fault = InvalidPayload(text, where="MSH")
    return _Message(MessageAccount((), fault.category.value, fault.text, fault.where))


def _message(content: bytes, origin: Origin) -> _Message:
    try:
        context = opened(content, origin)
    except Fault as fault:
        return _Message(MessageAccount((), fault.category.value, fault.text, fault.where))
    message = context.message
    watched = [Watched(segment) for segment in message.segments]
    context = replace(context, message=replace(message, segments=tuple(watched)))
    try:
        interpret(context)
        account = _taken(replace(context, message=message), watched)
    except Fault as fault:
        account = _refused(replace(context, message=message), fault)
    return _Message(account, tuple(tuple(each.fields) for each in message.segments), message.delimiters.component)


def _taken(context: Context, watched: list[Watched]) -> MessageAccount:
    verdicts = Trials(replace(context, parts=[]), watched).verdicts()
    segments = []
    for index, segment, occurrence in _numbered(context.message):
        notes = context.ledger.notes(index)
        # A doubt may be about a field that is missing: a value type, a character set.
        numbers = sorted({*_valued(segment), *(field for field, _ in notes if field)})
        told = tuple(_field(number, verdicts.get((index, number)), notes, segment, context) for number in numbers)
        reasons = tuple(reason for field, reason in notes if not field)
        segments.append(SegmentAccount(printable(segment.name), occurrence, context.ledger.fate(index), reasons, told))
    return MessageAccount(tuple(segments))


def _field(number: int, verdict: Verdict | None, notes: list[Note], segment: Segment, context: Context) -> FieldAccount:
    became = verdict.became if verdict else ()
    if segment.name == "MSH":
        became = (*became, *_of_header(number, context))
    flags = [reason for field, reason in notes if field == number]
    if flags:
        return FieldAccount(number, Fate.FLAGGED, became, "; ".join(flags))
    if became:
        return FieldAccount(number, Fate.MAPPED, became, _TOO_LONG if verdict and verdict.like else "")
    if verdict is None or not verdict.looked_at:
        envelope = segment.name in ENVELOPE
        return FieldAccount(number, Fate.KEPT, (), "envelope of a batch" if envelope else _KEPT)
    if verdict.like:
        return FieldAccount(number, Fate.KEPT, (), _TOO_LONG)
    return FieldAccount(number, Fate.KEPT, (), _EMPTIED if segment[number] == '""' else _PASSED_OVER)


def _of_header(number: int, context: Context) -> tuple[str, ...]:
    """What a field of MSH becomes beside the mapping; found out by leaving it away."""
    if number in _MARKS:
        return (_MARKS[number],)
    message = context.message
    if number == 18:
        return () if message.decoded.doubt else ("message.charset",)
    before, after = _header(message), _header(message, without=number)
    names = (field.name for field in fields(Header) if getattr(before, field.name) != getattr(after, field.name))
    return tuple(_OF_HEADER.get(name, f"acknowledgement.{name}") for name in names)


def _header(message: Message, without: int = 0) -> Header:
    sent = message.header.fields
    # A second MSH of the same message may be longer than the first.
    if 0 < without < len(sent):
        sent[without] = ""
    return header(Segment("MSH", sent, "\r").write(message.delimiters.field).encode("utf-8", "replace"))


def _refused(context: Context, fault: Fault) -> MessageAccount:
    """Nothing became anything: all is kept, and the fault stands at its place."""
    where = place_of(fault.where)
    segments = []
    for index, segment, occurrence in _numbered(context.message):
        notes = [note for note in context.ledger.notes(index) if context.ledger.fate(index) is Fate.FLAGGED]
        if where.is_at(segment.name, occurrence):
            notes.append((where.field, fault.text))
        told = tuple(_refused_field(number, notes) for number in _noted(segment, where, occurrence))
        reasons = tuple(reason for field, reason in notes if not field) or (() if notes else (_REFUSED,))
        fate = Fate.FLAGGED if notes else Fate.KEPT
        segments.append(SegmentAccount(printable(segment.name), occurrence, fate, reasons, told))
    return MessageAccount(tuple(segments), fault.category.value, fault.text, fault.where)


def _refused_field(number: int, notes: list[Note]) -> FieldAccount:
    flags = [reason for field, reason in notes if field == number]
    return FieldAccount(number, Fate.FLAGGED if flags else Fate.KEPT, (), "; ".join(flags) or _REFUSED)


def _noted(segment: Segment, where: Place, occurrence: int) -> list[int]:
    """The valued fields, and the one at which the fault stands, which may be missing."""
    at_fault = {where.field} if where.field and where.is_at(segment.name, occurrence) else set()
    return sorted({*_valued(segment), *at_fault})


def _valued(segment: Segment) -> list[int]:
    return [number for number, content in enumerate(segment.fields) if number and content]


def _numbered(message: Message) -> Iterator[tuple[int, Segment, int]]:
    seen: dict[str, int] = {}
    for index, segment in enumerate(message.segments):
        seen[segment.name] = seen.get(segment.name, 0) + 1
        yield index, segment, seen[segment.name]
