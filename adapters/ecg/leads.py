"""Leads by label, whatever a source calls them, and the limb leads that follow from I and II."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.ecg import LEADS, NO_SAMPLE_UV
from schemas.faults import InvalidPayload

Samples = npt.NDArray[np.int32]

# EN 1064 table of lead identifications (5.6.3); DICOM CID 3001 uses the same numbers as `MDC 2:n`.
NAMES_BY_CODE: Mapping[int, str] = {
    **dict(enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7"), start=1)),
    **dict(enumerate(("V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z"), start=10)),
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
    65: "-aVR",
    66: "V8",
    67: "V9",
    68: "V8R",
    69: "V9R",
    # Leads that the cart itself had derived (DICOM CID 3001).
    31: "I",
    32: "II",
    33: "V1",
    34: "V2",
    35: "V3",
    36: "V4",
    37: "V5",
    38: "V6",
    111: "III",
    112: "aVR",
    113: "aVL",
    114: "aVF",
}
_KNOWN = {name.upper(): name for name in NAMES_BY_CODE.values()}
_PREFIX = re.compile(r"^(MDC_ECG_LEAD_|LEAD[ _-]*|ECG[ _-]*)+", re.IGNORECASE)


def lead_name(label: str) -> str:
    """The usual name of a lead that a source labels `MDC_ECG_LEAD_AVR` or `Lead aVR`; others keep their label."""
    bare = _PREFIX.sub("", label.strip()).split("(")[0].strip()
    return _KNOWN.get(bare.upper(), bare)


def microvolts(values: npt.NDArray[np.floating[Any]], where: str) -> Samples:
    """Rounded to whole microvolts. Raises InvalidPayload for what no electrode can have measured."""
    # Ten volts: a calibration pulse or a defibrillator's spike is far below, a wrong scale far above.
    if not np.isfinite(values).all() or (values.size and np.abs(values).max() > 10_000_000):
        raise InvalidPayload("expected voltages below 10 V", where=where)
    rounded: Samples = np.rint(values).astype(np.int32)
    return rounded


def with_derived(leads: dict[str, Samples]) -> tuple[dict[str, Samples], tuple[str, ...]]:
    """All leads in the usual order, missing limb leads made of I and II, and which ones those are.

    III = II - I, aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2 (Einthoven, Goldberger). Nothing is derived where
    I or II is missing.
    """
    complete = dict(leads)
    made = (
        tuple(lead for lead in ("III", "aVR", "aVL", "aVF") if lead not in leads) if {"I", "II"} <= set(leads) else ()
    )
    if made:
        one, two = (leads[name].astype(np.float64) for name in ("I", "II"))
        gap = (leads["I"] == NO_SAMPLE_UV) | (leads["II"] == NO_SAMPLE_UV)
        formulas = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
        for lead in made:
            complete[lead] = np.where(gap, NO_SAMPLE_UV, np.rint(formulas[lead])).astype(np.int32)
    order = [lead for lead in LEADS if lead in complete] + [lead for lead in complete if lead not in LEADS]
    return {lead: complete[lead] for lead in order}, made


def stacked(leads: Mapping[str, Samples]) -> Samples:
    """One array, shape (leads, samples); shorter leads end in NO_SAMPLE_UV."""
    longest = max(len(samples) for samples in leads.values())
    rows = np.full((len(leads), longest), NO_SAMPLE_UV, dtype=np.int32)
    for row, samples in zip(rows, leads.values(), strict=True):
        row[: len(samples)] = samples
    return rows
