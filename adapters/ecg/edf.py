"""Resting ECGs in EDF and EDF+. Source: Kemp et al. 1992 and 2003, https://www.edfplus.info/specs/edfplus.html."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from zoneinfo import ZoneInfo

import numpy as np

from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import findings, groups, identity
from .content import whole
from .groups import Group
from .leads import NAMES_BY_CODE, lead_name, microvolts
from .texts import text

_MAX_BYTES = 32 * 1024 * 1024
_MAX_SIGNALS = 64
_HEAD = 256
# Of each signal: label, transducer, unit, physical and digital bounds, filters, samples in a record, reserved.
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_UNITS_UV = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
_ANNOTATIONS = "EDF Annotations"
_KNOWN = frozenset(NAMES_BY_CODE.values())
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# Two digits of a year: 85 is 1985, 84 is 2084.
_CENTURY_TURNS = 85


@dataclass(frozen=True, slots=True)
class _Signal:
    """`at`, `samples`: its place and length in a data record, in samples. factor: microvolts of its unit, 0 of none."""

    label: str
    factor: float
    physical: tuple[float, float]
    digital: tuple[float, float]
    at: int
    samples: int


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of EDF: version 0, and a header as long as it must be."""
    return (
        head[:8] == b"0       " and len(head) >= _HEAD and head[184:192].strip().isdigit() and head[168:176].isascii()
    )


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    if not looks_like(data):
        raise InvalidPayload("expected the header of an EDF file", where="byte 0")
    charset = origin.source.charset
    if data[192:197] == b"EDF+D":
        raise UnsupportedPayload("a recording with interruptions (EDF+D) is not taken", where="reserved field")
    recording, flags = groups.recording(_groups(data, charset))
    notes = sum(label == _ANNOTATIONS for label in _column(data, 0, 16, _count(data), charset))
    found = findings.Findings(
        told=_told(text(data[8:88], charset)),
        recording=recording,
        flags=flags,
        started_at=_moment(data, ZoneInfo(origin.source.time_zone)),
        kept=(f"annotations: kept in the original ({notes})",) if notes else (),
    )
    return findings.reading(found, data, origin)


def _count(data: bytes) -> int:
    count = int(_number(data[252:256], "number of signals"))
    if not 1 <= count <= _MAX_SIGNALS or len(data) < _HEAD * (count + 1):
        raise InvalidPayload(f"expected 1 to {_MAX_SIGNALS} signals and a header of each", where="number of signals")
    return count


def _number(field: bytes, where: str) -> float:
    try:
        value = float(field.decode("ascii").strip("\0 "))
    except ValueError as error:
        raise InvalidPayload("expected a number", where=where) from error
    if not math.isfinite(value):
        raise InvalidPayload("expected a number", where=where)
    return value


def _column(data: bytes, start: int, width: int, count: int, charset: str = "") -> list[str]:
    begin = _HEAD + start * count
    return [text(data[begin + width * n : begin + width * (n + 1)], charset) for n in range(count)]


def _signals(data: bytes, charset: str) -> Iterator[_Signal]:
    count = _count(data)
    starts = [sum(_WIDTHS[:n]) for n in range(len(_WIDTHS))]
    columns = [_column(data, start, width, count, charset) for start, width in zip(starts, _WIDTHS, strict=True)]
    at = 0
    for number in range(count):
        label, _, unit, *told = (column[number] for column in columns[:9])
        low, high, first, last, _, samples = told
        numbers = [_number(each.encode(), f"signal {number + 1}") for each in (low, high, first, last, samples)]
        if numbers[2] >= numbers[3] or not 1 <= numbers[4] <= 1_000_000:
            raise InvalidPayload("expected a digital range and a number of samples", where=f"signal {number + 1}")
        factor = _UNITS_UV.get(unit.lower(), 0.0)
        yield _Signal(label, factor, (numbers[0], numbers[1]), (numbers[2], numbers[3]), at, int(numbers[4]))
        at += int(numbers[4])


def _groups(data: bytes, charset: str) -> list[Group]:
    """The leads of each sampling rate; what is no lead or no voltage is named as left out."""
    signals = list(_signals(data, charset))
    duration = _number(data[244:252], "duration of a data record")
    if duration <= 0:
        raise InvalidPayload("expected data records that last", where="duration of a data record")
    width = sum(signal.samples for signal in signals)
    body = data[_HEAD * (len(signals) + 1) :]
    declared = int(_number(data[236:244], "number of data records"))
    # -1 while a recorder still writes: as many as there are.
    records = len(body) // (2 * width) if declared == -1 else declared
    if records < 1 or len(body) < records * width * 2:
        raise InvalidPayload(
            f"expected {max(records, 1) * width * 2} bytes of samples, found {len(body)}", where="data"
        )
    stored = np.frombuffer(body, "<i2", records * width).reshape(records, width)
    by_rate: dict[float, Group] = {}
    left_out = []
    for signal in signals:
        name = lead_name(signal.label)
        rate = round(signal.samples / duration, 6)
        group = by_rate.setdefault(rate, Group(True, rate, 0.0, {}))
        if name not in _KNOWN or not signal.factor or name in group.leads:
            left_out += [signal.label] if signal.label != _ANNOTATIONS else []
            continue
        if not 1 <= rate <= 100_000 or signal.physical[0] == signal.physical[1]:
            raise InvalidPayload("expected a sampling rate and a physical range", where=signal.label)
        row = stored[:, signal.at : signal.at + signal.samples].reshape(-1).astype(np.float64)
        (low, high), (first, last) = signal.physical, signal.digital
        values = ((row - first) * ((high - low) / (last - first)) + low) * signal.factor
        group.leads[name] = microvolts(values, signal.label)
    found = [group for group in by_rate.values() if group.leads]
    return [Group(g.original, g.rate_hz, g.offset_s, g.leads, tuple(left_out)) for g in found]


def _told(field: str) -> identity.Told:
    """EDF+: code, sex, birth date, name, with `X` for what is not told; plain EDF: anything, taken as the code."""
    parts = ["" if part == "X" else part.replace("_", " ") for part in field.split()]
    where = "local patient identification"
    if len(parts) < 4 or parts[1] not in {"M", "F", ""}:
        return identity.Told(number=field if len(parts) == 1 and parts[0] else "", where=where)
    return identity.Told(parts[0], identity.full_name(parts[3]), _day(parts[2]), parts[1], where)


def _day(words: str) -> dt.date | None:
    day, _, rest = words.partition("-")
    month, _, year = rest.partition("-")
    try:
        return dt.date(int(year), _MONTHS.index(month.upper()) + 1, int(day))
    except (ValueError, OverflowError):
        return None


def _moment(data: bytes, zone: ZoneInfo) -> dt.datetime | None:
    """By the recorder's clock; the year of EDF+ in full, None where it was taken out."""
    words = text(data[88:168]).split()
    try:
        day, month, year = (int(part) for part in data[168:176].split(b"."))
        hour, minute, second = (int(part) for part in data[176:184].split(b"."))
        date = dt.date(year + (1900 if year >= _CENTURY_TURNS else 2000), month, day)
        if words[:1] == ["Startdate"] and len(words) > 1:
            if words[1] == "X":
                return None
            date = _day(words[1]) or date
        return dt.datetime.combine(date, dt.time(hour, minute, second), zone)
    except ValueError:
        return None
