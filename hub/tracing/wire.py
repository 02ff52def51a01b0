"""A recording as the browser draws it: JSON about it, then int16 little-endian differences, gzip around both.

Layout of what gzip holds: uint32 little-endian length of the JSON, the JSON (padded with spaces to an even place), then
for each block (rhythm; median beat where there is one) each lead's samples. A sample is
`offset_uv + scale_uv * (running sum of the differences, modulo 2**16, plus what the prediction says)`.
"""

import gzip
import hashlib
import json
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.ecg import NO_SAMPLE_UV, EcgRecording

from . import filters, layout

_REACH = 32_767
_KEPT = 64

Quanta = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Packed:
    """content: gzip. etag: of the content, strong."""

    content: bytes
    etag: str


def pack(recording: EcgRecording, sheets: Sequence[layout.Sheet] = ()) -> Packed:
    """sheets: those on which it is drawn; all layouts at all gains where none are named."""
    drawn = sheets or layout.sheets(recording)
    blocks, body = [], b""
    parts = [(recording.leads, recording.sampling_rate_hz, recording.samples_uv)]
    if recording.median:
        beat = recording.median
        parts.append((beat.leads, beat.sampling_rate_hz, beat.samples_uv))
    for leads, rate, samples in parts:
        head, content = _block(leads, rate, samples)
        blocks.append(head)
        body += content
    if recording.median:
        blocks[1]["fiducials_ms"] = dict(recording.median.fiducials_ms)
    text = json.dumps({"blocks": blocks, **_paper(recording, drawn)}, separators=(",", ":")).encode()
    text += b" " * (len(text) % 2)
    # Level 6 takes 8 ms for a usual recording, level 9 thirty for one per cent.
    content = gzip.compress(struct.pack("<I", len(text)) + text + body, 6, mtime=0)
    return Packed(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


class Packing:
    """Packs, and keeps the latest: of two people who open the same recording the second waits for nothing."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[bytes, Packed] = OrderedDict()

    def of(self, recording: EcgRecording, sheets: Sequence[layout.Sheet] = ()) -> Packed:
        """What `pack` makes of it. Known by its content, never by a report's number."""
        key = _digest(recording, sheets)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = pack(recording, sheets)
        with self._lock:
            self._known[key] = made
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return made


def _digest(recording: EcgRecording, sheets: Sequence[layout.Sheet]) -> bytes:
    beat = recording.median
    told = (
        recording.leads,
        recording.sampling_rate_hz,
        recording.samples_uv.shape,
        recording.started_at,
        tuple(sheets),
    )
    more = (beat.leads, beat.sampling_rate_hz, beat.samples_uv.shape, beat.fiducials_ms) if beat else ()
    found = hashlib.sha256(repr((told, more)).encode())
    found.update(recording.samples_uv.tobytes())
    if beat:
        found.update(beat.samples_uv.tobytes())
    return found.digest()


def _paper(recording: EcgRecording, drawn: Sequence[layout.Sheet]) -> dict[str, Any]:
    rate = recording.sampling_rate_hz
    chains = {band: filters.sections(band, False, rate) for band in filters.BANDS}
    return {
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
        "calibration_mm": layout.CALIBRATION_MM,
        "sheets": [each.as_json() for each in drawn],
        "filters": {**chains, "mains": filters.sections("", True, rate)},
    }


def _block(leads: tuple[str, ...], rate: float, samples_uv: npt.NDArray[np.int32]) -> tuple[dict[str, Any], bytes]:
    missing = samples_uv == NO_SAMPLE_UV
    offsets = [int(np.median(row[~gap])) if (~gap).any() else 0 for row, gap in zip(samples_uv, missing, strict=True)]
    centred = np.where(missing, 0, samples_uv.astype(np.int64) - np.array(offsets, np.int64).reshape(-1, 1))
    largest = int(np.abs(centred).max(initial=0))
    # One microvolt, and more only where an electrode drifted further than 32 mV.
    scale = max(1, -(-largest // _REACH))
    quanta = np.rint(centred / scale).astype(np.int32)
    guessed = [] if missing.any() else [lead for lead in _GUESSES if {"I", "II", lead} <= set(leads)]
    content = b""
    for number, lead in enumerate(leads):
        row = quanta[number]
        if lead in guessed:
            row = row - _GUESSES[lead](quanta[leads.index("I")], quanta[leads.index("II")])
        steps = np.diff(row, prepend=np.int32(0)).astype(np.int64) & 0xFFFF
        content += steps.astype("<u2").tobytes()
    head: dict[str, Any] = {
        "leads": leads,
        "rate_hz": rate,
        "samples": int(samples_uv.shape[1]) if samples_uv.ndim > 1 else 0,
        "scale_uv": scale,
        "offsets_uv": offsets,
        "predicted": guessed,
        "gaps": {lead: _runs(gap) for lead, gap in zip(leads, missing, strict=True) if gap.any()},
    }
    return head, content


def _runs(gap: npt.NDArray[np.bool_]) -> list[list[int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gap, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2).tolist()


# Einthoven and Goldberger: four of the limb leads follow from two, and what is left of them packs into nothing.
_GUESSES = {
    "III": lambda one, two: two - one,
    "aVR": lambda one, two: -((one + two) >> 1),
    "aVL": lambda one, two: one - (two >> 1),
    "aVF": lambda one, two: two - (one >> 1),
}
