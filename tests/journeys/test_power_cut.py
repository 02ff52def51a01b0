"""The machine stops: of the index is left what the disk had of it, and what was acknowledged is there all the same."""

import shutil
import socket
import time
from contextlib import closing
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import func, select

from storage import tables as t
from storage.database import Database
from tests.engines import Engines
from tests.journeys.process import Hub, run, seed, serving
from tests.journeys.slices import ct, part10


def send(hub: Hub, *instances: Dataset) -> None:
    ae = AE("CHC01")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", hub.ports["dicom"])
    try:
        for instance in instances:
            assert association.send_c_store(instance).Status == 0
    finally:
        association.release()
        ae.shutdown()


def gone(hub: Hub) -> None:
    """Returns when the last of its processes is."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", hub.ports["dicom"])):
                return
        time.sleep(0.05)
    raise AssertionError("it still listens")


def copied(folder: Path, target: Path) -> None:
    for name in ("hub.db", "hub.db-wal", "hub.db-shm"):
        (target / name).unlink(missing_ok=True)
        if (folder / name).exists() and not name.endswith("shm"):
            shutil.copy(folder / name, target / name)


def counted(urls: Engines) -> tuple[int, int, int]:
    """Deliveries, instances, and audit records of something received."""
    with closing(Database(urls.database_url)) as database, database.read() as tx:
        of_receiving = select(func.count()).where(t.audit.c.action == "receive")
        queries = (select(func.count()).select_from(t.delivery), select(func.count()).select_from(t.instance))
        deliveries, instances, received = (tx.scalar(query) or 0 for query in (*queries, of_receiving))
        return deliveries, instances, received


def test_images_that_were_acknowledged_are_indexed_again_from_their_envelopes(tmp_path: Path) -> None:
    data, before = tmp_path / "data", tmp_path / "before"
    data.mkdir()
    before.mkdir()
    urls = Engines("embedded", f"sqlite:///{data}/hub.db", f"file://{data}/objects")
    tokens = seed(urls)
    study = ct(patient="P1").StudyInstanceUID
    first = [ct(study, patient="P1", number=number) for number in (1, 2)]
    later = [ct(study, patient="P1", number=number) for number in range(3, 15)] + [ct(patient="P2") for _ in range(3)]
    with serving(urls, data, tokens) as hub:
        send(hub, *first)
        assert hub.stop() == 0
    with serving(urls, data, tokens) as hub:
        copied(data, before)
        # Before it is quiet for long enough, nothing of them is anywhere but in the journal.
        send(hub, *later)
        hub.kill()
        gone(hub)
    assert counted(urls)[1] == 17, "what the system had not yet written"
    copied(before, data)
    assert counted(urls)[1] == 2
    with serving(urls, data, tokens) as hub:
        with hub.http() as client:
            for each in (*first, *later):
                path = f"/dicomweb/studies/{each.StudyInstanceUID}/series/{each.SeriesInstanceUID}/instances"
                answer = client.get(f"{path}/{each.SOPInstanceUID}", headers={"Accept": "application/dicom"})
                assert answer.status_code == 200
                assert answer.content.endswith(part10(each)[-64:])
        assert hub.stop() == 0
    assert counted(urls) == (17, 17, 17)
    verified = run("verify", urls=urls, data=data)
    assert verified.returncode == 0, verified.stdout
    with serving(urls, data, tokens) as hub:
        assert hub.stop() == 0
    assert counted(urls) == (17, 17, 17), "nothing is taken twice"


def test_a_kill_that_left_the_index_whole_takes_nothing_twice(tmp_path: Path) -> None:
    urls = Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")
    tokens = seed(urls)
    for number in (1, 2):
        with serving(urls, tmp_path, tokens) as hub:
            send(hub, ct(), ct(), ct())
            hub.kill()
            gone(hub)
        assert counted(urls) == (3 * number,) * 3
