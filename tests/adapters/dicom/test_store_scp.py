"""The DICOM door as its peers meet it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, HTJ2KLossless, generate_uid

from hub.access import disclosure_for
from schemas.delivery import State
from schemas.study import StudyCriteria
from tests.adapters.dicom.test_hostile import CONTEXT, associated, unfinished
from tests.adapters.dicom.test_listener import p_data
from tests.imaging import CLINICIAN, ImagingHub, ct, data_set_of, part10, store, written

ASKER = disclosure_for(CLINICIAN)


def kept(hub: ImagingHub, study_uid: str) -> list[bytes]:
    return [b"".join(content.chunks) for content in hub.verbs.retrieve.instances(ASKER, study_uid)]


def dcmtk(program: str) -> str:
    found = shutil.which(program, path="/usr/bin:/usr/local/bin:" + os.environ.get("PATH", ""))
    return found or pytest.skip(f"install the package dcmtk for {program}")


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TCP_NODELAY": "1"}
    command = [dcmtk(program), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_stored_image_is_found_and_its_data_set_is_what_came_over_the_wire(hub: ImagingHub, tmp_path: Path) -> None:
    ds = ct()
    path = written(tmp_path, part10(ds))
    assert store(hub.listener.port, path) == 0x0000
    (study,) = hub.verbs.query.studies(ASKER, StudyCriteria(accession_number="A20250115001")).items
    assert study.study.patient.name.text == "张三"
    assert study.study.patient.name.latin == "Zhang San"
    (content,) = kept(hub, ds.StudyInstanceUID)
    assert data_set_of(content) == data_set_of(path.read_bytes())


def test_every_sample_is_kept_unchanged_or_refused(small_hub: ImagingHub, samples: Path) -> None:
    stored = refused = 0
    for path in sorted([*samples.glob("dicom/*/*"), *samples.glob("ecg/dicom/*")]):
        try:
            status = store(small_hub.listener.port, path)
        except (AttributeError, ValueError, InvalidDicomError):
            continue  # the sender itself finds no file meta to send it by
        stored, refused = stored + (status == 0), refused + (status != 0)
        # None: an abort, where the sender found no SOP class to name, or no presentation context (media directories).
        assert status in {0x0000, 0x0111, 0x0122, 0xC000, None}, path.name
    sent = {path.read_bytes() for path in [*samples.glob("dicom/*/*"), *samples.glob("ecg/dicom/*")]}
    originals = {data_set_of(content) for content in sent if content[128:140] == b"DICM\x02\0\0\0UL\x04\0"}
    studies = small_hub.verbs.query.studies(ASKER, StudyCriteria(limit=200)).items
    found = [content for study in studies for content in kept(small_hub, study.study.study_instance_uid)]
    assert all(data_set_of(content) in originals for content in found)
    assert stored >= len(found) > 70
    assert refused > 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("01_gb18030_declared.dcm", "张三"),
        ("02_utf8_declared.dcm", "张三"),
        ("03_gbk_bytes_no_charset.dcm", "张三"),
        ("04_gbk_bytes_declared_ISO_IR_100.dcm", "张三"),
        ("05_utf8_bytes_declared_GB18030.dcm", "张三"),
        ("06_iso2022_ir58_escapes.dcm", "张三"),
        ("07_gb18030_trail_byte_7C.dcm", "王弢"),
        ("08_gb18030_trail_byte_5C.dcm", "李昞"),
    ],
)
def test_chinese_name_is_found_however_the_device_wrote_it(
    small_hub: ImagingHub, samples: Path, name: str, text: str
) -> None:
    path = samples / "dicom/charset_cn" / name
    assert store(small_hub.listener.port, path) == 0x0000
    (study,) = small_hub.verbs.query.studies(ASKER, StudyCriteria(patient_name=text)).items
    assert study.study.patient.name.text == text
    (content,) = kept(small_hub, study.study.study_instance_uid)
    assert data_set_of(content) == data_set_of(path.read_bytes())


def test_dcmtk_echoes_and_sends_a_whole_series(small_hub: ImagingHub, samples: Path) -> None:
    port = str(small_hub.listener.port)
    assert run("echoscu", "-aet", "CHC01", "127.0.0.1", port).returncode == 0
    files = sorted(map(str, (samples / "dicom/ct_ge_headtilt_28").glob("*.dcm")))
    sent = run("storescu", "-aet", "CHC01", "-aec", "DXHUB", "-xe", "127.0.0.1", port, *files)
    assert sent.returncode == 0, sent.stderr
    (study,) = small_hub.verbs.query.studies(ASKER, StudyCriteria()).items
    assert study.instance_count == len(files) == 28


def test_unknown_caller_is_rejected_before_anything_is_read(small_hub: ImagingHub, tmp_path: Path) -> None:
    assert store(small_hub.listener.port, written(tmp_path, part10(ct())), calling="STRANGER") is None
    answer = run("echoscu", "-v", "-aet", "STRANGER", "127.0.0.1", str(small_hub.listener.port))
    assert answer.returncode != 0
    assert "Calling AE Title Not Recognized" in answer.stderr + answer.stdout


def after_slices(port: int, folder: Path, number: int) -> Dataset:
    """One more slice of a series of which so many are stored: the next are read from what the first has said."""
    ds = ct()
    for slice_number in range(number):
        ds.SOPInstanceUID, ds.InstanceNumber = generate_uid(), slice_number + 1
        assert store(port, written(folder, part10(ds))) == 0x0000
    ds.SOPInstanceUID, ds.InstanceNumber = generate_uid(), number + 1
    return ds


@pytest.mark.parametrize("slices", [0, 2])
def test_same_instance_from_another_site_or_with_another_head_is_success_once(
    small_hub: ImagingHub, tmp_path: Path, slices: int
) -> None:
    ds = after_slices(small_hub.listener.port, tmp_path, slices)
    first, again = written(tmp_path, part10(ds)), written(tmp_path, b"\1" * 128 + part10(ds)[128:], "again.dcm")
    assert [store(small_hub.listener.port, path) for path in (first, again, first)] == [0, 0, 0]
    assert len(kept(small_hub, ds.StudyInstanceUID)) == slices + 1


@pytest.mark.parametrize("slices", [0, 2])
def test_other_pixels_under_a_known_uid_are_refused_and_the_first_stay(
    hub: ImagingHub, tmp_path: Path, slices: int
) -> None:
    ds = after_slices(hub.listener.port, tmp_path, slices)
    first = written(tmp_path, part10(ds))
    ds.PixelData = bytes(512)
    assert store(hub.listener.port, first) == 0x0000
    assert store(hub.listener.port, written(tmp_path, part10(ds), "other.dcm")) == 0x0111
    found = [data_set_of(content) for content in kept(hub, ds.StudyInstanceUID)]
    assert len(found) == slices + 1
    assert found[-1] == data_set_of(first.read_bytes())


def test_private_storage_class_in_a_recent_transfer_syntax_is_kept(small_hub: ImagingHub, tmp_path: Path) -> None:
    private = UID("1.2.826.0.1.3680043.9.9999.1")
    ds = ct(SOPClassUID=private, SOPInstanceUID=generate_uid())
    assert store(small_hub.listener.port, written(tmp_path, part10(ds))) == 0x0000
    compressed = ct(PixelData=None, Rows=None, Columns=None)
    assert store(small_hub.listener.port, written(tmp_path, part10(compressed, HTJ2KLossless), "j.dcm")) == 0x0000


def test_refusal_says_why_and_the_bytes_are_in_quarantine(small_hub: ImagingHub, tmp_path: Path) -> None:
    assert store(small_hub.listener.port, written(tmp_path, part10(ct(PatientID="")))) == 0xC000
    with small_hub.verbs.database.read() as tx:
        rows = tx.exec_driver_sql("select state, category, place from delivery").all()
    assert [tuple(row) for row in rows] == [(State.QUARANTINED.value, "invalid", "(0010,0020)")]


def test_sender_that_vanishes_in_the_middle_leaves_neither_bytes_nor_a_record(
    small_hub: ImagingHub, tmp_path: Path
) -> None:
    incoming = tmp_path / "objects" / "incoming"
    with associated(small_hub.listener.port) as line:
        part = b"\x08\x00half of it" * 50_000
        line.sendall(unfinished(part) + p_data(CONTEXT, 0, part) * 3)
        await_that(lambda: any(path.stat().st_size > 1_500_000 for path in incoming.glob("*")))
    await_that(lambda: not list(incoming.glob("*")))
    assert not list(small_hub.verbs.objects.digests())
    with small_hub.verbs.database.read() as tx:
        assert tx.exec_driver_sql("select count(*) from delivery").scalar() == 0
    assert store(small_hub.listener.port, written(tmp_path, part10(ct()))) == 0x0000


def await_that(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_two_studies_of_one_order_are_both_found(hub: ImagingHub, tmp_path: Path) -> None:
    for name in ("chest.dcm", "head.dcm"):
        assert store(hub.listener.port, written(tmp_path, part10(ct()), name)) == 0x0000
    studies = hub.verbs.query.studies(ASKER, StudyCriteria(accession_number="A20250115001")).items
    assert len({study.report_id for study in studies}) == len(studies) == 2
