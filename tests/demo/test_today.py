"""What is sent while somebody watches."""

import datetime as dt

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from hub.demo import imaging
from hub.demo.people import find, people
from hub.demo.today import CT_SLICES, Today
from schemas.faults import InvalidPayload
from schemas.report import ReportCategory, ReportStatus

from .reading import read

NOW = dt.datetime(2026, 11, 21, 3, 30, tzinfo=dt.UTC)
TODAY = Today(people(), NOW)


def test_the_same_moment_gives_the_same_bytes() -> None:
    again = Today(people(), NOW)
    assert list(again.messages()) == list(TODAY.messages())
    assert [imaging.part10(each) for each in again.ct_series()] == [imaging.part10(each) for each in TODAY.ct_series()]
    assert [file.content for file in again.ecgs()] == [file.content for file in TODAY.ecgs()]


def test_there_is_as_much_of_each_kind_as_the_contract_asks_for() -> None:
    assert CT_SLICES >= 25
    assert len(list(TODAY.messages())) >= 30
    assert len(list(TODAY.ecgs())) >= 6


def test_every_message_reads_with_names_intact_in_either_charset() -> None:
    known = {person.name for person in people()}
    contents = dict.fromkeys(sender for sender, _ in TODAY.messages())
    assert {"CHC07", "CHC11", "CHC12", "DH01"} <= contents.keys()
    statuses = set()
    for sender, message in TODAY.messages():
        reading = read(sender, message)
        found = [report.patient for report in reading.reports] + list(reading.patients)
        assert found
        assert {patient.name.text for patient in found} <= known
        statuses |= {report.status for report in reading.reports}
    assert statuses == {ReportStatus.FINAL, ReportStatus.CORRECTED, ReportStatus.CANCELLED}


def test_the_reading_of_the_ct_names_the_study_that_was_sent() -> None:
    sender, message = list(TODAY.messages())[-1]
    report = read(sender, message).reports[0]
    series = TODAY.ct_series()
    assert report.category is ReportCategory.IMAGING
    assert {each.StudyInstanceUID for each in series} == {report.study_instance_uid}
    assert {each.AccessionNumber for each in series} == {report.accession_number}
    assert "结节" in report.findings
    assert "复查" in report.conclusion


def test_ct_slices_look_like_a_chest_in_hounsfield_units() -> None:
    middle = dcmread(DicomBytesIO(imaging.part10(TODAY.ct_series()[CT_SLICES // 2])))
    hounsfield = middle.pixel_array.astype(int) + int(middle.RescaleIntercept)
    air, lung, tissue, bone = ((hounsfield > low) & (hounsfield < high) for low, high in _TISSUES)
    shares = [float(np.mean(each)) for each in (air, lung, tissue, bone)]
    assert all(share > least for share, least in zip(shares, (0.3, 0.08, 0.15, 0.005), strict=True)), shares
    positions = [float(each.ImagePositionPatient[2]) for each in TODAY.ct_series()]
    assert np.allclose(np.diff(positions), float(middle.SliceThickness), atol=0.01)


_TISSUES = ((-1100, -930), (-930, -700), (-60, 130), (500, 1000))


def test_names_beyond_the_basic_plane_survive_dicom() -> None:
    names = {}
    for sender, datasets in TODAY.other_images():
        report = read(sender, imaging.part10(datasets[0])).reports[0]
        names[sender] = report.patient.name.text
    assert names["CHC12"] == find(people(), "𠮷瑞").name
    assert len(names) >= 4


def test_the_bad_ones_are_bad_in_the_way_that_is_told() -> None:
    with pytest.raises(InvalidPayload):
        read(*TODAY.garbled())
    contradicting = read(*TODAY.contradicting()).reports[0].patient
    known = find(people(), "王喆")
    assert contradicting.key.value == known.record_number("CHC05")
    assert contradicting.birth_date != known.birth_date
    first, other = TODAY.ct_series()[0], TODAY.contradicting_slice()
    assert first.SOPInstanceUID == other.SOPInstanceUID
    assert first.PixelData != other.PixelData


def test_every_cart_writes_the_hour_of_the_districts_clock() -> None:
    files = list(TODAY.ecgs())
    taken = [read("CHC03", file.content, file.hint).reports[0].observed_at for file in files]
    assert taken == [NOW - dt.timedelta(minutes=20 + 3 * number) for number in range(1, len(files) + 1)]
