"""Repairs that a sender's profile may ask for: what real systems get wrong in a way that no reader can guess safely.

Each is named, does one thing, and leaves alone what does not look as it expects. They change what is read, never the
bytes that are kept.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from schemas.organization import Source

from .charset import Decoded
from .er7 import Message, Segment
from .repaired_times import as_displayed, day_first


class Change(NamedTuple):
    """What a field is to be read as. `segment`: its position in the message, from 0."""

    segment: int
    field: int
    text: str


class Note(NamedTuple):
    """Which repair changed which field (0: the whole) of which segment."""

    segment: int
    field: int
    repair: str


_STANDARD = "^~\\&"
_HEADER = re.compile(r"(?m)^(\s*MSH)([^\w\s])([^\r\n]*)")


def standard_encoding_characters(text: str) -> str:
    """MSH-2 is empty or nonsense, while the message is written with the standard's own."""

    def restored(header: re.Match[str]) -> str:
        name, separator, rest = header.groups()
        _, found, fields = rest.partition(separator)
        return f"{name}{separator}{_STANDARD}{found}{fields}"

    return _HEADER.sub(restored, text)


def _encoding_characters(decoded: Decoded) -> Decoded:
    return replace(decoded, text=standard_encoding_characters(decoded.text))


def _encoded_twice(decoded: Decoded) -> Decoded:
    """An interface engine took UTF-8 or GB 18030 for Western European text and encoded it once more."""
    content = bytearray()
    for character in decoded.text:
        if character < "\u0100":
            content.append(ord(character))
            continue
        try:
            content += character.encode("cp1252")
        except UnicodeEncodeError:
            return decoded
    for codec in ("utf-8", "gb18030"):
        try:
            return Decoded(content.decode(codec), codec, doubt=decoded.doubt)
        except UnicodeDecodeError:
            continue
    return decoded


def _given_name_first(message: Message) -> Iterator[Change]:
    """PID-5 holds the given name first: 芳^王 is 王芳."""
    delimiters = message.delimiters
    for index, segment in _named(message, "PID"):
        names = []
        for repetition in delimiters.split(segment[5], delimiters.repetition):
            parts = delimiters.split(repetition, delimiters.component)
            if len(parts) > 1 and parts[0] and parts[1]:
                parts[:2] = parts[1], parts[0]
            names.append(delimiters.component.join(parts))
        yield Change(index, 5, delimiters.repetition.join(names))


def _sex_by(codes: Mapping[str, str]) -> Callable[[Message], Iterator[Change]]:
    def repair(message: Message) -> Iterator[Change]:
        for index, segment in _named(message, "PID"):
            if meant := codes.get(segment[8].strip()):
                yield Change(index, 8, meant)

    return repair


# Every time and date that is read, by segment; OBX-5 where OBX-2 says so.
_TIMES = MappingProxyType(
    {
        "MSH": (7,),
        "EVN": (2, 6),
        "PID": (7, 29),
        "PV1": (44, 45),
        "ORC": (9, 15),
        "OBR": (6, 7, 8, 14, 22),
        "OBX": (14, 19),
        "SPM": (17, 18),
        "TXA": (4, 6, 7, 8),
    }
)
_TIME_TYPES = frozenset({"DT", "TS", "DTM"})


def _times(read: Callable[[str], str]) -> Callable[[Message], Iterator[Change]]:
    def repair(message: Message) -> Iterator[Change]:
        component = message.delimiters.component
        for index, segment in enumerate(message.segments):
            fields = _TIMES.get(segment.name, ())
            if segment.name == "OBX" and segment[2] in _TIME_TYPES:
                fields = (*fields, 5)
            for number in fields:
                if segment[number]:
                    parts = message.delimiters.split(segment[number], component)
                    yield Change(index, number, component.join(read(part) or part for part in parts))

    return repair


_NUMBER = r"[<>≤≥]?=?\s*[+-]?\d+(?:\.\d+)?"
_FLAGGED = re.compile(rf"({_NUMBER})\s*(↑{{1,2}}|↓{{1,2}}|HH|LL|H|L|偏高|偏低|\*)", re.ASCII)
# 5.6 mmol/L, 12%, 3.4 10*9/L; a word in Han characters is a judgement, not a unit.
_WITH_UNIT = re.compile(rf"({_NUMBER})(?:\s*([A-Za-zμµ%‰][^\s^~|]*)|\s+(10[*^\\][^\s~|]*))", re.ASCII)
_PLAIN_TYPES = frozenset({"", "NM", "ST", "SN"})


