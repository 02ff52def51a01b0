"""A hub as its operator runs it: a process of its own, real ports, killed when the test says so."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from hub.access import Access
from hub.ingest.senders import TAKES_STRANGERS, UNREGISTERED
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from storage.database import Database
from storage.migrate import migrate
from tests.engines import Engines

STARTS_WITHIN_S = 60
PASSWORD = "correct horse battery staple"
_DOORS = {"web": r"http://[^:]+:(\d+)/", "dicom": r"DICOM [^:]+:(\d+)", "mllp": r"MLLP [^:]+:(\d+)"}


@dataclass
class Hub:
    """A running `dxhub serve`. `tokens`: a bearer token for each role."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    urls: Engines
    data: Path
    tokens: dict[str, str]

    def http(self, role: str = "clinician") -> httpx.Client:
        """A client with the bearer token of that role."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role in self.tokens else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.ports['web']}", headers=headers, timeout=60)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """As an operator would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def environment(urls: Engines, data: Path) -> dict[str, str]:
    """What `dxhub` needs to work on these stores."""
    return {
        **os.environ,
        "DXHUB_DATA": str(data),
        "DXHUB_DATABASE_URL": urls.database_url,
        "DXHUB_OBJECTS_URL": urls.objects_url,
        "DXHUB_LOG_LEVEL": "warning",
    }


def seed(urls: Engines) -> dict[str, str]:
    """A small district that takes strangers on loopback; returns a token for each role."""
    database = Database(urls.database_url)
    migrate(database)
    with database.write() as tx:
        for code in ("CHC01", "CHC02", "DH01", UNREGISTERED):
            organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER))
            organizations.put_source(tx, code, code, code)
        organizations.put_setting(tx, TAKES_STRANGERS, "yes")
    access, tokens = Access(database), {}
    for role in Role:
        organization = "CHC01" if role is Role.TECHNICIAN else "DH01"
        access.put_account(Principal(role.value, role.value, role, organization), PASSWORD)
        tokens[role.value] = access.issue_token(role.value)
    database.close()
    return tokens


@contextlib.contextmanager
def serving(urls: Engines, data: Path, tokens: dict[str, str], **settings: str) -> Iterator[Hub]:
    """`dxhub serve` on free ports, up when the block begins; killed at its end if it still runs."""
    free_ports = ("--http-port", "0", "--dicom-port", "0", "--mllp-port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", *free_ports],
        env=environment(urls, data) | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # A child that dies mute would hang the reader below for ever.
        watchdog = threading.Timer(STARTS_WITHIN_S, process.kill)
        watchdog.start()
        errors: list[str] = []
        drain = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        drain.start()
        try:
            ports = _ports(process, errors)
            watchdog.cancel()
            yield Hub(process, ports, urls, data, tokens)
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
            process.wait()
            drain.join(5)


def _ports(process: subprocess.Popen[str], errors: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for line in process.stdout or ():
        for door, pattern in _DOORS.items():
            if found := re.search(pattern, line):
                ports[door] = int(found[1])
        if len(ports) == len(_DOORS):
            return ports
    raise AssertionError("dxhub serve did not start: " + "".join(errors)[-2000:])


def run(*arguments: str, urls: Engines, data: Path) -> subprocess.CompletedProcess[str]:
    """One `dxhub` command on these stores, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        env=environment(urls, data),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
