"""What carts measure, in one vocabulary: LOINC where issue and query need it, else the ISO 11073 reference id."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from schemas.codes import LOINC, Coding
from schemas.observation import Observation, Quantity

MDC = "urn:oid:2.16.840.1.113883.6.24"
EKG_STUDY = Coding("11524-6", "EKG study", LOINC)

HEART_RATE = Coding("8867-4", "Heart rate", LOINC)
PR_INTERVAL = Coding("8625-6", "P-R interval", LOINC)
QRS_DURATION = Coding("8633-0", "QRS duration", LOINC)
QT_INTERVAL = Coding("8634-8", "Q-T interval", LOINC)
QTC_INTERVAL = Coding("8636-3", "Q-T interval corrected", LOINC)
QRS_AXIS = Coding("8632-2", "QRS axis", LOINC)
RR_INTERVAL = Coding("MDC_ECG_TIME_PD_RR", "R-R interval", MDC)
P_DURATION = Coding("MDC_ECG_TIME_PD_P", "P duration", MDC)
P_AXIS = Coding("MDC_ECG_ANGLE_P_FRONT", "P axis", MDC)
T_AXIS = Coding("MDC_ECG_ANGLE_T_FRONT", "T axis", MDC)

_ORDER = (
    *(HEART_RATE, PR_INTERVAL, QRS_DURATION, QT_INTERVAL, QTC_INTERVAL, QRS_AXIS),
    *(RR_INTERVAL, P_DURATION, P_AXIS, T_AXIS),
)
_AXES = (QRS_AXIS, P_AXIS, T_AXIS)
_BY_LOINC = {coding.code: coding for coding in _ORDER if coding.system == LOINC}

# DICOM CID 3227-3229 and 3689 (global ones only), and ISO 11073-10102 for the ventricular rate.
_BY_MDC_CODE = {
    "2:16016": HEART_RATE,
    "2:16770": HEART_RATE,
    "2:15872": PR_INTERVAL,
    "2:16156": QRS_DURATION,
    "2:16160": QT_INTERVAL,
    "2:15876": QTC_INTERVAL,
    "2:15880": QTC_INTERVAL,
    "2:15892": QTC_INTERVAL,
    "2:16132": QRS_AXIS,
    "2:16000": RR_INTERVAL,
    "2:16168": RR_INTERVAL,
    "2:16128": P_AXIS,
    "2:16136": T_AXIS,
    "2:16184": P_DURATION,
}
# EN 1064 clause numbers, as carts put them into DICOM with the designator SCPECG.
_BY_SCP_CODE = {
    "5.10.2.5-1": HEART_RATE,
    "5.13.5-7": PR_INTERVAL,
    "5.13.5-9": QRS_DURATION,
    "5.13.5-11": QT_INTERVAL,
    "5.10.2.5-5": QTC_INTERVAL,
    "5.10.3-13": QRS_AXIS,
    "5.10.2.1-3": RR_INTERVAL,
    "5.13.5-5": P_DURATION,
    "5.10.3-11": P_AXIS,
    "5.10.3-15": T_AXIS,
}
# HL7 aECG annotation codes (ISO 11073-10102 reference ids).
_BY_REFERENCE_ID = {
    "MDC_ECG_HEART_RATE": HEART_RATE,
    "MDC_ECG_TIME_PD_PR": PR_INTERVAL,
    "MDC_ECG_TIME_PD_PQ": PR_INTERVAL,
    "MDC_ECG_TIME_PD_QRS": QRS_DURATION,
    "MDC_ECG_TIME_PD_QT": QT_INTERVAL,
    "MDC_ECG_TIME_PD_QTc": QTC_INTERVAL,
    "MDC_ECG_TIME_PD_QTcB": QTC_INTERVAL,
    "MDC_ECG_TIME_PD_QTcF": QTC_INTERVAL,
    "MDC_ECG_ANGLE_QRS_FRONT": QRS_AXIS,
    "MDC_ECG_TIME_PD_RR": RR_INTERVAL,
    "MDC_ECG_TIME_PD_P": P_DURATION,
    "MDC_ECG_ANGLE_P_FRONT": P_AXIS,
    "MDC_ECG_ANGLE_T_FRONT": T_AXIS,
}
_BY_SCHEME = {"MDC": _BY_MDC_CODE, "SCPECG": _BY_SCP_CODE, "LN": _BY_LOINC, "aECG": _BY_REFERENCE_ID}


@dataclass(frozen=True, slots=True)
class Measured:
    """A number for the whole recording; times in ms, rates per minute, axes in degrees."""

    what: Coding
    value: Decimal


def meaning(scheme: str, code: str) -> Coding | None:
    """What a code of DICOM scheme `MDC`, `SCPECG` or `LN`, or of `aECG`, measures; None for what we do not map."""
    # ISO 11073 reference ids differ in case between writers (`QTc`, `QTC`).
    if scheme == "aECG":
        return next((coding for known, coding in _BY_REFERENCE_ID.items() if known.upper() == code.upper()), None)
    return _BY_SCHEME.get(scheme, {}).get(code)


def measured(what: Coding, value: object, unit: str = "") -> Measured | None:
    """The measurement, or None for one of the many ways in which carts write "not measured" (0, 999, 29999, 65535)."""
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    if unit == "s" and what not in _AXES:
        number = number * 1000
    plausible = abs(number) <= 360 if what in _AXES else 0 < number < 29999
    return Measured(what, number) if plausible else None


def observations(found: Iterable[Measured]) -> tuple[Observation, ...]:
    """One observation of each kind, the first that the source gave, in the order in which an ECG is read.

    A rate that only the RR interval tells is computed, and says so in `method`.
    """
    first: dict[Coding, Measured] = {}
    for item in found:
        first.setdefault(item.what, item)
    results = {what: _observation(first[what]) for what in _ORDER if what in first}
    if HEART_RATE not in results and RR_INTERVAL in first:
        rate = Measured(HEART_RATE, (Decimal(60000) / first[RR_INTERVAL].value).quantize(Decimal(1)))
        results = {HEART_RATE: _observation(rate, "computed by the hub: 60000 / R-R interval"), **results}
    return tuple(results.values())


def _observation(item: Measured, method: str = "") -> Observation:
    unit = "deg" if item.what in _AXES else "/min" if item.what == HEART_RATE else "ms"
    return Observation(item.what, Quantity(item.value, unit), unit=unit, method=method)
