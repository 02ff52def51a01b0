"""Definitions of an MFER file: tag, length, value, one after another, some within the attributes of a channel.

Source: ISO 22077-1 (MFER part 1), clause 5 and its table of tags.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.faults import InvalidPayload, UnsupportedPayload

BYTE_ORDER, TEXT_CODE, BLOCK, CHANNELS, SEQUENCES = 0x01, 0x03, 0x04, 0x05, 0x06
WAVEFORM, LEAD, DATA_TYPE, INTERVAL, SENSITIVITY, OFFSET = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
COMPRESSION, NULL, WAVE, PREAMBLE = 0x0E, 0x12, 0x1E, 0x40
NAME, NUMBER, BORN, SEX, TIME = 0x81, 0x82, 0x83, 0x84, 0x85
# Of other definitions nothing is lost by leaving them to the original.
NAMES = {0x11: "filters", 0x16: "notes", 0x17: "device", 0x41: "events", 0x42: "values", 0x43: "skew", 0x15: "marks"}
_NOTHING, _SET, _ATTRIBUTES, _END = 0x00, 0x67, 0x3F, 0x80
_MAX_DEFINITIONS = 20_000
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Definition:
    """channel: counted from 0; None for what holds for all. at: of the value, from the file's start."""

    tag: int
    channel: int | None
    value: bytes
    at: int


def definitions(data: bytes) -> Iterator[Definition]:
    """All definitions in their order, up to the end mark. Raises InvalidPayload, UnsupportedPayload."""
    for number, definition in enumerate(_walk(data, 0, len(data), None, 0)):
        if number >= _MAX_DEFINITIONS:
            raise InvalidPayload(f"expected at most {_MAX_DEFINITIONS} definitions", where="record")
        yield definition


def _walk(data: bytes, at: int, end: int, channel: int | None, depth: int) -> Iterator[Definition]:
    if depth > _MAX_DEPTH:
        raise InvalidPayload("definitions within definitions without end", where=f"byte {at}")
    while at < end:
        tag, start = data[at], at
        at += 1
        if tag == _NOTHING:
            continue
        if tag == _END:
            return
        inner = channel
        if tag == _ATTRIBUTES:
            inner, at = _channel(data, at, end)
        length, at = _length(data, at, end, start)
        if length > end - at:
            raise InvalidPayload(f"definition of {length} bytes, {end - at} are left", where=f"byte {start}")
        if tag in (_ATTRIBUTES, _SET):
            yield from _walk(data, at, at + length, inner, depth + 1)
        else:
            yield Definition(tag, channel, data[at : at + length], at)
        at += length


def _channel(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number of a channel: seven bits a byte, the highest first."""
    number = 0
    for place in range(at, min(at + 4, end)):
        number = number << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return number, place + 1
    raise InvalidPayload("number of a channel is cut short", where=f"byte {at}")


def _length(data: bytes, at: int, end: int, start: int) -> tuple[int, int]:
    """One byte below 128; else how many bytes hold it."""
    if at >= end:
        raise InvalidPayload("definition is cut short", where=f"byte {start}")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    if size == 0:
        raise UnsupportedPayload("definitions without a length are not taken", where=f"byte {start}")
    if size > 4 or at + 1 + size > end:
        raise InvalidPayload("length of a definition is cut short", where=f"byte {start}")
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
