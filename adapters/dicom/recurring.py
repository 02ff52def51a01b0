"""Instances of a series say nearly the same: what one has said is not read once more from the next.

The header's form is everything that the reading of an image rests on: every value that is looked at, every text that
is not plain ASCII (the choice of its character set rests on them all), every sequence, and of each other element its
tag and VR. Two headers of the same form read alike but for their own UID and number. Whatever is unusual has no form
and is read in the ordinary way, as is the first of its form. Source: DICOM PS3.5 section 7.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from struct import Struct, error
from typing import BinaryIO

from schemas.delivery import Origin, Read, Reading
from schemas.study import Instance

from .charset import TEXT_VRS
from .meta import PREAMBLE
from .metadata import MAX_INLINE
from .structure import BULK_VRS, ITEM, MAX_VALUE, PIXELS, SEQUENCE_END, UNDEFINED

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
# So many are remembered: more than are sent at any moment.
_FORMS = 256


@dataclass(frozen=True, slots=True)
class Form:
    """A header without what may differ within a series, and that: the instance's own UID and number as they stand."""

    pieces: tuple[bytes, ...]
    offset: int
    instance: bytes
    number: bytes


class _Unusual(Exception):
    """To be read in the ordinary way."""


class Recurring:
    """Reads with `read`, and what comes again in the same form without it. stable: whether that is right for all."""

    def __init__(self, read: Read, stable: Callable[[Reading, Origin], bool]) -> None:
        self._read = read
        self._stable = stable
        self._known: dict[object, Reading] = {}

    def __call__(self, content: BinaryIO, origin: Origin) -> Reading:
        """As `read` does. Raises Faults only."""
        data = content.getvalue() if isinstance(content, io.BytesIO) else b""
        form = form_of(data)
        if form is None:
            return self._read(content, origin)
        source = origin.source
        key = (form.pieces, source.authority, source.charset, source.time_zone, source.organization)
        known = self._known.get(key)
        if known is not None:
            return replace(known, instances=(_another(known.instances[0], form),))
        found = self._read(content, origin)
        if self._stable(found, origin):
            if len(self._known) >= _FORMS:
                self._known.pop(next(iter(self._known)), None)
            self._known[key] = found
        return found


def _another(instance: Instance, form: Form) -> Instance:
    return Instance(
        study=instance.study,
        series=instance.series,
        sop_instance_uid=form.instance.decode("ascii"),
        sop_class_uid=instance.sop_class_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        # Nobody asks for it unless something is stored under the same UID already.
        data_set_digest="",
        data_set_offset=form.offset,
        instance_number=int(form.number) if form.number else None,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.frames,
    )


def form_of(data: bytes) -> Form | None:
    """The form of a DICOM file that stands in memory; None for what is to be read in the ordinary way."""
    if not PREAMBLE < len(data) <= MAX_VALUE or data[PREAMBLE - 4 : PREAMBLE] != b"DICM":
        return None
    try:
        meta, offset = _meta(data)
        pieces, own = _pieces(data, offset)
    except (error, _Unusual):
        return None
    instance, number = own.get(_INSTANCE, b""), own.get(_NUMBER, b"")
    # Sent under its own name and class, which is for the ordinary reading to complain of.
    if not _UID.fullmatch(instance) or instance != meta.get(_META_INSTANCE) or own.get(_CLASS) != meta.get(_META_CLASS):
        return None
    if not _SYNTAXES.fullmatch(meta.get(_SYNTAX, b"")) or (number and not _DIGITS.fullmatch(number)):
        return None
    return Form((meta[_SYNTAX], *pieces), offset, instance, number)


def _meta(data: bytes) -> tuple[dict[int, bytes], int]:
    """The UIDs of the file meta, and where the data set begins."""
    found: dict[int, bytes] = {}
    position = PREAMBLE
    while data[position : position + 2] == b"\2\0":
        tag, vr, start, end = _element(data, position)
        if end < start:
            raise _Unusual
        if vr == b"UI":
            found[tag] = data[start:end].strip(b" \0")
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


def _pieces(data: bytes, position: int) -> tuple[list[bytes], dict[int, bytes]]:
    """The form of a data set, and the values of its class, its UID and its number."""
    pieces: list[bytes] = []
    own: dict[int, bytes] = {}
    before, size = 0, len(data)
    while position < size:
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
            own[tag] = data[start:end].strip(b" \0")
        pieces.append(data[position : _said(data, tag, vr, position, start, end)])
        position = end
    return pieces, own


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
