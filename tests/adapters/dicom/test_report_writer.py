"""Documents that the hub makes of its reports: valid by an independent judge, readable, the same every time."""

import datetime as dt
import io
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydicom import dcmread

from adapters.dicom import REPORT_WRITER
from adapters.dicom.part10 import read
from hub.offering.page import render
from hub.offering.sections import sections
from hub.portal.render import FONT
from schemas.codes import DCM, LOCAL, LOINC, Coding
from schemas.delivery import Origin
from schemas.identifiers import AUTHORITY, Identifier
from schemas.observation import Observation, Quantity
from schemas.offered import DocumentKind, Offered
from schemas.patient import Patient, PersonName, Sex
from schemas.report import Report, ReportCategory, ReportRecord, ReportStatus
from schemas.study import Study
from tests.engines import program

AT = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
PATIENT = Patient(
    (Identifier(AUTHORITY + "CHC01", "P1001"),), PersonName("张三", "Zhang San"), dt.date(1970, 1, 2), Sex.MALE
)
IMAGING = Report(
    key="F1",
    category=ReportCategory.IMAGING,
    status=ReportStatus.FINAL,
    code=Coding("CT", "胸部CT平扫", DCM),
    patient=PATIENT,
    organization="CHC01",
    observed_at=AT,
    issued_at=AT + dt.timedelta(hours=2),
    accession_number="A1",
    performers=("李四", "Wang Wu"),
    findings="两肺纹理清晰。\n\t右肺上叶见磨玻璃结节，径约8mm。\x07 <b>&</b> 龘",
    conclusion="1. 右肺上叶磨玻璃结节，建议3个月复查。\n2. 余肺未见异常。",
    study_instance_uid="1.2.3.4",
)
RESULTS = tuple(
    Observation(
        Coding(
            f"{'' if n % 2 else 'A-CODE-LONGER-THAN-SIXTEEN-'}{n}",
            f"项目{n}\\甲",
            LOINC if n % 2 else LOCAL + "本院LIS",
        ),
        Quantity(Decimal("96.0"), "10*9/L"),
        reference_range="115-150",
        interpretation=("L",),
    )
    for n in range(60)
)
LABORATORY = replace(
    IMAGING,
    category=ReportCategory.LABORATORY,
    code=Coding("58410-2", "血常规", LOINC),
    findings="",
    conclusion="",
    study_instance_uid="",
    accession_number="",
    performers=(),
    observations=RESULTS,
)
ECG = replace(IMAGING, category=ReportCategory.ECG, findings="", study_instance_uid="", observations=RESULTS[:3])
BARE = replace(
    IMAGING,
    patient=Patient((Identifier("urn:oid:1.2", "X" * 80),), PersonName("O'Brien^\\=Jr")),
    observed_at=None,
    issued_at=None,
    code=Coding("", "", ""),
    accession_number="一二三四五六七八九十一二三四五六七八九十",
)
STUDY = Study("1.2.3.4", PATIENT, "20261120", "173000.123", "A1", "S1", "胸部CT平扫", "赵六")


def offered(report: Report, study: Study | None = None, version: int = 2) -> Offered:
    record = ReportRecord(7, version, True, 1, "CHC01", AT, AT, 3, report)
    return Offered(record, "区中心医院", sections(report), study, version - 1)


EVERY = {
    "imaging": offered(IMAGING, STUDY),
    "without images": offered(IMAGING),
    "laboratory": offered(LABORATORY),
    "ecg": offered(ECG),
    "bare": offered(BARE),
    "first version": offered(IMAGING, STUDY, version=1),
}


def documents(of: Offered) -> dict[DocumentKind, bytes]:
    pdf = render(of, FONT)
    return {
        DocumentKind.PDF: pdf,
        DocumentKind.ENCAPSULATED_PDF: REPORT_WRITER.encapsulated_pdf(of, pdf),
        DocumentKind.BASIC_TEXT_SR: REPORT_WRITER.basic_text(of),
    }


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("kind", [DocumentKind.ENCAPSULATED_PDF, DocumentKind.BASIC_TEXT_SR])
def test_an_independent_judge_finds_no_error(tmp_path: Path, name: str, kind: DocumentKind) -> None:
    judge = program("dciodvfy", "dicom3tools")
    path = tmp_path / "one.dcm"
    path.write_bytes(documents(EVERY[name])[kind])
    said = subprocess.run([judge, "-new", path], capture_output=True, text=True, check=False, errors="replace").stderr
    assert "EncapsulatedPDF" in said or "BasicTextSR" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("name", EVERY)
def test_the_same_version_gives_the_same_bytes(name: str) -> None:
    assert documents(EVERY[name]) == documents(EVERY[name])


