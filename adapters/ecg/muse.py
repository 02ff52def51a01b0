"""GE MUSE XML. Source: GE Healthcare, MUSE XML Developer's and ECG XML schema guide (restecg.dtd)."""

import datetime as dt
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload

from . import findings, groups, identity, muse_waveform, xml
from .clock import date, timestamp
from .content import whole
from .measurement_codes import (
    HEART_RATE,
    P_AXIS,
    PR_INTERVAL,
    QRS_AXIS,
    QRS_DURATION,
    QT_INTERVAL,
    QTC_INTERVAL,
    RR_INTERVAL,
    T_AXIS,
)
from .measurements import Measured, measured

_MAX_BYTES = 8 * 1024 * 1024
_ROOT = "RestingECG"
# QTCorrected is Bazett's in every version of 12SL; QTcFrederica is spelled so.
_MEASURED = {
    "VentricularRate": (HEART_RATE, ""),
    "PRInterval": (PR_INTERVAL, ""),
    "QRSDuration": (QRS_DURATION, ""),
    "QTInterval": (QT_INTERVAL, ""),
    "QTCorrected": (QTC_INTERVAL, "Bazett"),
    "QTcFrederica": (QTC_INTERVAL, "Fridericia"),
    "PAxis": (P_AXIS, ""),
    "RAxis": (QRS_AXIS, ""),
    "TAxis": (T_AXIS, ""),
}
# What the report, the recording and the patient are made of.
_READ = frozenset({"PatientDemographics", "TestDemographics", "Order", "Waveform", "Diagnosis"})


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a MUSE export."""
    return xml.begins(head, b"RestingECG")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    text, repaired = xml.decoded(data, origin.source.charset)
    root = xml.parse(text, document_type=_ROOT)
    if root.tag != _ROOT:
        raise InvalidPayload(f"expected {_ROOT} as the root element", where="/")
    zone = origin.source.time_zone
    recording, flags = groups.recording(muse_waveform.groups(root))
    test = root.find("TestDemographics")
    told = muse_waveform.text
    # The reader's statements where there are any; else those of the machine.
    statements = tuple(_statements(root.find("Diagnosis"))) or tuple(_statements(root.find("OriginalDiagnosis")))
    found = findings.Findings(
        told=_told(root.find("PatientDemographics")),
        recording=recording,
        flags=flags + muse_waveform.flags(root) + ("charset-repaired",) * repaired,
        started_at=_moment(told(test, "AcquisitionDate"), told(test, "AcquisitionTime"), zone),
        statements=statements,
        measured=tuple(_measured(root)),
        final=told(test, "Status").upper() == "CONFIRMED",
        performers=(identity.full_name(told(test, "OverreaderLastName"), told(test, "OverreaderFirstName")),),
        issued_at=_moment(told(test, "EditDate"), told(test, "EditTime"), zone),
        placer_order_number=_number(told(root.find("Order"), "RequisitionNumber")),
        device=f"MUSE {told(test, 'Site')} {told(test, 'CartNumber')}".strip(),
        kept=tuple(_kept(root)),
    )
    return findings.reading(found, data, origin)


def _told(person: Element | None) -> identity.Told:
    told = muse_waveform.text
    return identity.Told(
        number=told(person, "PatientID"),
        name=identity.full_name(told(person, "PatientLastName"), told(person, "PatientFirstName")),
        birth_date=date(_day(told(person, "DateofBirth"))),
        sex=told(person, "Gender"),
        where="PatientDemographics/PatientID",
    )


def _day(text: str) -> str:
    """MM-DD-YYYY, as MUSE writes it, as YYYYMMDD; what begins with the year as it is."""
    parts = text.replace("/", "-").split("-")
    return f"{parts[2]}{parts[0]:0>2}{parts[1]:0>2}" if len(parts) == 3 and len(parts[2]) == 4 else "".join(parts)


def _moment(day: str, time: str, zone: str) -> dt.datetime | None:
    return timestamp(_day(day) + time.replace(":", ""), zone)


def _number(text: str) -> str:
    # An order that nobody placed has a number of noughts.
    return text if text.strip("0") else ""


def _measured(root: Element) -> Iterator[Measured]:
    """As edited by the reader; as the machine had them where nobody has."""
    blocks = (root.find("RestingECGMeasurements"), root.find("OriginalRestingECGMeasurements"))
    for element in next((block for block in blocks if block is not None), ()):
        what, method = _MEASURED.get(element.tag, (None, ""))
        found = measured(what, element.text or "", method=method) if what else None
        if found:
            yield found
    interval = measured(RR_INTERVAL, muse_waveform.text(root.find("QRSTimesTypes"), "GlobalRR"))
    if interval:
        yield interval


def _statements(diagnosis: Element | None) -> Iterator[str]:
    """Lines: MUSE cuts them into pieces, the last of which is flagged ENDSLINE."""
    pieces: list[str] = []
    for statement in diagnosis.findall("DiagnosisStatement") if diagnosis is not None else ():
        pieces.append(muse_waveform.text(statement, "StmtText"))
        flags = {(flag.text or "").strip() for flag in statement.findall("StmtFlag")}
        if "ENDSLINE" in flags or not flags:
            yield " ".join(filter(None, pieces))
            pieces = []
    if pieces:
        yield " ".join(filter(None, pieces))


def _kept(root: Element) -> Iterator[str]:
    measurements = "RestingECGMeasurements" if root.find("RestingECGMeasurements") is not None else ""
    for tag in dict.fromkeys(element.tag for element in root):
        if tag not in _READ and tag != measurements:
            yield f"{tag}: kept in the original"
