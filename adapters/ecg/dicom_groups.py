"""Multiplex groups of a DICOM waveform as leads in microvolts. Source: DICOM PS3.3 C.10.9."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from schemas.ecg import FIDUCIALS, NO_SAMPLE_UV
from schemas.faults import InvalidPayload, UnsupportedPayload

from .groups import Group
from .leads import NAMES_BY_CODE, Samples, lead_name, microvolts

# Waveform Sample Interpretation (C.10.9.1.5); the companded ones (MB, AB) belong to sound.
_SAMPLE_TYPES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
_MICROVOLTS = {"NV": 0.001, "UV": 1.0, "ΜV": 1.0, "MV": 1000.0, "V": 1_000_000.0}
_MAX_CHANNELS = 64
# An hour at the highest rate that is read.
_MOST_SKEW = 360_000_000
# EN 1064 clause numbers of what a cart marks in a beat, as they are written into DICOM; in the order of FIDUCIALS.
POINTS = {f"5.10.3-{number}": name for number, name in enumerate(FIDUCIALS, 1)}


def read_groups(dataset: Dataset) -> list[Group]:
    """Every multiplex group. Raises InvalidPayload where one contradicts itself or its scale cannot be known."""
    items = dataset.get("WaveformSequence")
    if not items:
        raise InvalidPayload("expected a waveform, found none", where="(5400,0100)")
    # Explicit VR Big Endian is retired, and still found in archives.
    big_endian = dataset.original_encoding[1] is False
    points = _fiducials(dataset)
    return [
        group
        for index, item in enumerate(items, start=1)
        for group in _groups(item, f"(5400,0100)[{index}]", big_endian, points.get(index, {}))
    ]


def _groups(item: Dataset, where: str, big_endian: bool, points: dict[str, int]) -> Iterator[Group]:
    """A multiplex group, in as many parts as its channels begin at different samples (C.10.9.1.4.3)."""
    channels = item.get("ChannelDefinitionSequence") or []
    raw = _raw(item, len(channels), where, big_endian)
    rate = _number(item, "SamplingFrequency", where)
    if not 1 <= rate <= 100_000:
        raise InvalidPayload("expected a sampling frequency between 1 and 100000 Hz", where=f"{where}(003A,001A)")
    offset = item.get("MultiplexGroupTimeOffset")
    padding, ignored = _padding(item, raw, big_endian)
    begun: dict[int, dict[str, Samples]] = {}
    names: set[str] = set()
    left_out = []
    for number, channel in enumerate(channels):
        name = channel_name(channel) or f"channel {number + 1}"
        samples = _channel(channel, raw[:, number], padding, f"{where}(003A,0200)[{number + 1}]")
        if samples is None or name in names:
            left_out.append(name)
        else:
            names.add(name)
            begun.setdefault(_skew(channel, rate, where), {})[name] = samples
    for skew, leads in begun.items() if begun else [(0, {})]:
        told = None if offset in (None, "") else float(offset) / 1000
        yield Group(
            original=item.get("WaveformOriginality", "ORIGINAL") != "DERIVED",
            rate_hz=rate,
            offset_s=(told or 0.0) + skew / rate if skew else told,
            leads=leads,
            left_out=tuple(left_out),
            padding_ignored=ignored,
            fiducials_ms=tuple((name, round((at - 1) * 1000 / rate, 1)) for name, at in points.items()),
        )


def _skew(channel: Dataset, rate: float, where: str) -> int:
    """Whole samples by which a channel begins after its group; the fraction by which a converter is late is none."""
    samples = _number(channel, "ChannelSampleSkew", where, 0.0)
    skew = int(samples or _number(channel, "ChannelTimeSkew", where, 0.0) * rate)
    if not 0 <= skew <= _MOST_SKEW:
        raise InvalidPayload("expected a channel that begins with its group or after it", where=f"{where}(003A,0215)")
    return skew


def _fiducials(dataset: Dataset) -> dict[int, dict[str, int]]:
    """By group: where waves begin and end in it, in samples counted from 1 (C.10.10.1.1), the first that is told."""
    found: dict[int, dict[str, int]] = {}
    for annotation in dataset.get("WaveformAnnotationSequence") or []:
        at, channels = annotation.get("ReferencedSamplePositions"), annotation.get("ReferencedWaveformChannels")
        concept = annotation.get("ConceptNameCodeSequence")
        if annotation.get("TemporalRangeType") != "POINT" or not isinstance(at, int) or not channels or not concept:
            continue
        name = POINTS.get(str(concept[0].get("CodeValue", "")))
        if name and str(concept[0].get("CodingSchemeDesignator", "")) == "SCPECG" and channels[0] and at > 0:
            found.setdefault(int(channels[0]), {}).setdefault(name, at)
    return found


def _raw(item: Dataset, channels: int, where: str, big_endian: bool) -> npt.NDArray[np.generic]:
    """Stored values, shape (samples, channels): channels are interleaved (C.10.9.1.4)."""
    interpretation = str(item.get("WaveformSampleInterpretation", ""))
    if interpretation not in _SAMPLE_TYPES:
        raise UnsupportedPayload("expected linear samples of 8, 16 or 32 bits", where=f"{where}(5400,1006)")
    kind = np.dtype(_SAMPLE_TYPES[interpretation]).newbyteorder(">" if big_endian else "<")
    if item.get("WaveformBitsAllocated") != kind.itemsize * 8:
        raise InvalidPayload("bits allocated contradict the sample interpretation", where=f"{where}(5400,1004)")
    declared, samples = item.get("NumberOfWaveformChannels"), item.get("NumberOfWaveformSamples")
    if not channels or channels > _MAX_CHANNELS or declared != channels:
        raise InvalidPayload("channel definitions contradict the number of channels", where=f"{where}(003A,0005)")
    data = bytes(item.get("WaveformData") or b"")
    needed = int(samples or 0) * channels * kind.itemsize
    if not needed or len(data) < needed:
        text = f"expected {needed} bytes of samples, found {len(data)}"
        raise InvalidPayload(text, where=f"{where}(5400,1010)")
    return np.frombuffer(data[:needed], kind).reshape(-1, channels)


def _padding(item: Dataset, raw: npt.NDArray[np.generic], big_endian: bool) -> tuple[int | None, bool]:
    """The stored value that means "nothing recorded", and whether a declared one was not believed.

    Carts declare 0, which is also the commonest valid sample. Only a value at an end of the range can mean padding.
    """
    declared = item.get("WaveformPaddingValue")
    if declared in (None, b"", ""):
        return None, False
    value = _integer(declared, raw.dtype, big_endian)
    limits = np.iinfo(raw.dtype)  # type: ignore[type-var]
    if value is None or value not in (limits.min, limits.min + 1, limits.max):
        return None, value is not None and bool((raw == value).any())
    return value, False


def _integer(value: object, kind: np.dtype[np.generic], big_endian: bool) -> int | None:
    if isinstance(value, bytes):
        return int(np.frombuffer(value[: kind.itemsize], kind)[0]) if len(value) >= kind.itemsize else None
    return value if isinstance(value, int) else None


def _channel(channel: Dataset, raw: npt.NDArray[np.generic], padding: int | None, where: str) -> Samples | None:
    """One channel in microvolts; None where it does not measure a voltage (respiration, pressure, a marker)."""
    units = channel.get("ChannelSensitivityUnitsSequence")
    factor = _MICROVOLTS.get(str(units[0].get("CodeValue", "")).strip().upper()) if units else None
    if factor is None:
        return None
    scale = _number(channel, "ChannelSensitivity", where) * _number(
        channel, "ChannelSensitivityCorrectionFactor", where
    )
    if not scale:
        raise InvalidPayload("expected a channel sensitivity other than 0", where=f"{where}(003A,0210)")
    # The baseline is in the units of the sensitivity, not in stored values.
    values = (raw.astype(np.float64) * scale + _number(channel, "ChannelBaseline", where, 0.0)) * factor
    if padding is None:
        return microvolts(values, where)
    absent = raw == padding
    return np.where(absent, NO_SAMPLE_UV, microvolts(np.where(absent, 0.0, values), where)).astype(np.int32)


def channel_name(channel: Dataset) -> str:
    """The lead of a channel, by its coded source, else by its label."""
    for source in channel.get("ChannelSourceSequence") or []:
        scheme, code = str(source.get("CodingSchemeDesignator", "")), str(source.get("CodeValue", ""))
        number = (
            code.removeprefix("2:") if scheme == "MDC" else code.removeprefix("5.6.3-9-") if scheme == "SCPECG" else ""
        )
        if number.isdigit() and int(number) in NAMES_BY_CODE:
            return NAMES_BY_CODE[int(number)]
        if source.get("CodeMeaning"):
            return lead_name(str(source.CodeMeaning))
    return lead_name(str(channel.get("ChannelLabel", "")))


def _number(dataset: Dataset, keyword: str, where: str, default: float | None = None) -> float:
    value = dataset.get(keyword)
    if value in (None, "") and default is not None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidPayload(f"expected a number for {keyword}", where=where)
    return number
