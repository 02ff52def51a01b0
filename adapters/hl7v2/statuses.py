"""Result statuses: HL7 v2 tables 0123 (OBR-25) and 0085 (OBX-11) as FHIR says them.

Source: HL7 v2 chapters 4.5.3.25 and 7.4.2.11; FHIR R4 diagnostic-report-status and observation-status.
"""

from collections.abc import Iterable

from schemas.report import ReportStatus

# Table 0123. W and D are of table 0085, and arrive here all the same.
REPORT: dict[str, ReportStatus] = {
    "O": ReportStatus.REGISTERED,
    "I": ReportStatus.REGISTERED,
    "S": ReportStatus.REGISTERED,
    "N": ReportStatus.REGISTERED,
    "A": ReportStatus.PARTIAL,
    "R": ReportStatus.PARTIAL,
    "P": ReportStatus.PRELIMINARY,
    "F": ReportStatus.FINAL,
    "U": ReportStatus.FINAL,
    "C": ReportStatus.CORRECTED,
    "M": ReportStatus.CORRECTED,
    "X": ReportStatus.CANCELLED,
    "D": ReportStatus.CANCELLED,
    "W": ReportStatus.ENTERED_IN_ERROR,
}

# Table 0085.
OBSERVATION: dict[str, str] = {
    "B": "amended",
    "A": "amended",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "I": "registered",
    "N": "cancelled",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "U": "final",
    "V": "final",
    "W": "entered-in-error",
    "X": "cancelled",
}

_WITHDRAWN = frozenset({"X", "D", "W", "N"})


def of_results(codes: Iterable[str]) -> ReportStatus | None:
    """The status of a report whose OBR-25 is empty, from the OBX-11 of its results; None where they tell nothing."""
    told = {code for code in codes if code in OBSERVATION}
    if not told:
        return None
    if told <= _WITHDRAWN:
        return ReportStatus.ENTERED_IN_ERROR if told == {"W"} else ReportStatus.CANCELLED
    if told & {"P", "R", "S", "I", "O"}:
        return ReportStatus.PARTIAL if "F" in told else ReportStatus.PRELIMINARY
    return ReportStatus.CORRECTED if told & {"C", "A", "B"} else ReportStatus.FINAL


def of_report(status: ReportStatus) -> str:
    """The status of a result that tells none, from its report's."""
    return {
        ReportStatus.FINAL: "final",
        ReportStatus.CORRECTED: "final",
        ReportStatus.AMENDED: "final",
        ReportStatus.CANCELLED: "cancelled",
        ReportStatus.ENTERED_IN_ERROR: "entered-in-error",
        ReportStatus.REGISTERED: "registered",
    }.get(status, "preliminary")
