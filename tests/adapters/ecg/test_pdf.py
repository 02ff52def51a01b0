"""A report that is only a document."""

import dataclasses
import hashlib

import pytest

from adapters.ecg import pdf
from hub.demo import ecg_files
from schemas.delivery import PatientHint
from schemas.faults import InvalidPayload
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, examination, origin, read

DOCUMENT = ecg_files.pdf(examination())
HINT = PatientHint(PATIENT, "ecg", "常规心电图", OBSERVED_AT)


def test_document_becomes_a_report_without_a_waveform() -> None:
    reading = read(pdf.read, DOCUMENT, origin(HINT))
    (report,) = reading.reports
    assert (report.category, report.status, report.flags) == ("ecg", "preliminary", ("no-waveform",))
    assert (report.patient, report.observed_at) == (PATIENT, OBSERVED_AT)
    (attachment,) = report.attachments
    assert (attachment.title, attachment.media_type) == ("常规心电图", "application/pdf")
    assert attachment.digest == hashlib.sha256(DOCUMENT).hexdigest()
    assert reading.parts == (DOCUMENT,)
    assert reading.recordings == ()


def test_document_of_another_category_is_not_said_to_lack_a_waveform() -> None:
    (report,) = read(pdf.read, DOCUMENT, origin(dataclasses.replace(HINT, category="laboratory"))).reports
    assert (report.category, report.status, report.flags) == ("laboratory", "final", ())


@pytest.mark.parametrize(
    ("hint", "missing"),
    [
        (None, "patient, category, time of the examination"),
        (dataclasses.replace(HINT, category="palmistry"), "category"),
        (dataclasses.replace(HINT, observed_at=None), "time of the examination"),
    ],
)
def test_refusal_says_what_the_upload_must_name(hint: PatientHint | None, missing: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        read(pdf.read, DOCUMENT, origin(hint))
    assert caught.value.text.endswith(f"must name {missing}")


@pytest.mark.parametrize("damaged", [DOCUMENT[:-1024], b"%PDF-1.4\n", b"MZ" + DOCUMENT, b"<html>%PDF-1.4 %%EOF", b""])
def test_damaged_document_is_refused(damaged: bytes) -> None:
    with pytest.raises(InvalidPayload):
        read(pdf.read, damaged, origin(HINT))
