"""C-FIND as dcmtk and pynetdicom ask it."""

import io
import random
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind as PatientRoot,
)
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind as StudyRoot,
)

from adapters.dicom.dimse import Context, Request
from adapters.dicom.peers import identifier
from adapters.dicom.peers.attributes import supported
from adapters.dicom.peers.find import query
from adapters.dicom.peers.matching import test as passing
from schemas.network import QueryRight
from tests.imaging import ImagingHub, ct, part10, store, written

from .conftest import allow, run


def keys(level: str | None = "STUDY", /, **wanted: object) -> Dataset:
    ds = Dataset()
    if level is not None:
        ds.QueryRetrieveLevel = level
    for keyword, value in wanted.items():
        setattr(ds, keyword, value)
    return ds


def find(hub: ImagingHub, asked: Dataset, calling: str = "CHC01", model: str = StudyRoot) -> tuple[int, list[Dataset]]:
    """The final status and the answers of a query."""
    ae = AE(calling)
    ae.add_requested_context(model)
    association = ae.associate("127.0.0.1", hub.listener.port, ae_title="DXHUB")
    assert association.is_established
    found, last = [], -1
    try:
        for status, answer in association.send_c_find(asked, model):
            last = int(status.Status)
            if answer is not None:
                found.append(answer)
    finally:
        association.release()
    return last, found


def sent(hub: ImagingHub, folder: Path, calling: str = "CHC01", **changes: object) -> Dataset:
    ds = ct(**changes)
    assert store(hub.listener.port, written(folder, part10(ds), f"{ds.SOPInstanceUID}.dcm"), calling) == 0
    return ds


def test_a_study_is_found_by_every_way_of_naming_it(hub: ImagingHub, tmp_path: Path) -> None:
    allow(hub, "CHC01")
    ds = sent(hub, tmp_path)
    sent(
        hub, tmp_path, PatientID="P2", PatientName="李四", AccessionNumber="B1", StudyDate="20240301", StudyTime="0900"
    )
    ways: list[dict[str, object]] = [
        {"PatientID": "P0001"},
        {"PatientID": "P00*"},
        {"PatientName": "ZHANG^SAN"},
        {"PatientName": "*San"},
        {"PatientName": "zhang*"},
        {"AccessionNumber": "A2025011500?"},
        {"StudyInstanceUID": [ds.StudyInstanceUID, generate_uid()]},
        {"StudyDate": "20250115"},
        {"StudyDate": "20250101-"},
        {"StudyTime": "1000-1100"},
        {"ModalitiesInStudy": "CT", "StudyDate": "20250101-20251231"},
        {"StudyID": "1", "PatientSex": "M", "PatientID": "P0001"},
    ]
    for each in ways:
        status, (answer,) = find(hub, keys("STUDY", **{"StudyInstanceUID": "", **each}))
        assert (status, answer.StudyInstanceUID) == (0x0000, ds.StudyInstanceUID), each
        assert all(keyword in answer for keyword in each)
    assert find(hub, keys(PatientName="wangwu")) == (0x0000, [])
    assert len(find(hub, keys(PatientName=""))[1]) == 2


def test_a_chinese_name_is_found_in_chinese_and_by_its_pinyin(asked: ImagingHub, tmp_path: Path) -> None:
    sent(asked, tmp_path, PatientName="王^芳", SpecificCharacterSet="GB18030")
    for name, charset in (("王芳", "ISO_IR 192"), ("王*", "GB18030"), ("WANG^FANG", "ISO_IR 100"), ("wangf*", None)):
        wanted = keys(PatientName=name)
        if charset:
            wanted.SpecificCharacterSet = charset
        status, (answer,) = find(asked, wanted)
        assert status == 0x0000
        assert str(answer.PatientName) == "王芳"
        assert answer.SpecificCharacterSet == (charset if charset == "GB18030" else "ISO_IR 192")


