"""How a person's results run over the years: a level of their own, a disease that is treated, the day's chance."""

import math
import random

from schemas.patient import Sex

from .panels import Analyte, Interval, Panel
from .people import Person

# condition -> analyte -> (level before treatment, level after two years); between them the course is exponential.
_COURSES: dict[str, dict[str, tuple[float, float]]] = {
    "diabetes": {"HbA1c": (9.4, 6.7), "GLU": (11.8, 6.8), "TG": (2.6, 1.8)},
    "dyslipidaemia": {"LDL-C": (4.8, 2.5), "TG": (2.9, 1.6), "HDL-C": (0.9, 1.15)},
    "kidney": {"CREA": (138, 214), "UREA": (9.4, 15.2), "K": (4.9, 5.4), "UA": (430, 495), "HGB": (118, 104)},
    "anaemia": {"HGB": (82, 124), "MCV": (71, 86), "PLT": (380, 290)},
    "fatty-liver": {"ALT": (96, 44), "AST": (62, 33), "GGT": (118, 62), "TG": (2.4, 1.9)},
    "hypothyroid": {"TSH": (18.5, 2.9), "FT4": (8.1, 15.6), "FT3": (3.0, 4.4)},
    "hypertension": {},
    "newborn": {"TBIL": (168.0, 15.0), "HGB": (178.0, 128.0), "LYMPH%": (38.0, 58.0), "NEUT%": (50.0, 32.0)},
}
# Most of the change comes in the first half year of treatment.
_PACE = 3.2


def results(person: Person, panel: Panel, elapsed: float, chance: random.Random, age: int) -> dict[str, float]:
    """Values by local code. elapsed: from 0, where the history begins, to 1, its end. age: years at sampling."""
    values = {a.local: _value(person, a, elapsed, chance) for a in panel.analytes}
    return {**values, **_dependent(person, values, age)}


def interval(person: Person, analyte: Analyte) -> Interval:
    """The reference interval for this person's sex."""
    return analyte.men if person.sex is Sex.MALE else analyte.women


def flag(person: Person, analyte: Analyte, value: float) -> str:
    """HL7 table 0078: LL and HH where critical, L and H outside the interval, N within."""
    (low, high), (lowest, highest) = interval(person, analyte), analyte.critical
    if value < lowest or value > highest:
        return "LL" if value < lowest else "HH"
    if value < low or value > high:
        return "L" if value < low else "H"
    return "N"


def _value(person: Person, analyte: Analyte, elapsed: float, chance: random.Random) -> float:
    course = next((_COURSES[c][analyte.local] for c in person.conditions if analyte.local in _COURSES[c]), None)
    if course:
        before, after = course
        level = after + (before - after) * math.exp(-_PACE * elapsed)
    else:
        level = _habitual(person, analyte)
    return float(level * chance.gauss(1, analyte.spread))


def _habitual(person: Person, analyte: Analyte) -> float:
    """Where a healthy person's results settle: somewhere of their own in the middle of the interval."""
    low, high = interval(person, analyte)
    if math.isinf(high):
        low, high = low * 1.1, low * 1.6
    elif low == 0:
        low = high * 0.55
    own = random.Random(f"{person.serial} {analyte.local}").uniform(0.3, 0.7)
    return low + (high - low) * own


def _dependent(person: Person, values: dict[str, float], age: int) -> dict[str, float]:
    """Values that follow from others, so that no panel contradicts itself."""
    found: dict[str, float] = {}
    if "HGB" in values:
        # MCHC is nearly constant, about 335 g/L: the red cells follow from haemoglobin and cell volume.
        found["HCT"] = values["HGB"] / 3.35
        found["RBC"] = found["HCT"] * 10 / values["MCV"]
        found["LYMPH%"] = min(values["LYMPH%"], 94 - values["NEUT%"])
    if "LDL-C" in values:
        # Friedewald, in mmol/L.
        found["TC"] = values["LDL-C"] + values["HDL-C"] + values["TG"] / 2.2
    if "CREA" in values:
        found["eGFR"] = _filtration(values["CREA"], age, female=person.sex is Sex.FEMALE)
    return found


def _filtration(creatinine_umol_l: float, age: int, *, female: bool) -> float:
    """CKD-EPI 2009 (LOINC 62238-1), in mL/min per 1.73 m²."""
    kappa, alpha = (61.9, -0.329) if female else (79.6, -0.411)
    ratio = creatinine_umol_l / kappa
    level = 141 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.209 * 0.993**age
    return float(level * (1.018 if female else 1))
