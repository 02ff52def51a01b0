"""C-MOVE and C-GET as dcmtk and pynetdicom ask for them."""

import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelMove as PatientRoot,
)
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove as StudyRoot,
)

from schemas.network import QueryRight
from tests.imaging import ImagingHub, ct, data_set_of, part10, store, written
from tests.receiving import eventually, free_port

from .conftest import allow, dcmtk, run
from .test_find import keys, sent


class Workstation:
    """A storage SCP. By SOP Instance UID, received: data sets; files: those as files; answers: statuses."""

    def __init__(self, *syntaxes: str) -> None:
        self.received: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.originators: set[str] = set()
        self.gate: threading.Event | None = None
        ae = AE("STATION")
        ae.add_supported_context(CTImageStorage, list(syntaxes))
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)])
        assert server is not None
        self.server, self.port = server, int(server.server_address[1])

    def _store(self, event: Event) -> int:
        if self.gate is not None:
            self.gate.wait(10)
        request = event.request
        assert isinstance(request, C_STORE)
        uid = str(request.AffectedSOPInstanceUID)
        self.received[uid] = event.encoded_dataset(include_meta=False)
        self.files[uid] = event.encoded_dataset()
        self.originators.add(str(request.MoveOriginatorApplicationEntityTitle).strip())
        return self.answers.get(uid, 0x0000)


@contextmanager
def station(hub: ImagingHub, *syntaxes: str, institution: str = "CHC01") -> Iterator[Workstation]:
    """A workstation that is the node of the institution of that name."""
    made = Workstation(*(syntaxes or (ExplicitVRLittleEndian, ImplicitVRLittleEndian)))
    allow(hub, institution, port=made.port)
    try:
        yield made
    finally:
        made.server.shutdown()


def move(
    hub: ImagingHub, asked: Dataset, to: str = "CHC01", calling: str = "CHC01", model: str = StudyRoot
) -> tuple[Dataset, Dataset | None, int]:
    """The final status, its identifier, and how many pending answers came before."""
    ae = AE(calling)
    ae.add_requested_context(model)
    association = ae.associate("127.0.0.1", hub.listener.port, ae_title="DXHUB")
    answers = list(association.send_c_move(asked, to, model))
    association.release()
    return answers[-1][0], answers[-1][1], len(answers) - 1


def counts(status: Dataset) -> tuple[int, int, int]:
    return (
        status.NumberOfCompletedSuboperations,
        status.NumberOfFailedSuboperations,
        status.NumberOfWarningSuboperations,
    )


def test_a_study_goes_to_the_asker_s_own_workstation_byte_for_byte(hub: ImagingHub, tmp_path: Path) -> None:
    with station(hub) as to:
        files = {}
        study = generate_uid()
        for number in (1, 2, 3):
            ds = ct(StudyInstanceUID=study, InstanceNumber=number)
            files[ds.SOPInstanceUID] = path = written(tmp_path, part10(ds), f"{number}.dcm")
            assert store(hub.listener.port, path) == 0
        status, failures, pending = move(hub, keys("STUDY", StudyInstanceUID=study))
        assert (status.Status, counts(status), failures, pending) == (0x0000, (3, 0, 0), None, 2)
        assert to.received == {uid: data_set_of(path.read_bytes()) for uid, path in files.items()}
        assert to.originators == {"CHC01"}
    with hub.verbs.database.read() as tx:
        rows = tx.exec_driver_sql("select account, patient_id is not null, detail from audit where action='export'")
        assert [tuple(row) for row in rows] == [("CHC01", 1, "3 instances")]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("kept", [ExplicitVRBigEndian, JPEG2000Lossless, RLELossless, ExplicitVRLittleEndian])
def test_what_a_peer_does_not_take_is_decoded_without_loss(
    small_hub: ImagingHub, tmp_path: Path, kept: str, syntax: str
) -> None:
    ds = ct(PatientName="Wang^Fang=王^芳", Rows=64, Columns=64)
    order = ">" if kept == ExplicitVRBigEndian else "<"
    ds.PixelData = np.arange(4096, dtype=f"{order}i2").tobytes()
    if kept in {JPEG2000Lossless, RLELossless}:
        part10(ds)
        ds.compress(kept, generate_instance_uid=False)
    content = part10(ds, kept)
    assert store(small_hub.listener.port, written(tmp_path, content)) == 0
    with station(small_hub, syntax) as to:
        status, _, _ = move(small_hub, keys("STUDY", StudyInstanceUID=ds.StudyInstanceUID))
        assert (status.Status, counts(status)) == (0x0000, (1, 0, 0))
        found = dcmread(written(tmp_path, to.files[ds.SOPInstanceUID], "received.dcm"))
    assert found.file_meta.TransferSyntaxUID == syntax
    assert found.pixel_array.tolist() == np.arange(4096).reshape(64, 64).tolist()
    assert str(found.PatientName) == "Wang^Fang=王^芳"
    assert found.StudyDescription == "胸部CT平扫"
    assert found.WindowWidth == 400


