"""Frames and bulk data: the bytes as they are stored, found through the addresses that the metadata give."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

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
    assert parts_of(response) == [(f"application/octet-stream; transfer-syntax={syntax}", frames[i]) for i in (2, 0)]
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
    assert clinician.get(address(ds, "/bulkdata/7FE00010"), headers=OCTETS).status_code == 422


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
