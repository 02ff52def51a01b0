"""A stored data set in uncompressed little endian, for peers that take nothing else. Nothing of it is lost.

Every value is copied as it stands, text too, whatever its character set; only the frame around it is written anew.
Compressed pixel data become what they decode to. Source: DICOM PS3.5 section 7, annexes A.1, A.2, A.4.
"""

import io
import tempfile
from array import array
from collections.abc import Callable, Iterator
from struct import Struct
from typing import BinaryIO

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from adapters.dicom.meta import Encoding, inflate
from adapters.dicom.structure import (
    PIXEL_DATA,
    SIGNED_OR_NOT,
    UNDEFINED,
    DataSet,
    Element,
    place,
    scan,
)
from schemas.faults import UnsupportedPayload
from schemas.network import Decoded
from schemas.study import InstanceRecord

TARGETS = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))

_IN_MEMORY = 4 << 20
_PIECE = 1 << 20
_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_WIDTHS = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
_TYPECODES = {2: "H", 4: "I", 8: "Q"}
_TAG, _SHORT, _LONG = Struct("<HH"), Struct("<H"), Struct("<L")
_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0" + bytes(4)
_SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0" + bytes(4)
_PIXEL_REPRESENTATION, _PHOTOMETRIC, _PLANAR = 0x00280103, 0x00280004, 0x00280006
# Tables of where compressed frames lie; they have no meaning for others.
_OFFSET_TABLES = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003})


def uncompressed(source: BinaryIO, instance: InstanceRecord, target: str, decoded: Callable[[], Decoded]) -> BinaryIO:
    """The data set of a stored object in `target`, one of TARGETS: a temporary file that nobody else finds, at its
    start; whoever takes it closes it. decoded: asked where the pixel data are compressed.

    Raises InvalidPayload and UnsupportedPayload.
    """
    how = Encoding(instance.data_set_offset, instance.transfer_syntax_uid)
    start = how.offset
    if how.deflated:
        source, start = inflate(source, how.offset), 0
    end = source.seek(0, io.SEEK_END)
    dataset = scan(source, start, end, explicit=how.explicit, little=how.little)
    # On disk where it is large; without a name, so that no patient's image outlives a crash.
    result = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 the caller closes it
    try:
        writer = _Writer(source, result, target == TARGETS[0], _signed(dataset))
        pixels = dataset.elements.get(PIXEL_DATA)
        compressed = pixels is not None and pixels.length == UNDEFINED
        writer.write(dataset, decoded() if compressed else None)
    except BaseException:
        result.close()
        raise
    result.seek(0)
    return result  # type: ignore[return-value]


def _signed(dataset: DataSet) -> bool:
    found = dataset.elements.get(_PIXEL_REPRESENTATION)
    return bool(found and found.value and any(found.value))


class _Writer:
    def __init__(
        self, source: BinaryIO, target: "tempfile.SpooledTemporaryFile[bytes]", explicit: bool, signed: bool
    ) -> None:
        self._source, self._target = source, target
        self._explicit, self._signed = explicit, signed

    def write(self, dataset: DataSet, decoded: Decoded | None) -> None:
        for tag, element in sorted(dataset.elements.items()):
            if tag & 0xFFFF == 0:
                continue  # lengths of groups, which would be wrong
            if decoded is not None and tag in _OFFSET_TABLES:
                continue
            if decoded is not None and tag == PIXEL_DATA:
                self._pixels(decoded)
            elif decoded is not None and decoded.rgb and tag in {_PHOTOMETRIC, _PLANAR}:
                self._value(element, b"RGB " if tag == _PHOTOMETRIC else b"\0\0")
            else:
                self._element(element)

    def _element(self, element: Element) -> None:
        if element.items is not None:
            self._head(element.tag, "SQ", UNDEFINED)
            for item in element.items:
                self._target.write(_ITEM)
                self.write(item, None)
                self._target.write(_ITEM_END)
            self._target.write(_SEQUENCE_DELIMITER)
        elif element.length == UNDEFINED:
            raise UnsupportedPayload("compressed pixels within a sequence", where=place(element.tag))
        elif element.value is not None:
            self._value(element, self._little(element, element.value))
        else:
            self._head(element.tag, self._vr(element), element.length + element.length % 2)
            for piece in self._stored(element):  # writelines would hold all of them before it looks at the size
                self._target.write(piece)
            self._target.write(bytes(element.length % 2))

    def _value(self, element: Element, value: bytes) -> None:
        vr = self._vr(element)
        if len(value) % 2:
            value += b" " if vr not in {"OB", "UI", "UN"} else b"\0"
        if self._explicit and len(value) > 0xFFFF and vr not in _LONG_VRS:
            vr = "UN"  # PS3.5 6.2.2: what is too long for its VR in explicit VR
        self._head(element.tag, vr, len(value))
        self._target.write(value)

    def _vr(self, element: Element) -> str:
        if element.vr == SIGNED_OR_NOT:
            return "SS" if self._signed else "US"
        return element.vr

    def _head(self, tag: int, vr: str, length: int) -> None:
        head = _TAG.pack(tag >> 16, tag & 0xFFFF)
        if not self._explicit:
            head += _LONG.pack(length)
        elif vr in _LONG_VRS:
            head += vr.encode("ascii") + b"\0\0" + _LONG.pack(length)
        else:
            head += vr.encode("ascii") + _SHORT.pack(length)
        self._target.write(head)

    def _stored(self, element: Element) -> Iterator[bytes]:
        self._source.seek(element.offset)
        left = element.length
        while left:
            piece = self._source.read(min(_PIECE, left))
            if not piece:
                raise UnsupportedPayload("the stored object ends before this value", where=place(element.tag))
            left -= len(piece)
            yield self._little(element, piece)

    def _little(self, element: Element, value: bytes) -> bytes:
        width = _WIDTHS.get(self._vr(element), 1)
        if element.little or width == 1 or len(value) % width:
            return value
        words = array(_TYPECODES[width], value)
        words.byteswap()
        return words.tobytes()

    def _pixels(self, decoded: Decoded) -> None:
        place_of_length = self._target.tell() + (8 if self._explicit else 4)
        self._head(PIXEL_DATA, "OW", 0)
        length = 0
        for frame in decoded.frames:
            self._target.write(frame)
            length += len(frame)
        if length % 2:
            self._target.write(b"\0")
            length += 1
        if length >= UNDEFINED:
            raise UnsupportedPayload("more pixels than uncompressed pixel data can hold", where=place(PIXEL_DATA))
        behind = self._target.tell()
        self._target.seek(place_of_length)
        self._target.write(_LONG.pack(length))
        self._target.seek(behind)
