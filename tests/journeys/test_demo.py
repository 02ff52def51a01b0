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
from tests.schemas.fhir.values import validated

_FREE_PORTS = ("--http-port", "0", "--dicom-port", "0", "--mllp-port", "0")
_SERVED = ("Patient", "Organization", "DiagnosticReport", "Observation", "ImagingStudy")
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


def _embedded(folder: Path) -> Engines:
    return Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """The folder that `dxhub demo --once` left, and what it printed last."""
    folder = tmp_path_factory.mktemp("district")
    return folder, demo_once(_embedded(folder), folder)


def _is_whole(printed: dict[str, object], urls: Engines, folder: Path) -> None:
    deliveries, reports = printed["deliveries"], printed["reports"]
    assert isinstance(deliveries, dict)
    assert isinstance(reports, int)
    assert all(deliveries[kind] >= least for kind, least in _LEAST.items())
    assert reports >= 300
    assert (printed["recognised"], printed["not_recognised"]) == (2, 1)
    verified = run("verify", urls=urls, data=folder)
    assert verified.returncode == 0, verified.stdout


def test_it_tells_the_whole_story_and_leaves_nothing_unproven(told: tuple[Path, dict[str, object]]) -> None:
    folder, printed = told
    _is_whole(printed, _embedded(folder), folder)


def test_it_tells_the_same_story_on_servers(postgres_url: str, minio_url: str, tmp_path: Path) -> None:
    urls = Engines("servers", postgres_url, minio_url)
    _is_whole(demo_once(urls, tmp_path), urls, tmp_path)


def test_what_it_leaves_is_served_with_the_same_accounts(told: tuple[Path, dict[str, object]]) -> None:
    folder, _ = told
    urls = _embedded(folder)
    token = run("token", "--user", "clinician", urls=urls, data=folder).stdout.strip()
    with serving(urls, folder, {Role.CLINICIAN: token}) as hub:
        _story_patient_is_there(hub)
        _stranger_is_taken(hub)
        clinician = ACCOUNTS[Role.CLINICIAN]
        _sign_in(f"http://127.0.0.1:{hub.ports['web']}", clinician.account, clinician.password)
        assert hub.stop() == 0


@pytest.mark.parametrize("who", [Role.CLINICIAN, Role.AUDITOR])
def test_every_resource_that_it_serves_is_valid_fhir(told: tuple[Path, dict[str, object]], who: Role) -> None:
    folder, printed = told
    urls = _embedded(folder)
    token = run("token", "--user", who, urls=urls, data=folder).stdout.strip()
    with serving(urls, folder, {who: token}) as hub, hub.http(who) as client:
        if who is Role.AUDITOR:
            assert _all_valid(client, "AuditEvent", at_most=500) == 500
            return
        counted = {kind: _all_valid(client, kind) for kind in _SERVED}
        validated(client.get("/fhir/R4/metadata").json())
        decided = {client.get(f"/recognition/decisions/{number}").json()["report"] for number in (1, 2, 3)}
        decisions = sum(_all_valid(client, f"Provenance?target=DiagnosticReport/{report}") for report in decided)
    assert counted["DiagnosticReport"] == printed["reports"]
    assert decisions == 3
    assert all(counted.values())


def _all_valid(client: httpx.Client, kind: str, at_most: int = 100_000) -> int:
    """How many resources of the kind there are, page after page, each accepted by the models."""
    address, count = f"/fhir/R4/{kind}{'&' if '?' in kind else '?'}_count=200", 0
    while address and count < at_most:
        bundle = client.get(address).raise_for_status().json()
        for entry in bundle.get("entry", ()):
            validated(entry["resource"])
            count += 1
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return min(count, at_most)


def test_coming_back_adds_today_but_no_second_history(told: tuple[Path, dict[str, object]]) -> None:
    folder, first = told
    with demo_serving(_embedded(folder), folder) as (process, printed):
        assert "✗" not in printed
        assert re.search(r"http://127\.0\.0\.1:\d+/", printed)
        assert all(account.password in printed for account in ACCOUNTS.values())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    reports = re.search(r"(\d+) 份报告", printed)
    assert reports
    # One day's work, and not another two years of it.
    assert 0 < int(reports[1]) - int(str(first["reports"])) < 60


def _sign_in(address: str, account: str, password: str) -> None:
    with httpx.Client(base_url=address, follow_redirects=False) as browser:
        page = browser.get("/sign-in")
        token = browser.cookies["dxhub_form"]
        assert token in page.text
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        answer = browser.post("/sign-in", data=fields | {"account": account, "password": password})
        assert answer.status_code == 303, account


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


def test_broken_off_it_goes_on_where_it_was(tmp_path: Path) -> None:
    urls = _embedded(tmp_path)
    command = [sys.executable, "-m", "hub", "demo", "--once", *_FREE_PORTS]
    with subprocess.Popen(command, env=environment(urls, tmp_path), stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        lines = iter(process.stdout or ())
        assert any("两年的报告" in line for line in lines)
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
        watchdog.cancel()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "deliveries taken" not in rest
    _is_whole(demo_once(urls, tmp_path), urls, tmp_path)
