"""What carts measure, as observations in one vocabulary."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from schemas.codes import UCUM, Coding
from schemas.observation import Observation, Quantity

from .measurement_codes import AXES, BY_SCHEME, HEART_RATE, METHODS, ORDER, RR_INTERVAL


@dataclass(frozen=True, slots=True)
class Measured:
    """A number for the whole recording; times in ms, rates per minute, axes in degrees. method: a QTc formula.

    computed: by the hub, from another one.
    """

    what: Coding
    value: Decimal
    method: str = ""
    computed: bool = False


def find(scheme: str, code: str, value: object, unit: str = "") -> Measured | None:
    """The measurement behind a code of DICOM scheme `MDC`, `SCPECG` or `LN`, or of `aECG`.

    None for what we do not map, and for what a cart did not measure.
    """
    key = code.upper().removesuffix("_GL") if scheme == "aECG" else code
    what = BY_SCHEME.get(scheme, {}).get(key)
    return measured(what, value, unit, METHODS.get(key, "")) if what else None


def measured(what: Coding, value: object, unit: str = "", method: str = "") -> Measured | None:
    """The measurement, or None for one of the ways of writing "not measured" (0, 999, 29999, 65535, words)."""
    text = str(value).strip()
    try:
        number = Decimal(text) if len(text) <= 20 else Decimal("nan")
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    if unit == "s" and what not in AXES:
        number *= 1000
    plausible = abs(number) <= 360 if what in AXES else 1 <= number < 29999
    return Measured(what, number, method) if plausible else None


def observations(found: Iterable[Measured]) -> tuple[Observation, ...]:
    """One observation of each kind, the first that the source gave, in the order in which an ECG is read.

    A rate that only the RR interval tells is computed, and says so in `method`.
    """
    first: dict[Coding, Measured] = {}
    for item in found:
        first.setdefault(item.what, item)
    if HEART_RATE not in first and RR_INTERVAL in first:
        rate = (Decimal(60000) / first[RR_INTERVAL].value).quantize(Decimal(1))
        first[HEART_RATE] = Measured(HEART_RATE, rate, "computed by the hub: 60000 / R-R interval", computed=True)
    return tuple(_observation(first[what]) for what in ORDER if what in first)


def _observation(item: Measured) -> Observation:
    unit = "deg" if item.what in AXES else "/min" if item.what == HEART_RATE else "ms"
    value = Quantity(item.value, unit, unit_system=UCUM)
    return Observation(item.what, value, unit=unit, method=item.method, computed=item.computed)
