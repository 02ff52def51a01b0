"""Series and sequence sets of an annotated ECG as leads in microvolts.

Source: ANSI/HL7 V3 ECG R1-2004, PORT_MT020001.
"""

import datetime as dt
import math
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from schemas.faults import InvalidPayload, UnsupportedPayload

from .clock import timestamp
from .groups import Group
from .leads import Samples, lead_name, microvolts

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
_MICROVOLTS = {"nv": 1e-3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
# Twelve leads at 1000 Hz for more than a minute; more would take seconds to read.
_MAX_SAMPLES = 1_000_000
_TIME_CODES = ("TIME_ABSOLUTE", "TIME_RELATIVE")


def series(root: Element) -> Iterator[tuple[Element, bool]]:
    """Every series, and whether it was recorded (else derived from one that was, as a representative beat)."""
    for recorded in root.findall("component/series"):
        yield recorded, code(recorded) != "REPRESENTATIVE_BEAT"
        for derived in recorded.iter("derivedSeries"):
            yield derived, False


def groups(root: Element, zone: str) -> list[Group]:
    """Every sequence set that holds leads. Raises InvalidPayload for one without a time base, scale or digits."""
    if sum((digits.text or "").count(" ") for digits in root.iter("digits")) > _MAX_SAMPLES:
        raise UnsupportedPayload("expected a resting ECG, found one of many minutes", where="digits")
    found = []
    for number, (element, original) in enumerate(series(root), start=1):
        for at, sequence_set in enumerate(element.findall("component/sequenceSet"), start=1):
            found.append(_group(sequence_set, original, f"series[{number}]/sequenceSet[{at}]", zone))
    return found


def started_at(root: Element, zone: str) -> dt.datetime | None:
    """When the recording began: of the series, else of the document."""
    places = ("component/series/effectiveTime/low", "component/series/effectiveTime/center", "effectiveTime/low")
    found = [root.find(place) for place in (*places, "effectiveTime/center", "effectiveTime")]
    moments = (timestamp(element.get("value", ""), zone) for element in found if element is not None)
    return next((moment for moment in moments if moment is not None), None)


def code(element: Element) -> str:
    """The value of an element's own code."""
    found = element.find("code")
    return found.get("code", "") if found is not None else ""


def _group(sequence_set: Element, original: bool, where: str, zone: str) -> Group:
    rate, offset = 0.0, None
    leads: dict[str, Samples] = {}
    left_out = []
    for sequence in sequence_set.findall("component/sequence"):
        kind, value = code(sequence), sequence.find("value")
        if value is None:
            left_out.append(kind)
        elif kind in _TIME_CODES:
            rate, offset = _time_base(value, where, zone)
        elif (samples := _samples(value, f"{where}/{kind}")) is None or lead_name(kind) in leads:
            left_out.append(kind)
        else:
            leads[lead_name(kind)] = samples
    if leads and not 1 <= rate <= 100_000:
        raise InvalidPayload("expected a time base between 1 and 100000 Hz", where=where)
    return Group(original, rate or 1.0, offset, leads, tuple(left_out))


def _time_base(value: Element, where: str, zone: str) -> tuple[float, float | None]:
    """Sampling rate in Hz, and the first sample's time in seconds on a scale that all sets of the file share."""
    increment, head = value.find("increment"), value.find("head")
    step = number(increment) * _SECONDS.get(_unit(increment, "s"), math.nan)
    if not step > 0:
        raise InvalidPayload("expected an increment of time above 0", where=f"{where}/increment")
    moment = timestamp(head.get("value", ""), zone) if head is not None else None
    relative = number(head) * _SECONDS.get(_unit(head, "s"), math.nan)
    # Rates are whole numbers of Hz; 0.0033333 s is 300 Hz.
    rate = 1 / step
    rate = float(round(rate)) if abs(rate - round(rate)) < 0.01 * rate else rate
    if moment is not None:
        return rate, moment.timestamp()
    return rate, relative if math.isfinite(relative) else None


def _samples(value: Element, where: str) -> Samples | None:
    """One lead in microvolts: origin + digits x scale; None where it does not measure a voltage."""
    scale, origin = value.find("scale"), value.find("origin")
    factor = _MICROVOLTS.get(_unit(scale, "").lower())
    if factor is None:
        return None
    base = number(origin) * _MICROVOLTS.get(_unit(origin, "uv").lower(), math.nan) if origin is not None else 0.0
    step = number(scale) * factor
    digits = (value.findtext("digits") or "").split()
    if not digits or not step:
        raise InvalidPayload("expected a scale and digits", where=where)
    try:
        values = np.array(digits, dtype=np.float64)
    except ValueError as error:
        raise InvalidPayload("expected numbers as digits", where=f"{where}/digits") from error
    with np.errstate(over="ignore", invalid="ignore"):
        return microvolts(values * step + base, where)


def number(element: Element | None) -> float:
    """The value of an element as a number, NaN where it is none."""
    try:
        return float(element.get("value", "nan")) if element is not None else math.nan
    except ValueError:
        return math.nan


def _unit(element: Element | None, default: str) -> str:
    return (element.get("unit") or default).strip() if element is not None else default
