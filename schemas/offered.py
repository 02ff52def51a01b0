"""A report as a document: a PDF, an encapsulated PDF, a Basic Text SR; its ECG as a waveform.

Source: DICOM PS3.3 A.35.1, A.45.1, A.34.4.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .codes import Coding
from .ecg import EcgRecording
from .identifiers import AUTHORITY
from .patient import Patient
from .report import WITHDRAWN, Report, ReportRecord, ReportStatus
from .study import Study

# Before a report is final nobody files it as a document, after it was withdrawn nobody should.
OFFERED = frozenset({ReportStatus.FINAL, ReportStatus.AMENDED, ReportStatus.CORRECTED})
PDF = "application/pdf"

# Every UID below follows from this one and the report's own identity. `1`: the layout; another layout, other bytes.
_NAMESPACE = uuid.UUID("8f1d3f0e-6d0b-5d0c-9a53-2a1f6a0f7f51")
_LAYOUT = "1"


class DocumentKind(StrEnum):
    """The forms in which a report is offered."""

    PDF = "pdf"
    ENCAPSULATED_PDF = "dicom-pdf"
    BASIC_TEXT_SR = "dicom-sr"
    WAVEFORM = "dicom-ecg"


def is_offered(report: Report) -> bool:
    """Whether a report is offered: final, with something to say, and no DICOM document already."""
    return report.status in OFFERED and not report.sop_instance_uid and (has_words(report) or bool(own_pdf(report)))


def has_own_study(report: Report) -> bool:
    """Whether it is of a study that is this report's alone: its recording came in a form that knows no studies."""
    return bool(report.recording) and report.study_instance_uid == own_study_instance_uid(report)


def is_traced(report: Report) -> bool:
    """Whether its recording is offered: whatever nobody withdrew, confirmed or not, for the object says which."""
    return bool(report.recording) and report.status not in WITHDRAWN


def has_words(report: Report) -> bool:
    """Whether it says anything in text or numbers, rather than in an attached document alone."""
    return bool(report.conclusion or report.findings or report.observations)


def own_pdf(report: Report) -> str:
    """Digest of the PDF that its source made of it; empty where there is none."""
    return next((each.digest for each in report.attachments if each.media_type == PDF), "")


@dataclass(frozen=True, slots=True)
class Offered:
    """A version of a report with all that a document of it says.

    institution: the name of the issuing one. sections: what it says, in reading order. study: that the report is of,
    where its images are here.
    predecessor: number of the version that was offered before; 0 for none.
    """

    record: ReportRecord
    institution: str
    sections: tuple["Section", ...] = ()
    study: Study | None = None
    predecessor: int = 0

    @property
    def report(self) -> Report:
        return self.record.report

    @property
    def patient(self) -> Patient:
        """As the study names the patient, so that viewers find both under one number; else as the report does."""
        return self.study.patient if self.study else self.report.patient

    @property
    def study_instance_uid(self) -> str:
        """Of the study, else of one that is this report's alone."""
        return self.report.study_instance_uid or self.own_study_instance_uid

    @property
    def own_study_instance_uid(self) -> str:
        """Of a study that is this report's alone."""
        return own_study_instance_uid(self.report)

    def series_instance_uid(self, kind: DocumentKind) -> str:
        """Of the series that holds every version of the report in this form."""
        return derived_uid("series", kind, *self._names)

    def sop_instance_uid(self, kind: DocumentKind, version: int = 0) -> str:
        """Of a version in this form; of this one without a number."""
        return derived_uid("instance", kind, str(version or self.record.version), *self._names)

    @property
    def verifiers(self) -> tuple[str, ...]:
        """Who answers for it; nobody known where the source named nobody."""
        return self.report.performers

    @property
    def issuer_of_patient_id(self) -> str:
        """The short name of the authority of the patient's number; empty where it has none."""
        system = self.patient.key.system
        return system.removeprefix(AUTHORITY) if system.startswith(AUTHORITY) else ""

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.record.organization, self.report.category.value, self.report.key)


def own_study_instance_uid(report: Report) -> str:
    """The UID of the study that a report has to itself, where its source named none."""
    return derived_uid("study", report.organization, report.category.value, report.key)


def derived_uid(*names: str) -> str:
    """The same UID for the same names, always. Source: DICOM PS3.5 B.2 (UUID derived)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join((_LAYOUT, *names))).int}"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A document on its way out."""

    media_type: str
    filename: str
    content: bytes


class DocumentWriter(Protocol):
    """Makes DICOM instances of a report, the same bytes for the same version. All give whole Part 10 files."""

    def encapsulated_pdf(self, offered: Offered, pdf: bytes) -> bytes:
        """The PDF in an Encapsulated PDF instance."""

    def basic_text(self, offered: Offered) -> bytes:
        """The text of the report as a Basic Text SR."""

    def waveform(self, offered: Offered, recording: EcgRecording) -> bytes:
        """The recording as a General ECG Waveform. Raises UnsupportedPayload for one that no such object can hold."""


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of what a report says. concept: what it is about, None for plain text.

    text: in words. columns: of a result its name, value, unit and reference range.
    """

    text: str
    concept: Coding | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document under its heading. item: what each of its lines is, where a line does not say."""

    heading: Coding
    item: Coding
    lines: tuple[Line, ...]
