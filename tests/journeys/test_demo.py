"""`dxhub demo` as a newcomer runs it, in a process of its own, and what is left for `dxhub serve`."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pynetdicom import AE

from hub.demo.district import district
from schemas.disclosure import Role
from schemas.identifiers import RESIDENT_ID
from schemas.organization import Organization
from storage import organizations
from storage.database import Database
from tests.engines import Engines
from tests.journeys.process import Hub, environment, run, serving

_FREE_PORTS = ("--http-port", "0", "--dicom-port", "0", "--mllp-port", "0")
_LEAST = {"dicom": 25, "hl7v2": 30, "ecg": 6}
ACCOUNTS = {account.role: account for account in district().accounts}
pytestmark = pytest.mark.timeout(300)


def demo_once(urls: Engines, data: Path) -> dict[str, object]:
    """The last line of `dxhub demo --once`, which has to end well."""
    done = run("demo", "--once", *_FREE_PORTS, urls=urls, data=data)
    failed = [line for line in done.stdout.splitlines() if "✗" in line]
    assert (done.returncode, failed) == (0, []), done.stdout + done.stderr[-2000:]
    printed: dict[str, object] = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    return printed


@contextmanager
def demo_serving(urls: Engines, data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`dxhub demo` that goes on serving, and what it printed until then."""
    command = [sys.executable, "-m", "hub", "demo", *_FREE_PORTS]
    with subprocess.Popen(command, env=environment(urls, data), stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        printed = ""
        for line in process.stdout or ():
            printed += line
            if "Ctrl-C" in line:
                break
        try:
            yield process, printed
        finally:
            watchdog.cancel()
            process.kill()


def test_it_tells_the_whole_story_and_leaves_nothing_unproven(engine_urls: Engines, tmp_path: Path) -> None:
    printed = demo_once(engine_urls, tmp_path)
    deliveries = printed["deliveries"]
    assert isinstance(deliveries, dict)
    assert all(deliveries[kind] >= least for kind, least in _LEAST.items())
    assert printed["reports"] >= 200  # type: ignore[operator]
    assert printed["recognised"] == 2
    assert printed["not_recognised"] == 1
    verified = run("verify", urls=engine_urls, data=tmp_path)
    assert verified.returncode == 0, verified.stdout


def test_a_newcomer_stays_comes_back_and_serves(tmp_path: Path) -> None:
    urls = Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")
    with demo_serving(urls, tmp_path) as (process, printed):
        address = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert address, printed[-2000:]
        for account in ACCOUNTS.values():
            assert f"{account.account} " in printed
            assert account.password in printed
            _sign_in(address[0], account.account, account.password)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    before = _patients(urls, tmp_path)
    again = demo_once(urls, tmp_path)
    assert again["recognised"] == 4
    assert _patients(urls, tmp_path) == before


def _sign_in(address: str, account: str, password: str) -> None:
    with httpx.Client(base_url=address, follow_redirects=False) as browser:
        page = browser.get("/sign-in")
        token = browser.cookies["dxhub_form"]
        assert token in page.text
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        answer = browser.post("/sign-in", data=fields | {"account": account, "password": password})
        assert answer.status_code == 303, account


def _patients(urls: Engines, data: Path) -> int:
    """As `dxhub serve` and `dxhub token` show them to the clinician; a stranger's C-ECHO is answered meanwhile."""
    token = run("token", "--user", "clinician", urls=urls, data=data).stdout.strip()
    with serving(urls, data, {Role.CLINICIAN: token}) as hub:
        _story_patient_is_there(hub)
        _stranger_is_taken(hub)
        with hub.http() as http:
            return int(http.get("/fhir/R4/Patient", params={"_count": "1", "name": "张"}).json()["total"])


def _story_patient_is_there(hub: Hub) -> None:
    with hub.http() as http:
        query = {"identifier": f"{RESIDENT_ID}|99018619680517852X"}
        patient = http.get("/fhir/R4/Patient", params=query).json()["entry"][0]["resource"]
        assert "张玥" in {name["text"] for name in patient["name"]}
        course = http.get(
            "/fhir/R4/Observation", params={"patient": patient["id"], "code": "http://loinc.org|4548-4"}
        ).json()
        assert course["total"] >= 4


def _stranger_is_taken(hub: Hub) -> None:
    entity = AE("NEWCOMER")
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", hub.ports["dicom"])
    assert association.is_established
    assert association.send_c_echo().Status == 0
    association.release()


def test_it_keeps_its_invented_patients_out_of_somebodys_hub(migrated_sqlite: Path, tmp_path: Path) -> None:
    database_file = tmp_path / "hub.db"
    database_file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{database_file}")
    with database.write() as tx:
        organizations.put_organization(tx, Organization("REAL", "真实医院"))
    database.close()
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--data", str(tmp_path), *_FREE_PORTS],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "--data" in done.stderr
    assert "Traceback" not in done.stderr