def _flag_behind_value(message: Message) -> Iterator[Change]:
    """OBX-5 holds number and flag (`12.5↑`, `3.1 L`), OBX-8 is empty."""
    for index, obx in _named(message, "OBX"):
        if obx[2] in _PLAIN_TYPES and (found := _FLAGGED.fullmatch(obx[5].strip())):
            yield Change(index, 2, "NM")
            yield Change(index, 5, found[1])
            yield Change(index, 8, obx[8] or found[2])


def _unit_behind_value(message: Message) -> Iterator[Change]:
    """OBX-5 holds number and unit (`5.6 mmol/L`), OBX-6 is empty."""
    for index, obx in _named(message, "OBX"):
        found = None if obx[6] or obx[2] not in _PLAIN_TYPES else _WITH_UNIT.fullmatch(obx[5].strip())
        if found:
            yield Change(index, 2, "NM")
            yield Change(index, 5, found[1])
            yield Change(index, 6, found[2] or found[3])


def _final_when_unsaid(message: Message) -> Iterator[Change]:
    """Neither OBR-25 nor any OBX-11 says a status: this sender sends released results only."""
    waiting: int | None = None
    for index, segment in enumerate(message.segments):
        if segment.name == "OBR":
            if waiting is not None:
                yield Change(waiting, 25, "F")
            waiting = None if segment[25] else index
        elif segment.name == "OBX" and segment[11]:
            waiting = None
    if waiting is not None:
        yield Change(waiting, 25, "F")


def _code_in_sub_id(message: Message) -> Iterator[Change]:
    """OBX-3 holds a channel number, which changes with the analyser's set-up, and OBX-4 the code."""
    for index, obx in _named(message, "OBX"):
        if obx[3].isdecimal() and obx[4] and not obx[4].isdecimal():
            yield Change(index, 3, obx[4])
            yield Change(index, 4, obx[3])


def _named(message: Message, name: str) -> Iterator[tuple[int, Segment]]:
    return ((index, segment) for index, segment in enumerate(message.segments) if segment.name == name)


# In the order in which they are applied: characters before segments, codes before values.
_TEXTS: Mapping[str, Callable[[Decoded], Decoded]] = MappingProxyType(
    {"text-encoded-twice": _encoded_twice, "standard-encoding-characters": _encoding_characters}
)
_SEGMENTS: Mapping[str, Callable[[Message], Iterator[Change]]] = MappingProxyType(
    {
        "given-name-first": _given_name_first,
        "sex-0-male-1-female": _sex_by({"0": "M", "1": "F"}),
        "sex-0-female-1-male": _sex_by({"0": "F", "1": "M"}),
        "times-as-displayed": _times(as_displayed),
        "times-day-first": _times(day_first),
        "code-in-sub-id": _code_in_sub_id,
        "flag-behind-value": _flag_behind_value,
        "unit-behind-value": _unit_behind_value,
        "final-when-unsaid": _final_when_unsaid,
    }
)
REPAIRS: tuple[str, ...] = (*_TEXTS, *_SEGMENTS)


def of_text(decoded: Decoded, source: Source) -> tuple[Decoded, tuple[Note, ...]]:
    """A message before it is split, as the source's profile has it read, and what was changed for that."""
    notes = []
    for name, repair in _TEXTS.items():
        if name in source.repairs:
            repaired = repair(decoded)
            if repaired.text != decoded.text:
                notes.append(Note(0, 2 if repair is _encoding_characters else 0, name))
            decoded = repaired
    return decoded, tuple(notes)


def of_segments(message: Message, source: Source) -> tuple[Message, tuple[Note, ...]]:
    """The same for a message that is split into segments."""
    notes: list[Note] = []
    for name, repair in _SEGMENTS.items():
        if name in source.repairs:
            message, made = _changed(message, repair(message))
            notes += [Note(index, field, name) for index, field in made]
    return message, tuple(notes)


def _changed(message: Message, changes: Iterator[Change]) -> tuple[Message, list[tuple[int, int]]]:
    segments = list(message.segments)
    made = []
    for index, number, text in changes:
        segment = segments[index]
        if segment[number] == text:
            continue
        fields = segment.fields + [""] * (number + 1 - len(segment.fields))
        fields[number] = text
        segments[index] = Segment(segment.name, fields, segment.end, continued=segment.continued)
        made.append((index, number))
    return replace(message, segments=tuple(segments)), made
