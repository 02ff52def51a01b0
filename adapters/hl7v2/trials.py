"""Which fields of a message the mapping uses, found out by trying.

No list is kept of what is mapped: such a list is a second truth, and the first to grow old. Instead the mapping itself
is asked. It reads the message once through segments that note which fields were looked at; a field that nobody looked
at cannot have become anything. Each of the others is then changed, nothing else, and the message is read again: the
field is mapped where a canonical value comes out different, and those values are what it became. A field that was
looked at and passed over (an ORC-3 beside an OBR-3, a time later than the specimen's arrival) changes nothing, and is
not mapped, whatever the code looks like.

In a long message a change is tried on what stands around it: the segments next to it, and the nearest of each kind
above it; where that shows nothing the whole message is read, up to `_WHOLE` segments. All of it is bounded by
`_BUDGET`; fields beyond it are told by their likes (the same field of the same kind of segment), and say so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from schemas.delivery import Reading
from schemas.faults import Fault

from .accounting import Ledger
from .context import Context
from .delimiters import Delimiters
from .effects import effects
from .er7 import Segment
from .reader import interpret

# In segments read; a segment takes 10 to 30 microseconds.
_BUDGET = 8_000
_CHARACTERS_WORTH = 4096  # of content that are as dear as a segment
_SHORT = 24
_WHOLE = 200
_AROUND = 3
_REPEATED = frozenset({"OBX", "NTE"})
# Instead of a code: results corrected, cancelled, preliminary; a section of radiology; a type of value.
_CODES = ("C", "X", "P", "RAD", "ST")
_LONGEST_CODE = 4
_DECISIVE = "message"  # another content would have had the message refused

Effects = tuple[str, ...]


class Watched(Segment):
    """A segment that notes which of its fields were asked for."""

    __slots__ = ("looked_at",)

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.name, segment.fields, segment.end, continued=segment.continued)
        self.looked_at: set[int] = set()

    def __getitem__(self, number: int) -> str:
        self.looked_at.add(number)
        return super().__getitem__(number)

    def write(self, separator: str) -> str:
        # Writing the message down is not reading it.
        return Segment(self.name, super().fields, self.end).write(separator)


@dataclass(frozen=True, slots=True)
class Verdict:
    """looked_at: by the mapping. became: what a change of it changes. like: not tried, told by others of its kind."""

    looked_at: bool
    became: Effects = ()
    like: bool = False


_Field = tuple[int, int]  # index of the segment, number of the field


class Trials:
    """Trials on one message that can be read. `watched`: its segments after the mapping has been through them."""

    def __init__(self, context: Context, watched: list[Watched]) -> None:
        self._context = context
        self._watched = watched
        self._segments = list(context.message.segments)
        self._left = _BUDGET
        self._bases: dict[tuple[int, ...], Reading | None] = {}

    def verdicts(self) -> dict[_Field, Verdict]:
        """The verdict on every valued field; MSH-1 and MSH-2 are nobody's content."""
        found: dict[_Field, Verdict] = {}
        tried: dict[tuple[str, str, int], set[Effects]] = {}
        for place in self._in_turn():
            index, number = place
            if number not in self._watched[index].looked_at:
                found[place] = Verdict(False)
                continue
            likes = tried.setdefault(self._kind(index, number), set())
            became = self._became(index, number) if self._left > 0 else ()
            if became or self._left > 0:
                found[place] = Verdict(True, became)
                likes.add(became)
            else:
                found[place] = Verdict(True, next(iter(likes)) if len(likes) == 1 else (), like=True)
        return found

    def _in_turn(self) -> Iterator[_Field]:
        """One segment of each kind first, so that all others have a like should the budget end."""
        first: dict[tuple[str, ...], int] = {}
        for index, segment in enumerate(self._segments):
            first.setdefault((segment.name, segment[2] if segment.name == "OBX" else ""), index)
        firsts = set(first.values())
        order = sorted(range(len(self._segments)), key=lambda index: (index not in firsts, index))
        for index in order:
            fields = self._segments[index].fields
            start = 3 if self._segments[index].name == "MSH" else 1
            yield from ((index, number) for number in range(start, len(fields)) if fields[number])

    def _kind(self, index: int, number: int) -> tuple[str, str, int]:
        segment = self._segments[index]
        return segment.name, segment[2] if segment.name == "OBX" else "", number

    def _became(self, index: int, number: int) -> Effects:
        near = _near(self._segments, index)
        found = self._tried(near, index, number)
        if not found and len(near) < len(self._segments) <= _WHOLE:
            found = self._tried(tuple(range(len(self._segments))), index, number)
        return found

    def _tried(self, near: tuple[int, ...], index: int, number: int) -> Effects:
        base = self._base(near)
        if base is None:
            return ()
        decisive = False
        content = self._segments[index][number]
        for other in others(content, self._context.message.delimiters):
            if self._left <= 0:
                break
            after = self._read(near, _with(self._segments[index], number, other), index)
            if after is None:
                decisive = True
            elif found := effects(base, after):
                return found
        return (_DECISIVE,) if decisive else ()

    def _base(self, near: tuple[int, ...]) -> Reading | None:
        if near not in self._bases:
            if len(self._bases) > _AROUND:
                self._bases.clear()  # a neighbourhood is not met again once its segment is done
            self._bases[near] = self._read(near)
        return self._bases[near]

    def _read(self, near: tuple[int, ...], changed: Segment | None = None, at: int = -1) -> Reading | None:
        """What these segments say, one of them changed; None where they are refused."""
        segments = tuple(changed if changed and index == at else self._segments[index] for index in near)
        self._left -= len(near) + sum(map(_length, segments)) // _CHARACTERS_WORTH
        message = replace(self._context.message, segments=segments)
        try:
            return interpret(Context(message, self._context.origin, Ledger(message)))
        except Fault:
            return None


