"""Structured reports as their readers meet them: the text, the results, who stands by it, and what was left out."""

import io
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.uid import ComprehensiveSRStorage, XRayRadiationDoseSRStorage

from adapters.dicom.part10 import read
from schemas.content_tree import ContentTree
from schemas.delivery import Origin, Reading
from schemas.documents import from_json
from schemas.faults import Fault, InvalidPayload
from schemas.observation import Quantity
from schemas.report import SUPPLEMENT, Report, ReportStatus
from schemas.wording import result
from tests.imaging import ct, part10

from .structured import (
    DOSE_REPORT,
    FINDING,
    FINDINGS,
    IMPRESSION,
    IMPRESSIONS,
    MEASUREMENT_REPORT,
    coded,
    encapsulated,
    image,
    item,
    measured,
    number,
    reading,
    references,
    report,
    text,
)


def taken(ds: Dataset, origin: Origin) -> Reading:
    return read(io.BytesIO(part10(ds)), origin)


def said(ds: Dataset, origin: Origin) -> Report:
    return taken(ds, origin).reports[0]


def tree_of(found: Reading) -> ContentTree:
    return from_json(ContentTree, found.parts[0])


def test_a_reading_is_told_as_findings_and_conclusion_with_its_headings(origin: Origin) -> None:
    found = said(reading(ct()), origin)
    assert found.conclusion == "右肺上叶结节。"
    assert found.findings == "病史\n咳嗽两周\n\n检查所见\n右肺上叶见磨玻璃结节，径约8mm。"
    assert (found.code.code, found.code.display) == ("11528-7", "放射学报告")
    assert found.status is ReportStatus.FINAL
    assert found.performers == ("李四",)
    assert found.issued_at is not None
    assert found.issued_at.isoformat() == "2025-01-15T12:00:00+08:00"


@pytest.mark.parametrize(
    ("completion", "verification", "preliminary", "status"),
    [
        ("PARTIAL", "UNVERIFIED", "", ReportStatus.PARTIAL),
        ("COMPLETE", "UNVERIFIED", "", ReportStatus.PRELIMINARY),
        ("COMPLETE", "VERIFIED", "", ReportStatus.FINAL),
        ("COMPLETE", "VERIFIED", "FINAL", ReportStatus.FINAL),
        ("COMPLETE", "VERIFIED", "PRELIMINARY", ReportStatus.PRELIMINARY),
        ("", "", "", ReportStatus.PRELIMINARY),
    ],
)
def test_the_flags_of_a_document_are_its_status(
    origin: Origin, completion: str, verification: str, preliminary: str, status: ReportStatus
) -> None:
    ds = reading(ct(), CompletionFlag=completion, VerificationFlag=verification)
    if preliminary:
        ds.PreliminaryFlag = preliminary
    assert said(ds, origin).status is status


def test_measurements_are_results_with_their_unit_site_and_tracker(origin: Origin) -> None:
    site = coded(("363698007", "SCT", "Finding Site"), ("45653009", "SCT", "右肺上叶"), "HAS CONCEPT MOD")
    group = item(
        "CONTAINER",
        ("125007", "DCM", "Measurement Group"),
        text(("112039", "DCM", "Tracking Identifier"), "结节1"),
        number(("103339001", "SCT", "长径"), "8.20", ("mm", "UCUM", "millimeter"), site),
    )
    ds = report(ct(), item("CONTAINER", ("126010", "DCM", "Imaging Measurements"), group), title=MEASUREMENT_REPORT)
    found = said(ds, origin)
    (observation,) = found.observations
    assert observation.value == Quantity(Decimal("8.20"), "mm", unit_system="http://unitsofmeasure.org")
    assert str(observation.value.value) == "8.20"  # as written
    assert (observation.sub_id, observation.notes) == ("结节1", ("右肺上叶",))
    assert observation.status == "preliminary"
    assert SUPPLEMENT in found.flags
    assert (found.conclusion, found.findings) == ("", "")
    assert found.code.display == "Imaging Measurement Report"


