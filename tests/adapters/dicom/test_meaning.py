"""Whether two contents say the same is told whatever their encoding, and no difference in what they say is missed."""

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset, Sequence
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from adapters.dicom.meaning import meaning
from hub.access import disclosure_for
from tests.imaging import CLINICIAN, ImagingHub, ct, data_set_of, part10, store, written

UID = "1.2.826.0.1.3680043.8.498."


def image() -> Dataset:
    """With a sequence within a sequence, an empty one, one of no items, private elements and text of two encodings."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-D3000", "SRT", "胸部"
    request = Dataset()
    request.RequestedProcedureID, request.RequestedProcedureCodeSequence = "R1", Sequence([code, Dataset()])
    uids = {"SOPInstanceUID": UID + "1", "StudyInstanceUID": UID + "2", "SeriesInstanceUID": UID + "3"}
    ds = ct(**uids, RequestAttributesSequence=Sequence([request, code]), ReferencedStudySequence=Sequence([]))
    block = ds.private_block(0x0029, "HOUSE 1", create=True)
    block.add_new(0x01, "OB", bytes(range(256)))
    block.add_new(0x02, "LO", "private")
    return ds


def said(content: bytes) -> str:
    return meaning(io.BytesIO(content))


def converted(tmp_path: Path, content: bytes, *options: str) -> bytes:
    program = shutil.which("dcmconv", path="/usr/bin:/usr/local/bin") or pytest.skip("install dcmtk for dcmconv")
    before, after = written(tmp_path, content, "before.dcm"), tmp_path / "after.dcm"
    subprocess.run([program, *options, str(before), str(after)], check=True)
    return after.read_bytes()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_the_encoding_of_values_says_nothing(syntax: str) -> None:
    assert said(part10(image(), syntax)) == said(part10(image(), ExplicitVRLittleEndian))


@pytest.mark.parametrize(
    "options",
    [
        ("+ti",),
        ("+te", "+e"),
        ("+te", "-e"),
        ("+ti", "-e", "+g"),
        ("+te", "+g"),
        ("+te", "-p"),
        ("+te", "+p", "512", "64"),
    ],
)
def test_what_dcmtk_writes_anew_says_the_same(tmp_path: Path, options: tuple[str, ...]) -> None:
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        content = part10(image(), syntax)
        assert said(converted(tmp_path, content, *options)) == said(content)


@pytest.mark.parametrize("name", ["mr_ge_16/MR01.dcm", "single/CT_small.dcm", "mr_uih_china/00000001.dcm"])
def test_so_does_what_scanners_made(tmp_path: Path, samples: Path, name: str) -> None:
    content = (samples / "dicom" / name).read_bytes()
    assert said(converted(tmp_path, content, "+te", "-e")) == said(content)
    # A private sequence is, in implicit VR, bytes of which nobody knows what they are.
    if "uih" not in name:
        assert said(converted(tmp_path, content, "+ti", "+e", "+g")) == said(content)


def _last_of(ds: Dataset) -> Dataset:
    inner: Dataset = ds.RequestAttributesSequence[0].RequestedProcedureCodeSequence[0]
    return inner


def _moved_within(ds: Dataset) -> None:
    code = _last_of(ds)
    ds.RequestAttributesSequence[0].RequestedProcedureCodeSequence[1].CodeMeaning = code.CodeMeaning
    del code.CodeMeaning


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: setattr(ds, "PatientID", "P0002"),
        lambda ds: setattr(ds, "PatientID", "P0001 0"),
        lambda ds: setattr(ds, "ImageComments", ""),
        lambda ds: setattr(ds, "SamplesPerPixel", 32),
        lambda ds: delattr(ds, "ReferencedStudySequence"),
        lambda ds: ds.RequestAttributesSequence.append(Dataset()),
        lambda ds: setattr(_last_of(ds), "CodeMeaning", "腹部"),
        _moved_within,
        lambda ds: setattr(ds, "PixelData", ds.PixelData[:-1] + b"\x7f"),
        lambda ds: setattr(ds[0x00291001], "value", bytes(256)),
    ],
)
def test_whatever_else_differs_is_another(change: Callable[[Dataset], None]) -> None:
    ds = image()
    change(ds)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        assert said(part10(ds, syntax)) != said(part10(image()))


def test_compressed_pixels_are_what_they_are() -> None:
    first, second = image(), image()
    first.PixelData, second.PixelData = encapsulate([b"one", b"two2"]), encapsulate([b"one", b"two3"])
    for ds in (first, second):
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    digests = {said(part10(ds, syntax)) for ds in (first, second) for syntax in (JPEG2000Lossless, RLELossless)}
    assert len(digests | {said(part10(image()))}) == 5


def test_an_archive_that_passes_an_image_on_in_another_encoding_is_welcome(hub: ImagingHub, tmp_path: Path) -> None:
    port, ds = hub.listener.port, image()
    first = part10(ds, ImplicitVRLittleEndian)
    again = converted(tmp_path, part10(ds), "+te", "-e")
    for content in (first, part10(ds), again):
        assert store(port, written(tmp_path, content)) == 0
    ds.PatientComments = "another"
    assert store(port, written(tmp_path, part10(ds, ImplicitVRLittleEndian))) == 0x0111
    asker = disclosure_for(CLINICIAN)
    (kept,) = [b"".join(each.chunks) for each in hub.verbs.retrieve.instances(asker, str(ds.StudyInstanceUID))]
    assert data_set_of(kept) == data_set_of(first), "the first stays"
