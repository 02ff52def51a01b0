"""QIDO-RS as viewers and programs meet it."""

import httpx
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset

from hub.access import disclosure_for
from schemas.disclosure import AuditRecord
from storage import audit
from tests.api.dicomweb.bodies import store
from tests.imaging import AUDITOR, CLINICIAN, OTHER_TECHNICIAN, TECHNICIAN, ImagingHub, ct, part10


@pytest.fixture(scope="module")
def studies(technician: httpx.Client) -> list[str]:
    """Three studies: a CT of two series, an older MR, an X-ray of somebody else. Their UIDs."""
    chest = ct()
    scout = ct(StudyInstanceUID=chest.StudyInstanceUID, SeriesNumber=1, InstanceNumber=1)
    brain = ct(Modality="MR", StudyDate="20240301", AccessionNumber="M1", StudyDescription="头颅MR")
    hand = ct(PatientID="P0002", PatientName="Wang^Fang=王^芳", Modality="DX", AccessionNumber="D1", PatientSex="F")
    answer = store(technician, *map(part10, (chest, scout, brain, hand)))
    assert answer.status_code == 200, answer.text
    return [chest.StudyInstanceUID, brain.StudyInstanceUID, hand.StudyInstanceUID]


def found(client: httpx.Client, path: str = "/studies", **keys: str) -> list[str]:
    answer = client.get(path, params=keys)
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    return [item["0020000D"]["Value"][0] for item in answer.json()]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, {0, 1, 2}),
        ({"PatientID": "P0001"}, {0, 1}),
        ({"00100020": "P000?"}, {0, 1, 2}),
        ({"PatientName": "zhang*"}, {0, 1}),
        ({"PatientName": "Zhang^San"}, {0, 1}),
        ({"PatientName": "王^芳"}, {2}),
        ({"PatientName": "王*"}, {2}),
        ({"AccessionNumber": "M1"}, {1}),
        ({"StudyDate": "20250115"}, {0, 2}),
        ({"StudyDate": "20240101-20241231"}, {1}),
        ({"StudyDate": "-20241231"}, {1}),
        ({"StudyDate": "20250101-"}, {0, 2}),
        ({"ModalitiesInStudy": "MR"}, {1}),
        ({"PatientID": "P0001", "ModalitiesInStudy": "DX"}, set()),
        ({"StudyDescription": "*CT*"}, {0, 2}),
        ({"AccessionNumber": "%"}, set()),
        ({"PatientID": "", "includefield": "all", "fuzzymatching": "false"}, {0, 1, 2}),
    ],
)
def test_studies_are_found_by(
    clinician: httpx.Client, studies: list[str], keys: dict[str, str], expected: set[int]
) -> None:
    assert set(found(clinician, **keys)) == {studies[i] for i in expected}


def test_study_attributes(clinician: httpx.Client, studies: list[str]) -> None:
    (item,) = clinician.get("/studies", params={"StudyInstanceUID": studies[0]}).json()
    said = {tag: element.get("Value") for tag, element in item.items()}
    assert said["00100010"] == [{"Alphabetic": "Zhang^San", "Ideographic": "张三"}]
    assert (said["00100020"], said["00100030"], said["00100040"]) == (["P0001"], ["19700101"], ["M"])
    assert (said["00080020"], said["00080030"], said["00080050"]) == (["20250115"], ["101500"], ["A20250115001"])
    assert (said["00080061"], said["00201206"], said["00201208"]) == (["CT"], [2], [2])
    assert said["00081190"][0].endswith(f"/dicomweb/studies/{studies[0]}")


def test_pages(clinician: httpx.Client, studies: list[str]) -> None:
    pages = [found(clinician, limit="1", offset=str(offset)) for offset in range(4)]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert {page[0] for page in pages[:3]} == set(studies)
    assert pages[2] == [studies[1]]  # the oldest comes last


