"""Orthanc as a neighbour on the DICOM network: it stores here, asks, fetches, and has what it sent vouched for."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread

from schemas.network import Node, QueryRight
from storage import nodes
from storage.database import Database
from tests.journeys.process import Hub
from tests.journeys.slices import ct, data_set_of, part10
from tests.receiving import free_port

STARTS_WITHIN_S = 30


@dataclass
class Orthanc:
    """A running Orthanc that knows the hub. Its AE title is CHC01."""

    http: httpx.Client
    dicom_port: int

    def post(self, path: str, body: Any) -> Any:  # noqa: ANN401 whatever Orthanc answers
        answer = self.http.post(path, json=body) if not isinstance(body, bytes) else self.http.post(path, content=body)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.text else {}

    def instances(self) -> list[str]:
        return [str(each) for each in self.http.get("/instances").json()]

    def file(self, instance: str) -> bytes:
        return self.http.get(f"/instances/{instance}/file").content

    def forget_everything(self) -> None:
        for patient in self.http.get("/patients").json():
            self.http.delete(f"/patients/{patient}")
        assert self.instances() == []


@pytest.fixture
def orthanc(hub: Hub, tmp_path: Path) -> Iterator[Orthanc]:
    """Orthanc, registered at the hub as a node that may ask for everything and be sent images."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin") or pytest.skip("install orthanc")
    dicom, web = free_port(), free_port()
    settings = {
        "StorageDirectory": str(tmp_path / "orthanc"),
        "IndexDirectory": str(tmp_path / "orthanc"),
        "DicomAet": "CHC01",
        "DicomPort": dicom,
        "HttpPort": web,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "Plugins": _plugins(),
        # Only where it has the plugin. The hub wants a token of whoever asks over the web.
        "DicomWeb": {"Servers": {"hub": _web_address(hub)}},
        "DicomModalities": {"hub": {"AET": "DXHUB", "Host": "127.0.0.1", "Port": hub.ports["dicom"]}},
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    _register(hub, Node("CHC01", "CHC01", QueryRight.DISTRICT, "127.0.0.1", dicom, may_move=True))
    with subprocess.Popen(
        [program, str(tmp_path / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _eventually(lambda: _answers(web))
            with httpx.Client(base_url=f"http://127.0.0.1:{web}", timeout=60) as http:
                yield Orthanc(http, dicom)
        finally:
            process.terminate()
            process.wait(20)


def _plugins() -> list[str]:
    """Its DICOMweb plugin, where that is installed."""
    return [str(each) for each in Path("/usr/share/orthanc/plugins").glob("libOrthancDicomWeb.so")]


def _web_address(hub: Hub) -> dict[str, Any]:
    token = {"Authorization": f"Bearer {hub.tokens['technician']}"}
    return {"Url": f"http://127.0.0.1:{hub.ports['web']}/dicomweb/", "HttpHeaders": token}


def _register(hub: Hub, node: Node) -> None:
    database = Database(hub.urls.database_url)
    with database.write() as tx:
        known = {each.node.ae_title: each.id for each in nodes.nodes(tx)}
        nodes.put(tx, node, known.get(node.ae_title))
    database.close()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _eventually(found: Callable[[], object], within_s: float = STARTS_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_orthanc_stores_finds_moves_back_and_has_it_committed(hub: Hub, orthanc: Orthanc) -> None:
    orthanc.post("/modalities/hub/echo", {})
    slices = [ct(patient="ORTHANC1", accession="O1", number=1)]
    slices += [ct(slices[0].StudyInstanceUID, patient="ORTHANC1", accession="O1", number=n) for n in (2, 3)]
    sent = {str(each.SOPInstanceUID): part10(each) for each in slices}
    stored = [orthanc.post("/instances", content)["ID"] for content in sent.values()]
    assert orthanc.post("/modalities/hub/store", stored)["FailedInstancesCount"] == 0

    asked = {"DicomInstances": [{"SOPClassUID": s.SOPClassUID, "SOPInstanceUID": s.SOPInstanceUID} for s in slices]}
    transaction = orthanc.post("/modalities/hub/storage-commitment", asked)["ID"]
    _eventually(lambda: orthanc.http.get(f"/storage-commitment/{transaction}").json()["Status"] != "Pending")
    report = orthanc.http.get(f"/storage-commitment/{transaction}").json()
    assert report["Status"] == "Success"
    assert {each["SOPInstanceUID"] for each in report["Success"]} == set(sent)

    orthanc.forget_everything()
    query = orthanc.post("/modalities/hub/query", {"Level": "Study", "Query": {"PatientID": "ORTHANC1"}})["ID"]
    assert orthanc.http.get(f"/queries/{query}/answers").json() == ["0"]
    orthanc.post(f"/queries/{query}/answers/0/retrieve", {"TargetAet": "CHC01", "Synchronous": True})
    _eventually(lambda: len(orthanc.instances()) == len(slices))
    files = [orthanc.file(each) for each in orthanc.instances()]
    assert {data_set_of(file) for file in files} == {data_set_of(content) for content in sent.values()}


def test_every_sample_that_the_hub_took_goes_to_orthanc_and_comes_back(
    hub: Hub, orthanc: Orthanc, samples: Path
) -> None:
    files = [*samples.glob("dicom/ct_ge_headtilt_28/*.dcm"), *samples.glob("dicom/mr_uih_china/*.dcm")]
    files += samples.glob("dicom/charset_cn/*.dcm")
    storescu = shutil.which("storescu", path="/usr/bin:/usr/local/bin") or pytest.skip("install dcmtk")
    command = [storescu, "-aet", "CHC01", "-aec", "DXHUB", "127.0.0.1", str(hub.ports["dicom"]), *map(str, files)]
    subprocess.run(command, check=False, capture_output=True, timeout=110)
    studies = {str(dcmread(file, stop_before_pixels=True).StudyInstanceUID) for file in files}
    with hub.http() as client:
        counted = 0
        for study in studies:
            found = client.get(f"/dicomweb/studies/{study}/instances", headers={"Accept": "application/dicom+json"})
            counted += len(found.json()) if found.status_code == 200 else 0
    assert counted > len(files) // 2
    for study in studies:
        query = orthanc.post("/modalities/hub/query", {"Level": "Study", "Query": {"StudyInstanceUID": study}})["ID"]
        for answer in orthanc.http.get(f"/queries/{query}/answers").json():
            orthanc.post(f"/queries/{query}/answers/{answer}/retrieve", {"TargetAet": "CHC01", "Synchronous": True})
    assert len(orthanc.instances()) == counted


@pytest.fixture
def web_orthanc(orthanc: Orthanc) -> Orthanc:
    if not _plugins():
        pytest.skip("install orthanc-dicomweb")
    return orthanc


def _series(patient: str) -> list[Dataset]:
    first = ct(patient=patient, accession=patient, number=1)
    return [first, *(ct(first.StudyInstanceUID, patient=patient, accession=patient, number=n) for n in (2, 3))]


def test_orthanc_stores_finds_and_retrieves_over_dicomweb(hub: Hub, web_orthanc: Orthanc) -> None:
    slices = _series("WEB1")
    study, sent = str(slices[0].StudyInstanceUID), {part10(each) for each in slices}
    stored = [web_orthanc.post("/instances", content)["ID"] for content in sent]
    web_orthanc.post("/dicom-web/servers/hub/stow", {"Resources": stored, "Synchronous": True})
    with hub.http() as client:
        assert len(client.get(f"/dicomweb/studies/{study}/instances").json()) == len(slices)

    web_orthanc.forget_everything()
    asked = {"Uri": "/studies", "Arguments": {"PatientID": "WEB1"}}
    (found,) = web_orthanc.post("/dicom-web/servers/hub/qido", asked)
    assert found["0020000D"]["Value"] == study
    web_orthanc.post("/dicom-web/servers/hub/retrieve", {"Resources": [{"Study": study}]})
    _eventually(lambda: len(web_orthanc.instances()) == len(slices))
    files = {data_set_of(web_orthanc.file(each)) for each in web_orthanc.instances()}
    assert files == {data_set_of(content) for content in sent}


def test_what_orthanc_holds_is_fetched_and_what_the_hub_holds_is_put_there(hub: Hub, web_orthanc: Orthanc) -> None:
    slices = _series("WEB2")
    study, sent = str(slices[0].StudyInstanceUID), {part10(each) for each in slices}
    stored = [web_orthanc.post("/instances", content)["ID"] for content in sent]
    assert len(stored) == len(slices)
    address = str(web_orthanc.http.base_url).rstrip("/") + "/dicom-web"
    theirs = DICOMwebClient(address)
    ours = DICOMwebClient(
        f"http://127.0.0.1:{hub.ports['web']}/dicomweb",
        headers={"Authorization": f"Bearer {hub.tokens['technician']}"},
    )
    ours.store_instances(theirs.retrieve_study(study))
    assert {str(each["00080018"]["Value"][0]) for each in ours.search_for_instances(study)} == {
        str(each.SOPInstanceUID) for each in slices
    }
    web_orthanc.forget_everything()
    theirs.store_instances(ours.retrieve_study(study))
    assert len(web_orthanc.instances()) == len(slices)
    series = ours.retrieve_series_metadata(study, slices[0].SeriesInstanceUID)
    assert len(series) == len(theirs.retrieve_series_metadata(study, slices[0].SeriesInstanceUID)) == len(slices)


def test_echoscu_is_answered(hub: Hub) -> None:
    echoscu = shutil.which("echoscu", path="/usr/bin:/usr/local/bin") or pytest.skip("install dcmtk")
    command = [echoscu, "-aet", "CHC01", "-aec", "DXHUB", "127.0.0.1", str(hub.ports["dicom"])]
    assert subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
