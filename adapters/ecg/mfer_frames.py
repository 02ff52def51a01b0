"""Frames of an MFER file as leads in microvolts: sequences of blocks, a block a channel. Source: ISO 22077-1, 5.2."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import mfer_definitions as mfer
from .groups import Group
from .leads import NAMES_BY_CODE, Samples, lead_name, microvolts
from .mfer_definitions import Definition

# Table of data types; 4 holds states, 9 is AHA's compression.
_TYPES = {0: "i2", 1: "u2", 2: "i4", 3: "u1", 4: "u2", 5: "i1", 6: "u4", 7: "f4", 8: "f8"}
_STATES = 4
_DOMINANT_BEAT = 9
# Leads of the standard ECG; the other codes of the table have other names there than in EN 1064.
_LEADS = frozenset({*range(1, 10), *range(11, 19), *range(61, 70)})
_MAX_CHANNELS = 64
_MAX_SAMPLES = 1_000_000
_CHANNEL_TAGS = frozenset(
    {
        *(mfer.BLOCK, mfer.SEQUENCES, mfer.WAVEFORM, mfer.LEAD, mfer.DATA_TYPE, mfer.INTERVAL),
        *(mfer.SENSITIVITY, mfer.OFFSET, mfer.NULL),
    }
)

# What holds for a channel: by tag, the value and whether it was written with the highest byte first.
Attributes = Mapping[int, tuple[bytes, bool]]


class Frames:
    """Follows the definitions of a file, and has the frames that they describe. Raises InvalidPayload, Unsupported."""

    def __init__(self) -> None:
        self.big_endian = True
        self.groups: list[Group] = []
        self._channels = 1
        self._all: dict[int, tuple[bytes, bool]] = {}
        self._own: dict[int, dict[int, tuple[bytes, bool]]] = {}
        self._samples = 0

    def follow(self, definition: Definition) -> bool:
        """Takes note of a definition; whether it was one of a frame."""
        tag, value = definition.tag, definition.value
        if tag == mfer.BYTE_ORDER:
            self.big_endian = value[:1] != b"\x01"
        elif tag == mfer.CHANNELS and definition.channel is None:
            self._channels = self.number(value) if value else 1
            self._own = {}
            if not 1 <= self._channels <= _MAX_CHANNELS:
                raise InvalidPayload(f"expected 1 to {_MAX_CHANNELS} channels", where=f"byte {definition.at}")
        elif tag == mfer.COMPRESSION and value and self.number(value[:2]):
            raise UnsupportedPayload("compressed samples are not taken", where=f"byte {definition.at}")
        elif tag == mfer.WAVE:
            self._frame(value, f"byte {definition.at}")
        elif tag in _CHANNEL_TAGS:
            held = self._all if definition.channel is None else self._own.setdefault(definition.channel, {})
            held[tag] = (value, self.big_endian)
            if not value:
                del held[tag]
        else:
            return tag == mfer.COMPRESSION
        return True

    def number(self, value: bytes, *, signed: bool = False) -> int:
        """A whole number in the byte order of this place."""
        return int.from_bytes(value, "big" if self.big_endian else "little", signed=signed)

    def _frame(self, wave: bytes, where: str) -> None:
        channels: list[Attributes] = [{**self._all, **self._own.get(number, {})} for number in range(self._channels)]
        kinds = [self._kind(held, where) for held in channels]
        blocks = [_whole(held, mfer.BLOCK, 1) for held in channels]
        told = {_whole(held, mfer.SEQUENCES, 0) for held in channels}
        if min(blocks) < 1 or len(told) > 1:
            raise UnsupportedPayload("channels with numbers of sequences of their own are not taken", where=where)
        # Bounded before anything is made of it: a block is told in four bytes.
        size = sum(block * kind.itemsize for block, kind in zip(blocks, kinds, strict=True))
        sequences = told.pop() or len(wave) // size
        if not sequences or sequences * size > len(wave):
            raise InvalidPayload(f"expected {sequences * size} bytes of samples, found {len(wave)}", where=where)
        self._samples += sequences * sum(blocks)
        if self._samples > _MAX_SAMPLES:
            raise UnsupportedPayload("expected a resting ECG, found one of many minutes", where=where)
        fields = [(f"{n}", kind, (block,)) for n, (kind, block) in enumerate(zip(kinds, blocks, strict=True))]
        stored = np.frombuffer(wave, np.dtype(fields), sequences)
        self._add([(held, stored[f"{number}"].reshape(-1)) for number, held in enumerate(channels)], where)

    def _kind(self, held: Attributes, where: str) -> np.dtype[Any]:
        code = held[mfer.DATA_TYPE][0][0] if mfer.DATA_TYPE in held else 0
        if code not in _TYPES:
            raise UnsupportedPayload("expected samples that are not compressed", where=where)
        return np.dtype(_TYPES[code]).newbyteorder(">" if self.big_endian else "<")

    def _add(self, rows: Iterable[tuple[Attributes, npt.NDArray[Any]]], where: str) -> None:
        """A group for each sampling rate; frames of the same leads in a row go on from each other."""
        by_rate: dict[float, dict[str, Samples]] = {}
        left_out = []
        original = True
        for number, (held, stored) in enumerate(rows, 1):
            original = original and _whole(held, mfer.WAVEFORM, 0, 2) != _DOMINANT_BEAT
            name = _name(held, number)
            leads = by_rate.setdefault(_rate(held, where), {})
            samples = _samples(held, stored, where)
            if samples is None or name in leads:
                left_out.append(name)
            else:
                leads[name] = samples
        for rate, leads in by_rate.items():
            last = self.groups[-1] if self.groups else None
            same = last and (last.rate_hz, last.original, last.leads.keys()) == (rate, original, leads.keys())
            if last and same and original:
                joined = {name: np.concatenate([row, leads[name]]) for name, row in last.leads.items()}
                self.groups[-1] = Group(original, rate, 0.0, joined, last.left_out)
            elif leads:
                self.groups.append(Group(original, rate, 0.0 if original else None, leads, tuple(left_out)))


def _whole(held: Attributes, tag: int, default: int, most: int = 4) -> int:
    value, big = held.get(tag, (b"", True))
    return int.from_bytes(value[:most], "big" if big else "little") if value else default


def _scaled(held: Attributes, tag: int, where: str) -> tuple[int, float]:
    """Unit, and mantissa times ten to the exponent."""
    value, big = held[tag]
    if not 3 <= len(value) <= 6:
        raise InvalidPayload("expected a unit, an exponent and a number", where=where)
    exponent = int.from_bytes(value[1:2], "big", signed=True)
    return value[0], int.from_bytes(value[2:], "big" if big else "little", signed=True) * 10.0**exponent


def _rate(held: Attributes, where: str) -> float:
    """Hz, told as such or as the seconds between two samples; 1000 where it is not told (ISO 22077-1, 5.3)."""
    if mfer.INTERVAL not in held:
        return 1000.0
    unit, value = _scaled(held, mfer.INTERVAL, where)
    rate = value if unit == 0 else 1 / value if unit == 1 and value > 0 else math.nan
    if not 1 <= rate <= 100_000:
        raise InvalidPayload("expected a sampling rate between 1 and 100000 Hz", where=where)
    return round(rate, 6)


def _samples(held: Attributes, stored: npt.NDArray[Any], where: str) -> Samples | None:
    """(stored value + offset) x sensitivity in microvolts; None where it is no voltage."""
    if mfer.SENSITIVITY not in held or _whole(held, mfer.DATA_TYPE, 0, 1) == _STATES:
        return None
    unit, volts = _scaled(held, mfer.SENSITIVITY, where)
    if unit != 0:
        return None
    if not volts:
        raise InvalidPayload("expected a sensitivity other than 0", where=where)
    with np.errstate(over="ignore", invalid="ignore"):
        values = (stored.astype(np.float64) + (_typed(held, mfer.OFFSET, stored.dtype) or 0.0)) * (volts * 1e6)
    null = _typed(held, mfer.NULL, stored.dtype)
    if null is None:
        return microvolts(values, where)
    absent = stored == null
    return np.where(absent, NO_SAMPLE_UV, microvolts(np.where(absent, 0.0, values), where)).astype(np.int32)


def _typed(held: Attributes, tag: int, kind: np.dtype[Any]) -> float | None:
    value, big = held.get(tag, (b"", True))
    if len(value) < kind.itemsize:
        return None
    return float(np.frombuffer(value[: kind.itemsize], kind.newbyteorder(">" if big else "<"))[0])


def _name(held: Attributes, number: int) -> str:
    """By the lead's code, else by its words, else by its place."""
    value, _ = held.get(mfer.LEAD, (b"", True))
    code = _whole(held, mfer.LEAD, 0, min(len(value), 2)) if value else 0
    if code in _LEADS:
        return NAMES_BY_CODE[code]
    return lead_name(value[2:].decode("ascii", "replace").strip("\0 ")) or f"channel {number}"
