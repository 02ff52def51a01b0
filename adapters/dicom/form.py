"""The form of an image's header: all in it that the reading of the image rests on, so that two of one form read alike.

It holds every value that is looked at, every text that is not plain ASCII (the choice of its character set rests on
them all), every sequence, and of each other element its tag and VR. What is unusual has no form. Source: DICOM PS3.5
section 7.
"""

import re
from dataclasses import dataclass
from struct import Struct, error

from .charset import TEXT_VRS
from .meta import PREAMBLE
from .metadata import MAX_INLINE
from .structure import BULK_VRS, ITEM, MAX_VALUE, PIXELS, SEQUENCE_END, UNDEFINED

# Where something stands: its first byte, and the one behind its last.
Place = tuple[int, int]
_UNDEFINED = b"\xff\xff\xff\xff"
_HEAD, _LONG, _ITEM = Struct("<HH2sH"), Struct("<L"), Struct("<HHL")
_META_CLASS, _META_INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010
_CLASS, _INSTANCE, _NUMBER = 0x00080016, 0x00080018, 0x00200013
# Explicit VR little endian, whatever the pixels are compressed by; the others are read in the ordinary way.
_SYNTAXES = re.compile(rb"1\.2\.840\.10008\.1\.2\.(?:1|4\.(?!94|95|204|205)\d+|5)")
_UID = re.compile(rb"[0-9][0-9.]{0,63}")
_DIGITS = re.compile(rb"[0-9]{1,9}")
_ESC = b"\x1b"

# All that the reading of an image looks at, but for times that count only where the study has none.
_GROUPS = {
    0x0008: (0x0005, 0x0016, 0x0020, 0x0030, 0x0050, 0x0060, 0x0090, 0x0201, 0x1030, 0x1032, 0x103E),
    0x0010: (0x0010, 0x0020, 0x0021, 0x0030, 0x0040, 0x1000, 0x1002),
    0x0018: (0x0015,),
    0x0020: (0x000D, 0x000E, 0x0010, 0x0011, 0x0060),
    0x0028: (0x0008, 0x0010, 0x0011, 0x0103),
}
READ = frozenset(group << 16 | number for group, numbers in _GROUPS.items() for number in numbers)
# What is taken from each header itself, and its VR.
OWN = {_CLASS: b"UI", _INSTANCE: b"UI", _NUMBER: b"IS"}
OTHER_TIMES = frozenset({0x00080021, 0x00080022, 0x00080023, 0x0008002A, 0x00080031, 0x00080032, 0x00080033})

_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS SL SS TM UI UL US".split())
_TEXT_VRS = frozenset(vr.encode() for vr in TEXT_VRS)
_BULK_VRS = frozenset(vr.encode() for vr in BULK_VRS)
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_WHOLE_VRS = frozenset(b"SQ SV UN UR UV".split())
_VRS = _SHORT_VRS | _TEXT_VRS | _LONG_VRS
_ITEM_END = b"\xfe\xff\x0d\xe0"
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Form:
    """A header without what may differ within a series, and that: the instance's own UID and number as they stand.

    gaps: where what may differ lies, as (start, end). texts: those of them that hold plain text. own: where the UID
    stands in the file meta and in the data set, and the number.
    """

    pieces: tuple[bytes, ...]
    offset: int
    instance: bytes
    number: bytes
    gaps: tuple[Place, ...] = ()
    texts: tuple[Place, ...] = ()
    own: tuple[Place, ...] = ()


class _Unusual(Exception):
    """To be read in the ordinary way."""


def form_of(data: bytes) -> Form | None:
    """The form of a DICOM file that stands in memory; None for what is to be read in the ordinary way."""
    if not PREAMBLE < len(data) <= MAX_VALUE or data[PREAMBLE - 4 : PREAMBLE] != b"DICM":
        return None
    try:
        meta, offset = _meta(data)
        found = _Found(data)
        found.look(offset)
    except (error, _Unusual):
        return None
    own = {tag: _value(data, place) for tag, place in found.own.items()}
    instance, number = own.get(_INSTANCE, b""), own.get(_NUMBER, b"")
    named = meta.pop(_META_INSTANCE, (0, 0))
    # Sent under its own name and class, which is for the ordinary reading to complain of.
    if not _are_own(instance, _value(data, named), number):
        return None
    syntax = _value(data, meta.get(_SYNTAX, (0, 0)))
    if own.get(_CLASS) != _value(data, meta.get(_META_CLASS, (0, 0))) or not _SYNTAXES.fullmatch(syntax):
        return None
    places = (named, found.own[_INSTANCE], found.own.get(_NUMBER, (0, 0)))
    gaps = (named, *found.gaps)
    return Form((syntax, *found.pieces), offset, instance, number, gaps, tuple(found.texts), places)


def _are_own(instance: bytes, named: bytes, number: bytes) -> bool:
    """Whether an instance's UID is one, and that in its file meta, and its number may be counted with."""
    return bool(_UID.fullmatch(instance)) and instance == named and (not number or bool(_DIGITS.fullmatch(number)))


def _value(data: bytes, place: Place) -> bytes:
    return data[place[0] : place[1]].strip(b" \0")


