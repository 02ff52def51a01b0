"""Sections of an SCP-ECG record, each proved by its checksum. Source: EN 1064, 5.2 and 5.3."""

import binascii
import struct
from collections.abc import Iterator

from schemas.faults import InvalidPayload

_HEADER = 16
_POINTER = struct.Struct("<HII")
_SECTION_HEADER = struct.Struct("<HHIBB6s")


def sections(data: bytes) -> dict[int, bytes]:
    """The body of each section by its number.

    Raises InvalidPayload where the record is cut short, a section lies outside of it, or a checksum does not hold:
    what is wrong in one bit is wrong in the amplitude of everything after it.
    """
    if len(data) < 6 + _HEADER:
        raise InvalidPayload(f"expected an SCP-ECG record, found {len(data)} bytes", where="record")
    size = struct.unpack_from("<I", data, 2)[0]
    if not 6 + _HEADER <= size <= len(data):
        raise InvalidPayload(f"record declares {size} bytes, found {len(data)}", where="record")
    record = data[:size]
    _verify(record, "record")
    first = _section(record, 0, struct.unpack_from("<I", record, 10)[0], 7)
    found = {0: first}
    for number, length, index in _pointers(first):
        found[number] = _section(record, number, length, index)
    return found


def _pointers(body: bytes) -> Iterator[tuple[int, int, int]]:
    for number, length, index in _POINTER.iter_unpack(body[: len(body) // _POINTER.size * _POINTER.size]):
        if number and length:
            yield number, length, index


def _section(record: bytes, number: int, length: int, index: int) -> bytes:
    where = f"section {number}"
    start = index - 1  # EN 1064 counts bytes from one
    if start < 6 or length < _HEADER or start + length > len(record):
        raise InvalidPayload("section lies outside of the record", where=where)
    chunk = record[start : start + length]
    # Sections above 11 belong to manufacturers, whose headers vary; they are kept, not read.
    if number <= 11:
        _, stored, declared, *_ = _SECTION_HEADER.unpack_from(chunk)
        if stored != number or declared != length:
            raise InvalidPayload("section header contradicts the table of sections", where=where)
        _verify(chunk, where)
    return chunk[_HEADER:]


def _verify(chunk: bytes, where: str) -> None:
    """CRC-CCITT over all but itself (5.2.3, polynomial 0x1021, begun with 0xFFFF)."""
    stored = struct.unpack_from("<H", chunk)[0]
    computed = binascii.crc_hqx(chunk[2:], 0xFFFF)
    if stored != computed:
        raise InvalidPayload(f"checksum does not hold: {stored:04X} stored, {computed:04X} computed", where=where)
