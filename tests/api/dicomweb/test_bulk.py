"""Frames and bulk data: the bytes as they are stored, found through the addresses that the metadata give."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    generate_uid,
)

from tests.api.dicomweb.bodies import parts_of, store
from tests.imaging import ct, part10

OCTETS = {"Accept": "application/octet-stream"}


def address(ds: Dataset, rest: str) -> str:
    return f"/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}" + rest


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_native_frames_and_pixel_data(technician: httpx.Client, clinician: httpx.Client, syntax: str) -> None:
    frames = [np.full(256, value, "<i2").tobytes() for value in (1, 2, 3)]
    ds = ct(NumberOfFrames=3, PixelData=b"".join(frames))
    ds["PixelData"].VR = "OW"
    assert store(technician, part10(ds, syntax)).status_code == 200
    response = clinician.get(address(ds, "/frames/3,1"))
    # Implicit and explicit little endian hold the same frames; the latter is what a frame alone can be in.
    named = syntax if syntax == ExplicitVRBigEndian else "1.2.840.10008.1.2.1"
    assert parts_of(response) == [(f"application/octet-stream; transfer-syntax={named}", frames[i]) for i in (2, 0)]
    bulk = clinician.get(address(ds, "/metadata")).json()[0]["7FE00010"]["BulkDataURI"]
    assert clinician.get(bulk, headers=OCTETS).content == b"".join(frames)
    for missing in ("4", "0"):
        assert clinician.get(address(ds, f"/frames/{missing}")).status_code == 404
    assert clinician.get(address(ds, "/frames/one")).status_code == 400


def test_compressed_frames_come_as_they_are(technician: httpx.Client, clinician: httpx.Client) -> None:
    frames = [b"\xff\xd8one\xff\xd9", b"\xff\xd8second\xff\xd9\0"]
    ds = ct(NumberOfFrames=2, PixelData=encapsulate(frames))
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    assert store(technician, part10(ds, JPEGBaseline8Bit)).status_code == 200
    found = [content.rstrip(b"\0") for _, content in parts_of(clinician.get(address(ds, "/frames/1,2")))]
    assert found == [frame.rstrip(b"\0") for frame in frames]
    bulk = clinician.get(address(ds, "/metadata")).json()[0]["7FE00010"]["BulkDataURI"]
    assert [content.rstrip(b"\0") for _, content in parts_of(clinician.get(bulk))] == found
    assert clinician.get(bulk, headers=OCTETS).status_code == 406


def test_waveform_samples_are_found_where_the_metadata_say(
    technician: httpx.Client, clinician: httpx.Client, samples: Path
) -> None:
    path = samples / "ecg/dicom/waveform_ecg.dcm"
    ds = dcmread(path)
    assert store(technician, path.read_bytes()).status_code == 200
    metadata = clinician.get(address(ds, "/metadata")).json()[0]
    uri = metadata["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    assert clinician.get(uri, headers=OCTETS).content == ds.WaveformSequence[0].WaveformData
    for missing in ("54000100/9/54001010", "54000100/1/54001011", "00100010", "../../etc", "54000100"):
        assert clinician.get(address(ds, f"/bulkdata/{missing}"), headers=OCTETS).status_code == 404


def test_encapsulated_document(technician: httpx.Client, clinician: httpx.Client) -> None:
    pdf = b"%PDF-1.4\n" + bytes(900_000)
    private = ct(EncapsulatedDocument=pdf + b"\0")
    assert store(technician, part10(private)).status_code == 200
    uri = clinician.get(address(private, "/metadata")).json()[0]["00420011"]["BulkDataURI"]
    assert clinician.get(uri, headers=OCTETS).content == pdf + b"\0"
    assert parts_of(clinician.get(uri))[0][1] == pdf + b"\0"
    assert clinician.get(uri, headers={"Accept": "image/jpeg"}).status_code == 406


def test_a_frame_is_decoded_for_whoever_does_not_take_it_as_it_is(
    technician: httpx.Client, clinician: httpx.Client, samples: Path
) -> None:
    for name in ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        ds = dcmread(samples / "dicom/single" / name)
        # The samples are one image in several syntaxes.
        ds.SOPInstanceUID = generate_uid()
        assert store(technician, part10(ds, ds.file_meta.TransferSyntaxUID)).status_code == 200
        native = clinician.get(address(ds, "/frames/1"), headers=OCTETS)
        assert native.status_code == 200, native.text
        assert native.headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
        assert native.content == ds.pixel_array.tobytes(), name
        asked = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
        ((kind, _),) = parts_of(clinician.get(address(ds, "/frames/1"), headers={"Accept": asked}))
        assert kind.endswith(ds.file_meta.TransferSyntaxUID)


def test_a_form_that_the_hub_cannot_make_is_not_acceptable(technician: httpx.Client, clinician: httpx.Client) -> None:
    ds = ct()
    assert store(technician, part10(ds)).status_code == 200
    for wanted in (
        'multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.50',
        "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.90",
        "text/html",
    ):
        assert clinician.get(address(ds, "/frames/1"), headers={"Accept": wanted}).status_code == 406


def test_bulk_data_come_in_ranges_and_not_twice(technician: httpx.Client, clinician: httpx.Client) -> None:
    ds = ct()
    assert store(technician, part10(ds)).status_code == 200
    place = address(ds, "/bulkdata/7FE00010")
    whole = clinician.get(place, headers=OCTETS)
    assert whole.content == ds.PixelData
    for asked, first, last in (("bytes=10-19", 10, 19), ("bytes=500-", 500, 511), ("bytes=-8", 504, 511)):
        part = clinician.get(place, headers=OCTETS | {"Range": asked})
        assert (part.status_code, part.content) == (206, ds.PixelData[first : last + 1])
        assert part.headers["content-range"] == f"bytes {first}-{last}/512"
    assert clinician.get(place, headers=OCTETS | {"Range": "bytes=512-"}).status_code == 416
    assert clinician.get(place, headers=OCTETS | {"Range": "bytes=cat"}).status_code == 200
    for known, status in ((whole.headers["etag"], 206), ('"another"', 200)):
        resumed = clinician.get(place, headers=OCTETS | {"Range": "bytes=500-", "If-Range": known})
        assert (resumed.status_code, resumed.content) == (status, ds.PixelData[500 if status == 206 else 0 :])
    again = clinician.get(place, headers=OCTETS | {"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_answers_as_get_does_without_the_body(technician: httpx.Client, clinician: httpx.Client) -> None:
    ds = ct()
    assert store(technician, part10(ds)).status_code == 200
    for rest in ("/metadata", "/frames/1", "/bulkdata/7FE00010", "/rendered", "/thumbnail", ""):
        got, headed = clinician.get(address(ds, rest)), clinician.head(address(ds, rest))
        assert (headed.status_code, headed.content) == (200, b""), rest
        assert headed.headers["content-type"].split(";")[0] == got.headers["content-type"].split(";")[0]


def test_metadata_are_compressed_and_not_sent_twice(technician: httpx.Client, clinician: httpx.Client) -> None:
    ds = ct()
    assert store(technician, part10(ds)).status_code == 200
    plain = clinician.get(address(ds, "/metadata"), headers={"Accept-Encoding": "identity"})
    packed = clinician.get(address(ds, "/metadata"), headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert "private" in plain.headers["cache-control"]
    again = clinician.get(address(ds, "/metadata"), headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
