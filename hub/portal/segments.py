"""A message as a person looks at it: its lines as they came, and what became of every segment and field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.accounts import Examined, Fate, FieldAccount, MessageAccount, SegmentAccount
from schemas.places import Place, place_of

from .canonical_names import value_name
from .hl7_names import SEGMENTS, field_name

# Of one field, and of segments in which nothing is to be looked at: a page must open at once.
_LONGEST = 400
_MOST_SEGMENTS = 300
_ORDER = {Fate.FLAGGED: 0, Fate.KEPT: 1, Fate.MAPPED: 2}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. `marked`: a fault or a flag stands here."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field: number, standard name (msgid, perhaps empty), content, and what became of it (msgids)."""

    number: int
    name: str
    content: tuple[Piece, ...]
    fate: Fate
    became: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment. `title`: its standard name (msgid, perhaps empty)."""

    place: str
    title: str
    fate: Fate
    reasons: tuple[str, ...]
    fields: tuple[FieldRow, ...]
    line: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a delivery. `lines`: its segments as they came; `rows`: flagged ones first; `hidden`: left out.

    sums: how many segments had which fate.
    """

    number: int
    account: MessageAccount
    sums: dict[Fate, int]
    lines: tuple[SegmentRow, ...]
    rows: tuple[SegmentRow, ...]
    hidden: int

    @property
    def refused(self) -> bool:
        return bool(self.account.category)


def views(examined: Examined) -> tuple[MessageView, ...]:
    """The messages of a delivery, in their order."""
    parts = zip(examined.accounts, examined.texts, examined.components, strict=True)
    return tuple(_view(number, *each) for number, each in enumerate(parts, 1))


def _view(number: int, account: MessageAccount, texts: tuple[tuple[str, ...], ...], component: str) -> MessageView:
    where = place_of(account.where)
    rows = [_row(each, text, where, component) for each, text in zip(account.segments, texts, strict=True)]
    separator = next((text[1] for text in texts if text[0] == "MSH" and len(text) > 1), "|")
    rows = [replace(row, line=tuple(_line(row, text, separator))) for row, text in zip(rows, texts, strict=True)]
    sums = {fate: sum(row.fate is fate for row in rows) for fate in Fate}
    ordered = sorted(rows, key=lambda row: _ORDER[row.fate])
    # Whatever is flagged is shown; of the rest, as many as a page can bear.
    shown = max(_MOST_SEGMENTS, sums[Fate.FLAGGED])
    return MessageView(
        number, account, sums, tuple(rows[:_MOST_SEGMENTS]), tuple(ordered[:shown]), max(0, len(rows) - shown)
    )


def _row(account: SegmentAccount, text: Sequence[str], where: Place, component: str) -> SegmentRow:
    at_fault = where if where.is_at(account.name, account.occurrence) else Place()
    fields = tuple(_field(account.name, each, text, at_fault, component) for each in account.fields)
    title = SEGMENTS.get(account.name, "")
    return SegmentRow(account.place, title, account.fate, account.reasons, fields, ())


def _field(segment: str, account: FieldAccount, text: Sequence[str], at_fault: Place, component: str) -> FieldRow:
    content = text[account.number] if account.number < len(text) else ""
    became = tuple(dict.fromkeys(value_name(each) for each in account.became))
    marked = at_fault.component if at_fault.field == account.number else 0
    flagged = account.fate is Fate.FLAGGED
    pieces = tuple(_component(content, marked, component)) if marked else (Piece(_cut(content), flagged),)
    return FieldRow(account.number, field_name(segment, account.number), pieces, account.fate, became, account.reason)


def _component(content: str, number: int, component: str) -> Iterator[Piece]:
    """The field with one component marked; the whole of it where it has no such component."""
    parts = content.split(component)
    if number > len(parts):
        yield Piece(_cut(content), marked=True)
        return
    before, after = parts[: number - 1], parts[number:]
    yield Piece(_cut(component.join([*before, ""])))
    yield Piece(_cut(parts[number - 1]), marked=True)
    yield Piece(_cut(component.join(["", *after])))


def _line(row: SegmentRow, text: Sequence[str], separator: str) -> Iterator[Piece]:
    """The segment as it came, with what is flagged marked. MSH-1 is the separator itself."""
    told = {field.number: field for field in row.fields}
    missing = any(field.number >= len(text) and field.fate is Fate.FLAGGED for field in row.fields)
    whole = row.fate is Fate.FLAGGED and not any(field.fate is Fate.FLAGGED for field in row.fields)
    yield Piece(text[0], marked=missing or whole)
    for number, content in enumerate(text[1:], 1):
        if number == 1 and text[0] in ("MSH", "FHS", "BHS"):
            continue
        yield Piece(separator)
        if number in told and told[number].fate is Fate.FLAGGED:
            yield from told[number].content
        elif content:
            yield Piece(_cut(content))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