def test_every_level_answers_its_attributes_and_counts(asked: ImagingHub, tmp_path: Path) -> None:
    ds = sent(asked, tmp_path)
    again = {"StudyInstanceUID": ds.StudyInstanceUID, "SeriesInstanceUID": ds.SeriesInstanceUID}
    other = sent(asked, tmp_path, **again, InstanceNumber=8)
    study = keys("STUDY", NumberOfStudyRelatedSeries="", NumberOfStudyRelatedInstances="")
    study.update(keys("STUDY", ModalitiesInStudy="", SOPClassesInStudy="", StudyDescription=""))
    _, (answer,) = find(asked, study)
    assert (answer.NumberOfStudyRelatedSeries, answer.NumberOfStudyRelatedInstances) == (1, 2)
    assert (answer.ModalitiesInStudy, answer.SOPClassesInStudy) == ("CT", ds.SOPClassUID)
    assert answer.StudyDescription == "胸部CT平扫"
    assert answer.RetrieveAETitle == "DXHUB"
    patient = keys(
        "PATIENT", PatientID="P0001", PatientName="", NumberOfPatientRelatedInstances="", PatientBirthDate=""
    )
    _, (answer,) = find(asked, patient, model=PatientRoot)
    assert (answer.NumberOfPatientRelatedInstances, answer.PatientBirthDate) == (2, "19700101")
    assert str(answer.PatientName) == "Zhang^San=张三"
    series = keys("SERIES", StudyInstanceUID=ds.StudyInstanceUID, Modality="CT", SeriesNumber="2", SeriesInstanceUID="")
    _, (answer,) = find(asked, series)
    assert answer.SeriesInstanceUID == ds.SeriesInstanceUID
    image = keys("IMAGE", **again, SOPInstanceUID="", InstanceNumber="", Rows="")
    _, answers = find(asked, image)
    assert [each.SOPInstanceUID for each in answers] == [ds.SOPInstanceUID, other.SOPInstanceUID]
    assert {each.Rows for each in answers} == {16}
    image.InstanceNumber = 8
    assert [each.SOPInstanceUID for each in find(asked, image)[1]] == [other.SOPInstanceUID]


