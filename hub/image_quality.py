"""What is missing in the images of a study, as their headers show it. Rules alone, without storage.

Source: DICOM PS3.3 C.7.6.2 (position and orientation), C.7.3.1 and PS3.16 annex L (laterality of paired parts),
PS3.4 C.3.4 (numbers of related instances).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from schemas.image_quality import Check, Finding, Shortcoming
from storage.completeness import SeriesContent

Header = dict[str, Any]
_SLICED = frozenset({"CT", "MR", "PT", "NM"})
# Parts of the body of which there are two, as annex L names them; without a side they belong to neither.
PAIRED = frozenset(
    {
        "ANKLE",
        "ARM",
        "AXILLA",
        "BREAST",
        "CALCANEUS",
        "CLAVICLE",
        "ELBOW",
        "EYE",
        "FEMUR",
        "FINGER",
        "FOOT",
        "FOREARM",
        "HAND",
        "HIP",
        "HUMERUS",
        "KIDNEY",
        "KNEE",
        "LEG",
        "MAXILLA",
        "ORBIT",
        "PATELLA",
        "RADIUS",
        "RADIUSULNA",
        "SCAPULA",
        "SHOULDER",
        "THIGH",
        "THUMB",
        "TIBIAFIBULA",
        "TOE",
        "WRIST",
        "ZYGOMA",
    }
)
_FLAT = frozenset({"CR", "DX", "RG", "RF", "MG", "US", "XA", "IO", "CT", "MR"})
# Slices overlap and positions are rounded: half a step more than usual is no gap, a whole one is.
_GAP = 1.5
_FEWEST = 4


def check(content: Sequence[SeriesContent], announced_missing: int) -> Check:
    """What is missing. announced_missing: how many instances of the modality's own list have not come."""
    findings = [finding for series in content for finding in _series(series)]
    if announced_missing:
        findings.append(Finding(Shortcoming.ANNOUNCED, "", announced_missing))
    return Check(sum(len(series.headers) for series in content), tuple(findings))


def _series(content: SeriesContent) -> Iterator[Finding]:
    uid, modality = content.series.series_instance_uid, content.series.modality
    if modality in _SLICED and (gap := missing_slices(content.headers)):
        yield Finding(Shortcoming.SLICES, uid, gap)
    declared = max((_number(each, "00201209") or 0 for each in content.headers), default=0)
    if declared > len(content.headers):
        yield Finding(Shortcoming.DECLARED, uid, declared - len(content.headers))
    part = content.series.body_part.replace(" ", "").upper()
    if modality in _FLAT and part in PAIRED and not content.series.laterality and not all(map(_sided, content.headers)):
        yield Finding(Shortcoming.LATERALITY, uid)


def missing_slices(headers: Sequence[Header]) -> int:
    """How many slices a series lacks between its first and its last: by their positions, else by their numbers.

    0 where neither can tell: few slices, several orientations (localizers), several slices in one place (phases).
    """
    places = [_place(each) for each in headers]
    if len(headers) >= _FEWEST and all(place is not None for place in places):
        return _gaps([place for place in places if place is not None])
    numbers = [_number(each, "00200013") for each in headers]
    known = {number for number in numbers if number is not None}
    if len(known) < _FEWEST or len(known) < len(headers):
        return 0
    absent = max(known) - min(known) + 1 - len(known)
    # Numbers that go up in steps, or by series, count something else.
    return absent if absent < len(known) else 0


def _gaps(places: list[tuple[tuple[float, ...], float]]) -> int:
    normals = {tuple(round(x, 2) for x in normal) for normal, _ in places}
    along = sorted({round(distance, 2) for _, distance in places})
    if len(normals) > 1 or len(along) < len(places):
        return 0
    steps = [after - before for before, after in pairwise(along)]
    usual = median(steps)
    return sum(round(step / usual) - 1 for step in steps if step > usual * _GAP) if usual else 0


def _place(header: Header) -> tuple[tuple[float, ...], float] | None:
    """The normal of a slice, and how far along it the slice lies, in millimetres."""
    position, across = _numbers(header, "00200032"), _numbers(header, "00200037")
    if len(position) != 3 or len(across) != 6:
        return None
    (a, b, c), (d, e, f) = across[:3], across[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    return normal, sum(x * y for x, y in zip(normal, position, strict=True))


def _sided(header: Header) -> bool:
    return any(_values(header, tag) for tag in ("00200060", "00200062", "00209072"))


def _values(header: Header, tag: str) -> list[Any]:
    return [value for value in header.get(tag, {}).get("Value", []) if value is not None]


def _numbers(header: Header, tag: str) -> list[float]:
    return [float(value) for value in _values(header, tag) if isinstance(value, int | float)]


def _number(header: Header, tag: str) -> int | None:
    return next((int(value) for value in _numbers(header, tag)), None)