def test_what_cannot_be_sent_is_counted_and_named(small_hub: ImagingHub, tmp_path: Path) -> None:
    study = generate_uid()
    good, bad, warned = (sent(small_hub, tmp_path, StudyInstanceUID=study) for _ in range(3))
    report = sent(small_hub, tmp_path, StudyInstanceUID=study, SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    with station(small_hub) as to:
        to.answers = {bad.SOPInstanceUID: 0xA700, warned.SOPInstanceUID: 0xB000}
        status, failures, _ = move(small_hub, keys("STUDY", StudyInstanceUID=study))
        assert (status.Status, counts(status)) == (0xB000, (1, 2, 1))
        assert failures is not None
        assert set(failures.FailedSOPInstanceUIDList) == {bad.SOPInstanceUID, report.SOPInstanceUID}
        image = keys("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=bad.SeriesInstanceUID)
        image.SOPInstanceUID = bad.SOPInstanceUID
        assert move(small_hub, image)[0].Status == 0xA702
        image.SeriesInstanceUID, image.SOPInstanceUID = good.SeriesInstanceUID, good.SOPInstanceUID
        assert move(small_hub, image)[0].Status == 0x0000
    gone = move(small_hub, keys("STUDY", StudyInstanceUID=study))
    assert (gone[0].Status, counts(gone[0])) == (0xA702, (0, 4, 0))


def test_images_go_nowhere_but_to_destinations_of_the_asker_s_institution(
    small_hub: ImagingHub, tmp_path: Path
) -> None:
    ds = sent(small_hub, tmp_path)
    asked = keys("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
    assert move(small_hub, asked)[0].Status == 0x0124
    with station(small_hub, institution="CHC02") as to:
        allow(small_hub, "CHC01")
        for destination in ("CHC02", "CHC01", "NOBODY"):
            assert move(small_hub, asked, destination)[0].Status == 0xA801
        allow(small_hub, "CHC02", QueryRight.OWN, port=to.port)
        status = move(small_hub, asked, "CHC02", "CHC02")[0]
        assert (status.Status, counts(status)) == (0x0000, (0, 0, 0))
        assert to.received == {}


@pytest.mark.parametrize(
    ("asked", "model", "status"),
    [
        (keys("STUDY"), StudyRoot, 0xA900),
        (keys("STUDY", StudyInstanceUID="*"), StudyRoot, 0xA900),
        (keys(None, StudyInstanceUID="1.2.3"), StudyRoot, 0xA900),
        (keys("SERIES", SeriesInstanceUID="1.2.3"), StudyRoot, 0xA900),
        (keys("PATIENT", PatientID="*"), PatientRoot, 0xA900),
        (keys("PATIENT"), PatientRoot, 0xA900),
        (keys("STUDY", StudyInstanceUID="'; --"), StudyRoot, 0xC000),
        (keys("PATIENT", PatientID="P0001"), PatientRoot, 0x0000),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_hostile_identifiers_move_nothing(
    small_hub: ImagingHub, tmp_path: Path, asked: Dataset, model: str, status: int
) -> None:
    sent(small_hub, tmp_path)
    with station(small_hub) as to:
        assert move(small_hub, asked, model=model)[0].Status == status
        assert len(to.received) == (status == 0)


def test_a_number_that_two_institutions_gave_out_moves_nobody_s_images(small_hub: ImagingHub, tmp_path: Path) -> None:
    mine = sent(small_hub, tmp_path, PatientName="甲")
    sent(small_hub, tmp_path, "CHC02", PatientName="乙")
    with station(small_hub) as to:
        asked = keys("PATIENT", PatientID="P0001")
        assert move(small_hub, asked, model=PatientRoot)[0].Status == 0xC000
        asked.IssuerOfPatientID = "CHC01"
        assert move(small_hub, asked, model=PatientRoot)[0].Status == 0x0000
        assert list(to.received) == [mine.SOPInstanceUID]


def test_a_move_is_cancelled_between_two_images(small_hub: ImagingHub, tmp_path: Path) -> None:
    study = generate_uid()
    for _ in range(5):
        sent(small_hub, tmp_path, StudyInstanceUID=study)
    with station(small_hub) as to:
        to.gate = threading.Event()
        ae = AE("CHC01")
        ae.add_requested_context(StudyRoot)
        association = ae.associate("127.0.0.1", small_hub.listener.port, ae_title="DXHUB")
        answers = association.send_c_move(keys("STUDY", StudyInstanceUID=study), "CHC01", StudyRoot, msg_id=7)
        association.send_c_cancel(7, query_model=StudyRoot)
        time.sleep(0.2)
        to.gate.set()
        status, _ = list(answers)[-1]
        association.release()
        assert status.Status == 0xFE00
        assert status.NumberOfRemainingSuboperations + status.NumberOfCompletedSuboperations == 5
        assert len(to.received) < 5


def test_getscu_gets_a_study_and_movescu_has_it_sent(asked: ImagingHub, tmp_path: Path, samples: Path) -> None:
    files = sorted((samples / "dicom/ct_ge_headtilt_28").glob("*.dcm"))
    port = str(asked.listener.port)
    assert run("storescu", "-aet", "CHC01", "-xe", "127.0.0.1", port, *map(str, files)).returncode == 0
    study = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    got = tmp_path / "got"
    got.mkdir()
    wanted = ("-aet", "CHC01", "-aec", "DXHUB", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")
    answer = run("getscu", "-S", *wanted, "-od", str(got), "127.0.0.1", port)
    assert answer.returncode == 0, answer.stderr
    sizes = {dcmread(file).SOPInstanceUID: dcmread(file).pixel_array.sum() for file in got.iterdir()}
    assert sizes == {dcmread(file).SOPInstanceUID: dcmread(file).pixel_array.sum() for file in files}
    with station(asked) as to:
        moved = run("movescu", "-S", *wanted, "-aem", "CHC01", "127.0.0.1", port)
        assert moved.returncode == 0, moved.stderr
        assert len(to.received) == 28


@pytest.mark.parametrize("decoded", [False, True])
def test_a_large_object_passes_without_being_held_in_memory(
    small_hub: ImagingHub, tmp_path: Path, decoded: bool
) -> None:
    frames, size = 160, 1 << 20
    kept = ExplicitVRBigEndian if decoded else ExplicitVRLittleEndian
    ds = ct(Rows=1024, Columns=512, NumberOfFrames=frames, PixelData=b"")
    head = part10(ds, kept)[:-12]
    order: Literal["big", "little"] = "big" if decoded else "little"
    path = tmp_path / "large.dcm"
    with path.open("wb") as file:
        tag = (0x7FE0).to_bytes(2, order) + (0x10).to_bytes(2, order)
        file.write(head + tag + b"OW\0\0" + (frames * size).to_bytes(4, order))
        for number in range(frames):
            file.write(bytes([0, number] if decoded else [number, 0]) * (size // 2))
    assert store(small_hub.listener.port, path) == 0
    received = tmp_path / "received"
    received.mkdir()
    port = free_port()
    allow(small_hub, "CHC01", port=port)
    with listening(port, received, "+xi" if decoded else "+x="):
        tracemalloc.start()
        try:
            status, _, _ = move(small_hub, keys("STUDY", StudyInstanceUID=ds.StudyInstanceUID))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (status.Status, counts(status)) == (0x0000, (1, 0, 0))
    assert peak < 40 << 20
    (file_received,) = received.iterdir()
    with file_received.open("rb") as found:
        for number in (0, 1, frames - 1):
            found.seek((number - frames) * size, 2)
            assert set(found.read(size)[::2]) == {number}


@contextmanager
def listening(port: int, folder: Path, syntaxes: str) -> Iterator[None]:
    """dcmtk's storescp, which writes what comes to files. syntaxes: its option for those that it takes."""
    command = [dcmtk("storescp"), "-od", str(folder), "-aet", "CHC01", "+B", syntaxes, str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: run("echoscu", "127.0.0.1", str(port)).returncode == 0)
            yield
        finally:
            process.terminate()
