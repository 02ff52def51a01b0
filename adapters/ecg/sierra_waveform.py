"""Waveforms of a Sierra document as leads in microvolts: rhythm, and the representative beat."""

import base64
import binascii
import dataclasses
import math
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from schemas.ecg import LEADS, EcgRecording
from schemas.faults import InvalidPayload, UnsupportedPayload

from . import xli
from .groups import Group
from .leads import Samples, lead_name, microvolts

Values = npt.NDArray[np.int64]

_MAX_LEADS = 32
_MAX_SAMPLES = 1_000_000
# A pulse of 1 mV, and how far a cart's own may be from it.
_PULSE_UV = (900, 1100)
_SHORTEST_PULSE_S = 0.1


def groups(root: Element) -> list[Group]:
    """The rhythm, and the representative beat where it is sent. Raises InvalidPayload, UnsupportedPayload."""
    waveform = root.find("waveforms/parsedwaveforms")
    if waveform is None:
        raise InvalidPayload("expected a waveform, found none", where="waveforms/parsedwaveforms")
    signal = root.find("dataacquisition/signalcharacteristics")
    rate = _number(waveform.get("samplespersecond") or _child(signal, "samplingrate"))
    step = _number(waveform.get("resolution") or _child(signal, "resolution") or _child(signal, "signalresolution"))
    samples = _number(waveform.get("durationperchannel", "")) * rate / 1000
    names = _names(waveform, signal)
    if not 1 <= rate <= 100_000 or not samples >= 1 or not step > 0:
        raise InvalidPayload("expected a sampling rate, a duration and a resolution", where="signalcharacteristics")
    if samples * len(names) > _MAX_SAMPLES:
        raise UnsupportedPayload("expected a resting ECG, found one of many minutes", where="durationperchannel")
    zero = _number(waveform.get("signaloffset") or _child(signal, "signaloffset") or "0")
    rows = _rows(waveform, names, round(samples), signed=_child(signal, "signalsigned").lower() != "false")
    leads: dict[str, Samples] = {}
    for name, row in zip(names, rows, strict=True):
        leads.setdefault(name, microvolts((row - zero) * step, "parsedwaveforms"))
    return [Group(True, rate, 0.0, leads), *_beat(root, rate, step)]


def without_calibration(recording: EcgRecording) -> tuple[EcgRecording, bool]:
    """Without the calibration pulse that Philips' carts append, and whether there was one.

    It stands in all leads alike, which no heart can do: what makes I, II and III equal is nothing or no signal.
    """
    rows = recording.samples_uv
    differing = np.flatnonzero((rows != rows[0]).any(axis=0))
    end = int(differing[-1]) + 1 if len(differing) else 0
    tail = rows[0, end:]
    shortest = _SHORTEST_PULSE_S * recording.sampling_rate_hz
    if len(rows) < len(LEADS) or end == 0 or not _PULSE_UV[0] <= tail.max(initial=0) <= _PULSE_UV[1]:
        return recording, False
    if np.count_nonzero(tail == tail.max()) < shortest:
        return recording, False
    return dataclasses.replace(recording, samples_uv=rows[:, :end].copy()), True


def _names(waveform: Element, signal: Element | None) -> list[str]:
    """Leads as they are stored; the documents before 1.04 name none, and have the usual twelve."""
    names = [lead_name(name) for name in waveform.get("leadlabels", "").split()]
    counted = waveform.get("numberofleads") or _child(signal, "numberchannelsallocated")
    count = int(counted) if counted.isdigit() and len(counted) < 4 else len(names)
    names = (names or list(LEADS))[:count]
    if not names or len(names) < count or count > _MAX_LEADS:
        raise InvalidPayload("expected a name for each lead", where="parsedwaveforms/@leadlabels")
    return names


def _rows(waveform: Element, names: list[str], samples: int, *, signed: bool) -> list[Values]:
    """Stored values, a row a lead, as they are or packed."""
    where = "parsedwaveforms"
    packed = waveform.get("compression") or waveform.get("compressmethod") or ""
    if waveform.get("compressflag", "true").lower() == "false" or packed.lower() in ("", "none", "uncompressed"):
        values = _values(waveform.text or "", waveform.get("dataencoding", ""), where, signed=signed)
        if len(values) < samples * len(names):
            raise InvalidPayload(f"expected {samples * len(names)} samples, found {len(values)}", where=where)
        return list(values[: samples * len(names)].reshape(len(names), samples))
    if packed.upper() != "XLI":
        raise UnsupportedPayload("expected samples as they are or packed by XLI", where=f"{where}/@compression")
    rows = xli.unpack(_bytes(waveform.text or "", where), len(names), samples)
    return xli.with_limb_leads(rows) if names[:6] == list(LEADS[:6]) else rows


def _values(text: str, encoding: str, where: str, *, signed: bool = True) -> Values:
    if encoding.lower() == "base64":
        data = _bytes(text, where)
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2" if signed else "<u2").astype(np.int64)
    try:
        return np.array(text.replace(",", " ").split(), dtype=np.int32).astype(np.int64)
    except (ValueError, OverflowError) as error:
        raise InvalidPayload("expected whole numbers or base64", where=where) from error


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidPayload("expected samples in base64", where=where) from error


def _beat(root: Element, rate: float, step: float) -> Iterator[Group]:
    """The representative beat, whose rate and resolution are its own; what is packed stays in the original."""
    beats = root.find("waveforms/repbeats")
    if beats is None or beats.get("compression"):
        return
    rate = _number(beats.get("samplespersec") or beats.get("samplespersecond") or str(rate))
    step = _number(beats.get("resolution") or str(step))
    leads: dict[str, Samples] = {}
    for number, beat in enumerate(beats.findall("repbeat")[:_MAX_LEADS], 1):
        where = f"repbeats/repbeat[{number}]"
        holder = beat.find("waveform")
        values = _values((beat if holder is None else holder).text or "", beats.get("dataencoding", ""), where)
        if len(values) and math.isfinite(step):
            leads.setdefault(lead_name(beat.get("leadname", "")), microvolts(values * step, where))
    if leads and 1 <= rate <= 100_000:
        told = root.find("interpretations/interpretation/globalmeasurements")
        yield Group(False, rate, None, leads, fiducials_ms=tuple(_fiducials(told)))


def _fiducials(told: Element | None) -> Iterator[tuple[str, float]]:
    """Onset of QRS in ms from the beat's first sample, and what the intervals around it make of that."""
    begin, pr, p, qrs, qt = (_number(_child(told, tag)) for tag in ("qonset", "print", "pdur", "qrsdur", "qtint"))
    found = (
        ("p-onset", begin - pr),
        ("p-offset", begin - pr + p),
        ("qrs-onset", begin),
        ("qrs-offset", begin + qrs),
        ("t-offset", begin + qt),
    )
    yield from ((name, at) for name, at in found if 0 < at < 5000)


def _child(parent: Element | None, tag: str) -> str:
    return (parent.findtext(tag) or "").strip() if parent is not None else ""


def _number(written: str) -> float:
    try:
        return float(written) if len(written) <= 30 else math.nan
    except ValueError:
        return math.nan
