"""A stored instance as DICOM JSON, with the places of its frames. Source: DICOM PS3.18 annex F.2, PS3.5 annex A.4."""

from array import array
from typing import BinaryIO

from schemas.delivery import Accounting
from schemas.header import Frames, InstanceHeader

from . import metadata
from .header import Header
from .meta import Encoding, encoding, inflate
from .structure import PIXELS, UNDEFINED, Element, scan

EXTENDED_OFFSETS = 0x7FE00001
_ITEM_HEAD = 8
_END_OF_IMAGE = b"\xff\xd9"
# The end of an image is followed by padding to an even length, and by little else that real encoders write.
_TAIL = 10


def describe(content: BinaryIO, charset: str = "") -> InstanceHeader:
    """The header of a DICOM file. charset: the Python codec that its source is known to write. Raises Faults."""
    found = encoding(content)
    end = content.seek(0, 2)
    if found.deflated:
        with inflate(content, found.offset) as inflated:
            document, accounting = _document(inflated, found, 0, inflated.tell(), charset)[:2]
        # Deflated bytes have no place that a range could name.
        return InstanceHeader(document, Frames(), accounting)
    document, accounting, header = _document(content, found, found.offset, end, charset)
    return InstanceHeader(document, frames(content, header), accounting)


def _document(
    source: BinaryIO, found: Encoding, start: int, end: int, charset: str
) -> tuple[bytes, Accounting, Header]:
    header = Header.of(scan(source, start, end, explicit=found.explicit, little=found.little), charset)
    return *metadata.describe(header), header


def frames(source: BinaryIO, header: Header) -> Frames:
    """Where the frames lie; empty where there are none or their bounds cannot be told."""
    element = next((header.dataset.elements[tag] for tag in PIXELS if tag in header.dataset.elements), None)
    number = max(header.integer(0x00280008) or 1, 1)
    if element is None:
        return Frames()
    if element.length == UNDEFINED:
        return _encapsulated(source, header, element, number)
    return _native(header, element, number)


def _native(header: Header, element: Element, number: int) -> Frames:
    rows, columns, bits = (header.integer(tag) or 0 for tag in (0x00280010, 0x00280011, 0x00280100))
    samples = header.integer(0x00280002) or 1
    if header.text(0x00280004) == "YBR_FULL_422":
        samples = 2  # two pixels share their chrominance (PS3.3 C.7.6.3.1.2)
    size = rows * columns * samples * bits
    if size <= 0 or size % 8 or size // 8 * number > element.length:
        return Frames()
    return Frames.native(element.offset, size // 8, number)


def _encapsulated(source: BinaryIO, header: Header, element: Element, number: int) -> Frames:
    """By the offset tables where there are any, else by how many fragments there are, else by where images end."""
    items = element.fragments or array("Q")
    if len(items) < 2 * 2:
        return Frames()
    table, begins, lengths = _offsets(source, items), items[2::2], items[3::2]
    base = begins[0] - _ITEM_HEAD
    starts = [base + offset for offset in _extended(header) or table]
    if not starts:
        starts = _starts(source, begins, lengths, number)
    ends = [*starts[1:], begins[-1] + lengths[-1]]
    known = {begin - _ITEM_HEAD for begin in begins}
    if len(starts) != number or not known.issuperset(starts) or sorted(starts) != starts:
        return Frames()
    return Frames.encapsulated([(start, end - start) for start, end in zip(starts, ends, strict=True)])


def _offsets(source: BinaryIO, items: "array[int]") -> list[int]:
    """The Basic Offset Table: the first item, which may be empty."""
    source.seek(items[0])
    raw = source.read(items[1])
    return [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw) - 3, 4)]


def _extended(header: Header) -> list[int]:
    element = header.dataset.elements.get(EXTENDED_OFFSETS)
    raw = (element.value if element else None) or b""
    return [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw) - 7, 8)]


def _starts(source: BinaryIO, begins: "array[int]", lengths: "array[int]", number: int) -> list[int]:
    if number == 1:
        return [begins[0] - _ITEM_HEAD]
    if len(begins) == number:
        return [begin - _ITEM_HEAD for begin in begins]
    starts, open_ = [], False
    for begin, length in zip(begins, lengths, strict=True):
        if not open_:
            starts.append(begin - _ITEM_HEAD)
        source.seek(begin + max(length - _TAIL, 0))
        open_ = _END_OF_IMAGE not in source.read(min(length, _TAIL))
    return starts
