"""DICOMweb: how long a client waits, ours and Orthanc's (with its DICOMweb plugin), the same instances in both.

    python -m tests.benchmarks.dicomweb [--slices 600] [--times 200]

One patient with a long series of 0.5 MB CT slices, and fifteen others with a short one. Times are those of one client
that keeps its connection and asks one thing after another; ours includes looking up the token and the audit record.
"""

import argparse
import contextlib
import http.client
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.benchmarks.cstore import _header as plain_header
from tests.benchmarks.cstore import send
from tests.benchmarks.running import Receiver, web_hub, web_orthanc

_SIDE = 512
_OTHERS, _FEW = 15, 4
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Series:
    """The long series."""

    patient: str
    study: str
    series: str
    instances: tuple[str, ...]


def write(folder: Path, slices: int) -> Series:
    """Writes the load, a folder a study."""
    long = _study(folder / "long", 0, slices)
    for number in range(1, _OTHERS + 1):
        _study(folder / f"short{number}", number, _FEW)
    return long


def _study(folder: Path, number: int, slices: int) -> Series:
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(number).integers(900, 1100, (_SIDE, _SIDE), np.uint16).tobytes()
    header = plain_header(number, _SIDE, pixels)
    _as_devices_write(header)
    uids = []
    for position in range(slices):
        header.InstanceNumber, header.SliceLocation = position + 1, position * 0.625
        header.ImagePositionPatient = [-250.0, -250.0, -100 + position * 0.625]
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        uids.append(str(header.SOPInstanceUID))
        header.save_as(folder / f"{position}.dcm", enforce_file_format=True)
    return Series(str(header.PatientID), str(header.StudyInstanceUID), str(header.SeriesInstanceUID), tuple(uids))


def _as_devices_write(header: Dataset) -> None:
    """About as many elements as the header of a real slice has."""
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.Manufacturer, header.ManufacturerModelName = "Invented", "Scanner 64"
    header.InstitutionName, header.StationName = "Community Health Centre", "CT01"
    header.StudyDescription, header.SeriesDescription = "Chest", "Lung 0.625"
    header.BodyPartExamined, header.PatientPosition = "CHEST", "HFS"
    header.SliceThickness, header.KVP, header.XRayTubeCurrent = 0.625, 120, 250
    header.FrameOfReferenceUID, header.ImageOrientationPatient = generate_uid(), [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.WindowCenter, header.WindowWidth = [0.7, 0.7], [40, -600], [400, 1500]
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "CT", "DCM", "Computed Tomography"
    header.ProcedureCodeSequence = [item]
    block = header.private_block(0x0043, "INVENTED_PARM_01", create=True)
    for number in range(40):
        block.add_new(number, "DS", [str(number * 1.5), str(number)])


class Client:
    """One connection, kept."""

    def __init__(self, port: int, root: str, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._root = root
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, accept: str) -> int:
        """The length of the body. Raises RuntimeError where it is no success."""
        self._connection.request("GET", self._root + path, headers=self._headers | {"Accept": accept})
        answer = self._connection.getresponse()
        size = 0
        buffer = bytearray(_CHUNK)
        while count := answer.readinto(buffer):
            size += count
        if answer.status != 200:
            raise RuntimeError(f"{self._root}{path}: {answer.status}")
        return size


_JSON = "application/dicom+json"
_OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
_FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass
class Figures:
    """Of one server. seconds: by question."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    megabytes: float = 0.0

    def p50(self, what: str) -> float:
        """Milliseconds."""
        return statistics.median(self.seconds[what]) * 1000


def ask(client: Client, long: Series, times: int, figures: Figures) -> None:
    """One round of every question."""
    series = f"/studies/{long.study}/series/{long.series}"
    chance = random.Random(0)
    frame = [f"{series}/instances/{chance.choice(long.instances)}/frames/1" for _ in range(times)]
    _timed(figures, "QIDO by patient", [f"/studies?PatientID={long.patient}"] * times, client, _JSON)
    _timed(figures, "one frame", frame, client, _OCTETS)
    _timed(figures, "metadata of the series", [f"{series}/metadata"] * max(times // 20, 3), client, _JSON)
    begun = time.perf_counter()
    size = client.get(f"/studies/{long.study}", _FILES)
    figures.seconds.setdefault("study", []).append(time.perf_counter() - begun)
    figures.megabytes = size / 1e6


def _timed(figures: Figures, what: str, paths: list[str], client: Client, accept: str) -> None:
    client.get(paths[0], accept)
    for path in paths:
        begun = time.perf_counter()
        client.get(path, accept)
        figures.seconds.setdefault(what, []).append(time.perf_counter() - begun)


@contextlib.contextmanager
def _loaded(folder: Path, sender: str) -> Iterator[list[tuple[Receiver, Client]]]:
    with web_hub() as (ours, web, token), web_orthanc() as theirs:
        clients = [(ours, Client(web, "/dicomweb", token))]
        if theirs:
            clients.append((theirs[0], Client(theirs[1], "/dicom-web", "")))
        for receiver, _ in clients:
            send(folder, receiver, 2, sender)
        yield clients


def main(argv: Sequence[str] | None = None) -> None:
    """Asks both in turn, round by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=600)
    parser.add_argument("--times", type=int, default=200, help="questions of each kind in a round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    sender = shutil.which("storescu", path="/usr/bin:/usr/local/bin")
    if sender is None:
        sys.exit("storescu is missing; install dcmtk")
    with tempfile.TemporaryDirectory(prefix="dicomweb-load-") as name:
        long = write(Path(name), arguments.slices)
        with _loaded(Path(name), sender) as clients:
            _first(clients[0][1], long)
            figures = {receiver.name: Figures() for receiver, _ in clients}
            for _ in range(arguments.rounds):
                for receiver, client in clients:
                    ask(client, long, arguments.times, figures[receiver.name])
    report(figures)


def _first(client: Client, long: Series) -> None:
    """The metadata asked for at once, perhaps before the worker has made them."""
    begun = time.perf_counter()
    client.get(f"/studies/{long.study}/series/{long.series}/metadata", _JSON)
    print(f"dxhub: metadata right after the last acknowledgement {(time.perf_counter() - begun) * 1000:.0f} ms")


def report(figures: dict[str, Figures]) -> None:
    """A line for each question and server."""
    mine = next(iter(figures.values()))
    for what in ("QIDO by patient", "one frame", "metadata of the series"):
        for name, each in figures.items():
            print(
                f"{what:24} {name:8} p50 {each.p50(what):8.2f} ms   ours/theirs {mine.p50(what) / each.p50(what):5.2f}"
            )
    for name, each in figures.items():
        rate = each.megabytes / each.p50("study") * 1000
        ratio = rate and mine.megabytes / mine.p50("study") * 1000 / rate
        print(f"{'study':24} {name:8} {rate:12.0f} MB/s ours/theirs {ratio:5.2f}")


if __name__ == "__main__":
    main()
