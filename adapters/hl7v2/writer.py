"""A canonical report as an ORU^R01 of version 2.5.1. Our own reader makes the same report of it again.

Source: HL7 v2.5.1 chapters 7.3.1 (ORU), 4.5.1 (ORC), 4.5.3 (OBR), 7.4.2 (OBX), 7.4.3 (SPM), tables 0085 and 0123.
"""

import datetime as dt

from schemas.codes import DCM, LOINC, Coding
from schemas.dispatch import CHARSETS, Destination, Outgoing
from schemas.faults import InvalidPayload
from schemas.patient import Patient, Sex
from schemas.report import Report, ReportCategory, ReportStatus

from .written import DELIMITERS, coded, components, identifier, moment, parent_numbers, parent_result, person_name, text
from .written_results import document, notes, pointer, responsible, result, running_text, study_reference

SENDING = "DXHUB"
# Table 0123 has one code for a result that was changed after it was final, and one for a result that is no more.
STATUS: dict[ReportStatus, str] = {
    ReportStatus.REGISTERED: "O",
    ReportStatus.PARTIAL: "A",
    ReportStatus.PRELIMINARY: "P",
    ReportStatus.FINAL: "F",
    ReportStatus.AMENDED: "C",
    ReportStatus.CORRECTED: "C",
    ReportStatus.CANCELLED: "X",
    ReportStatus.ENTERED_IN_ERROR: "X",
}
_ORDER_STATUS = {"F": "CM", "C": "CM", "X": "CA"}  # table 0038
_SECTION = {  # table 0074
    ReportCategory.LABORATORY: "LAB",
    ReportCategory.IMAGING: "RAD",
    ReportCategory.ECG: "EC",
    ReportCategory.OTHER: "OTH",
}
_SEX = {Sex.MALE: "M", Sex.FEMALE: "F", Sex.OTHER: "O", Sex.UNKNOWN: "U"}
_FINDINGS = Coding("59776-5", "Procedure findings", LOINC)
_CONCLUSION = {
    ReportCategory.IMAGING: Coding("19005-8", "Radiology impression", LOINC),
    ReportCategory.ECG: Coding("18844-1", "EKG impression", LOINC),
}
_STUDY = Coding("110180", "Study Instance UID", DCM)


def write(outgoing: Outgoing, destination: Destination) -> bytes:
    """The message: one order group, in the destination's character set. The same arguments give the same bytes.

    Raises InvalidPayload where the character set cannot hold the report.
    """
    report = outgoing.report
    segments = [
        _msh(outgoing, destination),
        _pid(report.patient),
        _orc(report, destination),
        _obr(report),
        *_content(outgoing),
    ]
    if report.specimen:
        segments.append(["SPM", "1", "", "", f"^{text(report.specimen)}"])
    lines = ("|".join(fields).rstrip("|") for fields in segments)
    try:
        return "".join(f"{line}\r" for line in lines).encode(CHARSETS[destination.charset])
    except UnicodeEncodeError as error:
        raise InvalidPayload(f"it holds characters that {destination.charset} does not have", where="MSH-18") from error


def _msh(outgoing: Outgoing, destination: Destination) -> list[str]:
    return [
        "MSH",
        DELIMITERS.encoding_characters,
        SENDING,
        SENDING,
        text(destination.receiving_application),
        text(destination.receiving_facility),
        moment(outgoing.sent_at.astimezone(dt.UTC).replace(microsecond=0)),
        "",
        "ORU^R01^ORU_R01",
        outgoing.control_id,
        "P",
        "2.5.1",
        *[""] * 5,
        text(destination.charset),
    ]


def _pid(patient: Patient) -> list[str]:
    identifiers = "~".join(identifier(each) for each in patient.identifiers)
    born = f"{patient.birth_date:%Y%m%d}" if patient.birth_date else ""
    return ["PID", "1", "", identifiers, "", person_name(patient.name), "", born, _SEX[patient.sex]]


def _orc(report: Report, destination: Destination) -> list[str]:
    status = _ORDER_STATUS.get(STATUS[report.status], "IP")
    placer, filler = text(report.placer_order_number), _filler(report)
    fields = ["ORC", "RE", placer, filler, "", status, *[""] * 15]
    return [*fields, f"^^^^^^^^^{text(destination.organization)}"]  # ORC-21, XON.10: who ordered


def _filler(report: Report) -> str:
    """EI: the number, and the institution in which it means something."""
    number = text(report.filler_order_number)
    return components(number, text(report.organization)) if number else ""


def _obr(report: Report) -> list[str]:
    fields = [""] * 34
    fields[0:5] = ["OBR", "1", text(report.placer_order_number), _filler(report), coded(report.code)]
    fields[7] = moment(report.observed_at)
    fields[18] = text(report.accession_number)
    fields[22] = moment(report.issued_at)
    fields[24] = _SECTION[report.category]
    fields[25] = STATUS[report.status]
    if report.parent:
        fields[26], fields[29] = parent_result(report.parent), parent_numbers(report.parent)
    # NDL: the family name is the second subcomponent of its first component. The others stand in OBX-16.
    fields[32] = "".join(f"&{text(name)}" for name in report.performers[:1])
    return fields


def _content(outgoing: Outgoing) -> list[list[str]]:
    """NTE of the order, then OBX with their NTE: results, running text, images, documents."""
    report = outgoing.report
    withdrawn = STATUS[report.status] == "X"
    found: list[list[str]] = []
    results: list[list[list[str]]] = [result(each, report, withdrawn=withdrawn) for each in report.observations]
    if report.category is ReportCategory.IMAGING and report.findings:
        results.append(running_text(_FINDINGS, report.findings, withdrawn=withdrawn))
    elif report.findings:
        found += notes([report.findings])
    if report.category in _CONCLUSION and report.conclusion:
        results.append(running_text(_CONCLUSION[report.category], report.conclusion, withdrawn=withdrawn))
    elif report.conclusion:
        found += notes([report.conclusion])
    if report.study_instance_uid:
        results.append(study_reference(_STUDY, report.study_instance_uid))
    results += [document(each, report, outgoing.contents) for each in report.attachments]
    results += [pointer(each, report) for each in report.pointers]
    if results:
        results[0][0] = responsible(results[0][0], report.performers[1:])
    for number, segments in enumerate(results, 1):
        segments[0][1] = str(number)
        found += segments
    return found
