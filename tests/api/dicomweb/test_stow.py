"""STOW-RS as a sender meets it."""

import gzip

import httpx
import pytest
from pydicom.uid import generate_uid

from hub.api.dicomweb.stow import REASONS
from schemas.faults import Category
from tests.api.dicomweb.bodies import STOW, multipart, parts_of, store
from tests.imaging import CLINICIAN, TECHNICIAN, ImagingHub, ct, data_set_of, part10


def test_stored_instances_are_named_found_and_given_back_byte_for_byte(hub: ImagingHub) -> None:
    first = ct()
    second = ct(StudyInstanceUID=first.StudyInstanceUID, SeriesInstanceUID=first.SeriesInstanceUID, InstanceNumber=8)
    sent = [part10(first), part10(second)]
    with hub.client(TECHNICIAN) as technician, hub.client(CLINICIAN) as clinician:
        answer = store(technician, *sent)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/dicom+json"
        references = answer.json()["00081199"]["Value"]
        assert [item["00081155"]["Value"] for item in references] == [[first.SOPInstanceUID], [second.SOPInstanceUID]]
        assert "00081198" not in answer.json()
        url = answer.json()["00081190"]["Value"][0]
        assert url.endswith(f"/dicomweb/studies/{first.StudyInstanceUID}")
        parts = parts_of(clinician.get(url))
    assert [content for _, content in parts] == sent


def test_same_again_is_fine_and_other_content_is_named_with_its_reason(technician: httpx.Client) -> None:
    ds = ct()
    assert store(technician, part10(ds)).status_code == 200
    assert store(technician, part10(ds)).status_code == 200
    ds.PixelData = bytes(512)
    answer = store(technician, part10(ds), part10(ct()))
    assert answer.status_code == 202
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081155"]["Value"] == [ds.SOPInstanceUID]
    assert failed["00081150"]["Value"] == [ds.SOPClassUID]
    assert failed["00081197"]["Value"] == [0x0111]
    assert len(answer.json()["00081199"]["Value"]) == 1


def test_all_refused_is_a_conflict_and_garbage_has_no_name(technician: httpx.Client) -> None:
    answer = store(technician, b"not a DICOM file at all", part10(ct(PatientID="")))
    assert answer.status_code == 409
    assert answer.json()["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0x0122]}}]
    assert [item["00081197"]["Value"] for item in answer.json()["00081198"]["Value"]] == [[0xC000]]
    assert "Zhang" not in answer.text


def test_instance_of_another_study_than_the_address_says_is_not_stored(technician: httpx.Client) -> None:
    ds, stranger = ct(), ct()
    answer = store(technician, part10(ds), part10(stranger), study=ds.StudyInstanceUID)
    assert answer.status_code == 202
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    assert technician.get("/studies", params={"StudyInstanceUID": stranger.StudyInstanceUID}).status_code == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": 'multipart/related; type="application/dicom+json"; boundary=x'}, 415),
        ({"Content-Type": 'multipart/related; type="application/dicom"'}, 400),
        ({**STOW, "Accept": "application/dicom+xml"}, 406),
    ],
)
def test_what_is_no_storage_request_is_refused_at_once(
    technician: httpx.Client, headers: dict[str, str], status: int
) -> None:
    answer = technician.post("/studies", content=multipart([part10(ct())]), headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"category", "text", "where"}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("long_header", [True, False])
def test_what_came_whole_is_stored_and_named_whatever_follows(
    technician: httpx.Client, at_once: bool, long_header: bool
) -> None:
    ds = ct()
    whole = multipart([part10(ds)]).removesuffix(b"--\r\n") + b"\r\n"
    rest = b"X: " + b"a" * 20_000 if long_header else b"Content-Type: application/dicom\r\n\r\n" + part10(ct())[:400]
    content = whole + rest
    pieces = [content] if at_once else [content[start : start + 500] for start in range(0, len(content), 500)]
    answer = technician.post("/studies", content=iter(pieces), headers=STOW)
    assert answer.status_code == 202
    assert [each["00081155"]["Value"] for each in answer.json()["00081199"]["Value"]] == [[ds.SOPInstanceUID]]
    assert answer.json()["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    assert technician.get("/studies", params={"StudyInstanceUID": ds.StudyInstanceUID}).status_code == 200


@pytest.mark.parametrize("preamble", [b"\r\n", b"This is a message in MIME format.\r\n--a\r\n"])
def test_what_stands_before_the_first_boundary_is_passed_over(technician: httpx.Client, preamble: bytes) -> None:
    ds = ct()
    content = preamble + multipart([part10(ds)])
    for pieces in ([content], [content[start : start + 7] for start in range(0, len(content), 7)]):
        answer = technician.post("/studies", content=iter(pieces), headers=STOW)
        assert answer.status_code == 200
        assert [each["00081155"]["Value"] for each in answer.json()["00081199"]["Value"]] == [[ds.SOPInstanceUID]]


def test_a_compressed_body_is_refused_by_name(technician: httpx.Client) -> None:
    body = gzip.compress(multipart([part10(ct())]))
    assert technician.post("/studies", content=body, headers=STOW | {"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("body", [b"", b"no boundary anywhere", multipart([]), multipart([part10(ct())])[:-20]])
def test_body_that_is_no_whole_multipart_is_refused(technician: httpx.Client, body: bytes) -> None:
    assert technician.post("/studies", content=body, headers=STOW).status_code == 400


def test_part_larger_than_the_hub_takes_is_refused_while_it_comes(technician: httpx.Client) -> None:
    large = part10(ct(Rows=1024, Columns=1024, PixelData=bytes(2 << 20)))
    assert store(technician, large).status_code == 413


def test_only_those_who_upload_may_store(clinician: httpx.Client, small_hub: ImagingHub) -> None:
    assert store(clinician, part10(ct())).status_code == 403
    with small_hub.client(None) as anonymous:
        answer = store(anonymous, part10(ct()))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_bare_data_set_comes_back_as_a_file_by_the_book(technician: httpx.Client, clinician: httpx.Client) -> None:
    ds = ct(SOPInstanceUID=generate_uid())
    bare = data_set_of(part10(ds))
    assert store(technician, bare).status_code == 200
    ((media_type, content),) = parts_of(clinician.get(f"/studies/{ds.StudyInstanceUID}"))
    assert media_type == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert data_set_of(content) == bare


def test_every_category_has_a_failure_reason() -> None:
    assert set(REASONS) == set(Category)
