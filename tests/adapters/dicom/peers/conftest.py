"""A hub whose DICOM door peers may ask, and dcmtk's programs as such peers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from schemas.network import Node, QueryRight
from storage import nodes
from tests.adapters.dicom.conftest import hub, small_hub
from tests.imaging import ImagingHub

__all__ = ["hub", "small_hub"]


def allow(hub: ImagingHub, ae_title: str, query: QueryRight = QueryRight.DISTRICT, *, port: int = 0) -> None:
    """Registers a node of the institution of that name; port: where it listens, which makes it a destination."""
    node = Node(ae_title, ae_title, query, "127.0.0.1" if port else "", port or 104, may_move=bool(port))
    with hub.verbs.database.write() as tx:
        known = {each.node.ae_title: each.id for each in nodes.nodes(tx)}
        nodes.put(tx, node, known.get(ae_title))


def dcmtk(name: str) -> str:
    """The program of that name; not pynetdicom's, which lies in the environment's own folder."""
    return shutil.which(name, path="/usr/bin:/usr/local/bin") or pytest.skip(f"install the package dcmtk for {name}")


def run(name: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One of dcmtk's programs, to its end."""
    command = [dcmtk(name), *arguments]
    environment = {**os.environ, "TCP_NODELAY": "1"}
    return subprocess.run(
        command, env=environment, capture_output=True, timeout=60, check=False, cwd=cwd, text=True, errors="replace"
    )


@pytest.fixture
def asked(small_hub: ImagingHub) -> ImagingHub:
    """A hub that CHC01 may ask for everything."""
    allow(small_hub, "CHC01")
    return small_hub
