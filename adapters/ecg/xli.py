"""Philips' XLI: leads as second differences, their bytes packed by LZW with codes of ten bits.

Source: none is published; as the open readers sierra-ecg-tools and ecgdatakit understand it, and files from carts show.
A chunk a lead: its size (4 bytes, little endian), two bytes unused, the start value (2 bytes, signed), then the codes.
"""

import struct

import numpy as np
import numpy.typing as npt

from schemas.faults import InvalidPayload

Values = npt.NDArray[np.int64]

_HEADER = struct.Struct("<i2xh")
_BITS = 10
# The highest code ends nothing and means nothing; the table stays as it is once it is full.
_MAX_CODE = (1 << _BITS) - 2
_POWERS = 1 << np.arange(_BITS - 1, -1, -1)
_DIFFERENCE_BIAS = 64
_LIMB_LEADS = 6


def unpack(data: bytes, leads: int, samples: int) -> list[Values]:
    """Stored amplitudes, a row a lead. Raises InvalidPayload where the data end early or mean nothing."""
    rows = []
    at = 0
    for number in range(leads):
        where = f"parsedwaveforms, chunk {number + 1}"
        if at + _HEADER.size > len(data):
            raise InvalidPayload(f"expected {leads} chunks, found {number}", where=where)
        size, start = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        if not 0 < size <= len(data) - at:
            raise InvalidPayload("chunk is longer than the data", where=where)
        rows.append(_undone(_words(data[at : at + size], samples, where), start)[:samples])
        at += size
    return rows


def with_limb_leads(rows: list[Values]) -> list[Values]:
    """The rows with III, aVR, aVL, aVF, which are stored as what is left of them when I and II are known."""
    if len(rows) < _LIMB_LEADS:
        return rows
    one, two = rows[0], rows[1]
    three = two - one - rows[2]
    right = -rows[3] - (one + two) // 2
    left = (one - three) // 2 - rows[4]
    foot = (two + three) // 2 - rows[5]
    return [one, two, three, right, left, foot, *rows[_LIMB_LEADS:]]


def _words(chunk: bytes, samples: int, where: str) -> Values:
    """16-bit words: all high bytes come first, then all low ones."""
    # A lead may be stored longer than it is told to be; a table of a thousand strings could make gigabytes.
    unpacked = lzw(chunk, most=4 * samples + 4096, where=where)
    half = (len(unpacked) + 1) // 2
    if half < max(samples, 2):
        raise InvalidPayload(f"expected {samples} samples, found {half}", where=where)
    octets = np.frombuffer(unpacked.ljust(2 * half, b"\0"), np.uint8).astype(np.uint16)
    return ((octets[:half] << 8) | octets[half:]).view(np.int16).astype(np.int64)


def _undone(words: Values, start: int) -> Values:
    """x[n] = 2 x[n-1] - x[n-2] - d[n], where d is the previous word less its bias, and `start` for the first one."""
    bends = np.concatenate([[start], words[2:-1] - _DIFFERENCE_BIAS])[: max(len(words) - 2, 0)]
    slopes = (words[1] - words[0]) - bends.cumsum()
    rest: Values = np.concatenate([words[:2], words[1] + slopes.cumsum()])
    return rest


def lzw(data: bytes, most: int, where: str) -> bytes:
    """Unpacked bytes. Raises InvalidPayload for more than `most`, and for a code before there is one like it."""
    count = len(data) * 8 // _BITS
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count * _BITS).reshape(count, _BITS)
    table = [bytes([value]) for value in range(256)]
    out = bytearray()
    previous = b""
    for code in (bits @ _POWERS).tolist():
        if code > _MAX_CODE:
            break
        if code < len(table):
            found = table[code]
        elif previous and code == len(table):
            found = previous + previous[:1]
        else:
            raise InvalidPayload("code that stands for nothing yet", where=where)
        if previous and len(table) <= _MAX_CODE:
            table.append(previous + found[:1])
        out += found
        if len(out) > most:
            raise InvalidPayload("expected the samples that are told, found many more", where=where)
        previous = found
    return bytes(out)
