"""WADO-RS as viewers and programs meet it."""

import io
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from tests.api.dicomweb.bodies import parts_of, store
from tests.imaging import OTHER_TECHNICIAN, ImagingHub, ct, encapsulated_pdf, part10

Stored = Callable[..., Dataset]


@pytest.fixture
def stored(technician: httpx.Client) -> Stored:
    """Stores an image with these changes."""

    def put(**changes: object) -> Dataset:
        ds = ct(**changes)
        answer = store(technician, part10(ds))
        assert answer.status_code == 200, answer.text
        return ds

    return put


def address(ds: Dataset, rest: str = "") -> str:
    return f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}{rest}"


def picture(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        'multipart/related; type="application/dicom"',
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1',
        'image/jpeg;q=0.1, multipart/related;type="application/dicom";q=0.9',
    ],
)
def test_instances_come_as_multipart(stored: Stored, clinician: httpx.Client, accept: str) -> None:
    ds = stored()
    for path in (address(ds), address(ds).rpartition("/instances")[0], f"/studies/{ds.StudyInstanceUID}"):
        response = clinician.get(path, headers={"Accept": accept})
        assert response.headers["content-type"].startswith('multipart/related; type="application/dicom"; boundary=')
        ((media_type, content),) = parts_of(response)
        assert media_type == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
        assert content == part10(ds)


def test_instance_comes_alone_to_whom_that_suits_and_not_again_when_known(
    stored: Stored, clinician: httpx.Client
) -> None:
    ds = stored()
    response = clinician.get(address(ds), headers={"Accept": "application/dicom"})
    assert response.headers["content-type"] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert response.content == part10(ds)
    assert response.headers["cache-control"] == "private, no-cache"
    known = {"Accept": "application/dicom", "If-None-Match": response.headers["etag"]}
    again = clinician.get(address(ds), headers=known)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "accept",
    ["image/jpeg", "text/html", 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50'],
)
def test_what_the_hub_does_not_make_is_not_acceptable(stored: Stored, clinician: httpx.Client, accept: str) -> None:
    assert clinician.get(address(stored()), headers={"Accept": accept}).status_code == 406


def test_metadata_is_the_header_with_addresses_of_bulk_data(stored: Stored, clinician: httpx.Client) -> None:
    ds = stored()
    second = stored(StudyInstanceUID=ds.StudyInstanceUID, SeriesInstanceUID=ds.SeriesInstanceUID, InstanceNumber=8)
    response = clinician.get(f"/studies/{ds.StudyInstanceUID}/metadata", headers={"Accept": "application/dicom+json"})
    assert response.headers["content-type"] == "application/dicom+json"
    one, two = response.json()
    assert (one["00080018"]["Value"], two["00080018"]["Value"]) == ([ds.SOPInstanceUID], [second.SOPInstanceUID])
    assert one["00100010"]["Value"] == [{"Alphabetic": "Zhang^San", "Ideographic": "张^三"}]
    assert one["00081030"]["Value"] == ["胸部CT平扫"]
    bulk = one["7FE00010"]["BulkDataURI"]
    assert bulk == str(clinician.base_url).rstrip("/") + address(ds, "/bulkdata/7FE00010")
    assert Dataset.from_json(one, bulk_data_uri_handler=lambda _: b"").PatientID == "P0001"
    assert clinician.get(address(second, "/metadata")).json() == [two]


@pytest.mark.parametrize("form", ["image/jpeg", "image/png"])
def test_rendered_shows_the_window_of_the_instance_or_the_one_asked_for(
    stored: Stored, clinician: httpx.Client, form: str
) -> None:
    ds = stored()
    response = clinician.get(address(ds, "/rendered"), headers={"Accept": form})
    assert response.headers["content-type"] == form
    own = np.asarray(picture(response), int)
    assert (own.shape, own[0, 0], own[-1, -1]) == ((16, 16), 0, 255)
    # Values run from -1024 to 1016 HU, 8 a pixel: at 40/400 everything below -160 is black, above 240 white.
    values = np.arange(256).reshape(16, 16) * 8 - 1024
    expected = np.clip((values - 39.5) / 399 + 0.5, 0, 1) * 255
    assert np.abs(own - expected).max() <= (1 if form == "image/png" else 24)
    wide = np.asarray(picture(clinician.get(address(ds, "/rendered"), params={"window": "0,2048,linear"})), int)
    assert 100 < wide[8, 8] < 156
    assert wide[0, 15] > 0


def test_rendered_fits_the_viewport_and_frames_are_counted_from_one(stored: Stored, clinician: httpx.Client) -> None:
    frames = np.concatenate([np.full(256, value, "<i2") for value in (0, 2000)])
    ds = stored(NumberOfFrames=2, PixelData=frames.tobytes())
    levels = [np.asarray(picture(clinician.get(address(ds, f"/frames/{n}/rendered"))), int).mean() for n in (1, 2)]
    assert levels == [0, 255]
    assert clinician.get(address(ds, "/frames/3/rendered")).status_code == 404
    assert clinician.get(address(ds, "/frames/0/rendered")).status_code == 404
    assert picture(clinician.get(address(ds, "/rendered"), params={"viewport": "64,32"})).size == (32, 32)
    for bad in ("64", "0,5", "64,64,0,0,8,8", "99999999,1"):
        assert clinician.get(address(ds, "/rendered"), params={"viewport": bad}).status_code == 400
    for bad in ("40", "40,0", "a,b,linear", "1,2,cubic"):
        assert clinician.get(address(ds, "/rendered"), params={"window": bad}).status_code == 400


