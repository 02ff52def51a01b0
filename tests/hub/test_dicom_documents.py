"""Reports inside DICOM over a real socket: which report of a study a document becomes, and what a clinician reads."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from hub.access import disclosure_for
from schemas.report import SUPPLEMENT, ReportCriteria, ReportRecord, ReportStatus
from schemas.study import StudyCriteria
from tests.adapters.dicom.structured import (
    DOSE_REPORT,
    MEASUREMENT_REPORT,
    encapsulated,
    number,
    reading,
    references,
    report,
)
from tests.engines import Engines
from tests.imaging import CLINICIAN, ImagingHub, ct, imaging_hub, part10, store, written


@pytest.fixture
def hub(migrated_urls: Engines) -> Iterator[ImagingHub]:
    with imaging_hub(migrated_urls) as made:
        yield made


def send(hub: ImagingHub, folder: Path, *instances: Dataset, calling: str = "CHC01") -> list[int | None]:
    return [store(hub.listener.port, written(folder, part10(each)), calling=calling) for each in instances]


def reports(hub: ImagingHub) -> list[ReportRecord]:
    found = hub.verbs.query.reports(disclosure_for(CLINICIAN), ReportCriteria())
    return sorted(found.items, key=lambda each: each.id)


def versions(hub: ImagingHub, report_id: int) -> list[ReportRecord]:
    return sorted(hub.verbs.query.report_versions(disclosure_for(CLINICIAN), report_id), key=lambda each: each.version)


def test_the_first_reading_of_images_is_their_next_version(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    assert send(hub, tmp_path, study, reading(study)) == [0, 0]
    (record,) = reports(hub)
    assert [each.report.status.value for each in versions(hub, record.id)] == ["partial", "final"]
    assert record.report.conclusion == "右肺上叶结节。"
    assert record.report.code.display == "胸部CT平扫"  # what was examined, rather than the document's title


def test_in_whatever_order_they_come_one_study_has_one_reading(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    made = [study, reading(study), report(study, number(DOSE_REPORT, "1"), title=DOSE_REPORT)]
    for order in itertools.permutations(range(3)):
        uid = generate_uid()
        for each in made:
            each.StudyInstanceUID, each.SeriesInstanceUID, each.SOPInstanceUID = uid, generate_uid(), generate_uid()
        assert send(hub, tmp_path, *(made[n] for n in order)) == [0, 0, 0]
        mine = [each for each in reports(hub) if each.report.study_instance_uid == uid]
        assert len(mine) == 2, order
        dose, read = sorted(mine, key=lambda each: SUPPLEMENT not in each.report.flags)
        assert SUPPLEMENT in dose.report.flags
        assert (read.report.conclusion, read.report.status) == ("右肺上叶结节。", ReportStatus.FINAL)
        (found,) = hub.verbs.query.studies(disclosure_for(CLINICIAN), _criteria(uid)).items
        assert found.report_id == read.id, order


def _criteria(uid: str) -> StudyCriteria:
    return StudyCriteria(study_instance_uids=(uid,))


def test_a_document_that_names_its_predecessor_is_its_next_version(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    first = reading(study)
    second = reading(study, "右肺上叶结节，考虑炎性。", PredecessorDocumentsSequence=references(first))
    second.VerifyingObserverSequence[0].VerificationDateTime = "20250116090000"
    send(hub, tmp_path, study, first, second)
    (record,) = reports(hub)
    assert record.report.conclusion == "右肺上叶结节，考虑炎性。"
    assert record.report.status is ReportStatus.AMENDED  # whoever read the first must be told
    assert [each.report.conclusion for each in versions(hub, record.id)][1:] == [
        "右肺上叶结节。",
        "右肺上叶结节，考虑炎性。",
    ]


def test_a_predecessor_that_comes_late_changes_nothing(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    first = reading(study)
    second = reading(study, "考虑炎性。", PredecessorDocumentsSequence=references(first))
    second.VerifyingObserverSequence[0].VerificationDateTime = "20250116090000"
    send(hub, tmp_path, study, second, first)
    (record,) = reports(hub)
    assert record.report.conclusion == "考虑炎性。"
    assert len(versions(hub, record.id)) == 3


def test_documents_that_name_each_other_as_predecessors_end(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    first, second = reading(study, "甲"), reading(study, "乙")
    first.PredecessorDocumentsSequence = references(second)
    second.PredecessorDocumentsSequence = references(first)
    assert send(hub, tmp_path, study, first, second) == [0, 0, 0]
    assert len(reports(hub)) == 1


def test_a_second_document_stands_beside_the_reading(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    measured = report(study, number(("81827009", "SCT", "Diameter"), "8"), title=MEASUREMENT_REPORT, verified="Li^Si")
    send(hub, tmp_path, study, reading(study), encapsulated(study), measured)
    read, document, measurements = reports(hub)
    assert read.report.conclusion == "右肺上叶结节。"
    assert document.report.attachments[0].title == "CT诊断报告"
    assert [each.code.display for each in measurements.report.observations] == ["Diameter"]
    assert {each.report.study_instance_uid for each in (read, document, measurements)} == {study.StudyInstanceUID}


def test_a_reading_of_another_institution_is_its_own_report(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    send(hub, tmp_path, study)
    centre = reading(study)
    centre.IssuerOfPatientID = "CHC01"
    assert send(hub, tmp_path, centre, calling="CHC02") == [0]
    images, read = reports(hub)
    assert (images.organization, images.report.status) == ("CHC01", ReportStatus.PARTIAL)
    assert (read.organization, read.report.conclusion) == ("CHC02", "右肺上叶结节。")


def test_a_reading_of_another_patient_s_study_is_held(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    foreign = reading(study, PatientID="P9999", PatientName="Li^Wu")
    assert send(hub, tmp_path, study, foreign) == [0, 0x0111]
    (record,) = reports(hub)
    assert record.report.status is ReportStatus.PARTIAL


def test_the_same_document_again_is_the_same(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    same = reading(study)
    assert send(hub, tmp_path, study, same, same) == [0, 0, 0]
    (record,) = reports(hub)
    assert record.version == 2
