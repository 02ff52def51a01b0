"""A resting ECG as sampled, and the one form in which the hub keeps it for drawing and comparing."""

import datetime as dt
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .faults import InvalidPayload

MEDIA_TYPE = "application/vnd.dxhub.ecg"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
# No voltage that a body makes: marks samples that the source did not record (sequential leads, padding).
NO_SAMPLE_UV = -(2**31)
_MAGIC = b"DXECG1\n"


@dataclass(frozen=True, slots=True, eq=False)
class EcgRecording:
    """A resting ECG as sampled, before any filter meant for display.

    samples_uv: int32, shape (leads, samples), microvolts, rows in the order of `leads`;
      NO_SAMPLE_UV where nothing was recorded.
    started_at: the cart's clock, hence possibly wrong; the delivery's received_at is ours.
    Source: DICOM PS3.3 C.10.9; EN 1064 sections 3 and 6.
    """

    leads: tuple[str, ...]
    sampling_rate_hz: float
    samples_uv: npt.NDArray[np.int32]
    started_at: dt.datetime | None = None

    @property
    def duration_s(self) -> float:
        return float(self.samples_uv.shape[1]) / self.sampling_rate_hz


def encode(recording: EcgRecording) -> bytes:
    """One JSON line (leads, rate, start), then int32 little-endian samples, lead after lead."""
    head = {
        "leads": recording.leads,
        "sampling_rate_hz": recording.sampling_rate_hz,
        "samples": int(recording.samples_uv.shape[1]),
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
    }
    return _MAGIC + json.dumps(head).encode() + b"\n" + recording.samples_uv.astype("<i4").tobytes()


def decode(content: bytes) -> EcgRecording:
    """The inverse of `encode`. Raises InvalidPayload where the content is not such a recording."""
    if not content.startswith(_MAGIC):
        raise InvalidPayload("expected an ECG recording in canonical form")
    line, _, body = content[len(_MAGIC) :].partition(b"\n")
    head = json.loads(line)
    leads = tuple(head["leads"])
    samples = np.frombuffer(body, "<i4").reshape(len(leads), head["samples"]).astype(np.int32)
    started = head["started_at"]
    return EcgRecording(
        leads, float(head["sampling_rate_hz"]), samples, dt.datetime.fromisoformat(started) if started else None
    )
