"""Stretches of leads that were recorded together, and the one recording that they make."""

from dataclasses import dataclass

import numpy as np

from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording, MedianBeat
from schemas.faults import InvalidPayload, UnsupportedPayload

from .leads import Samples, stacked, with_derived

# Twelve leads at 500 Hz for almost an hour. A longer recording is a Holter's, which this hub does not draw.
_MAX_SAMPLES = 20_000_000
# What is longer is no single beat.
_LONGEST_BEAT_S = 3.0


@dataclass(frozen=True, slots=True)
class Group:
    """A multiplex group of DICOM, a sequence set of aECG, a waveform of MUSE.

    offset_s: where it begins, relative to the other groups; None where the source does not say. leads: microvolts.
    left_out: channels that measure no voltage. padding_ignored: a declared padding value was not believed.
    fiducials_ms: of a median beat (schemas.ecg.MedianBeat).
    """

    original: bool
    rate_hz: float
    offset_s: float | None
    leads: dict[str, Samples]
    left_out: tuple[str, ...] = ()
    padding_ignored: bool = False
    fiducials_ms: tuple[tuple[str, float], ...] = ()

    @property
    def length(self) -> int:
        return max((len(samples) for samples in self.leads.values()), default=0)

    @property
    def duration_s(self) -> float:
        return self.length / self.rate_hz


def recording(groups: list[Group]) -> tuple[EcgRecording, tuple[str, ...]]:
    """The rhythm: the longest original group, with what other original groups of its rate add; and flags.

    Carts that record three leads at a time store four groups in a row: their leads stand where they were recorded.
    Raises InvalidPayload where there is no lead, UnsupportedPayload for a recording of many minutes.
    """
    candidates = [g for g in groups if g.leads and g.original] or [g for g in groups if g.leads]
    if not candidates:
        raise InvalidPayload("expected at least one lead in volts, found none", where="leads")
    candidates.sort(key=lambda group: -group.duration_s)
    rhythm = candidates[0]
    leads: dict[str, Samples] = {}
    used = []
    for group in candidates:
        # Another rate would have to be resampled; another lead of the same name is a second recording.
        added = {lead: row for lead, row in group.leads.items() if lead not in leads}
        if added and group.rate_hz == rhythm.rate_hz:
            leads |= _placed(added, group, candidates)
            used.append(group)
    complete, made = with_derived(dict(zip(leads, stacked(leads), strict=True)))
    samples = stacked(complete)
    flags = {
        "rhythm-derived": not rhythm.original,
        "groups-merged": len(used) > 1,
        "group-offset-missing": len(used) > 1 and any(group.offset_s is None for group in used),
        "groups-left-out": len(used) < len(candidates),
        "channels-left-out": any(group.left_out for group in groups),
        "padding-ignored": any(group.padding_ignored for group in used),
        "leads-derived": bool(made),
        "leads-missing": bool(set(LEADS) - set(complete)),
        "gaps": bool((samples == NO_SAMPLE_UV).any()),
    }
    found = EcgRecording(tuple(complete), rhythm.rate_hz, samples, median=_median(groups, rhythm))
    return found, tuple(flag for flag, holds in flags.items() if holds)


def _median(groups: list[Group], rhythm: Group) -> MedianBeat | None:
    """The beat that the cart made of the rhythm: the first derived group that is no longer than one."""
    for group in groups:
        if group.leads and not group.original and group is not rhythm and group.duration_s <= _LONGEST_BEAT_S:
            complete, _ = with_derived(dict(zip(group.leads, stacked(group.leads), strict=True)))
            return MedianBeat(tuple(complete), group.rate_hz, stacked(complete), group.fiducials_ms)
    return None


def _placed(leads: dict[str, Samples], group: Group, groups: list[Group]) -> dict[str, Samples]:
    """The leads with NO_SAMPLE_UV before their group's start."""
    start = min(other.offset_s or 0.0 for other in groups)
    before = round(((group.offset_s or 0.0) - start) * group.rate_hz)
    if (before + group.length) * max(len(LEADS), len(leads)) > _MAX_SAMPLES:
        raise UnsupportedPayload("expected a resting ECG, found one of many minutes", where="leads")
    gap = np.full(before, NO_SAMPLE_UV, np.int32)
    return {lead: np.concatenate([gap, row]) for lead, row in leads.items()}
