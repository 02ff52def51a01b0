"""Observations, running text and documents as OBX with their NTE. Source: HL7 v2.5.1 chapters 7.4.2, 2.10 (NTE)."""

import base64
from collections.abc import Iterable, Mapping

from schemas.codes import LOINC, UCUM, Coding
from schemas.observation import Interval, Observation, Quantity, Ratio
from schemas.report import Attachment, Pointer, Report, ReportCategory

from .written import coded, components, moment, text, value

# Table 0085 of version 2.5.1; A and B came later, and C says all of it.
_STATUS = {
    "registered": "I",
    "preliminary": "P",
    "final": "F",
    "amended": "C",
    "corrected": "C",
    "cancelled": "X",
    "entered-in-error": "W",
}
# What the whole document is, by the kind of its report.
_DOCUMENTS = {
    ReportCategory.LABORATORY: Coding("11502-2", "", LOINC),
    ReportCategory.IMAGING: Coding("18748-4", "", LOINC),
    ReportCategory.ECG: Coding("11524-6", "", LOINC),
    ReportCategory.OTHER: Coding("51969-4", "", LOINC),
}
Segments = list[list[str]]


def result(observation: Observation, report: Report, *, withdrawn: bool) -> Segments:
    """An OBX and its NTE; the set id is left to the message."""
    kind, content = value(observation.value, observation.sent)
    fields = [""] * 18
    fields[0:6] = ["OBX", "", kind, coded(observation.code), text(observation.sub_id), content]
    fields[6] = _unit(observation)
    fields[7] = text(observation.reference_range)
    fields[8] = "~".join(text(code) for code in observation.interpretation)
    # Nothing of a withdrawn report may look as if it still held.
    taken_back = observation.status not in ("cancelled", "entered-in-error") and withdrawn
    fields[11] = "X" if taken_back else _STATUS.get(observation.status, "P")
    fields[14] = moment(observation.observed_at)
    fields[15] = text(report.organization)
    fields[17] = f"^{text(observation.method)}" if observation.method else ""
    return [fields, *notes(observation.notes)]


def _unit(observation: Observation) -> str:
    found = observation.value
    if not isinstance(found, Quantity | Interval | Ratio):
        return text(observation.unit)
    unit = observation.unit or found.unit
    return f"{text(unit)}^^UCUM" if unit and found.unit_system == UCUM else text(unit)


def notes(texts: Iterable[str]) -> Segments:
    """One NTE for each."""
    return [["NTE", str(number), "L", text(each)] for number, each in enumerate(texts, 1)]


def running_text(code: Coding, content: str, *, withdrawn: bool) -> Segments:
    """What a reader wrote, as one formatted text."""
    return [["OBX", "", "FT", coded(code), "", text(content), *[""] * 5, "X" if withdrawn else "F"]]


def study_reference(code: Coding, uid: str) -> Segments:
    """Which images were read."""
    return [["OBX", "", "ST", coded(code), "", uid, *[""] * 5, "F"]]


def responsible(obx: list[str], names: Iterable[str]) -> list[str]:
    """The OBX with those who answer for it beside the principal interpreter (OBX-16, XCN)."""
    written = "~".join(f"^{text(name)}" for name in names)
    if not written:
        return obx
    padded = [*obx, *[""] * (17 - len(obx))]
    padded[16] = written
    return padded


def document(attachment: Attachment, report: Report, contents: Mapping[str, bytes]) -> Segments:
    """ED with the document itself; where it was too large to go along, RP with the digest by which the hub has it."""
    code = _document_code(attachment.title, report)
    content = contents.get(attachment.digest)
    if content is None:
        return _pointer(code, f"sha256:{attachment.digest}", attachment.media_type)
    main, _, sub = attachment.media_type.partition("/")
    encoded = base64.b64encode(content).decode("ascii")
    return [["OBX", "", "ED", code, "", f"^{text(main)}^{text(sub)}^Base64^{encoded}", *[""] * 5, "F"]]


def pointer(found: Pointer, report: Report) -> Segments:
    """A document that the source keeps, as it named it."""
    return _pointer(_document_code(found.title, report), text(found.address), found.media_type)


def _pointer(code: str, address: str, media_type: str) -> Segments:
    """RP; its type and subtype as table 0291 names them."""
    main, _, sub = media_type.partition("/")
    return [["OBX", "", "RP", code, "", components(address, "", text(main), text(sub.upper())), *[""] * 5, "F"]]


def _document_code(title: str, report: Report) -> str:
    named = _DOCUMENTS[report.category]
    return coded(Coding(named.code, title, named.system))
