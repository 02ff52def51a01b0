"""What is made of an instance's header for those who will ask for it. Source: DICOM PS3.18 annex F, PS3.5 annex A."""

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from .delivery import Accounting

_NATIVE, _ENCAPSULATED = b"N", b"E"
_ROW = struct.Struct("<3Q")
_PAIR = struct.Struct("<2Q")
_ITEM = struct.Struct("<2L")
_ITEM_TAG = 0xE000FFFE


@dataclass(frozen=True, slots=True)
class Frames:
    """Where the frames of an instance lie in its stored object, as bytes that a row can hold.

    Native frames: the offset of the first, the length of each, their number. Encapsulated: for each frame the offset
    and length of its fragments together with the items around them. Empty where nobody can tell: deflated, frames
    that begin within a byte, fragments that belong to no known frame.
    """

    table: bytes = b""

    @classmethod
    def native(cls, offset: int, length: int, number: int) -> "Frames":
        """Frames of one length, one behind the other."""
        return cls(_NATIVE + _ROW.pack(offset, length, number))

    @classmethod
    def encapsulated(cls, ranges: list[tuple[int, int]]) -> "Frames":
        """Each frame's (offset, length) in the object, its items included."""
        flat = array("Q", (number for each in ranges for number in each))
        if struct.pack("=L", 1) != struct.pack("<L", 1):
            flat.byteswap()
        return cls(_ENCAPSULATED + flat.tobytes())

    def __len__(self) -> int:
        """How many frames are noted."""
        if self.table[:1] == _NATIVE:
            return int(_ROW.unpack_from(self.table, 1)[2])
        return max(len(self.table) - 1, 0) // _PAIR.size

    def place(self, number: int) -> tuple[int, int]:
        """(offset, length) of frame `number`, from 1, which must be noted."""
        if self.table[:1] == _NATIVE:
            offset, length, _ = _ROW.unpack_from(self.table, 1)
            return offset + (number - 1) * length, length
        offset, length = _PAIR.unpack_from(self.table, 1 + (number - 1) * _PAIR.size)
        return offset, length

    @property
    def wrapped(self) -> bool:
        """Whether what stands at a place is more than the frame itself."""
        return self.table[:1] != _NATIVE

    def content(self, stored: bytes) -> bytes:
        """The frame itself from the bytes at its place: its fragments without the items around them."""
        if not self.wrapped:
            return stored
        pieces, position = [], 0
        while position + _ITEM.size <= len(stored):
            tag, length = _ITEM.unpack_from(stored, position)
            if tag != _ITEM_TAG:
                break
            position += _ITEM.size
            pieces.append(stored[position : position + length])
            position += length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """What readers of an instance need and its sender need not wait for.

    document: the DICOM JSON model of the header (PS3.18 F.2), one UTF-8 JSON object. Bulk data are left out: their
      BulkDataURI is relative to the instance (`bulkdata/7FE00010`), for whoever serves it to complete.
    accounting: what became of each top-level element.
    """

    document: bytes
    frames: Frames = field(default_factory=Frames)
    accounting: Accounting = field(default_factory=Accounting)


# Describes a stored instance. Takes the codec that its source is known to write, empty where it is not. Raises Faults.
Describe = Callable[[BinaryIO, str], InstanceHeader]
