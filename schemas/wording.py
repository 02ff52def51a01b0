"""Times and results in the words that every form of a report uses: a page, a printed sheet, a DICOM document."""

import datetime as dt
import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from .codes import Coding
from .observation import Interval, Moment, Observation, Quantity, Ratio

# The district's wall clock: every institution of the country keeps this one zone.
ZONE = ZoneInfo("Asia/Shanghai")
_POWER = re.compile(r"^[×xX]?(?:10\*|10\^)(\d+)(?=/|$)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MICRO = re.compile(r"\bu(?=(?:mol|g|L|m|V|s|kat)\b)")


# What an ECG and its measurements are called in Chinese, by LOINC code or ISO 11073 reference id.
_ECG = {
    "11524-6": "心电图",
    "8867-4": "心率",
    "8625-6": "PR间期",
    "8633-0": "QRS时限",
    "8634-8": "QT间期",
    "8636-3": "QTc间期",
    "8632-2": "QRS电轴",
    "MDC_ECG_TIME_PD_RR": "RR间期",
    "MDC_ECG_TIME_PD_P": "P波时限",
    "MDC_ECG_ANGLE_P_FRONT": "P电轴",
    "MDC_ECG_ANGLE_T_FRONT": "T电轴",
}


def named(coding: Coding) -> str:
    """What a coding is called on paper: in Chinese where we know it, else as its source calls it."""
    known = _ECG.get(coding.code) if coding.display.isascii() else None
    return known or coding.display or coding.code


def moment(value: dt.datetime | None) -> str:
    """`2026-11-21 10:30` on the district's clock; a dash where the time was never told."""
    return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if value else "—"


def number(value: Decimal) -> str:
    """A measured number with the digits that the source gave it, never in scientific notation."""
    return format(value, "f")


def result(observation: Observation) -> str:
    """A result as its report shows it, without the unit."""
    match observation.value:
        case Quantity(value=value, unit=unit_of, comparator=comparator):
            return comparator + number(rounded(value, unit_of))
        case Coding(code=code, display=display):
            return display or code
        case Interval(low=low, high=high):
            return _ends(low, high)
        case Ratio(numerator=one, denominator=other, comparator=comparator):
            return f"{comparator}{number(one)}:{number(other)}"
        case Moment(iso=iso):
            return moment(dt.datetime.fromisoformat(iso)) if "T" in iso else iso
        case str(text):
            return text
        case _:
            return "—"


def _ends(low: Decimal | None, high: Decimal | None) -> str:
    if low is None or high is None:
        return f"≤{number(high)}" if high is not None else f"≥{number(low)}" if low is not None else "—"
    return f"{number(low)}–{number(high)}"


def unit(observation: Observation) -> str:
    """The unit that goes with `result`."""
    if isinstance(observation.value, Quantity | Interval | Ratio):
        return observation.value.unit or observation.unit
    return observation.unit


# Digits after the point that a measurement on an image can mean: a pixel is some tenths of a millimetre wide.
_DIGITS = {"mm": 2, "mm2": 2, "mm3": 1, "cm": 2, "cm2": 2, "cm3": 2, "deg": 1, "[hnsf'U]": 1, "{pixels}": 1}


def rounded(value: Decimal, unit: str) -> Decimal:
    """What was measured on an image without the digits that mean nothing; the value itself where it has none."""
    digits = _DIGITS.get(unit)
    exponent = value.as_tuple().exponent
    if digits is None or not isinstance(exponent, int) or exponent >= -digits:
        return value
    return value.quantize(Decimal(1).scaleb(-digits)) or value


def spelled(unit: str) -> str:
    """A unit as people write it: sources send UCUM, `10*9/L`, `umol/L`, `m[IU]/L`, `mL/min/{1.73_m2}`."""
    unit = _POWER.sub(lambda found: "×10" + found[1].translate(_RAISED), unit.strip())
    for written, read in (("{1.73_m2}", "1.73 m²"), ("[IU]", "IU"), ("[pH]", "pH"), ("Cel", "°C")):
        unit = unit.replace(written, read)
    return "°" if unit == "deg" else _MICRO.sub("μ", unit)
