"""A recording as multiplex groups of a General ECG Waveform. Source: DICOM PS3.3 A.34.4, C.10.9; PS3.16 CID 3001.

Samples stay microvolts and stay at their rate wherever the standard lets them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.sequence import Sequence

from adapters.ecg.leads import NAMES_BY_CODE
from schemas.codes import UCUM, Coding
from schemas.ecg import NO_SAMPLE_UV, EcgRecording, MedianBeat
from schemas.faults import UnsupportedPayload

from .writing import code, data_set, short

Samples = npt.NDArray[np.int32]
# Waveform Padding Value, the least that 16 bits hold: no voltage is written as that.
_PADDING = -(2**15)
_MOST_STORED = 2**15 - 1
_SLOWEST_HZ, _FASTEST_HZ = 200, 1000
_MOST_GROUPS, _MOST_CHANNELS = 4, 24
# The first number of a lead is that of the lead as it was recorded, a later one that of one which a cart had derived.
_CODE_BY_NAME = {name: number for number, name in reversed(list(NAMES_BY_CODE.items()))}
_MICROVOLT = Coding("uV", "microvolt", UCUM)


@dataclass(frozen=True, slots=True)
class Written:
    """items: the Waveform Sequence, the median beat last where there is one. median: its number, 0 for none.

    times: so many samples are written for one that was recorded, of which the first is as it was recorded.
    """

    items: Sequence
    median: int = 0
    times: int = 1


def times(rate_hz: float) -> int:
    """How many samples must be written for each. Raises UnsupportedPayload above what the standard allows."""
    if rate_hz > _FASTEST_HZ:
        raise UnsupportedPayload(f"a General ECG Waveform holds at most {_FASTEST_HZ} samples a second", where="rate")
    return max(1, math.ceil(_SLOWEST_HZ / rate_hz))


def written(recording: EcgRecording) -> Written:
    """The groups. Raises UnsupportedPayload for a recording that no General ECG Waveform can hold."""
    if len(recording.leads) > _MOST_CHANNELS:
        raise UnsupportedPayload(f"a General ECG Waveform holds at most {_MOST_CHANNELS} leads", where="leads")
    more, median = times(recording.sampling_rate_hz), recording.median
    rate = recording.sampling_rate_hz * more
    parts = list(_stretches(recording, _MOST_GROUPS - bool(median)))
    label = "RHYTHM" if len(parts) == 1 else "RHYTHM {}"
    items = [
        _group([recording.leads[row] for row in rows], _finer(recording.samples_uv[rows, start:end], more), rate)
        for rows, start, end in parts
    ]
    for number, (item, (_, start, _)) in enumerate(zip(items, parts, strict=True), 1):
        item.MultiplexGroupLabel = label.format(number)
        for channel in item.ChannelDefinitionSequence:
            channel.ChannelSampleSkew = str(start * more)
    items += [_median(median)] if median else []
    return Written(Sequence(items), len(items) if median else 0, more)


def _stretches(recording: EcgRecording, most: int) -> Iterator[tuple[list[int], int, int]]:
    """(leads by row, from, to) of what was recorded together: one stretch, or some leads after the others.

    Stretches begin where their leads do, told as the channels' sample skew: a group's time offset is only for
    recordings of which the time was synchronized, and those of a cart are not.
    """
    rows = list(range(len(recording.leads)))
    length = recording.samples_uv.shape[1]
    spans: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        there = np.flatnonzero(recording.samples_uv[row] != NO_SAMPLE_UV)
        span = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, length)
        spans.setdefault(span, []).append(row)
    whole = min(start for start, _ in spans) == 0 and max(end for _, end in spans) == length
    if not whole or len(spans) > most:
        yield rows, 0, length
        return
    for (start, end), together in sorted(spans.items()):
        yield together, start, end


def _median(median: MedianBeat) -> Dataset:
    more = times(median.sampling_rate_hz)
    item = _group(list(median.leads), _finer(median.samples_uv, more), median.sampling_rate_hz * more)
    item.WaveformOriginality, item.MultiplexGroupLabel = "DERIVED", "MEDIAN BEAT"
    return item


def _finer(samples_uv: Samples, more: int) -> Samples:
    """So many samples for each, on straight lines between them: every one that was recorded stays as it was."""
    if more == 1:
        return samples_uv
    valid = samples_uv != NO_SAMPLE_UV
    length = samples_uv.shape[1]
    at = np.arange((length - 1) * more + 1) / more
    before = at.astype(int)
    behind = np.minimum(before + 1, length - 1)
    between = before * more != np.arange(len(at))
    share = at - before
    values = np.rint(samples_uv[:, before] * (1 - share) + samples_uv[:, behind] * share).astype(np.int64)
    known = valid[:, before] & (valid[:, behind] | ~between)
    return np.where(known, values, NO_SAMPLE_UV).astype(np.int32)


def _group(leads: list[str], samples_uv: Samples, rate_hz: float) -> Dataset:
    """Channels are interleaved: the first sample of each lead, then the second. Source: C.10.9.1.4."""
    absent = samples_uv == NO_SAMPLE_UV
    steps = [_step(row[~gap]) for row, gap in zip(samples_uv, absent, strict=True)]
    stored = np.where(absent, _PADDING, np.rint(samples_uv / np.array(steps)[:, None])).astype("<i2")
    item = data_set(
        WaveformOriginality="ORIGINAL",
        NumberOfWaveformChannels=len(leads),
        NumberOfWaveformSamples=samples_uv.shape[1],
        SamplingFrequency=f"{rate_hz:.10g}",
        MultiplexGroupLabel="",
        ChannelDefinitionSequence=Sequence([_channel(*each) for each in zip(leads, steps, strict=True)]),
        WaveformBitsAllocated=16,
        WaveformSampleInterpretation="SS",
    )
    if absent.any():
        item.add_new("WaveformPaddingValue", "OW", np.array(_PADDING, "<i2").tobytes())
    item.add_new("WaveformData", "OW", stored.T.tobytes())
    return item


def _step(valid_uv: Samples) -> int:
    """Microvolts of one step: 1, unless a voltage is beyond what 16 bits hold."""
    peak = int(np.abs(valid_uv).max()) if len(valid_uv) else 0
    return max(1, math.ceil(peak / _MOST_STORED))


def _channel(lead: str, step_uv: int) -> Dataset:
    number = _CODE_BY_NAME.get(lead)
    source = code(Coding("lead", short(lead, 64) or "?"))
    if number is not None:
        source = Sequence([data_set(CodeValue=f"2:{number}", CodingSchemeDesignator="MDC", CodeMeaning=f"Lead {lead}")])
    return data_set(
        ChannelLabel=short(lead, 16),
        ChannelSourceSequence=source,
        ChannelSensitivity=str(step_uv),
        ChannelSensitivityUnitsSequence=code(_MICROVOLT),
        ChannelSensitivityCorrectionFactor="1",
        ChannelBaseline="0",
        ChannelSampleSkew="0",
        WaveformBitsStored=16,
    )