def test_what_a_viewer_measured_is_kept_to_the_digit_shown_as_it_means_and_by_nobody_unknown(origin: Origin) -> None:
    found = taken(measured(ct()), origin)
    (report,) = found.reports
    (observation,) = report.observations
    assert observation.value == Quantity(Decimal("68.1892756909623"), "mm", unit_system="http://unitsofmeasure.org")
    assert result(observation) == "68.19"
    assert report.performers == ()
    assert "68.1892756909623" in found.parts[0].decode()  # the document keeps all


def test_a_dose_report_is_kept_as_one_and_its_numbers_are_no_results(origin: Origin) -> None:
    ds = report(ct(), number(("113813", "DCM", "CT Dose Length Product Total"), "312.5", ("mGy.cm", "UCUM", "mGy.cm")))
    ds.SOPClassUID, ds.ConceptNameCodeSequence[0] = XRayRadiationDoseSRStorage, Dataset()
    for keyword, value in zip(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"), DOSE_REPORT, strict=True):
        setattr(ds.ConceptNameCodeSequence[0], keyword, value)
    found = taken(ds, origin)
    assert found.reports[0].observations == ()
    assert SUPPLEMENT in found.reports[0].flags
    assert found.reports[0].code.display == "X-Ray Radiation Dose Report"
    (shown,) = tree_of(found).root.items
    assert shown.quantity == Quantity(Decimal("312.5"), "mGy.cm", unit_system="http://unitsofmeasure.org")


def test_images_that_a_report_points_at_are_known_by_their_series(origin: Origin) -> None:
    slice_ = ct()
    ds = reading(slice_, CurrentRequestedProcedureEvidenceSequence=references(slice_))
    pointed = [each.reference for each in tree_of(taken(ds, origin)).root.walk() if each.reference]
    assert [(each.sop_instance_uid, each.series_instance_uid) for each in pointed] == [
        (slice_.SOPInstanceUID, slice_.SeriesInstanceUID)
    ]


def test_items_of_a_continuous_container_are_one_sentence(origin: Origin) -> None:
    sentence = item(
        "CONTAINER",
        FINDINGS,
        text(None, "结节径约"),
        number(("81827009", "SCT", "Diameter"), "8"),
        text(None, "。"),
    )
    sentence.ContinuityOfContent = "CONTINUOUS"
    assert said(report(ct(), sentence), origin).findings == "结节径约 8 mm 。"


def test_what_is_not_understood_is_flagged_with_its_place(origin: Origin) -> None:
    strange = item("HOLOGRAM", FINDING)
    found = taken(report(ct(), item("CONTAINER", FINDINGS, text(FINDING, "清晰"), strange)), origin)
    assert found.accounting.flagged == 1
    assert "item 1.1.2: value type HOLOGRAM is not known, kept in the original" in found.accounting.notes
    total = found.accounting.mapped + found.accounting.kept + found.accounting.flagged
    assert total == found.accounting.total


def test_items_that_point_in_a_circle_are_words(origin: Origin) -> None:
    first, second = item("TEXT", FINDING), Dataset()
    second.RelationshipType, second.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    first.TextValue, first.ContentSequence = "甲", Sequence([second])
    found = tree_of(taken(report(ct(), first), origin))
    assert [each.target for each in found.root.walk()] == ["", "", "1.1"]


def test_a_hundred_thousand_items_are_cut_and_told(origin: Origin) -> None:
    ds = report(ct(), text(FINDING, "x"))
    del ds.ContentSequence
    one = b"\x40\0\x10\xa0CS\x08\0CONTAINS\x40\0\x40\xa0CS\x04\0TEXT\x40\0\x60\xa1UT\0\0\x02\0\0\0ab"
    items = (b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one) * 100_000
    content = part10(ds) + b"\x40\0\x30\xa7SQ\0\0" + len(items).to_bytes(4, "little") + items
    begun = time.monotonic()
    found = read(io.BytesIO(content), origin)
    assert time.monotonic() - begun < 30
    tree = tree_of(found)
    assert tree.cut
    assert sum(1 for _ in tree.root.walk()) == 10_000
    assert found.accounting.kept >= 90_000
    assert any("are kept in the original alone" in note for note in found.accounting.notes)


def test_ten_thousand_levels_are_refused_with_the_place(origin: Origin) -> None:
    depth = 10_000
    opening = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    ds = report(ct(), text(FINDING, "x"))
    del ds.ContentSequence
    content = part10(ds) + opening * depth + closing * depth
    with pytest.raises(InvalidPayload) as refused:
        read(io.BytesIO(content), origin)
    assert refused.value.where == "(0040,A730)"


def test_markup_stays_text(origin: Origin) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}"
    ds = report(ct(), item("CONTAINER", IMPRESSIONS, text(IMPRESSION, hostile)), title=("1", "DCM", hostile[:64]))
    assert said(ds, origin).conclusion == hostile


