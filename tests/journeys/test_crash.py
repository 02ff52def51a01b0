"""Killed at any moment, the hub keeps what it acknowledged and shows nothing half."""

import os
import random
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from storage import deliveries
from storage.database import Database
from storage.objects import objects_from_url
from storage.objects_disk import DiskObjects
from tests.engines import Engines
from tests.journeys.messages import Mllp, oru
from tests.journeys.process import Hub, run, seed, serving
from tests.journeys.slices import ct, part10, stow_body

# A hundred rounds are what the hub promises; a shorter everyday run keeps the suite quick.
ROUNDS = int(os.environ.get("DXHUB_TEST_CRASHES", "3"))


class Load:
    """Senders that go on until the hub dies, and remember what was acknowledged to them."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.messages: list[str] = []
        self.instances: list[Dataset] = []
        self.stowed = 0
        self._hub = hub
        self._name = name
        self._threads = [threading.Thread(target=target) for target in (self._lab, self._lab, self._ct, self._stow)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _lab(self) -> None:
        identity = threading.get_ident()
        with suppress(OSError), closing(Mllp(self._hub.ports["mllp"])) as sender:
            for number in range(10_000):
                control_id = f"{self._name}T{identity}N{number}"
                if b"MSA|CA" in sender.send(oru(control_id)):
                    self.messages.append(control_id)

    def _ct(self) -> None:
        ae = AE("CHC01")
        # Short: nobody is there to answer after the kill.
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 3
        ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", self._hub.ports["dicom"])
        # pynetdicom forgets the socket of a peer that vanished, so it is closed by hand in the end.
        connection = association.dul.socket.socket if association.dul.socket else None
        study = ct(patient=f"C{self._name}").StudyInstanceUID
        number = 0
        with suppress(OSError, RuntimeError):
            while association.is_established:
                number += 1
                instance = ct(study, patient=f"C{self._name}", number=number, rows=128)
                if association.send_c_store(instance).get("Status") == 0:
                    self.instances.append(instance)
        association.abort()
        ae.shutdown()
        if connection:
            connection.close()

    def _stow(self) -> None:
        study = ct(patient=f"W{self._name}").StudyInstanceUID
        with suppress(httpx.TransportError), self._hub.http("technician") as client:
            for number in range(1, 10_000, 2):
                pair = [ct(study, patient=f"W{self._name}", number=number + each, rows=128) for each in (0, 1)]
                content, media_type = stow_body(map(part10, pair))
                answer = client.post("/dicomweb/studies", content=content, headers={"Content-Type": media_type})
                if answer.status_code == 200:
                    self.instances.extend(pair)
                    self.stowed += len(pair)


@pytest.mark.timeout(7200)
def test_what_was_acknowledged_survives_being_killed(migrated_urls: Engines, tmp_path: Path) -> None:
    tokens = seed(migrated_urls)
    chance = random.Random(os.environ.get("DXHUB_TEST_SEED", time.time_ns()))
    messages: list[str] = []
    instances: list[Dataset] = []
    stowed = 0
    for number in range(ROUNDS):
        with serving(migrated_urls, tmp_path, tokens) as hub:
            load = Load(hub, f"R{number}")
            threading.Event().wait(chance.uniform(0.3, 2.5))
            hub.kill()
            load.join()
        messages += load.messages
        instances += load.instances
        stowed += load.stowed
    assert messages
    assert len(instances) > stowed > 0
    sent = f"{len(messages)} messages, {len(instances) - stowed} by C-STORE, {stowed} by STOW-RS"
    sys.stdout.write(f"{ROUNDS} kills; acknowledged: {sent}\n")
    with serving(migrated_urls, tmp_path, seed(migrated_urls)) as hub:
        assert not _orphans(migrated_urls)
        _everything_is_there(hub, messages, instances)
        assert hub.stop() == 0
    verified = run("verify", urls=migrated_urls, data=tmp_path)
    assert verified.returncode == 0, verified.stdout


def _orphans(urls: Engines) -> set[str]:
    """Objects that no row knows, and files that were still arriving when their hub was killed."""
    database, objects = Database(urls.database_url), objects_from_url(urls.objects_url)
    with database.read() as tx:
        known = set(deliveries.objects(tx))
    kept = set(objects.digests())
    arriving = {each.name for each in objects.incoming.iterdir()} if isinstance(objects, DiskObjects) else set()
    database.close()
    assert kept
    return (kept - known) | arriving


def _everything_is_there(hub: Hub, messages: list[str], instances: list[Dataset]) -> None:
    with hub.http() as client:
        for control_id in messages:
            found = client.get("/fhir/R4/DiagnosticReport", params={"identifier": f"F{control_id}"}).json()
            assert found["total"] == 1, control_id
            assert len(found["entry"][0]["resource"]["result"]) == 3
        for instance in instances:
            path = f"/dicomweb/studies/{instance.StudyInstanceUID}/series/{instance.SeriesInstanceUID}/instances"
            answer = client.get(f"{path}/{instance.SOPInstanceUID}", headers={"Accept": "application/dicom"})
            assert answer.status_code == 200, instance.SOPInstanceUID
            assert answer.content.endswith(part10(instance)[-(2 * 128 * 128) :])
