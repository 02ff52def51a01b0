"""What the reader makes of files: ordinary, old, broken, hostile."""

import datetime as dt
import hashlib
import io
import json
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from adapters.dicom.description import describe
from adapters.dicom.part10 import read
from adapters.dicom.structure import MAX_DEPTH
from hub.demo import ecg_files
from schemas.delivery import Channel, Origin, Reading
from schemas.ecg import LEADS
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from schemas.identifiers import RESIDENT_ID, Identifier
from schemas.organization import Source
from schemas.patient import Sex
from schemas.report import ReportCategory, ReportStatus
from tests.adapters.ecg.examples import examination
from tests.imaging import ct, data_set_of, part10

RESIDENT = "990101199003077436"
_ORIGIN = Origin(Source(1, "CHC01", "CHC01", "CHC01"), Channel.C_STORE, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


def read_bytes(content: bytes, origin: Origin) -> Reading:
    return read(io.BytesIO(content), origin)


def element(tag: int, value: bytes, vr: bytes = b"") -> bytes:
    """One element: implicit VR, or explicit where a VR is given."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not vr:
        return head + struct.pack("<L", len(value)) + value
    if vr in {b"SQ", b"OB", b"OW", b"UN"}:
        return head + vr + b"\0\0" + struct.pack("<L", len(value)) + value
    return head + vr + struct.pack("<H", len(value)) + value


def with_tail(tail: bytes) -> bytes:
    """An ordinary explicit file that ends in `tail` instead of its pixel data."""
    return part10(ct(PixelData=None, Rows=None)) + tail


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda uid: uid.keyword,
)
def test_every_encoding_says_the_same_and_its_digest_is_of_the_bytes_behind_the_head(
    syntax: str, origin: Origin
) -> None:
    ds = ct()
    if syntax == ExplicitVRBigEndian:
        ds["PixelData"].VR = "OW"
    content = part10(ds, syntax)
    (instance,) = read_bytes(content, origin).instances
    assert instance.data_set_digest == hashlib.sha256(data_set_of(content)).hexdigest()
    assert content[instance.data_set_offset :] == data_set_of(content)
    assert (instance.rows, instance.columns, instance.frames, instance.instance_number) == (16, 16, 1, 7)
    assert instance.study.patient.name.text == "张三"
    assert instance.study.patient.sex is Sex.MALE
    assert instance.study.description == "胸部CT平扫"


def test_study_becomes_a_report_that_waits_for_its_reading(origin: Origin) -> None:
    ds = ct()
    (report,) = read_bytes(part10(ds), origin).reports
    assert (report.key, report.study_instance_uid) == (ds.StudyInstanceUID, ds.StudyInstanceUID)
    assert (report.category, report.status) == (ReportCategory.IMAGING, ReportStatus.PARTIAL)
    assert report.observed_at is not None
    assert report.observed_at.isoformat() == "2025-01-15T10:15:00+08:00"
    assert (report.accession_number, report.organization, report.code.code) == ("A20250115001", "CHC01", "CT")


def test_metadata_is_what_pydicom_says_without_the_pixels() -> None:
    ds = ct()
    ds.ReferencedStudySequence = Sequence([Dataset()])
    ds.ReferencedStudySequence[0].ReferencedSOPInstanceUID = "1.2.3"
    ours = json.loads(describe(io.BytesIO(part10(ds))).document)
    theirs = dcmread(io.BytesIO(part10(ds))).to_json_dict(bulk_data_element_handler=lambda _: "elsewhere")
    assert ours.pop("7FE00010") == {"vr": "OW", "BulkDataURI": "bulkdata/7FE00010"}
    del theirs["7FE00010"]
    theirs["00080005"]["Value"] = ["ISO_IR 192"]
    assert ours == theirs


def test_real_headers_agree_with_pydicom(samples: Path) -> None:
    for name in ("CT_small.dcm", "MR_small_bigendian.dcm", "dx_image.dcm", "sr_document.dcm", "eCT_Supplemental.dcm"):
        content = (samples / "dicom/single" / name).read_bytes()
        ours = json.loads(describe(io.BytesIO(content)).document)
        theirs = dcmread(io.BytesIO(content)).to_json_dict(bulk_data_element_handler=lambda _: "elsewhere")
        for tag in set(ours) & set(theirs) - {"00080005"}:
            if theirs[tag].get("Value") and ours[tag]["vr"] == theirs[tag]["vr"]:
                # An empty value among several is null (PS3.18 F.2.5); pydicom writes an empty text.
                expected = [None if value == "" else value for value in theirs[tag]["Value"]]
                assert ours[tag].get("Value") == expected, (name, tag)
        assert set(theirs) - set(ours) <= {tag for tag in theirs if tag.endswith("0000")}


def test_patient_is_known_by_issuer_and_by_a_resident_number_that_proves_itself(origin: Origin) -> None:
    other, resident = Dataset(), Dataset()
    other.PatientID, other.IssuerOfPatientID = "H77", "DH02"
    resident.PatientID = RESIDENT
    ds = ct(IssuerOfPatientID="PACS1", OtherPatientIDsSequence=Sequence([other, resident]))
    patient = read_bytes(part10(ds), origin).reports[0].patient
    assert patient.identifiers == (
        Identifier("urn:dxhub:authority:PACS1", "P0001"),
        Identifier("urn:dxhub:authority:DH02", "H77"),
        Identifier(RESIDENT_ID, RESIDENT),
    )
    itself = read_bytes(part10(ct(PatientID=RESIDENT)), origin).reports[0].patient
    assert itself.identifiers == (Identifier("urn:dxhub:authority:CHC01", RESIDENT), Identifier(RESIDENT_ID, RESIDENT))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"PatientID": None}, "(0010,0020)"),
        ({"PatientID": "  "}, "(0010,0020)"),
        ({"StudyInstanceUID": None}, "(0020,000D)"),
        ({"SeriesInstanceUID": ""}, "(0020,000E)"),
        ({"StudyInstanceUID": "1.2.3/../../etc"}, "(0020,000D)"),
    ],
)
def test_what_identifies_must_be_there(changes: dict[str, object], where: str, origin: Origin) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        read_bytes(part10(ct(**changes)), origin)
    assert refusal.value.where == where


def test_head_that_names_another_instance_is_refused(origin: Origin) -> None:
    ds = ct(SOPInstanceUID="1.2.3.4")
    content = part10(ds)
    with pytest.raises(InvalidPayload) as refusal:
        read_bytes(content.replace(b"1.2.3.4\0", b"1.2.3.5\0", 1), origin)
    assert refusal.value.where == "(0008,0018)"


def test_image_of_65535_squared_in_a_kilobyte_costs_nothing(origin: Origin) -> None:
    content = part10(ct(Rows=65535, Columns=65535, PixelData=b"\0\0"))
    assert len(content) < 1100
    (instance,) = read_bytes(content, origin).instances
    assert (instance.rows, instance.columns) == (65535, 65535)


def test_nesting_is_bounded_before_recursion_is(origin: Origin) -> None:
    def nested(depth: int) -> bytes:
        start = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
        return with_tail(start * depth + end * depth)

    assert read_bytes(nested(MAX_DEPTH), origin).instances
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(InvalidPayload, match="nested deeper") as refusal:
            read_bytes(nested(depth), origin)
        assert refusal.value.where == "(0040,A730)"


def test_nesting_with_declared_lengths_is_bounded_too(origin: Origin) -> None:
    body = b""
    for _ in range(200):
        body = element(0x0040A730, element(0xFFFEE000, body), b"SQ")
    with pytest.raises(InvalidPayload, match="nested deeper"):
        read_bytes(with_tail(body), origin)


@pytest.mark.parametrize(
    ("tail", "where"),
    [
        (b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<L", 3_000_000_000) + bytes(100), "(7FE0,0010)"),
        (b"\x40\x00\x30\xa7SQ\0\0" + struct.pack("<L", 2_000_000_000), "(0040,A730)"),
        (element(0x0040A730, b"\xfe\xff\x00\xe0" + struct.pack("<L", 4_000_000), b"SQ"), "(0040,A730)"),
        (element(0x0040A730, b"\xe0\x7f\x10\x00\0\0\0\0", b"SQ"), "(0040,A730)"),
        (b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\x10\0\0\0abc", "(7FE0,0010)"),
        (element(0x00100020, b"P0002 ", b"LO"), "(0010,0020)"),
        (b"\xfe\xff\xdd\xe0\0\0\0\0", "(FFFE,E0DD)"),
    ],
    ids=["3 GB", "2 GB sequence", "item beyond", "no item", "cut fragment", "second patient", "stray delimiter"],
)
def test_what_contradicts_its_own_length_or_itself_is_refused_by_its_place(
    tail: bytes, where: str, origin: Origin
) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        read_bytes(with_tail(tail), origin)
    assert refusal.value.where == where


def test_every_cut_of_a_file_is_refused(origin: Origin) -> None:
    content = part10(ct())
    # A cut between two elements ahead of Rows leaves a whole, if strange, data set: those ends are left out.
    rows = content.index(b"\x28\0\x11\0US")
    for end in [*range(0, 300, 5), *range(rows + 10, len(content))]:
        with pytest.raises(Fault):
            read_bytes(content[:end], origin)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_anywhere_ends_in_a_reading_or_a_fault(data: st.DataObject) -> None:
    content = bytearray(_DAMAGED)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Fault):
        read_bytes(bytes(content), _ORIGIN)


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(Fault):
        read_bytes(bytes(128) + b"DICM" + noise, _ORIGIN)


def test_deflated_bomb_is_refused(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.dicom.meta.MAX_INFLATED", 1 << 20)
    content = part10(ct(Rows=1024, Columns=1024, PixelData=bytes(1 << 21)), DeflatedExplicitVRLittleEndian)
    assert len(content) < 8000
    with pytest.raises(UnsupportedPayload, match="inflates"):
        read_bytes(content, origin)


def test_encapsulated_pixels_are_stepped_over(origin: Origin) -> None:
    ds = ct(NumberOfFrames=2, PixelData=encapsulate([b"\xff\xd8one\xff\xd9", b"\xff\xd8two\xff\xd9\0"]))
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    reading = read_bytes(part10(ds, JPEGBaseline8Bit), origin)
    assert reading.instances[0].frames == 2
    assert reading.accounting.notes == ("7FE00010 OB: encapsulated, kept in the original",)


def test_pixels_kept_elsewhere_and_media_directories_are_no_instances(origin: Origin) -> None:
    with pytest.raises(UnsupportedPayload, match="JPIP"):
        read_bytes(part10(ct(PixelData=None, Rows=None), "1.2.840.10008.1.2.4.94"), origin)
    with pytest.raises(UnsupportedPayload, match="directory"):
        read_bytes(part10(ct(SOPClassUID="1.2.840.10008.1.3.10")), origin)


def test_bare_data_set_is_read_as_what_its_first_element_shows(origin: Origin) -> None:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        (instance,) = read_bytes(data_set_of(part10(ct(), syntax)), origin).instances
        assert (instance.transfer_syntax_uid, instance.data_set_offset) == (syntax, 0)


def test_pdf_of_an_ecg_cart_is_a_document_without_waveform(origin: Origin) -> None:
    pdf = b"%PDF-1.4\n" + b"x" * (2 << 20) + b"\n%%EOF"
    ds = ct(
        Modality="ECG", PixelData=None, Rows=None, EncapsulatedDocument=pdf + b"\0", EncapsulatedDocumentLength=len(pdf)
    )
    ds.SOPClassUID, ds.MIMETypeOfEncapsulatedDocument = EncapsulatedPDFStorage, "application/pdf"
    ds.DocumentTitle = "静息心电图"
    reading = read_bytes(part10(ds), origin)
    (report,) = reading.reports
    assert reading.parts == (pdf,)
    assert report.attachments[0].digest == hashlib.sha256(pdf).hexdigest()
    assert (report.category, report.flags, report.key) == (ReportCategory.ECG, ("no-waveform",), ds.SOPInstanceUID)
    ds.EncapsulatedDocument = b"<html>"
    ds.EncapsulatedDocumentLength = 6
    with pytest.raises(InvalidPayload, match="PDF"):
        read_bytes(part10(ds), origin)


def test_ecg_waveform_is_an_instance_and_a_recording(samples: Path, origin: Origin) -> None:
    reading = read_bytes((samples / "ecg/dicom/waveform_ecg.dcm").read_bytes(), origin)
    (report,), (instance,), ((key, recording),) = reading.reports, reading.instances, reading.recordings
    assert report.category is ReportCategory.ECG
    assert key == report.key == instance.sop_instance_uid
    assert recording.samples_uv.shape == (12, 10000)


def test_nothing_is_lost_in_silence() -> None:
    ds = ct()
    ds.add_new(0x00280008, "IS", "1")
    content = part10(ds).replace(b"(\0\x08\0IS\x02\x001 ", b"(\0\x08\0IS\x02\x001A")
    accounting = describe(io.BytesIO(content)).accounting
    assert accounting.mapped + accounting.kept + accounting.flagged == accounting.total == len(ds)
    assert accounting.flagged == 1
    assert accounting.notes[0].startswith("00280008 IS: not a number")


_DAMAGED = part10(ct())


HEMODYNAMIC = UID("1.2.840.10008.5.1.4.1.1.9.2.1")


def catheter(*pressures: int) -> bytes:
    """What a catheter laboratory records: these channels are pressures, the others leads."""
    made = dcmread(io.BytesIO(ecg_files.part10(examination())))
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = HEMODYNAMIC
    made.Modality = "HD"
    for number in pressures:
        channel = made.WaveformSequence[0].ChannelDefinitionSequence[number]
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = "mm[Hg]"
    content = io.BytesIO()
    made.save_as(content, enforce_file_format=True)
    return content.getvalue()


def test_the_leads_of_a_catheter_laboratory_are_drawn_without_its_pressures(origin: Origin) -> None:
    found = read_bytes(catheter(2, 3), origin)
    ((key, recording),) = found.recordings
    (report,) = found.reports
    assert (report.key, report.category) == (key, ReportCategory.ECG)
    # III and aVR were pressures; both follow from I and II.
    assert recording.leads == LEADS
    assert set(report.flags) == {"channels-left-out", "leads-derived"}


def test_pressures_alone_are_kept_and_not_drawn(origin: Origin) -> None:
    found = read_bytes(catheter(*range(12)), origin)
    assert found.recordings == ()
    (report,) = found.reports
    assert report.category is ReportCategory.ECG
    assert len(found.instances) == 1