def test_inverted_grey_and_colour(stored: Stored, clinician: httpx.Client) -> None:
    dark = stored(PhotometricInterpretation="MONOCHROME1", PixelData=np.full(256, 2000, "<i2").tobytes())
    assert np.asarray(picture(clinician.get(address(dark, "/rendered")))).max() == 0
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    colour = stored(
        PhotometricInterpretation="RGB",
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=red.tobytes(),
    )
    shown = picture(clinician.get(address(colour, "/rendered"), headers={"Accept": "image/png"}))
    assert shown.mode == "RGB"
    assert shown.getpixel((3, 3)) == (200, 0, 0)


def test_thumbnail_of_instance_series_and_study(stored: Stored, clinician: httpx.Client) -> None:
    ds = stored(Rows=512, Columns=256, PixelData=bytes(512 * 256 * 2))
    for path in (address(ds), address(ds).rpartition("/instances")[0], f"/studies/{ds.StudyInstanceUID}"):
        assert picture(clinician.get(f"{path}/thumbnail")).size == (100, 200)


def test_declared_65535_squared_is_kept_but_not_drawn(stored: Stored, clinician: httpx.Client) -> None:
    ds = stored(Rows=65535, Columns=65535, PixelData=b"\0\0")
    answer = clinician.get(address(ds, "/rendered"))
    assert answer.status_code == 422
    assert "65535" in answer.json()["text"]
    assert clinician.get(f"/studies/{ds.StudyInstanceUID}/thumbnail").status_code == 422
    assert clinician.get(address(ds), headers={"Accept": "application/dicom"}).content == part10(ds)


def test_pixels_shorter_than_declared_and_no_pixels_at_all_are_not_drawn(
    stored: Stored, clinician: httpx.Client
) -> None:
    short = stored(PixelData=bytes(100))
    none = stored(PixelData=None, Rows=None)
    for ds in (short, none):
        assert clinician.get(address(ds, "/rendered")).status_code == 422


def test_a_pdf_is_rendered_as_itself_and_only_our_own_page_may_embed_it(
    technician: httpx.Client, clinician: httpx.Client
) -> None:
    written = b"%PDF-1.4\n" + b"0123456789" * 90_000 + b"\n%%EOF\n"
    for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"):
        ds = encapsulated_pdf(written)
        assert store(technician, part10(ds, syntax)).status_code == 200
        for accept in ("*/*", "application/pdf", "text/html,application/xhtml+xml,*/*;q=0.8"):
            answer = clinician.get(address(ds, "/rendered"), headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
            assert answer.content.rstrip(b"\0") == written
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        known = {"If-None-Match": answer.headers["etag"]}
        assert clinician.get(address(ds, "/rendered"), headers=known).status_code == 304
        assert clinician.get(address(ds, "/rendered"), headers={"Accept": "image/png"}).status_code == 406
        assert clinician.get(address(ds, "/frames/2/rendered")).status_code == 404
        assert clinician.get(address(ds, "/thumbnail")).status_code == 422


def test_an_image_is_not_rendered_as_a_pdf(stored: Stored, clinician: httpx.Client) -> None:
    answer = clinician.get(address(stored(), "/rendered"), headers={"Accept": "application/pdf"})
    assert answer.status_code == 406


def test_nobody_learns_whether_another_centres_study_exists(small_hub: ImagingHub, stored: Stored) -> None:
    ds = stored()
    with small_hub.client(OTHER_TECHNICIAN) as other:
        for rest in ("", "/metadata", "/rendered", "/thumbnail"):
            answer = other.get(address(ds, rest))
            unknown = other.get(address(ds, rest).replace(ds.SOPInstanceUID, "1.2.3"))
            assert answer.status_code == unknown.status_code == 404
            assert answer.json()["text"] == unknown.json()["text"]


def test_who_may_not_read_may_not_read_images(auditor: httpx.Client, stored: Stored, small_hub: ImagingHub) -> None:
    ds = stored()
    assert auditor.get(address(ds, "/rendered")).status_code == 403
    with small_hub.client(None) as anonymous:
        assert anonymous.get(address(ds)).status_code == 401


def test_every_look_is_audited(clinician: httpx.Client, stored: Stored, small_hub: ImagingHub) -> None:
    ds = stored()
    for rest in ("", "/metadata", "/rendered", "/thumbnail"):
        assert clinician.get(address(ds, rest)).status_code == 200
    query = "select action, entity, account from audit order by id desc limit 4"
    with small_hub.verbs.database.read() as tx:
        rows = [tuple(row) for row in tx.exec_driver_sql(query).all()][::-1]
    assert [action for action, _, _ in rows] == ["export", "read", "read", "read"]
    assert {entity.partition("/")[0] for _, entity, _ in rows} == {"ImagingStudy"}
    assert {account for _, _, account in rows} == {"clinician"}


def test_pydicom_reads_what_is_retrieved(stored: Stored, clinician: httpx.Client) -> None:
    ds = stored()
    response = clinician.get(address(ds), headers={"Accept": "application/dicom"})
    assert dcmread(io.BytesIO(response.content)).PatientName == "Zhang^San=张^三"
