"""Waveforms of a MUSE export as leads in microvolts: rhythm, and the median beat."""

import base64
import binascii
import math
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from schemas.faults import InvalidPayload, UnsupportedPayload

from .groups import Group
from .leads import Samples, lead_name, microvolts

_MICROVOLTS = {"NANOVOLTS": 1e-3, "MICROVOLTS": 1.0, "MILLIVOLTS": 1e3, "VOLTS": 1e6}
_FIDUCIALS = {
    "POnset": "p-onset",
    "POffset": "p-offset",
    "QOnset": "qrs-onset",
    "QOffset": "qrs-offset",
    "TOffset": "t-offset",
}
_FLAGS = {
    "LeadOff": "lead-off",
    "LeadOffsetFirstSample": "offset-not-applied",
    "FirstSampleBaseline": "offset-not-applied",
}
_NO = frozenset({"", "FALSE", "0"})
_MAX_LEADS = 64


def text(parent: Element | None, tag: str) -> str:
    """The text of a child, without what surrounds it; empty where there is none."""
    return (parent.findtext(tag) or "").strip() if parent is not None else ""


def groups(root: Element) -> list[Group]:
    """Every waveform. Raises InvalidPayload for one that contradicts its own counts, scale or checksum."""
    if len(root.findall("Waveform/LeadData")) > _MAX_LEADS:
        raise UnsupportedPayload(f"expected at most {_MAX_LEADS} leads", where="Waveform")
    return [group for number, each in enumerate(root.findall("Waveform"), 1) for group in _groups(root, each, number)]


def flags(root: Element) -> tuple[str, ...]:
    """What the cart itself says against its leads, and what of them nobody can apply: no source tells its meaning."""
    said = (_FLAGS[each.tag] for each in root.iterfind("Waveform/LeadData/*") if each.tag in _FLAGS and _said(each))
    return tuple(sorted(set(said)))


def _said(element: Element) -> bool:
    return (element.text or "").strip().upper() not in _NO


def _groups(root: Element, waveform: Element, number: int) -> Iterator[Group]:
    """The leads of a waveform, those that begin together in one group."""
    where = f"Waveform[{number}]"
    rate = _number(text(waveform, "SampleBase")) * 10.0 ** _exponent(text(waveform, "SampleExponent"))
    if not 1 <= rate <= 100_000:
        raise InvalidPayload("expected a sampling rate between 1 and 100000 Hz", where=f"{where}/SampleBase")
    original = text(waveform, "WaveformType").upper() != "MEDIAN"
    begun: dict[float, dict[str, Samples]] = {}
    names: set[str] = set()
    left_out = []
    for lead in waveform.findall("LeadData"):
        name = lead_name(text(lead, "LeadID"))
        place = f"{where}/LeadData[{name[:8]}]"
        samples = _samples(lead, place)
        offset = _number(text(lead, "LeadTimeOffset") or "0")
        if samples is None or name in names or not math.isfinite(offset):
            left_out.append(name)
        else:
            names.add(name)
            begun.setdefault(offset / 1000, {})[name] = samples
    for offset, leads in begun.items():
        beat = () if original else tuple(_fiducials(root))
        yield Group(original, rate, offset, leads, tuple(left_out), fiducials_ms=beat)


def _samples(lead: Element, where: str) -> Samples | None:
    """One lead in microvolts; None where its unit is no voltage. CRC-32 over the bytes, 0 where none was computed."""
    factor = _MICROVOLTS.get(text(lead, "LeadAmplitudeUnits").upper())
    if factor is None:
        return None
    try:
        data = base64.b64decode("".join(text(lead, "WaveFormData").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidPayload("expected samples in base64", where=where) from error
    size = text(lead, "LeadSampleSize") or "2"
    if size not in ("1", "2", "4") or not data or len(data) % int(size):
        raise InvalidPayload("expected samples of 1, 2 or 4 bytes", where=f"{where}/LeadSampleSize")
    stored = np.frombuffer(data, f"<i{size}")
    counted = text(lead, "LeadSampleCountTotal")
    if counted.isdigit() and int(counted[:12]) != len(stored):
        raise InvalidPayload(f"expected as many samples as told, found {len(stored)}", where=where)
    checksum = text(lead, "LeadDataCRC32")
    if checksum.isdigit() and int(checksum[:12]) not in (0, zlib.crc32(data)):
        raise InvalidPayload("checksum does not hold", where=f"{where}/LeadDataCRC32")
    scale = _number(text(lead, "LeadAmplitudeUnitsPerBit"))
    if not math.isfinite(scale) or not scale:
        raise InvalidPayload("expected an amplitude other than 0", where=f"{where}/LeadAmplitudeUnitsPerBit")
    return microvolts(stored * (scale * factor), where)


def _fiducials(root: Element) -> Iterator[tuple[str, float]]:
    """Of the median beat: told in its samples, which have a rate of their own."""
    told = root.find("RestingECGMeasurements")
    rate = _number(text(told, "ECGSampleBase")) * 10.0 ** _exponent(text(told, "ECGSampleExponent"))
    for tag, name in _FIDUCIALS.items():
        at = _number(text(told, tag)) * 1000 / rate if rate > 0 else math.nan
        if 0 < at < 5000:
            yield name, round(at, 1)


def _exponent(written: str) -> int:
    return max(-9, min(9, int(written))) if written.removeprefix("-").isdigit() and len(written) < 4 else 0


def _number(written: str) -> float:
    try:
        return float(written) if len(written) <= 30 else math.nan
    except ValueError:
        return math.nan