class Mould:
    """A header that was seen, as a measure for those to come: one that has the same bytes around the same gaps has the
    same form, which is told without a look at its elements.
    """

    def __init__(self, data: bytes, form: Form) -> None:
        self._form = form
        # Compressed pixels have a length of their own in each instance, where they are all that is left.
        last = form.gaps[-1]
        self._open = last[1] == len(data) and data[last[0] - 4 : last[0]] == _UNDEFINED
        self._length = last[0] if self._open else len(data)
        ends = [PREAMBLE - 4, *(end for _, end in form.gaps)]
        starts = [*(start for start, _ in form.gaps), self._length]
        self._spans = [slice(end, start) for end, start in zip(ends, starts, strict=True) if end < start]
        self._same = b"".join([data[span] for span in self._spans])

    def form_of(self, data: bytes) -> Form | None:
        """The form of these bytes; None where they do not fit."""
        if len(data) > MAX_VALUE or (len(data) < self._length if self._open else len(data) != self._length):
            return None
        if b"".join([data[span] for span in self._spans]) != self._same:
            return None
        form = self._form
        said = b"".join([data[start:end] for start, end in form.texts])
        named, instance, number = (_value(data, place) for place in form.own)
        if not said.isascii() or _ESC in said or not _are_own(instance, named, number):
            return None
        if self._open and not _ends(data, self._length):
            return None
        return Form(form.pieces, form.offset, instance, number)


def _ends(data: bytes, start: int) -> bool:
    """Whether the fragments that begin there are all that is left."""
    try:
        return _behind_fragments(data, start) == len(data)
    except (error, _Unusual):
        return False


def _meta(data: bytes) -> tuple[dict[int, Place], int]:
    """Where the UIDs of the file meta stand, and where the data set begins."""
    found: dict[int, Place] = {}
    position = PREAMBLE
    while data[position : position + 2] == b"\2\0":
        tag, vr, start, end = _element(data, position)
        if end < start:
            raise _Unusual
        if vr == b"UI":
            found[tag] = (start, end)
        position = end
    return found, position


def _element(data: bytes, position: int) -> tuple[int, bytes, int, int]:
    """Tag, VR, where the value begins and where it ends: before it begins where its length is undefined."""
    group, number, vr, length = _HEAD.unpack_from(data, position)
    if vr not in _VRS:
        raise _Unusual
    start = position + 8
    if vr in _LONG_VRS:
        (length,) = _LONG.unpack_from(data, start)
        start += 4
        if length == UNDEFINED:
            return group << 16 | number, vr, start, 0
    if start + length > len(data):
        raise _Unusual
    return group << 16 | number, vr, start, start + length


class _Found:
    """The form of a data set as it is gathered."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.pieces: list[bytes] = []
        self.own: dict[int, Place] = {}
        self.gaps: list[Place] = []
        self.texts: list[Place] = []

    def look(self, position: int) -> None:
        """Looks through the elements from there on. Raises _Unusual."""
        data, before = self._data, 0
        while position < len(data):
            tag, vr, start, end = _element(data, position)
            # In order, and none twice.
            if tag <= before or tag & 0xFFFF == 0:
                raise _Unusual
            before = tag
            if end < start:
                end = _end(data, tag, vr, start)
            if tag in OWN:
                if vr != OWN[tag]:
                    raise _Unusual
                self.own[tag] = (start, end)
            said = _said(data, tag, vr, position, start, end)
            self.pieces.append(data[position:said])
            if said < end:
                self.gaps.append((start, end))
                if vr in _TEXT_VRS:
                    self.texts.append((start, end))
            position = end


def _said(data: bytes, tag: int, vr: bytes, position: int, start: int, end: int) -> int:
    """How much of an element, from its position on, belongs to the form."""
    if tag in PIXELS:
        return start
    if tag in READ or vr in _WHOLE_VRS:
        return end
    if vr in _TEXT_VRS:
        value = data[start:end]
        return position + 6 if value.isascii() and _ESC not in value else end
    # What is long is noted by its length.
    return start if vr in _BULK_VRS and end - start > MAX_INLINE else position + 6


def _end(data: bytes, tag: int, vr: bytes, start: int) -> int:
    """Where an element of undefined length ends."""
    if tag in PIXELS:
        return _behind_fragments(data, start)
    if vr != b"SQ":
        raise _Unusual
    return _behind_sequence(data, start)


def _behind_fragments(data: bytes, position: int) -> int:
    while True:
        group, number, length = _ITEM.unpack_from(data, position)
        tag, position = group << 16 | number, position + 8
        if tag == SEQUENCE_END:
            return position
        if tag != ITEM or length == UNDEFINED or position + length > len(data):
            raise _Unusual
        position += length


def _behind_sequence(data: bytes, position: int, depth: int = 0) -> int:
    """Where a sequence of undefined length ends."""
    while True:
        group, number, length = _ITEM.unpack_from(data, position)
        tag, position = group << 16 | number, position + 8
        if tag == SEQUENCE_END:
            return position
        if tag != ITEM or (length != UNDEFINED and position + length > len(data)):
            raise _Unusual
        position = _behind_item(data, position, depth) if length == UNDEFINED else position + length


def _behind_item(data: bytes, position: int, depth: int) -> int:
    if depth > _DEPTH:
        raise _Unusual
    while data[position : position + 4] != _ITEM_END:
        _, vr, start, end = _element(data, position)
        if end < start:
            if vr != b"SQ":
                raise _Unusual
            end = _behind_sequence(data, start, depth + 1)
        position = end
    return position + 8
