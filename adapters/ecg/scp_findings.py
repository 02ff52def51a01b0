"""Measurements and statements of an SCP-ECG record: sections 7 and 8. Source: EN 1064, 5.10 and 5.11."""

import datetime as dt
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.faults import InvalidPayload

from .measurement_codes import (
    HEART_RATE,
    P_AXIS,
    P_DURATION,
    PR_INTERVAL,
    QRS_AXIS,
    QRS_DURATION,
    QT_INTERVAL,
    QTC_INTERVAL,
    RR_INTERVAL,
    T_AXIS,
)
from .measurements import Measured, measured
from .scp_header import Decode

_BLOCK = struct.Struct("<5H3h")
_NONE = (29999, 0xFFFF)
_FORMULAS = {1: "Bazett", 2: "Hodges"}


@dataclass(frozen=True, slots=True)
class Interpretation:
    """confirmed: a physician has confirmed it. at: when, the cart's clock without a zone."""

    statements: tuple[str, ...] = ()
    confirmed: bool = False
    at: dt.datetime | None = None


def measurements(body: bytes) -> list[Measured]:
    """Global measurements of the first block. Raises InvalidPayload where they are cut short."""
    if len(body) < 6:
        raise InvalidPayload("measurements are cut short", where="section 7")
    blocks, spikes, rr, _ = struct.unpack_from("<BBHH", body)
    end = 6 + blocks * _BLOCK.size + spikes * 10
    if len(body) < end:
        raise InvalidPayload("measurements are cut short", where="section 7")
    found = [measured(RR_INTERVAL, rr), *_rates(body, end)]
    if blocks:
        found += _waves(*_BLOCK.unpack_from(body, 6))
    return [item for item in found if item]


def _waves(
    p_on: int, p_off: int, qrs_on: int, qrs_off: int, t_off: int, p: int, qrs: int, t: int
) -> Iterator[Measured | None]:
    """Intervals from the onsets and ends that are stored, in ms from the start of the reference beat."""
    spans = ((PR_INTERVAL, p_on, qrs_on), (QRS_DURATION, qrs_on, qrs_off), (QT_INTERVAL, qrs_on, t_off))
    for what, start, end in (*spans, (P_DURATION, p_on, p_off)):
        if start not in _NONE and end not in _NONE:
            yield measured(what, end - start)
    for what, angle in ((QRS_AXIS, qrs), (P_AXIS, p), (T_AXIS, t)):
        yield measured(what, angle)


def _rates(body: bytes, at: int) -> Iterator[Measured | None]:
    """Ventricular rate and QTc, which follow the list of QRS types where a cart writes them."""
    beats = struct.unpack_from("<H", body, at)[0] if at + 2 <= len(body) else 0
    at += 2 + beats
    if at + 7 <= len(body):
        ventricular, _, qtc, formula = struct.unpack_from("<HHHB", body, at)
        yield measured(HEART_RATE, ventricular)
        yield measured(QTC_INTERVAL, qtc, method=_FORMULAS.get(formula, ""))


def interpretation(body: bytes, decode: Decode) -> Interpretation:
    """Statements in their order. Raises InvalidPayload where they are cut short."""
    if len(body) < 9:
        raise InvalidPayload("statements are cut short", where="section 8")
    state, year, month, day, hour, minute, second, count = struct.unpack_from("<BHBBBBBB", body)
    at, lines = 9, []
    for _ in range(count):
        size = struct.unpack_from("<H", body, at + 1)[0] if at + 3 <= len(body) else 0
        text = body[at + 3 : at + 3 + size]
        if at + 3 > len(body) or len(text) < size:
            raise InvalidPayload("statements are cut short", where="section 8")
        lines.append(decode(text))
        at += 3 + size
    try:
        moment = dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its reader knows the zone
    except ValueError:
        moment = None
    return Interpretation(tuple(lines), state == 1, moment)