@pytest.mark.parametrize(
    ("asked_for", "status"),
    [
        (keys(None, PatientID="P0001"), 0xA900),
        (keys("PATIENT", PatientID="P0001"), 0xA900),
        (keys("EVERYTHING"), 0xA900),
        (keys("SERIES", Modality="CT"), 0xA900),
        (keys("SERIES", StudyInstanceUID=["1.2.3", "1.2.4"]), 0xA900),
        (keys("IMAGE", StudyInstanceUID="1.2.3"), 0xA900),
        (keys(StudyDate="yesterday"), 0xC000),
        (keys(StudyDate="20259999-20250101"), 0xC000),
        (keys(StudyDate="-"), 0xC000),
        (keys(StudyTime="9999"), 0xC000),
        (keys(StudyInstanceUID="1.2.x"), 0xC000),
        (keys(StudyID="*a" * 40), 0xC000),
        (keys(StudyDate="20250131-20250101"), 0x0000),
        (keys(StudyInstanceUID=[f"1.2.{number}" for number in range(3000)]), 0x0000),
        (keys(PatientName="%_\\'; drop table study; --" + "*?" * 60), 0x0000),
        (keys(AccessionNumber="?" * 64), 0x0000),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length", "ignore:A value of type")
def test_hostile_identifiers_get_the_right_status_and_the_hub_lives(
    asked: ImagingHub, tmp_path: Path, asked_for: Dataset, status: int
) -> None:
    sent(asked, tmp_path)
    assert find(asked, asked_for) == (status, [])
    assert len(find(asked, keys(PatientID="P0001"))[1]) == 1


def test_who_may_not_query_is_told_so_and_it_is_audited(small_hub: ImagingHub, tmp_path: Path) -> None:
    sent(small_hub, tmp_path)
    assert find(small_hub, keys(PatientID="P0001")) == (0x0124, [])
    allow(small_hub, "CHC01", QueryRight.NONE)
    assert find(small_hub, keys(PatientID="P0001")) == (0x0124, [])
    allow(small_hub, "CHC01", QueryRight.OWN)
    assert len(find(small_hub, keys(PatientID="P0001"))[1]) == 1
    allow(small_hub, "CHC02", QueryRight.OWN)
    assert find(small_hub, keys(PatientID="P0001"), "CHC02") == (0x0000, [])
    allow(small_hub, "CHC02", QueryRight.DISTRICT)
    assert len(find(small_hub, keys(PatientID="P0001"), "CHC02")[1]) == 1
    with small_hub.verbs.database.read() as tx:
        rows = tx.exec_driver_sql(
            "select account, role, purpose, patient_id is not null from audit where action = 'search' order by id"
        ).all()
    assert [tuple(row) for row in rows] == [
        ("CHC01", "system", "TREAT", 1),
        ("CHC02", "system", "TREAT", 0),
        ("CHC02", "system", "TREAT", 1),
    ]


def test_only_whom_the_answer_names_was_shown(asked: ImagingHub, tmp_path: Path) -> None:
    sent(asked, tmp_path, StudyID="7")
    sent(asked, tmp_path, StudyID="8", PatientID="P8", PatientName="李四")
    assert len(find(asked, keys("STUDY", StudyID="8", PatientID=""))[1]) == 1
    assert len(find(asked, keys("PATIENT", PatientSex="F", PatientID=""), model=PatientRoot)[1]) == 0
    with asked.verbs.database.read() as tx:
        rows = tx.exec_driver_sql(
            "select entity, detail, patient_id is not null from audit where action = 'search' order by id"
        ).all()
    assert [tuple(row) for row in rows] == [("ImagingStudy", "C-FIND 1", 1), ("Patient", "C-FIND 0", 0)]


def test_findscu_reads_every_page_of_many_studies_and_may_cancel(asked: ImagingHub, tmp_path: Path) -> None:
    folder = tmp_path / "sent"
    folder.mkdir()
    for number in range(210):
        ds = ct(PatientID=f"M{number}", AccessionNumber=f"N{number}", PixelData=None, Rows=None, Columns=None)
        (folder / f"{number}.dcm").write_bytes(part10(ds))
    port = str(asked.listener.port)
    stored = run("storescu", "-aet", "CHC01", "-aec", "DXHUB", "+sd", "127.0.0.1", port, str(folder))
    assert stored.returncode == 0, stored.stderr
    common = ("-S", "-aet", "CHC01", "-aec", "DXHUB", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=")
    answers = tmp_path / "answers"
    answers.mkdir()
    found = run("findscu", *common, "-X", "-od", str(answers), "127.0.0.1", port)
    assert found.returncode == 0, found.stderr
    assert {dcmread(file, force=True).PatientID for file in answers.iterdir()} == {f"M{n}" for n in range(210)}
    cancelled = run("findscu", "-v", *common, "--cancel", "3", "127.0.0.1", port)
    assert "Cancel" in cancelled.stderr + cancelled.stdout
    assert (cancelled.stderr + cancelled.stdout).count("Find Response") < 210


@pytest.mark.filterwarnings("ignore:Found unknown escape sequence")
def test_no_identifier_whatever_its_bytes_gets_more_than_a_refusal() -> None:
    chance = random.Random(7)
    asked = keys("STUDY", PatientName="张*", StudyDate="20200101-20210101", StudyTime="10-11", SeriesNumber="3")
    asked.update(keys("STUDY", StudyInstanceUID=["1.2", "1.3"], SpecificCharacterSet="GB18030", Rows=3))
    whole = encode(asked, False, True) or b""
    read, statuses = 0, set()
    for _ in range(2000):
        raw = bytearray(whole)
        for _ in range(chance.randint(0, 3)):
            at = chance.randrange(len(raw) - 9)
            raw[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        request = Request({}, Context(1, StudyRoot, ExplicitVRLittleEndian), io.BytesIO(raw))  # type: ignore[arg-type]
        try:
            found = identifier.read(request, "")
            known = supported(found.level)
            tests = [passing(known[tag], values) for tag, values in found.keys.items() if tag in known]
            for each in filter(None, tests):
                assert each("20200101") in {True, False}
            query(found)
            read += 1
        except identifier.Refused as refused:
            statuses.add(refused.status)
    assert statuses == {0xA900, 0xC000}
    assert 20 < read < 2000
