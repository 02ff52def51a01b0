"""What a unit as sent means in UCUM, and when two units measure the same thing.

Source: UCUM 2.2 (https://ucum.org), read by ucumvert and pint. Units as laboratories write them: WS/T 404 (chemistry),
WS/T 405 (blood count), WS/T 406 (coagulation), and what analysers print.
"""

import re
import threading
import unicodedata
from collections import Counter
from decimal import Decimal
from functools import cache, lru_cache
from math import isfinite
from typing import Any

from lark.exceptions import LarkError
from pint.errors import PintError
from ucumvert import PintUcumRegistry, get_ucum_parser

from .codes import UCUM

_LONGEST = 60
_DIGITS = 12
# An exponent of many digits would be worked out.
_TOO_MANY_DIGITS = re.compile(r"\d{4}")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER = re.compile(r"^[x×*]?10(?:\^|\*\*|\*|e|E)?(\d{1,2})(?=/)")
_ANNOTATION = re.compile(r"\{[^}]*\}")

# By what senders write, after `_tidied` and in lower case; the case of a letter tells units apart in UCUM alone.
_ALIASES = {
    # counts: per litre, per microlitre, per field of view
    "g/l": "g/L",
    "/l": "/L",
    "/ul": "/uL",
    "/ml": "/mL",
    "/mm3": "/uL",
    "个/ul": "/uL",
    "cells/ul": "{cells}/uL",
    "k/ul": "10*3/uL",
    "/hp": "/[HPF]",
    "/hpf": "/[HPF]",
    "个/hp": "/[HPF]",
    "个/hpf": "/[HPF]",
    "/lp": "/[LPF]",
    "/lpf": "/[LPF]",
    "个/lp": "/[LPF]",
    "个/lpf": "/[LPF]",
    "cfu/ml": "[CFU]/mL",
    "copies/ml": "{copies}/mL",
    "拷贝/ml": "{copies}/mL",
    # amounts of substance and mass
    **{f"{p}mol/l": f"{p}mol/L" for p in ("", "m", "u", "n", "p")},
    **{f"{p}g/l": f"{p}g/L" for p in ("m", "u", "n", "p")},
    **{f"{p}g/dl": f"{p}g/dL" for p in ("", "m", "u", "n", "p")},
    **{f"{p}g/ml": f"{p}g/mL" for p in ("m", "u", "n", "p")},
    "mmol/mol": "mmol/mol",
    "mg/mmol": "mg/mmol",
    "mg/g": "mg/g",
    "ug/mg": "ug/mg",
    "mg/24h": "mg/(24.h)",
    "g/24h": "g/(24.h)",
    "mg/d": "mg/d",
    "meq/l": "meq/L",
    "mosm/kg": "mosm/kg",
    "mosm/l": "mosm/L",
    # activities; an international unit is arbitrary and an enzyme unit is not, so that U and IU stay apart
    **{f"{p}iu/{v.lower()}": f"{p}[IU]/{v}" for p in ("", "m", "u", "k") for v in ("L", "mL", "dL")},
    **{f"{p}u/{v.lower()}": f"{p}U/{v}" for p in ("", "m", "k", "u") for v in ("L", "mL")},
    "au/ml": "[arb'U]/mL",
    # proportions
    "%": "%",
    "‰": "[ppth]",
    "l/l": "L/L",
    "ppm": "[ppm]",
    "inr": "{INR}",
    "s/co": "{s_co_ratio}",
    "coi": "{coi}",
    "titer": "{titer}",
    "滴度": "{titer}",
    # sizes, times, pressures
    "fl": "fL",
    "pg": "pg",
    "um": "um",
    "mm/h": "mm/h",
    "mm/hr": "mm/h",
    "mm/1h": "mm/h",
    "mm/小时": "mm/h",
    "s": "s",
    "sec": "s",
    "秒": "s",
    "min": "min",
    "分钟": "min",
    "h": "h",
    "小时": "h",
    "天": "d",
    "岁": "a",
    "周": "wk",
    "mmhg": "mm[Hg]",
    "kpa": "kPa",
    "cm": "cm",
    "kg": "kg",
    "kg/m2": "kg/m2",
    "℃": "Cel",
    "°c": "Cel",
    "次/分": "/min",
    "次/min": "/min",
    "bpm": "/min",
    "ms": "ms",
    "mv": "mV",
    "ml": "mL",
    "ml/min": "mL/min",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73m^2": "mL/min/{1.73_m2}",
    "ml/(min*1.73m2)": "mL/min/{1.73_m2}",
    "ml/min/1.73㎡": "mL/min/{1.73_m2}",
}
# In which cells are counted: what may stand behind a power of ten.
_VOLUMES = frozenset({"/l", "/ml", "/ul", "/mm3"})
# Where capitals may mean something else: giga and tera are no less usual than gram in bad capitals.
_UNCERTAIN = frozenset({"G/L", "T/L"})
# What a unit that nobody declared to be UCUM may be made of. `G/L` is UCUM too, and means gauss per litre.
_PLAUSIBLE = frozenset(
    (
        *("gram", "meter", "liter", "mole", "second", "minute", "hour", "day", "week", "month", "year"),
        *("percent", "ppm", "ppth", "_10", "hertz", "volt", "pascal", "meter_Hg", "degree_Celsius"),
        *("enzyme_unit", "katal", "international_unit", "arbitrary_unit", "colony_forming_unit"),
        *("high_power_field", "low_power_field", "equivalents", "osmole"),
    )
)
# Numbers without a dimension that say how many, and nothing of what.
_SCALES = frozenset({"_10", "percent", "ppm", "ppth"})
# Of one dimension with the mole, and yet another thing: an equivalent counts charges, an osmole particles.
_OWN_KINDS = frozenset({"equivalents", "osmole"})
_COUNTED = frozenset({"{cells}", "{cell}", "{#}", "{count}"})
# What the two libraries raise at a text that is no unit; the last for a unit that is an annotation alone.
_NO_UNIT = (LarkError, PintError, ArithmeticError, ValueError, AttributeError, TypeError, RecursionError)
_lock = threading.RLock()