@pytest.mark.parametrize("value", ["", "NaN", "inf", "8,2", "1E999", "0x8"])
def test_a_measurement_that_is_no_number_is_left_to_the_original(origin: Origin, value: str) -> None:
    ds = report(ct(), number(("81827009", "SCT", "Diameter"), "7" * 16))
    content = part10(ds).replace(b"7" * 16, value.encode().ljust(16))
    found = read(io.BytesIO(content), origin)
    assert found.reports[0].observations == ()
    assert any("not a number" in note for note in found.accounting.notes)


def test_an_encapsulated_clinical_document_comes_with_its_report(origin: Origin) -> None:
    content = b"<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>"
    ds = encapsulated(ct(), content, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.2")
    found = taken(ds, origin)
    (attached,) = found.reports[0].attachments
    assert (attached.media_type, attached.title, attached.size) == ("application/xml", "CT诊断报告", len(content))
    assert found.parts == (content,)


def test_a_document_that_is_not_what_it_says_is_refused(origin: Origin) -> None:
    with pytest.raises(InvalidPayload) as refused:
        taken(encapsulated(ct(), b"MZ\x90\0"), origin)
    assert refused.value.where == "(0042,0011)"


def test_an_image_of_the_report_class_without_a_tree_is_refused(origin: Origin) -> None:
    ds = reading(ct())
    del ds.ValueType
    with pytest.raises(InvalidPayload, match="CONTAINER"):
        taken(ds, origin)


def test_image_items_without_a_reference_are_harmless(origin: Origin) -> None:
    pointing = image(ct())
    del pointing.ReferencedSOPSequence
    assert said(report(ct(), pointing), origin).findings == ""


@pytest.mark.parametrize("name", ["reportsi.dcm", "test-SR.dcm", "sr_document.dcm", "sr-ellipse.dcm"])
def test_public_reports_are_read_whole(samples: Path, origin: Origin, name: str) -> None:
    ds = dcmread(samples / "dicom" / "single" / name)
    ds.PatientID = ds.PatientID or "P1"
    target = io.BytesIO()
    ds.save_as(target, enforce_file_format=True)
    found = read(io.BytesIO(target.getvalue()), origin)
    assert found.accounting.flagged == 0
    tree = tree_of(found)
    assert tree.root.concept
    assert not tree.cut
    narrative = {"reportsi.dcm", "test-SR.dcm"}
    assert (SUPPLEMENT in found.reports[0].flags) == (name not in narrative)
    assert bool(found.reports[0].observations) == (name != "reportsi.dcm")


def test_a_comprehensive_report_with_any_bytes_in_it_never_crashes(origin: Origin) -> None:
    whole = bytearray(part10(reading(ct(), SOPClassUID=ComprehensiveSRStorage)))
    for at in range(400, len(whole), 7):
        broken = bytes(whole[:at]) + bytes([whole[at] ^ 0x55]) + bytes(whole[at + 1 :])
        with suppress(Fault):
            assert read(io.BytesIO(broken), origin).reports
