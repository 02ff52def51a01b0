"""Leads of an SCP-ECG record: sections 3 to 6. Source: EN 1064, 5.6 to 5.9."""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import scp_huffman
from .groups import Group
from .leads import NAMES_BY_CODE, Samples, microvolts

Values = npt.NDArray[np.int64]

_LEAD = struct.Struct("<IIB")
_SUBTRACTION = struct.Struct("<HIII")
_SUBTRACTED = 0x01
# Twelve leads at 1000 Hz for a minute; more would take seconds to unpack.
_MAX_SAMPLES = 800_000


@dataclass(frozen=True, slots=True)
class _Lead:
    """first, last: sample numbers, counted from one."""

    first: int
    last: int
    code: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class _Block:
    """Section 5 or 6: rows of stored amplitudes, `nanovolts` each, every `interval_us`."""

    nanovolts: int
    interval_us: int
    rows: list[Values]


def group(sections: dict[int, bytes]) -> Group:
    """The rhythm data of the record as one group.

    Raises InvalidPayload, and UnsupportedPayload for bimodal compression and for many minutes.
    """
    if 3 not in sections or 6 not in sections:
        raise InvalidPayload("expected lead definitions and rhythm data", where="section 3, section 6")
    leads, flags = _leads(sections[3])
    tables = scp_huffman.tables(sections[2]) if 2 in sections else None
    if len(sections[6]) >= 6 and sections[6][5] and sections[6][5] != 0xFF:
        raise UnsupportedPayload("bimodal compression of rhythm data is not taken", where="section 6")
    block = _block(sections[6], [lead.count for lead in leads], tables, "section 6")
    nanovolts = [row * block.nanovolts for row in block.rows]
    if flags & _SUBTRACTED:
        _add_reference_beats(nanovolts, leads, block.interval_us, sections, tables)
    rows = {}
    left_out = []
    begin = min(lead.first for lead in leads)
    for lead, row in zip(leads, nanovolts, strict=True):
        name = NAMES_BY_CODE.get(lead.code, "")
        if name and name not in rows:
            rows[name] = _row(row, lead.first - begin)
        else:
            left_out.append(f"lead code {lead.code}")
    return Group(True, 1_000_000 / block.interval_us, 0.0, rows, tuple(left_out))


def _row(nanovolts: Values, before: int) -> Samples:
    if before > _MAX_SAMPLES:
        raise InvalidPayload("leads do not belong to one recording", where="section 3")
    gap = np.full(before, NO_SAMPLE_UV, np.int32)
    return np.concatenate([gap, microvolts(nanovolts / 1000.0, "section 6")])


def _leads(body: bytes) -> tuple[list[_Lead], int]:
    count, flags = (body[0], body[1]) if len(body) >= 2 else (0, 0)
    if not count or len(body) < 2 + count * _LEAD.size:
        raise InvalidPayload("lead definitions are cut short", where="section 3")
    leads = [_Lead(*row) for row in _LEAD.iter_unpack(body[2 : 2 + count * _LEAD.size])]
    if any(lead.count < 1 or lead.first < 1 for lead in leads):
        raise InvalidPayload("lead ends before it begins", where="section 3")
    if sum(lead.count for lead in leads) > _MAX_SAMPLES:
        raise UnsupportedPayload("expected a resting ECG, found one of many minutes", where="section 3")
    return leads, flags


def _block(body: bytes, counts: list[int], tables: list[scp_huffman.Table] | None, where: str) -> _Block:
    start = 6 + 2 * len(counts)
    if len(body) < start:
        raise InvalidPayload("data are cut short", where=where)
    nanovolts, interval, difference = struct.unpack_from("<HHB", body)
    if not nanovolts or not interval or difference > 2:
        raise InvalidPayload("expected an amplitude, an interval and a known encoding", where=where)
    rows = []
    for count, size in zip(counts, struct.unpack_from(f"<{len(counts)}H", body, 6), strict=True):
        data = body[start : start + size]
        if len(data) < size or (tables is None and size < 2 * count):
            raise InvalidPayload(f"expected {count} samples, found {len(data)} bytes", where=where)
        stored = scp_huffman.decode(data, count, tables, where) if tables else np.frombuffer(data, "<i2", count)
        rows.append(_undone(stored.astype(np.int64), difference))
        start += size
    return _Block(nanovolts, interval, rows)


def _undone(values: Values, order: int) -> Values:
    """Amplitudes from first or second differences; carts compute in 16 bits, so the sums wrap as theirs did."""
    amplitudes = values
    if order == 2 and len(values) > 2:
        slope = np.concatenate([values[1:2] - values[0:1], values[2:]]).cumsum()
        amplitudes = np.concatenate([values[0:1], values[0] + slope.cumsum()])
    elif order == 1:
        amplitudes = values.cumsum()
    wrapped: Values = amplitudes.astype(np.int16).astype(np.int64)
    return wrapped


def _add_reference_beats(
    rows: list[Values],
    leads: list[_Lead],
    interval_us: int,
    sections: dict[int, bytes],
    tables: list[scp_huffman.Table] | None,
) -> None:
    """Put back the beat that the cart had subtracted wherever it found one of type 0 (5.7, 5.8)."""
    body = sections.get(4, b"")
    if len(body) < 6 or 5 not in sections:
        raise InvalidPayload("reference beats were subtracted, and are missing", where="section 4, section 5")
    length_ms, fiducial, count = struct.unpack_from("<HHH", body)
    if len(body) < 6 + count * _SUBTRACTION.size:
        raise InvalidPayload("beat positions are cut short", where="section 4")
    samples = round(length_ms * 1000 / interval_us)
    beats = _block(sections[5], [samples] * len(leads), tables, "section 5")
    if beats.interval_us != interval_us:
        raise UnsupportedPayload("reference beat and rhythm have different rates", where="section 5")
    for row, lead, stored in zip(rows, leads, beats.rows, strict=True):
        beat = stored * beats.nanovolts
        for kind, first, at, last in _SUBTRACTION.iter_unpack(body[6 : 6 + count * _SUBTRACTION.size]):
            if kind == 0:
                _add(row, beat, lead, first, last, at - fiducial + 1)


def _add(row: Values, beat: Values, lead: _Lead, first: int, last: int, begin: int) -> None:
    """Add the part of a beat that begins at sample `begin` and lies within [first, last] and within the lead."""
    start, end = max(first, begin, lead.first), min(last, begin + len(beat) - 1, lead.last)
    if start <= end:
        row[start - lead.first : end - lead.first + 1] += beat[start - begin : end - begin + 1]
