"""Codes of what carts measure, as DICOM, SCP-ECG and HL7 aECG write them, and the one code that the hub keeps.

LOINC where queries need it, else the ISO 11073 reference id.
"""

from schemas.codes import LOINC, Coding

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

ORDER = (
    *(HEART_RATE, PR_INTERVAL, QRS_DURATION, QT_INTERVAL, QTC_INTERVAL, QRS_AXIS),
    *(RR_INTERVAL, P_DURATION, P_AXIS, T_AXIS),
)
AXES = (QRS_AXIS, P_AXIS, T_AXIS)
_BY_LOINC = {coding.code: coding for coding in ORDER if coding.system == LOINC}

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
    "MINDRAY_ECG_TIME_PD_QTcH": QTC_INTERVAL,
    "MINDRAY_ECG_QRS_AXIS": QRS_AXIS,
    "MINDRAY_ECG_P_AXIS": P_AXIS,
    "MINDRAY_ECG_T_AXIS": T_AXIS,
    "MDC_ECG_ANGLE_QRS_FRONT": QRS_AXIS,
    "MDC_ECG_TIME_PD_RR": RR_INTERVAL,
    "MDC_ECG_TIME_PD_P": P_DURATION,
    "MDC_ECG_ANGLE_P_FRONT": P_AXIS,
    "MDC_ECG_ANGLE_T_FRONT": T_AXIS,
}
# ISO 11073 reference ids differ in case between writers (`QTc`, `QTC`), and some mark global ones with `_GL`.
_BY_REFERENCE_ID = {code.upper(): coding for code, coding in _BY_REFERENCE_ID.items()}
BY_SCHEME = {"MDC": _BY_MDC_CODE, "SCPECG": _BY_SCP_CODE, "LN": _BY_LOINC, "aECG": _BY_REFERENCE_ID}
METHODS = {
    "2:15880": "Bazett",
    "2:15892": "Fridericia",
    "MDC_ECG_TIME_PD_QTCB": "Bazett",
    "MDC_ECG_TIME_PD_QTCF": "Fridericia",
    "MINDRAY_ECG_TIME_PD_QTCH": "Hodges",
}
