"""Receivers under load: a fresh `dxhub serve`, and where installed storescp and Orthanc, on ports of their own."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.engines import Engines, free_port
from tests.journeys.process import seed, serving

_STARTS_WITHIN_S = 30


@dataclass(frozen=True)
class Receiver:
    """Where to send. title: the called AE title, empty for MLLP. process: the hub's, 0 for a peer."""

    name: str
    port: int
    title: str = ""
    process: int = 0


@contextlib.contextmanager
def hub(door: str) -> Iterator[Receiver]:
    """`dxhub serve` on an empty folder that takes strangers. door: `dicom` or `mllp`."""
    with tempfile.TemporaryDirectory(prefix="dxhub-bench-") as folder:
        urls = Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
        with serving(urls, Path(folder), seed(urls), DXHUB_LOG_LEVEL="error") as running:
            yield Receiver("dxhub", running.ports[door], "DXHUB", running.process.pid)


@contextlib.contextmanager
def web_hub() -> Iterator[tuple[Receiver, int, str]]:
    """`dxhub serve` by its DICOM door, the port of its web server, and a token of somebody who may read."""
    with tempfile.TemporaryDirectory(prefix="dxhub-bench-") as folder:
        urls = Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
        with serving(urls, Path(folder), seed(urls), DXHUB_LOG_LEVEL="error") as running:
            door = Receiver("dxhub", running.ports["dicom"], "DXHUB", running.process.pid)
            yield door, running.ports["web"], running.tokens["clinician"]


@contextlib.contextmanager
def storescp() -> Iterator[Receiver | None]:
    """Writes files and keeps no index; None where dcmtk is not installed."""
    # pynetdicom puts a program of the same name into the environment's own folder.
    program = shutil.which("storescp", path="/usr/bin:/usr/local/bin")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="storescp-bench-") as folder:
        command = [program, "--fork", "-aet", "STORESCP", "-od", folder, str(port)]
        with _process(command, port, {"TCP_NODELAY": "1"}):
            yield Receiver("storescp --fork", port, "STORESCP")


@contextlib.contextmanager
def orthanc() -> Iterator[Receiver | None]:
    """With its SQLite index and its defaults; None where it is not installed."""
    with _orthanc({"HttpServerEnabled": False}) as receiver:
        yield receiver


@contextlib.contextmanager
def web_orthanc() -> Iterator[tuple[Receiver, int] | None]:
    """The same with its DICOMweb plugin, and the port of its web server; None where either is not installed."""
    plugin = next(Path("/usr/share/orthanc/plugins").glob("libOrthancDicomWeb.so"), None)
    if plugin is None:
        yield None
        return
    web = free_port()
    settings = {
        "HttpServerEnabled": True,
        "HttpPort": web,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "KeepAlive": True,
        "Plugins": [str(plugin)],
    }
    with _orthanc(settings) as receiver:
        if receiver is not None:
            _await_port(web)
        yield (receiver, web) if receiver else None


@contextlib.contextmanager
def _orthanc(more: dict[str, object]) -> Iterator[Receiver | None]:
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="orthanc-bench-") as folder:
        settings = Path(folder, "orthanc.json")
        places = {"StorageDirectory": f"{folder}/store", "IndexDirectory": f"{folder}/store"}
        settings.write_text(json.dumps(places | {"DicomPort": port, "DicomAlwaysAllowStore": True} | more))
        # Orthanc receives with dcmtk too: without it each of its answers waits for a delayed acknowledgement.
        with _process([program, str(settings)], port, {"TCP_NODELAY": "1"}):
            yield Receiver("Orthanc", port, "ORTHANC")


@contextlib.contextmanager
def _process(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_port(port, process)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _await_port(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while (process is None or process.poll() is None) and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")
