"""Signal files of WFDB records. Source: https://wfdb.io/spec/signal-files.html (signal(5))."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.faults import InvalidPayload, UnsupportedPayload

Stored = npt.NDArray[np.int64]


def _plain(kind: str, less: int = 0) -> Callable[[bytes], Stored]:
    def unpack(data: bytes) -> Stored:
        size = np.dtype(kind).itemsize
        values: Stored = np.frombuffer(data, kind, len(data) // size).astype(np.int64) - less
        return values

    return unpack


def _signed(values: npt.NDArray[Any], bits: int) -> Stored:
    half = 1 << (bits - 1)
    return ((values.astype(np.int64) & (2 * half - 1)) ^ half) - half


def _of_24(data: bytes) -> Stored:
    octets = np.frombuffer(data, np.uint8, len(data) // 3 * 3).reshape(-1, 3).astype(np.int64)
    return _signed(octets[:, 0] | octets[:, 1] << 8 | octets[:, 2] << 16, 24)


def _of_212(data: bytes) -> Stored:
    """Two samples of twelve bits in three bytes: the middle one holds both high quarters."""
    odd = len(data) % 3
    octets = np.frombuffer(data + b"\0" * (-len(data) % 3), np.uint8).reshape(-1, 3).astype(np.int64)
    pairs = np.stack([octets[:, 0] | (octets[:, 1] & 15) << 8, octets[:, 2] | (octets[:, 1] >> 4) << 8], axis=1)
    values = _signed(pairs.reshape(-1), 12)
    # Of an odd number the last stands in two bytes; of one byte nothing can be had.
    return values[: len(values) - (0, 2, 1)[odd]]


def _of_310(data: bytes) -> Stored:
    """Three samples of ten bits in two words: the third in the spare upper bits of both."""
    words = np.frombuffer(data, "<u2", len(data) // 4 * 2).reshape(-1, 2).astype(np.int64)
    third = words[:, 0] >> 11 | (words[:, 1] >> 11) << 5
    return _signed(np.stack([words[:, 0] >> 1, words[:, 1] >> 1, third], axis=1).reshape(-1), 10)


def _of_311(data: bytes) -> Stored:
    """Three samples of ten bits in a word of thirty-two."""
    words = np.frombuffer(data, "<u4", len(data) // 4).astype(np.int64)
    return _signed(np.stack([words, words >> 10, words >> 20], axis=1).reshape(-1), 10)


# What the lowest value of a format means: nothing was recorded. Format 8 has none.
_FORMATS: dict[int, tuple[Callable[[bytes], Stored], int | None]] = {
    8: (_plain("<i1"), None),
    16: (_plain("<i2"), -(1 << 15)),
    24: (_of_24, -(1 << 23)),
    32: (_plain("<i4"), -(1 << 31)),
    61: (_plain(">i2"), -(1 << 15)),
    80: (_plain("<u1", 1 << 7), -(1 << 7)),
    160: (_plain("<u2", 1 << 15), -(1 << 15)),
    212: (_of_212, -(1 << 11)),
    310: (_of_310, -(1 << 9)),
    311: (_of_311, -(1 << 9)),
}
DIFFERENCES = 8


def unpacked(data: bytes, code: int, where: str) -> Stored:
    """All samples of a file in their order. Raises UnsupportedPayload for other formats, as those of FLAC."""
    if code not in _FORMATS:
        raise UnsupportedPayload(f"samples in format {code} are not taken", where=where)
    return _FORMATS[code][0](data)


def absent(code: int) -> int | None:
    """The stored value that stands for no sample."""
    return _FORMATS[code][1]


def rows(stored: Stored, widths: list[int], frames: int, where: str) -> list[Stored]:
    """Samples of each signal: `widths` of them in each frame. frames: 0 where the header does not tell.

    Raises InvalidPayload where the file is shorter than told.
    """
    width = sum(widths)
    frames = frames or len(stored) // width
    if not frames or len(stored) < frames * width:
        raise InvalidPayload(f"expected {max(frames, 1) * width} samples, found {len(stored)}", where=where)
    table = stored[: frames * width].reshape(frames, width)
    starts = [sum(widths[:n]) for n in range(len(widths))]
    return [table[:, start : start + size].reshape(-1) for start, size in zip(starts, widths, strict=True)]
