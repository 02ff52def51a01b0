"""Which of the three kinds a result is: laboratory unless the message says otherwise. Source: HL7 v2 table 0074."""

from schemas.codes import DCM, LOINC, Coding
from schemas.report import ReportCategory

_IMAGING_SECTIONS = frozenset(
    (
        *("RAD", "RX", "XR", "XRC", "XA", "RF", "DX", "CR", "DR", "MG", "BMD", "IMG"),
        *("CT", "MR", "MRI", "NMR", "NM", "NMS", "PET", "US", "RUS", "OUS", "VUS", "CUS"),
    )
)
_ECG_SECTIONS = frozenset({"EC", "ECG", "EKG"})
# EKG study; 12 lead EKG panel; EKG impression.
_ECG_CODES = frozenset({"11524-6", "34534-8", "18844-1", "93000"})
_STUDY_CODES = frozenset({(DCM, "113014"), (DCM, "110180"), (LOINC, "18748-4")})


def category(section: str, service: Coding, results: list[Coding]) -> ReportCategory:
    """`section`: OBR-24. `service`: OBR-4. `results`: the codes of the results."""
    section = section.upper()
    if section in _ECG_SECTIONS or service.code in _ECG_CODES:
        return ReportCategory.ECG
    if section in _IMAGING_SECTIONS or any((code.system, code.code) in _STUDY_CODES for code in [service, *results]):
        return ReportCategory.IMAGING
    if any(code.code in _ECG_CODES and code.system == LOINC for code in results):
        return ReportCategory.ECG
    return ReportCategory.LABORATORY


# Running text of a report: what was seen, and what it means.
_CONCLUSIONS = frozenset({"19005-8", "18783-1", "18844-1", "59777-3", "22637-3", "IMP", "REC"})
_FINDINGS = frozenset({"18782-3", "59776-5", "18748-4", "GDT", "ADT"})
_CONCLUSION_WORDS = ("诊断", "结论", "印象", "提示", "意见", "建议", "impression", "conclusion", "diagnos", "recommend")


def is_conclusion(code: Coding) -> bool:
    """Whether a text under this code says what the findings mean."""
    if code.code in _CONCLUSIONS or code.code.rpartition("&")[2] in _CONCLUSIONS:
        return True
    display = code.display.casefold()
    return code.code not in _FINDINGS and any(word in display for word in _CONCLUSION_WORDS)
