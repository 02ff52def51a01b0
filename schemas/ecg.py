"""A resting ECG as sampled, and the one form in which the hub keeps it for drawing and comparing."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .faults import InvalidPayload

MEDIA_TYPE = "application/vnd.dxhub.ecg"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
# No voltage that a body makes: marks samples that the source did not record (sequential leads, padding).
NO_SAMPLE_UV = -(2**31)
# Where waves begin and end in a median beat.
FIDUCIALS = ("p-onset", "p-offset", "qrs-onset", "qrs-offset", "t-offset")
_MAGIC = b"DXECG1\n"


@dataclass(frozen=True, slots=True, eq=False)
class MedianBeat:
    """One beat that stands for those of a recording, as the cart made it: by median, mean, or choice.

    leads, sampling_rate_hz, samples_uv: as of a recording, and independent of its own.
    fiducials_ms: (one of FIDUCIALS, milliseconds from the first sample) pairs, those that the cart told.
    """

    leads: tuple[str, ...]
    sampling_rate_hz: float
    samples_uv: npt.NDArray[np.int32]
    fiducials_ms: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EcgRecording:
    """A resting ECG as sampled, before any filter meant for display.

    samples_uv: int32, shape (leads, samples), microvolts, rows in the order of `leads`;
      NO_SAMPLE_UV where nothing was recorded.
    started_at: the cart's clock, hence possibly wrong; the delivery's received_at is ours.
    median: the beat that the cart made of it; None where it sent none.
    Source: DICOM PS3.3 C.10.9; EN 1064 sections 3 and 6.
    """

    leads: tuple[str, ...]
    sampling_rate_hz: float
    samples_uv: npt.NDArray[np.int32]
    started_at: dt.datetime | None = None
    median: MedianBeat | None = None

    @property
    def duration_s(self) -> float:
        return float(self.samples_uv.shape[1]) / self.sampling_rate_hz


def encode(recording: EcgRecording) -> bytes:
    """One JSON line (leads, rate, start, what the median beat is), then int32 little-endian samples, lead after lead,
    those of the median beat last.
    """
    median = recording.median
    head = {
        "leads": recording.leads,
        "sampling_rate_hz": recording.sampling_rate_hz,
        "samples": int(recording.samples_uv.shape[1]),
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
    }
    body = recording.samples_uv.astype("<i4").tobytes()
    if median:
        head["median"] = {
            "leads": median.leads,
            "sampling_rate_hz": median.sampling_rate_hz,
            "samples": int(median.samples_uv.shape[1]),
            "fiducials_ms": dict(median.fiducials_ms),
        }
        body += median.samples_uv.astype("<i4").tobytes()
    return _MAGIC + json.dumps(head).encode() + b"\n" + body


def decode(content: bytes) -> EcgRecording:
    """The inverse of `encode`. Raises InvalidPayload where the content is not such a recording."""
    if not content.startswith(_MAGIC):
        raise InvalidPayload("expected an ECG recording in canonical form")
    line, _, body = content[len(_MAGIC) :].partition(b"\n")
    head = json.loads(line)
    samples = _samples(head, body, 0)
    started = head["started_at"]
    return EcgRecording(
        tuple(head["leads"]),
        float(head["sampling_rate_hz"]),
        samples,
        dt.datetime.fromisoformat(started) if started else None,
        _median(head["median"], body, samples.nbytes) if head.get("median") else None,
    )


def _samples(head: dict[str, Any], body: bytes, start: int) -> npt.NDArray[np.int32]:
    shape = (len(head["leads"]), head["samples"])
    return np.frombuffer(body, "<i4", shape[0] * shape[1], start).reshape(shape).astype(np.int32)


def _median(head: dict[str, Any], body: bytes, start: int) -> MedianBeat:
    fiducials = tuple((name, float(at)) for name, at in head["fiducials_ms"].items())
    return MedianBeat(tuple(head["leads"]), float(head["sampling_rate_hz"]), _samples(head, body, start), fiducials)