def _length(segment: Segment) -> int:
    return sum(map(len, segment.fields))


def _with(segment: Segment, number: int, content: str) -> Segment:
    fields = segment.fields
    fields[number] = content
    return Segment(segment.name, fields, segment.end, continued=segment.continued)


def _near(segments: list[Segment], index: int) -> tuple[int, ...]:
    """Positions of the segments that a change at `index` is tried among."""
    if len(segments) <= _SHORT:
        return tuple(range(len(segments)))
    above: dict[str, int] = {}
    for at in range(index):
        if segments[at].name not in _REPEATED:
            above[segments[at].name] = at
    # An order is told by its results, so that more of what follows counts there.
    after = _AROUND if segments[index].name in _REPEATED else 2 * _AROUND
    around = range(max(0, index - _AROUND), min(len(segments), index + after + 1))
    return tuple(sorted({*above.values(), *around}))


def others(content: str, delimiters: Delimiters) -> Iterable[str]:
    """What could stand there instead: nearly the same, nothing, another code, another end. Each differs from it."""
    head = min((at for mark in delimiters.encoding_characters if (at := content.find(mark)) >= 0), default=len(content))
    found = [_nudged(content[:head]) + content[head:], ""]
    if len(content) <= _LONGEST_CODE:
        found += _CODES
    found.append(_nudged(content))
    return [each for each in dict.fromkeys(found) if each != content]


def _nudged(text: str) -> str:
    """The text with its last letter or digit replaced by the next one."""
    for at in range(len(text) - 1, -1, -1):
        if text[at].isalnum():
            return text[:at] + _next(text[at]) + text[at + 1 :]
    return text


def _next(character: str) -> str:
    if character in "9zZ":
        return {"9": "0", "z": "a", "Z": "A"}[character]
    following = chr(ord(character) + 1)
    return following if following.isalnum() else "甲" if character != "甲" else "乙"
