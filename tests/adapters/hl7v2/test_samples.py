"""What comes out of the samples: each states what a clinician would see."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.codes import LOINC
from schemas.delivery import Reading
from schemas.faults import Category, Fault
from schemas.observation import Quantity
from schemas.report import ReportCategory, ReportStatus
from tests.adapters.hl7v2.values import read_bytes

Sample = Callable[[str], Reading]


@pytest.fixture
def sample(samples: Path) -> Sample:
    return lambda name: read_bytes((samples / "hl7" / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("cn/01_cbc_utf8.hl7", "张三"),
        ("cn/02_cbc_gbk_declared_GB18030_trail7C.hl7", "王弢"),
        ("cn/03_cbc_gbk_undeclared.hl7", "张三"),
    ],
)
def test_blood_counts_in_three_character_sets(sample: Sample, name: str, patient: str) -> None:
    (report,) = sample(name).reports
    assert report.patient.name.text == patient
    assert report.key == "LIS20250115001|CBC"
    assert (report.code.display, report.specimen, report.performers) == ("血常规", "全血", ("王检验",))
    assert report.status == ReportStatus.FINAL
    white = report.observations[0]
    assert (white.code.code, white.code.system, white.code.display) == ("6690-2", LOINC, "白细胞计数")
    assert white.value == Quantity(Decimal("12.8"), "10^9/L")
    assert [each.interpretation for each in report.observations] == [("H",), ("N",), ("L",), ("L", "A"), ("H",)]


def test_the_note_on_a_haemolysed_specimen_is_with_its_result(sample: Sample) -> None:
    assert sample("cn/01_cbc_utf8.hl7").reports[0].observations[-1].notes == ("标本轻度溶血",)


def test_an_analysers_count_with_a_histogram(sample: Sample) -> None:
    reading = sample("cn/04_mindray_bc_histogram.hl7")
    (report,) = reading.reports
    assert report.patient.key.value == "CN0004"
    assert [each.media_type for each in report.attachments] == ["application/octet-stream"]
    values = {each.code.display: each.value for each in report.observations}
    assert values["LYM#"] == "***.*"
    assert values["WBC"] == Quantity(Decimal("5.2"), "10*9/L")
    assert reading.accounting.flagged == 1


def test_a_channel_number_is_shown_by_its_name(sample: Sample) -> None:
    (report,) = sample("cn/05_mindray_bs_chem_ascii.hl7").reports
    assert [each.code.display for each in report.observations] == ["TBil", "ALT"]
    assert report.placer_order_number == "0000000002"
    assert "order-number-weak" in report.flags


def test_critical_values_keep_their_flags_and_their_note(sample: Sample) -> None:
    potassium, glucose = sample("cn/07_critical_values.hl7").reports[0].observations
    assert (potassium.interpretation, glucose.interpretation) == (("HH",), ("LL",))
    assert "危急值" in potassium.notes[0]


def test_what_is_no_number_is_shown_as_written(sample: Sample) -> None:
    values = [each.value for each in sample("cn/08_nonnumeric_in_NM.hl7").reports[0].observations]
    assert values == [
        Quantity(Decimal("0.61"), "ng/mL", "<"),
        Quantity(Decimal(10000), "mIU/mL", ">"),
        "阴性(-)",
        "1:160",
        None,
        "淡黄色",
        Quantity(Decimal(15), "mm/h"),
    ]


def test_final_corrected_cancelled_are_one_report(sample: Sample) -> None:
    reports = sample("cn/09_final_corrected_cancelled.mllp").reports
    assert {report.key for report in reports} == {"LIS20250115001|CBC"}
    assert [report.status.value for report in reports] == ["final", "corrected", "cancelled"]
    assert [report.observations[0].status for report in reports] == ["final", "corrected", "cancelled"]


def test_an_ecg_with_its_document(sample: Sample) -> None:
    reading = sample("cn/11_ecg_oru_with_pdf.hl7")
    (report,) = reading.reports
    assert (report.category, report.status) == (ReportCategory.ECG, ReportStatus.PRELIMINARY)
    assert [each.code.code for each in report.observations] == ["8867-4", "8625-6", "8633-0", "8634-8", "8636-3"]
    assert report.conclusion == "窦性心律\nST段抬高（提示心室早期复极）"
    assert report.attachments[0].media_type == "application/pdf"
    assert reading.parts[0].startswith(b"%PDF-")
    assert reading.parts[0].rstrip().endswith(b"%%EOF")
    assert report.flags == ("no-waveform",)


def test_a_culture_and_its_susceptibilities(sample: Sample) -> None:
    culture, susceptibilities = sample("cn/12_micro_parent_child.hl7").reports
    assert (culture.key, susceptibilities.key) == ("LIS12|CULT", "LIS12-1|SUSC")
    assert culture.observations[1].value == ">10^5 CFU/mL"
    assert [(each.code.display, each.interpretation) for each in susceptibilities.observations] == [
        ("氨苄西林", ("R",)),
        ("环丙沙星", ("S",)),
        ("左氧氟沙星", ("I",)),
    ]
    assert susceptibilities.observations[0].value == Quantity(Decimal(32), "ug/mL", ">=")


@pytest.mark.parametrize("name", ["ORU_R01-PDF.hl7", "ORU_R01-SR.hl7"])
def test_radiology_reports_point_at_their_study(sample: Sample, name: str) -> None:
    (report,) = sample(f"dcm4che/{name}").reports
    assert report.category == ReportCategory.IMAGING
    assert report.study_instance_uid == "1.2.392.200036.9125.0.198811291108.7"
    assert report.accession_number == "AccessionNumber"
    assert report.attachments or ("right kidney" in report.findings and "CT of the Abdomen" in report.conclusion)


def test_every_message_of_a_batch_is_read(sample: Sample) -> None:
    reading = sample("reportstream/batch_message.hl7")
    assert len(reading.reports) == 2
    assert len({report.patient.key for report in reading.reports}) == 2


def test_every_sample_is_read_or_refused_with_a_reason_and_accounted_for(samples: Path) -> None:
    refused: dict[str, tuple[str, str]] = {}
    for path in sorted(each for each in (samples / "hl7").rglob("*") if each.is_file()):
        try:
            accounting = read_bytes(path.read_bytes()).accounting
        except Fault as fault:
            refused[path.name] = (fault.category.value, fault.where)
            continue
        assert accounting.mapped + accounting.kept + accounting.flagged == accounting.total > 0
    kind, patient = (Category.UNSUPPORTED.value, "MSH-9"), (Category.UNSUPPORTED.value, "PID")
    assert refused == {
        "06_mindray_qc_not_patient.hl7": patient,
        "OBX-to-Observation-st-value.hl7": (Category.INVALID.value, "PID-3"),
        "cv.04_001_chem.hl7": kind,
    }


def test_no_note_tells_whose_data_it_was(samples: Path) -> None:
    for path in sorted((samples / "hl7" / "cn").iterdir()):
        try:
            reading = read_bytes(path.read_bytes())
        except Fault:
            continue
        notes = "\n".join(reading.accounting.notes)
        for report in reading.reports:
            assert report.patient.name.text not in notes
            assert all(
                identifier.value not in notes for identifier in report.patient.identifiers if len(identifier.value) > 4
            )
