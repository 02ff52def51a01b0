"""Concepts that decide how a structured report is read. Source: DICOM PS3.16 CID 7000-7001, 7021, TID 2000; LOINC."""

from schemas.codes import DCM, LOINC

Concept = tuple[str, str]


def _dcm(*codes: str) -> frozenset[Concept]:
    return frozenset((code, DCM) for code in codes)


def _loinc(*codes: str) -> frozenset[Concept]:
    return frozenset((code, LOINC) for code in codes)


# Sections and items that conclude: impressions, conclusions, recommendations, summaries.
CONCLUSIONS = _dcm("121072", "121073", "121074", "121075", "121076", "121077", "121111") | _loinc(
    "19005-8", "18783-1", "55110-1", "55112-7"
)
# Those whose name says no more than the heading under which their text is shown anyway.
PLAIN = (
    CONCLUSIONS - _dcm("121074", "121075") - _loinc("18783-1") | _dcm("121070", "121071") | _loinc("18782-3", "59776-5")
)
# Titles of what machines measured, counted or logged, and of what a workstation marked: no doctor's reading of a study.
SUPPLEMENTS = _dcm(
    "111036",  # Mammography CAD Report
    "112000",  # Chest CAD Report
    "112220",  # Colon CAD Report
    "113500",  # Radiopharmaceutical Radiation Dose Report
    "113701",  # X-Ray Radiation Dose Report
    "121120",  # Cath Lab Procedure Log
    "121181",  # DICOM Object Catalog
    "126000",  # Imaging Measurement Report
    "128401",  # Patient Radiation Dose Report
)
ECG_TITLES = _loinc("28010-7", "11524-6", "34534-8")

PROCEDURE_REPORTED: Concept = ("121058", DCM)
PERSON_OBSERVER: Concept = ("121008", DCM)
TRACKING_IDENTIFIER: Concept = ("112039", DCM)
DERIVATION: Concept = ("121401", DCM)
FINDING: Concept = ("121071", DCM)
FINDING_SITES: frozenset[Concept] = frozenset(
    {("363698007", "http://snomed.info/sct"), ("G-C0E3", "urn:dxhub:codes:SRT"), ("G-C0E3", "urn:dxhub:codes:SNM3")}
)
METHODS: frozenset[Concept] = frozenset({("370129005", "http://snomed.info/sct"), ("G-C036", "urn:dxhub:codes:SRT")})

_STORAGE = "1.2.840.10008.5.1.4.1.1.88."
KEY_OBJECT_SELECTION = _STORAGE + "59"
# Basic Text, Enhanced, Comprehensive, Comprehensive 3D, Extensible: what a doctor's reading comes in.
NARRATIVE = frozenset(_STORAGE + last for last in ("11", "22", "33", "34", "35"))
# Radiation dose, procedure log, CAD, acquisition context: thousands of numbers that are no results of the patient.
UNMEASURED = frozenset(_STORAGE + last for last in ("40", "50", "65", "67", "68", "69", "71", "73", "74", "75"))


def is_structured_report(sop_class_uid: str) -> bool:
    """Whether an SOP class is one of structured reports, a key object selection excepted (PS3.4 B.5)."""
    return sop_class_uid.startswith(_STORAGE) and sop_class_uid != KEY_OBJECT_SELECTION