@lru_cache(maxsize=4096)
def ucum(unit: str, system: str = "") -> str:
    """The UCUM code of a unit as sent; empty where it is not known for certain. `system`: URI of its code system."""
    text = _tidied(unit)
    if not text or len(text) > _LONGEST:
        return ""
    if system == UCUM and _is_ucum(unit.strip()):
        return unit.strip()
    if text in _UNCERTAIN:
        return ""
    if alias := _ALIASES.get(text.lower()):
        return alias
    if power := _POWER.match(text):
        rest = text[power.end() :].lower()
        return f"10*{int(power[1])}{_ALIASES[rest]}" if rest in _VOLUMES else ""
    return text if _is_ucum(text) and _plausible(text) else ""


def factor(unit: str, into: str) -> Decimal | None:
    """By what a number in `unit` is to be multiplied to be one in `into`, both UCUM; None where nothing proves it.

    The dimensions must be equal, and so must everything without a dimension: arbitrary units, fields of view, what an
    annotation says was counted. Mass and substance never meet, nor fractions of substance and other fractions: HbA1c
    of 53 mmol/mol is not 5.3 %. Scales with a zero of their own (Cel) are compared with themselves alone.
    """
    if unit == into:
        return Decimal(1) if unit else None
    return _factor(unit, into) if unit and into else None


@lru_cache(maxsize=4096)
def _factor(unit: str, into: str) -> Decimal | None:
    one, other = _measured(unit), _measured(into)
    if one is None or other is None or _kinds(unit, one) != _kinds(into, other):
        return None
    try:
        with _lock:
            if (0 * one).to(other.units).magnitude:
                return None
            times = float(one.to(other.units).magnitude / other.magnitude)
    except _NO_UNIT:
        return None
    # Beyond what a number can hold it is no factor.
    return Decimal(f"{times:.{_DIGITS}g}") if times and isfinite(times) else None


def _tidied(unit: str) -> str:
    """One way of writing for the many: full width, superscripts, the two signs of micro, spaces."""
    unit = _SUPERSCRIPT.sub(lambda found: "^" + found[0].translate(_RAISED), unit)
    return "".join(unicodedata.normalize("NFKC", unit).replace("μ", "u").split())


def _is_ucum(text: str) -> bool:
    if not text.isascii() or len(text) > _LONGEST or _TOO_MANY_DIGITS.search(_ANNOTATION.sub("", text)):
        return False
    try:
        with _lock:
            _parser().parse(text)
    except _NO_UNIT:
        return False
    return True


def _plausible(text: str) -> bool:
    found = _measured(text)
    return found is not None and all(_root(name) in _PLAUSIBLE for name, _ in found.unit_items())


def _kinds(unit: str, measured: Any) -> tuple[object, ...]:  # noqa: ANN401 pint types its quantities as Any
    """What tells two units of the same dimension apart."""
    names: Counter[str] = Counter()
    for name, exponent in measured.unit_items():
        root = _root(name)
        if root in _OWN_KINDS or (root not in _SCALES and not _registry().parse_units(root).dimensionality):
            names[root] += exponent
    annotations = frozenset(_ANNOTATION.findall(unit)) - _COUNTED
    return frozenset(names.items()), annotations, "mol" in _ANNOTATION.sub("", unit)


def _root(name: str) -> str:
    found = _registry().parse_unit_name(name)
    return str(found[0][1]) if found else ""


@lru_cache(maxsize=4096)
def _measured(unit: str) -> Any:  # noqa: ANN401 pint types its quantities as Any
    """One of the unit, as pint knows it; None for what is no UCUM, or of which pint cannot make a number."""
    if not _is_ucum(unit):
        return None
    try:
        with _lock:
            found = _registry().from_ucum(unit)
    except _NO_UNIT:
        return None
    return found if hasattr(found, "dimensionality") else None


@cache
def _registry() -> Any:  # noqa: ANN401 a registry makes its classes at run time
    with _lock:
        return PintUcumRegistry()


@cache
def _parser() -> Any:  # noqa: ANN401 lark types its tree by the grammar
    return get_ucum_parser()