def test_series_and_instances_on_every_level(clinician: httpx.Client, studies: list[str]) -> None:
    chest = studies[0]
    series = clinician.get(f"/studies/{chest}/series").json()
    assert sorted(item["00200011"]["Value"][0] for item in series) == [1, 2]
    assert {item["00080060"]["Value"][0] for item in series} == {"CT"}
    assert len(clinician.get(f"/studies/{chest}/series", params={"SeriesNumber": "2"}).json()) == 1
    uid = series[0]["0020000E"]["Value"][0]
    (instance,) = clinician.get(f"/studies/{chest}/series/{uid}/instances").json()
    assert instance["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert instance["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert (instance["00280010"]["Value"], instance["00280011"]["Value"]) == ([16], [16])
    assert len(clinician.get(f"/studies/{chest}/instances").json()) == 2
    assert len(clinician.get("/series", params={"Modality": "CT"}).json()) == 2
    everywhere = clinician.get("/instances", params={"PatientID": "P0001", "limit": "2", "offset": "1"}).json()
    assert len(everywhere) == 2
    assert {"00100010", "00080060", "00080018"} <= set(everywhere[0])
    assert clinician.get("/studies/1.2.3/series").status_code == 204


@pytest.mark.parametrize(
    "query",
    ["PatientAge=040Y", "limit=-1", "offset=x", "StudyDate=2025", "StudyDate=2025011520250116", "nonsense=1"],
)
def test_search_that_would_not_mean_what_it_says_is_refused(
    clinician: httpx.Client, studies: list[str], query: str
) -> None:
    answer = clinician.get(f"/studies?{query}")
    assert answer.status_code == 400
    assert studies[0] not in answer.text


def test_technician_of_another_centre_finds_nothing(small_hub: ImagingHub, studies: list[str]) -> None:
    with small_hub.client(OTHER_TECHNICIAN) as other:
        assert found(other) == []
        assert found(other, f"/studies/{studies[0]}/series") == []


def test_xml_is_not_offered(clinician: httpx.Client, studies: list[str]) -> None:
    assert (
        clinician.get("/studies", headers={"Accept": 'multipart/related; type="application/dicom+xml"'}).status_code
        == 406
    )


def test_a_client_of_others_stores_finds_and_retrieves(hub: ImagingHub) -> None:
    ds = ct()
    root = f"http://127.0.0.1:{hub.http_port}/dicomweb"
    tokens = {who.account: f"Bearer {hub.verbs.access.issue_token(who.account)}" for who in (TECHNICIAN, CLINICIAN)}
    sender = DICOMwebClient(root, headers={"Authorization": tokens["technician"]})
    part10(ds)  # gives the data set its file meta
    answer = sender.store_instances([ds])
    assert len(answer.ReferencedSOPSequence) == 1
    reader = DICOMwebClient(root, headers={"Authorization": tokens["clinician"]})
    (study,) = reader.search_for_studies(search_filters={"PatientName": "张三"}, fuzzymatching=False)
    uid = study["0020000D"]["Value"][0]
    (retrieved,) = reader.retrieve_study(uid)
    assert retrieved.PixelData == ds.PixelData
    assert len(reader.retrieve_study_metadata(uid)) == 1
    picture = reader.retrieve_instance_rendered(
        uid, ds.SeriesInstanceUID, ds.SOPInstanceUID, media_types=("image/png",)
    )
    assert picture.startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def ordered(small_hub: ImagingHub, technician: httpx.Client) -> str:
    """A study whose series was ordered, its header described. Its UID."""
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = "SPS7", "RP7"
    ds = ct(
        PatientID="P0009",
        PatientName="Liu^Yang=刘^洋",
        AccessionNumber="O1",
        StudyDate="20230505",
        StudyID="S77",
        PerformedProcedureStepStartDate="20230506",
        PerformedProcedureStepStartTime="081530",
        RequestAttributesSequence=[item],
        SeriesDescription="Lung",
        ProtocolName="Low dose",
    )
    assert store(technician, part10(ds)).status_code == 200
    assert technician.get(f"/studies/{ds.StudyInstanceUID}/metadata").status_code == 200
    return str(ds.StudyInstanceUID)


@pytest.mark.parametrize(
    ("keys", "matches"),
    [
        ({"StudyTime": "101500"}, True),
        ({"StudyTime": "10-11"}, True),
        ({"StudyTime": "1100-"}, False),
        ({"StudyID": "S77"}, True),
        ({"StudyID": "S7*"}, True),
        ({"StudyID": "S"}, False),
        ({"PatientSex": "M"}, True),
        ({"PatientBirthDate": "19700101"}, True),
        ({"SeriesDescription": "lu*"}, True),
        ({"Modality": "C?"}, True),
        ({"PerformedProcedureStepStartDate": "20230501-20230531"}, True),
        ({"PerformedProcedureStepStartDate": "20230601-"}, False),
        ({"PerformedProcedureStepStartTime": "08-09"}, True),
        ({"RequestAttributesSequence.ScheduledProcedureStepID": "SPS7"}, True),
        ({"00400275.00401001": "RP7"}, True),
        ({"00400275.00401001": "RP8"}, False),
    ],
)
def test_series_are_found_by_every_required_key(
    clinician: httpx.Client, ordered: str, keys: dict[str, str], matches: bool
) -> None:
    assert found(clinician, "/series", AccessionNumber="O1", **keys) == ([ordered] if matches else [])


def test_a_series_tells_what_was_ordered_and_when_it_began(clinician: httpx.Client, ordered: str) -> None:
    (series,) = clinician.get(f"/studies/{ordered}/series").json()
    assert series["00400244"]["Value"] == ["20230506"]
    assert series["00400275"]["Value"][0]["00400009"]["Value"] == ["SPS7"]
    assert "00181030" not in series


@pytest.mark.parametrize("name", ["00181030", "ProtocolName", "all"])
def test_more_attributes_are_returned_where_they_are_asked_for(
    clinician: httpx.Client, ordered: str, name: str
) -> None:
    (series,) = clinician.get(f"/studies/{ordered}/series", params={"includefield": name}).json()
    assert series["00181030"]["Value"] == ["Low dose"]
    assert "00280010" not in series
    (instance,) = clinician.get(f"/studies/{ordered}/instances", params={"includefield": name}).json()
    assert instance["00181030"]["Value"] == ["Low dose"]


@pytest.mark.parametrize("typed", ["ly", "liuy", "刘", "LiuYang", "刘洋"])
def test_a_name_is_found_fuzzily_by_its_beginning_pinyin_and_initials(
    clinician: httpx.Client, ordered: str, typed: str
) -> None:
    assert found(clinician, PatientName=typed, fuzzymatching="true") == [ordered]


def test_pages_follow_one_another_and_tell_that_there_is_more(clinician: httpx.Client, studies: list[str]) -> None:
    whole = found(clinician, limit="1000")
    pages = []
    for offset in range(len(whole)):
        answer = clinician.get("/studies", params={"limit": "1", "offset": str(offset)})
        pages += [item["0020000D"]["Value"][0] for item in answer.json()]
        assert answer.headers.get("warning", "").startswith("299") == (offset < len(whole) - 1)
    assert pages == whole


@pytest.mark.parametrize(
    "keys",
    [
        {"includefield": "Nonsense"},
        {"fuzzymatching": "perhaps"},
        {"StudyTime": "noon"},
        {"limit": "-1"},
        {"PerformedProcedureStepStartDate": "May"},
        {"Rows": "512"},
    ],
)
def test_what_cannot_be_understood_is_refused(clinician: httpx.Client, keys: dict[str, str]) -> None:
    assert clinician.get("/series", params=keys).status_code == 400


@pytest.mark.usefixtures("ordered")
def test_a_search_leaves_one_record_for_each_person_shown(small_hub: ImagingHub, clinician: httpx.Client) -> None:
    before = len(records(small_hub))
    assert clinician.get("/instances", params={"AccessionNumber": "O1"}).status_code == 200
    assert len(records(small_hub)) == before + 1


def records(hub: ImagingHub) -> tuple[AuditRecord, ...]:
    with hub.verbs.database.read() as tx:
        return audit.records(tx, disclosure_for(AUDITOR), account=CLINICIAN.account, limit=10_000).items
