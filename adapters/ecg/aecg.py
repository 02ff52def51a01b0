"""HL7 annotated ECG. Source: ANSI/HL7 V3 ECG R1-2004 (PORT_MT020001), and what Mindray's carts add to it."""

import dataclasses
from typing import BinaryIO
from xml.etree.ElementTree import Element

from schemas.delivery import Accounting, Origin, Reading
from schemas.ecg import EcgRecording
from schemas.faults import InvalidPayload
from schemas.patient import Patient
from schemas.report import Report, ReportCategory, ReportStatus

from . import aecg_annotations, aecg_series, groups, identity, xml
from .clock import date
from .content import digest, whole
from .measurement_codes import EKG_STUDY
from .measurements import observations
from .statements import clean, confirmed

# Minutes of twelve leads as decimal digits; a resting ECG is below one megabyte.
_MAX_BYTES = 8 * 1024 * 1024
_SUBJECT = "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject"


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an annotated ECG."""
    # UTF-16 puts a zero before or after each letter.
    text = head.replace(b"\0", b"")
    return b"AnnotatedECG" in text and text.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    text, repaired = xml.decoded(data, origin.source.charset)
    root = xml.parse(text)
    if root.tag != "AnnotatedECG":
        raise InvalidPayload("expected AnnotatedECG as the root element", where="/")
    patient = identity.patient(_told(root), origin)
    recording, flags = groups.recording(aecg_series.groups(root, origin.source.time_zone))
    recording = dataclasses.replace(recording, started_at=aecg_series.started_at(root, origin.source.time_zone))
    annotations = aecg_annotations.read(root)
    report = _report(root, patient, origin, recording, annotations)
    key = report.key or f"{recording.started_at}|{patient.key.value}|{digest(data)[:16]}"
    flags += ("charset-repaired",) * repaired
    report = dataclasses.replace(report, key=key, flags=flags)
    return Reading((report,), recordings=((key, recording),), accounting=_accounting(recording, annotations, flags))


def _told(root: Element) -> identity.Told:
    subject = root.find(_SUBJECT)
    if subject is None:
        return identity.Told(where=f"/AnnotatedECG/{_SUBJECT}")
    person = subject.find("subjectDemographicPerson")
    number = subject.find("id")
    told = number.get("extension") or number.get("root") or "" if number is not None else ""
    if person is None:
        return identity.Told(told.strip(), where="trialSubject/id")
    gender, born, name = (person.find(tag) for tag in ("administrativeGenderCode", "birthTime", "name"))
    return identity.Told(
        # Mindray leaves the subject's id out and adds an element of its own.
        number=(told or person.findtext("PatientID") or "").strip(),
        name=_name(name),
        birth_date=date(born.get("value", "")) if born is not None else None,
        sex=gender.get("code", "") if gender is not None else "",
        where="trialSubject/id",
    )


def _name(name: Element | None) -> str:
    if name is None:
        return ""
    family, given = (" ".join(part.text or "" for part in name.findall(tag)) for tag in ("family", "given"))
    return identity.full_name(family, given) or identity.full_name(" ".join(name.itertext()))


def _report(
    root: Element, patient: Patient, origin: Origin, recording: EcgRecording, found: aecg_annotations.Annotations
) -> Report:
    document = root.find("id")
    parts = [document.get("root", ""), document.get("extension", "")] if document is not None else []
    statements = clean(found.statements)
    return Report(
        key="^".join(part for part in parts if part),
        category=ReportCategory.ECG,
        status=ReportStatus.FINAL if confirmed(statements) else ReportStatus.PRELIMINARY,
        code=EKG_STUDY,
        patient=patient,
        organization=origin.source.organization,
        observed_at=recording.started_at,
        conclusion="\n".join(statements),
        observations=observations(found.measured),
    )


def _accounting(recording: EcgRecording, found: aecg_annotations.Annotations, flags: tuple[str, ...]) -> Accounting:
    kept = found.kept.total()
    notes = tuple(f"{kind}: kept in the original ({times})" for kind, times in sorted(found.kept.items()))
    return Accounting(
        total=found.total + len(recording.leads) + len(flags),
        mapped=found.total - kept + len(recording.leads),
        kept=kept,
        flagged=len(flags),
        notes=flags + notes,
    )
