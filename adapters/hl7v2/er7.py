"""ER7, the pipe notation of HL7 v2: a lossless tokenizer.

What comes in can be written out byte for byte, whatever the terminators, however broken the lines. Fields stay as
sent; escapes are read and components split only where somebody asks, which is what makes it fast.
Source: HL7 v2 chapter 2.5 to 2.7.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from schemas.faults import InvalidPayload

from .charset import Decoded, decode
from .delimiters import Delimiters, declared

NULL = '""'  # "delete what you know", which an empty field does not say

HEADERS = frozenset({"MSH", "FHS", "BHS"})
ENVELOPE = frozenset({"FHS", "BHS", "BTS", "FTS"})
# A line of three letters and nothing else may be a word of somebody's text (CBC): only these are taken as segments.
_BARE = ENVELOPE | {"PID", "PV1", "ORC", "OBR", "OBX", "NTE", "EVN", "SPM", "NK1", "PD1", "SFT", "TQ1", "DSC"}
_MAX_SEGMENTS = 100_000
_MAX_FIELDS = 2_000_000
_LONG = 256 * 1024  # characters of a segment

_PADDING = [""] * 12
_TERMINATOR = re.compile(r"\r\n?|\n")


class Segment:
    """fields[n] is field n as sent, `fields[0]` the name; for MSH, FHS and BHS field 1 is the separator itself.

    end: the terminators that follow it. continued: lines that were no segments were taken as part of it.
    """

    __slots__ = ("_count", "_padded", "continued", "end", "name")

    def __init__(self, name: str, fields: list[str], end: str, *, continued: bool = False) -> None:
        self.name = name
        self.end = end
        self.continued = continued
        self._count = len(fields)
        # A mapping asks for fields that are not there as often as for those that are: neither should cost.
        self._padded = fields + _PADDING

    @property
    def fields(self) -> list[str]:
        return self._padded[: self._count]

    def __getitem__(self, number: int) -> str:
        """Field `number` as sent, empty where the segment is too short."""
        try:
            return self._padded[number]
        except IndexError:
            return ""

    def write(self, separator: str) -> str:
        """The segment as text, without its terminators."""
        if self.name in HEADERS:
            return self.name + self[1] + separator.join(self.fields[2:])
        return separator.join(self.fields)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `lead`: blanks before its first segment. `str()` and `encode()` give back what came in."""

    segments: tuple[Segment, ...]
    delimiters: Delimiters
    decoded: Decoded
    lead: str = ""

    def __str__(self) -> str:
        separator = self.delimiters.field
        return self.lead + "".join([segment.write(separator) + segment.end for segment in self.segments])

    def encode(self) -> bytes:
        """The message as bytes in its own character set."""
        return self.decoded.encode(str(self))

    @property
    def header(self) -> Segment:
        """MSH."""
        return next(segment for segment in self.segments if segment.name == "MSH")


def parse(content: bytes, *, charset: str = "") -> Message:
    """The message that `content` holds, whatever its delimiters and terminators.

    charset: a Python codec that overrides what MSH-18 says. Raises InvalidPayload where there is no usable MSH.
    """
    return tokenize(decode(content, charset=charset))


def tokenize(decoded: Decoded) -> Message:
    """As `parse`, of what is already text."""
    text = decoded.text
    body = text.lstrip(" \t\r\n\ufeff")
    delimiters = declared(_header_line(body))
    if text.count(delimiters.field) > _MAX_FIELDS:
        raise InvalidPayload(f"more than {_MAX_FIELDS} fields in one message")
    separator = delimiters.field
    segments = _plain_segments(body, separator) or tuple(_segments(text, len(text) - len(body), separator))
    if not any(segment.name == "MSH" for segment in segments):
        raise InvalidPayload("expected MSH at the beginning of a line", where="MSH")
    return Message(segments, delimiters, decoded, text[: len(text) - len(body)])


def _header_line(body: str) -> str:
    """The MSH line: the first one, or the first behind the headers of a batch."""
    at = 0
    while body[at : at + 3] in ("FHS", "BHS"):
        terminator = _TERMINATOR.search(body, at)
        at = terminator.end() if terminator else len(body)
        while body[at : at + 1].isspace():
            at += 1
    if body[at : at + 3] != "MSH":
        raise InvalidPayload("expected a message that begins with MSH", where="MSH")
    # Long enough for MSH-2: a message without terminators must not be copied for its first characters.
    return _TERMINATOR.split(body[at : at + 64], maxsplit=1)[0]


def _plain_segments(body: str, separator: str) -> tuple[Segment, ...]:
    """What `_segments` gives, for a short message as the standard has it; nothing for any other."""
    if len(body) > _LONG or "\n" in body or not body.endswith("\r"):
        return ()
    lines = body.split("\r")
    lines.pop()
    if not all(line[3:4] == separator and _is_name(line[:3]) for line in lines):
        return ()
    return tuple([_segment(line, "\r", separator, continued=False) for line in lines])


def _segments(text: str, start: int, separator: str) -> Iterator[Segment]:
    spans = _spans(text, start, separator)
    for number, (begin, stop, continued) in enumerate(spans):
        following = spans[number + 1][0] if number + 1 < len(spans) else len(text)
        end = text[stop:following]
        if stop - begin > _LONG and text[begin : begin + 3] not in HEADERS:
            # A document's line is not copied on its way to its fields.
            yield Segment(text[begin : begin + 3], _cut(text, begin, stop, separator), end, continued=continued)
        else:
            yield _segment(text[begin:stop], end, separator, continued=continued)


def _cut(text: str, begin: int, stop: int, separator: str) -> list[str]:
    """What splitting that part of the text would give."""
    fields = []
    while (at := text.find(separator, begin, stop)) >= 0:
        fields.append(text[begin:at])
        begin = at + 1
    fields.append(text[begin:stop])
    return fields


def _segment(line: str, end: str, separator: str, *, continued: bool) -> Segment:
    name = line[:3]
    if name in HEADERS:
        return Segment(name, [name, line[3:4], *line[4:].split(separator)], end, continued=continued)
    return Segment(name, line.split(separator), end, continued=continued)


def _spans(text: str, start: int, separator: str) -> list[tuple[int, int, bool]]:
    """(begin, stop, continued) of every segment. A line that is no segment goes to the one before it."""
    spans: list[tuple[int, int, bool]] = []
    for begin, stop in _lines(text, start):
        named = text[begin + 3 : begin + 4] == separator and _is_name(text[begin : begin + 3])
        if named or text[begin:stop] in _BARE:
            spans.append((begin, stop, False))
        elif not spans:
            spans.append((begin, stop, True))
        elif not text[begin:stop].isspace() and begin < stop:
            spans[-1] = (spans[-1][0], stop, True)
    if len(spans) > _MAX_SEGMENTS:
        raise InvalidPayload(f"more than {_MAX_SEGMENTS} segments in one message")
    return spans


def _lines(text: str, start: int) -> Iterator[tuple[int, int]]:
    for terminator in _TERMINATOR.finditer(text, start):
        yield start, terminator.start()
        start = terminator.end()
    if start < len(text):
        yield start, len(text)


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isalnum() and name.isupper() and name[0].isalpha()
