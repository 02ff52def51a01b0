"""What is made of a stored instance after its acknowledgement: its header as JSON, and where its frames lie."""

import io
import warnings
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, encapsulate_extended, get_frame
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from adapters.dicom.description import describe
from schemas.delivery import Origin
from schemas.header import Frames
from tests.adapters.dicom.test_part10 import read_bytes
from tests.imaging import ct, part10

FIRST, SECOND = b"\xff\xd8 one \xff\xd9\0", b"\xff\xd8 the second \xff\xd9"


def frame(content: bytes, frames: Frames, number: int) -> bytes:
    offset, length = frames.place(number)
    return frames.content(content[offset : offset + length])


def compressed(pixels: bytes, **changes: object) -> bytes:
    ds = ct(NumberOfFrames=2, PixelData=pixels, **changes)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return part10(ds, JPEGBaseline8Bit)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_native_frames_are_computed(syntax: str) -> None:
    pixels = bytes(range(256)) * 6
    content = part10(ct(NumberOfFrames=3, PixelData=pixels), syntax)
    frames = describe(io.BytesIO(content)).frames
    assert len(frames) == 3
    assert [frame(content, frames, number) for number in (1, 2, 3)] == [
        content[-1536:-1024],
        content[-1024:-512],
        content[-512:],
    ]


@pytest.mark.parametrize("has_table", [True, False])
def test_encapsulated_frames_are_found_with_and_without_an_offset_table(has_table: bool) -> None:
    content = compressed(encapsulate([FIRST, SECOND], has_bot=has_table))
    frames = describe(io.BytesIO(content)).frames
    assert [frame(content, frames, number) for number in (1, 2)] == [FIRST, SECOND]


@pytest.mark.parametrize("has_table", [True, False])
def test_a_frame_in_several_fragments_comes_whole(has_table: bool) -> None:
    content = compressed(encapsulate([FIRST, SECOND], fragments_per_frame=2, has_bot=has_table))
    frames = describe(io.BytesIO(content)).frames
    assert [frame(content, frames, number).rstrip(b"\0") for number in (1, 2)] == [
        FIRST.rstrip(b"\0"),
        SECOND.rstrip(b"\0"),
    ]


def test_the_extended_offset_table_is_followed() -> None:
    pixels, offsets, lengths = encapsulate_extended([FIRST, SECOND])
    content = compressed(pixels, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    frames = describe(io.BytesIO(content)).frames
    assert [frame(content, frames, number) for number in (1, 2)] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "content",
    [
        part10(ct(), DeflatedExplicitVRLittleEndian),
        part10(ct(Rows=3, Columns=3, BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=2, PixelData=bytes(4))),
        part10(ct(NumberOfFrames=4)),
        compressed(encapsulate([b"none", b"of", b"them", b"ends"], has_bot=False)),
        compressed(b"\xfe\xff\x00\xe0\x08\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00" + encapsulate([FIRST])[12:]),
    ],
    ids=["deflated", "within bytes", "fewer than declared", "unmarked fragments", "wrong offsets"],
)
def test_where_frames_cannot_be_told_none_is_noted(content: bytes) -> None:
    assert len(describe(io.BytesIO(content)).frames) == 0


def test_frames_of_real_instances_are_those_that_pydicom_finds(samples: Path) -> None:
    compared = 0
    for path in sorted((samples / "dicom/single").glob("*.dcm")):
        with warnings.catch_warnings(action="ignore"):
            ds = dcmread(path, force=True)
        syntax = ds.file_meta.get("TransferSyntaxUID")
        if "PixelData" not in ds or not syntax or not syntax.is_encapsulated:
            continue
        content = path.read_bytes()
        frames = describe(io.BytesIO(content)).frames
        if len(frames):
            assert frame(content, frames, len(frames)) == last(ds), path.name
            compared += 1
    assert compared > 20


def last(ds: Dataset) -> bytes:
    number = int(ds.get("NumberOfFrames") or 1)
    return get_frame(ds.PixelData, number - 1, number_of_frames=number)


def test_the_outline_taken_on_arrival_is_what_the_description_says(samples: Path, origin: Origin) -> None:
    for name in ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "dx_image.dcm"):
        content = (samples / "dicom/single" / name).read_bytes()
        assert read_bytes(content, origin).accounting == describe(io.BytesIO(content)).accounting, name