def test_another_version_is_another_instance_of_the_same_series_and_names_the_one_before() -> None:
    first, second = (
        dcmread(io.BytesIO(documents(EVERY[name])[DocumentKind.BASIC_TEXT_SR])) for name in ("first version", "imaging")
    )
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert "PredecessorDocumentsSequence" not in first
    before = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert before.SeriesInstanceUID == first.SeriesInstanceUID
    assert before.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID


def test_our_own_reader_reads_what_we_wrote(origin: Origin) -> None:
    of = EVERY["imaging"]
    for kind in (DocumentKind.ENCAPSULATED_PDF, DocumentKind.BASIC_TEXT_SR):
        found = read(io.BytesIO(documents(of)[kind]), origin)
        report, instance = found.reports[0], found.instances[0]
        assert report.status is ReportStatus.FINAL
        assert report.patient.name == PersonName("张三", "Zhang San")
        assert report.patient.birth_date == PATIENT.birth_date
        assert instance.study.study_instance_uid == "1.2.3.4"
        assert instance.study.study_time == "173000.123"
        assert report.issued_at == IMAGING.issued_at
    assert report.conclusion == IMAGING.conclusion
    assert report.findings == "两肺纹理清晰。\n    右肺上叶见磨玻璃结节，径约8mm。 <b>&</b> 龘"
    assert report.performers == ("李四", "Wang Wu")


def test_nobody_named_is_nobody_s_verification() -> None:
    ds = dcmread(io.BytesIO(documents(EVERY["laboratory"])[DocumentKind.BASIC_TEXT_SR]))
    assert ds.VerificationFlag == "UNVERIFIED"
    assert "VerifyingObserverSequence" not in ds
    assert ds.SpecificCharacterSet == "ISO_IR 192"


def test_a_report_without_a_study_is_in_one_of_its_own() -> None:
    of = EVERY["laboratory"]
    both = [
        dcmread(io.BytesIO(documents(of)[kind])) for kind in (DocumentKind.ENCAPSULATED_PDF, DocumentKind.BASIC_TEXT_SR)
    ]
    assert both[0].StudyInstanceUID == both[1].StudyInstanceUID != "1.2.3.4"
    assert both[0].StudyInstanceUID.startswith("2.25.")
    assert both[0].SeriesInstanceUID != both[1].SeriesInstanceUID


@pytest.mark.parametrize("name", EVERY)
def test_the_page_can_be_read_without_a_chinese_font_on_the_machine(tmp_path: Path, name: str) -> None:
    of = EVERY[name]
    path = tmp_path / "report.pdf"
    path.write_bytes(documents(of)[DocumentKind.PDF])
    said = subprocess.run(
        [program("pdftotext", "poppler-utils"), "-layout", path, "-"], capture_output=True, text=True, check=True
    ).stdout
    for words in ("区中心医院", "检查时间" if name != "laboratory" else "采样时间", f"第 {of.record.version} 版"):
        assert words.replace(" ", "") in said.replace(" ", "")
    if of.report.conclusion:
        assert "右肺上叶磨玻璃结节，建议3个月复查" in said
    if of.report.category is ReportCategory.LABORATORY:
        assert "项目59" in said
        assert "96.0↓" in said.replace(" ", "")
    fonts = subprocess.run([program("pdffonts", "poppler-utils"), path], capture_output=True, text=True, check=True)
    chinese = [line.split() for line in fonts.stdout.splitlines() if "NotoSansSC" in line]
    assert chinese
    assert all(line[-5:-2] == ["yes", "yes", "yes"] for line in chinese), fonts.stdout  # embedded, subset, to Unicode


def test_a_picture_of_the_page_has_ink_and_white_margins(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(documents(EVERY["imaging"])[DocumentKind.PDF])
    program_ = program("pdftoppm", "poppler-utils")
    subprocess.run([program_, "-r", "40", "-gray", tmp_path / "report.pdf", tmp_path / "page"], check=True)
    (page,) = tmp_path.glob("page*.pgm")
    _, size, _, pixels = page.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    rows = [pixels[start : start + width] for start in range(0, width * height, width)]
    assert min(map(min, rows[: height // 30])) > 250
    assert sum(min(row) < 128 for row in rows) > 60


def test_a_text_of_a_megabyte_is_cut_in_time(tmp_path: Path) -> None:
    huge = replace(IMAGING, findings="长" * 1_000_000, observations=(replace(RESULTS[1], value="值" * 5000),))
    (tmp_path / "report.pdf").write_bytes(render(offered(huge), FONT))
    said = subprocess.run(
        [program("pdftotext", "poppler-utils"), tmp_path / "report.pdf", "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.count("长") > 199_000
    assert "内容过长" in said
    assert said.count("值") >= 5000


def test_a_number_that_does_not_fit_is_left_out_rather_than_cut() -> None:
    ds = dcmread(io.BytesIO(documents(EVERY["bare"])[DocumentKind.BASIC_TEXT_SR]))
    assert (ds.PatientID, ds.AccessionNumber) == ("", "")
