"""What breaks other hubs: here a clear refusal in the sender's protocol, the bytes kept, nothing half-visible."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import create_engine, text

from tests.engines import Engines
from tests.journeys.messages import Mllp, oru, wait_until_taken
from tests.journeys.process import Hub, run, seed, serving
from tests.journeys.slices import ct, part10

FHIR = "/fhir/R4"


def upload(hub: Hub, content: bytes, role: str = "technician") -> httpx.Response:
    with hub.http(role) as client:
        return client.post("/deliveries", files={"file": ("file", content, "application/octet-stream")})


def receipt_of(answer: httpx.Response) -> dict[str, object]:
    receipts = answer.json()["receipts"]
    assert len(receipts) == 1
    return dict(receipts[0])


def store(hub: Hub, *instances: Dataset, ae_title: str = "CHC01") -> list[int]:
    """The C-STORE status of each instance."""
    ae = AE(ae_title)
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", hub.ports["dicom"])
    assert association.is_established
    statuses = [int(association.send_c_store(instance).Status) for instance in instances]
    association.release()
    return statuses


class Arrivals:
    """Counts what came into custody since it was made."""

    def __init__(self, hub: Hub) -> None:
        self._url = hub.urls.database_url
        self._before = self._count()

    def _count(self) -> Counter[str]:
        engine = create_engine(self._url)
        with engine.connect() as tx:
            found = Counter(tx.scalars(text("SELECT state FROM delivery")).all())
        engine.dispose()
        return found

    def __call__(self) -> dict[str, int]:
        """Deliveries by state."""
        return dict(self._count() - self._before)


def search(hub: Hub, resource: str, **parameters: str) -> list[dict[str, object]]:
    with hub.http() as client:
        answer = client.get(f"{FHIR}/{resource}", params=parameters)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", []) if entry["search"]["mode"] == "match"]


def test_truncated_dicom_is_kept_and_refused(hub: Hub) -> None:
    whole, arrived = part10(ct(patient="T1", accession="TRUNC")), Arrivals(hub)
    answer = upload(hub, whole[:400])
    assert answer.status_code == 400
    assert receipt_of(answer)["state"] == "quarantined"
    assert arrived() == {"quarantined": 1}
    assert search(hub, "Patient", identifier="T1") == []
    assert upload(hub, whole).status_code == 200


def test_sequences_nested_until_recursion_ends_are_refused(hub: Hub) -> None:
    ds = ct()
    inner = Dataset()
    for _ in range(200):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([inner])
        inner = outer
    nested = part10(ds)
    deep = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    pixels = nested.index(b"\xe0\x7f\x10\x00")
    answer = upload(hub, nested[:pixels] + deep)
    assert answer.status_code == 400
    assert receipt_of(answer)["category"] == "invalid"
    assert upload(hub, nested).status_code == 200


def test_tiny_file_that_declares_an_enormous_image_costs_no_memory(hub: Hub) -> None:
    ds = ct()
    ds.Rows = ds.Columns = 65535
    ds.NumberOfFrames = "2000"
    ds.PixelData = bytes(16)
    (status,) = store(hub, ds)
    assert status in {0x0000, 0xC000}
    path = f"/dicomweb/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
    with hub.http() as client:
        answer = client.get(f"{path}/rendered")
    assert 400 <= answer.status_code < 500
    process = Path(f"/proc/{hub.process.pid}/status").read_text()
    resident_kb = int(next(line for line in process.splitlines() if line.startswith("VmHWM")).split()[1])
    assert resident_kb < 600_000


def test_chinese_name_in_gbk_under_a_latin_label_reads_right(hub: Hub) -> None:
    ds = ct(patient="GBK1")
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName = "Wang^Fang=" + "王^芳".encode("gb18030").decode("latin-1")
    assert "王^芳".encode("gb18030") in part10(ds)
    assert receipt_of(upload(hub, part10(ds)))["state"] == "indexed"
    (patient,) = search(hub, "Patient", name="王芳")
    assert "王芳" in json.dumps(patient, ensure_ascii=False)


@pytest.fixture
def narrow(migrated_urls: Engines, tmp_path: Path) -> Iterator[Hub]:
    """A hub that takes messages of one megabyte at most."""
    with serving(migrated_urls, tmp_path, seed(migrated_urls), DXHUB_MAX_MESSAGE_MB="1") as running:
        yield running


def test_frame_that_never_ends_is_cut_off(narrow: Hub) -> None:
    with socket.create_connection(("127.0.0.1", narrow.ports["mllp"]), timeout=30) as peer:
        answer = b""
        try:
            peer.sendall(b"\x0b" + oru("endless"))
            for _ in range(40):
                peer.sendall(b"X" * 65536)
            while part := peer.recv(65536):
                answer += part
        except ConnectionError:
            pass  # cut off while we still sent: as good
    assert b"MSA|CA" not in answer
    assert b"MSA|AA" not in answer
    arrived = Arrivals(narrow)
    wait_until_taken(narrow)
    assert arrived() == {"indexed": 1}


@pytest.mark.parametrize("name", ["王弢", "李珅", "周玘", "陈昞", "林魚"])
def test_names_whose_gb18030_bytes_equal_delimiters_stay_whole(hub: Hub, name: str) -> None:
    number = f"G{ord(name[1])}"
    said = oru(number, name=name).decode().replace("UNICODE UTF-8", "GB 18030-2000")
    with closing(Mllp(hub.ports["mllp"])) as sender:
        assert b"MSA|CA" in sender.send(said.encode("gb18030"))
    (patient,) = search(hub, "Patient", name=name)
    assert patient["name"][0]["text"] == name  # type: ignore[index]


def test_result_whose_patient_contradicts_the_known_one_waits_for_a_person(hub: Hub) -> None:
    arrived = Arrivals(hub)
    with closing(Mllp(hub.ports["mllp"])) as sender:
        assert b"MSA|CA" in sender.send(oru("C1", patient="SAME"))
        answer = sender.send(oru("C2", patient="SAME").replace(b"19800101|M", b"19910909|F"))
    assert b"MSA|CE" in answer
    assert "测试".encode() not in answer
    assert arrived() == {"indexed": 1, "held": 1}
    assert search(hub, "DiagnosticReport", identifier="FC2") == []


BOMB = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(10))
HOSTILE_XML = {
    "external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><AnnotatedECG>&x;</AnnotatedECG>',
    "entity bomb": f"<!DOCTYPE a [{BOMB}]><AnnotatedECG>&e9;</AnnotatedECG>",
    "external subset": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><AnnotatedECG/>',
}


@pytest.mark.parametrize("attack", HOSTILE_XML)
def test_hostile_xml_is_kept_unread(hub: Hub, attack: str) -> None:
    document = '<?xml version="1.0"?>' + HOSTILE_XML[attack].replace(
        "<AnnotatedECG", '<AnnotatedECG xmlns="urn:hl7-org:v3"'
    )
    begun, arrived = time.monotonic(), Arrivals(hub)
    answer = upload(hub, document.encode())
    assert answer.status_code in {400, 422}
    assert time.monotonic() - begun < 10
    assert "root:" not in answer.text
    assert arrived() == {"quarantined": 1}


def test_two_gigabytes_declared_in_a_small_upload_end_at_once(hub: Hub) -> None:
    head = (
        f"POST /deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.tokens['technician']}\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 4294967296\r\n\r\nsmall"
    )
    arrived = Arrivals(hub)
    with socket.create_connection(("127.0.0.1", hub.ports["web"]), timeout=30) as peer:
        peer.sendall(head.encode())
        answer = peer.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert arrived() == {}
    wait_until_taken(hub)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fhir/R4/Patient"),
        ("GET", "/dicomweb/studies"),
        ("POST", "/dicomweb/studies"),
        ("POST", "/deliveries"),
        ("GET", "/recognition/decisions"),
        ("POST", "/recognition/decisions"),
    ],
)
@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic YTpi"])
def test_wrong_token_opens_nothing(hub: Hub, method: str, path: str, token: str) -> None:
    with hub.http("nobody") as client:
        answer = client.request(method, path, headers={"Authorization": token} if token else {})
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


def test_unknown_sender_is_refused_where_strangers_are_not_taken(migrated_urls: Engines, tmp_path: Path) -> None:
    tokens = seed(migrated_urls)
    engine = create_engine(migrated_urls.database_url)
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM setting"))
    engine.dispose()
    with serving(migrated_urls, tmp_path, tokens) as hub:
        arrived = Arrivals(hub)
        ae = AE("STRANGER")
        ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", hub.ports["dicom"])
        assert association.is_rejected
        with closing(Mllp(hub.ports["mllp"])) as sender:
            assert b"MSA|CR" in sender.send(oru("S1", facility="STRANGER"))
        assert arrived() == {}


def test_locked_database_is_said_to_be_busy_and_nothing_is_lost(hub: Hub) -> None:
    engine = create_engine(hub.urls.database_url)
    embedded = hub.urls.name == "embedded"
    with engine.connect() as other:
        other.execute(text("BEGIN EXCLUSIVE" if embedded else "LOCK TABLE delivery, audit IN ACCESS EXCLUSIVE MODE"))
        with closing(Mllp(hub.ports["mllp"], timeout_s=60)) as sender:
            assert b"MSA|CR" in sender.send(oru("L1"))
        assert store(hub, ct()) == [0xA700]
        answer = upload(hub, part10(ct()))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        other.rollback()
    engine.dispose()
    wait_until_taken(hub)
    assert search(hub, "DiagnosticReport", identifier="FL1") == []
    with closing(Mllp(hub.ports["mllp"])) as sender:
        assert b"MSA|CA" in sender.send(oru("L1"))
    assert len(search(hub, "DiagnosticReport", identifier="FL1")) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes for the objects."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("run as root where file systems may be mounted")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_is_said_to_be_busy_and_leaves_nothing_half(
    migrated_sqlite: Path, tmp_path: Path, small_disk: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    urls = Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{small_disk}/objects")
    with serving(urls, tmp_path, seed(urls)) as hub:
        arrived = Arrivals(hub)
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(3_500_000))
        large = ct(rows=768)  # more than a megabyte
        assert store(hub, large) == [0xA700]
        assert upload(hub, part10(large)).status_code == 503
        with closing(Mllp(hub.ports["mllp"])) as sender:
            assert b"MSA|CR" in sender.send(oru("D1") + b"NTE|1||" + b"x" * 1_000_000 + b"\r")
        assert arrived() == {}
        assert search(hub, "ImagingStudy") == []
        ballast.unlink()
        assert store(hub, large) == [0x0000]
        assert arrived() == {"indexed": 1}
        hub.stop()
    assert run("verify", urls=urls, data=tmp_path).returncode == 0
