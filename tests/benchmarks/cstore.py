"""C-STORE: instances a second, ours and a peer's, by dcmtk's storescu over several associations.

    python -m tests.benchmarks.cstore [--rounds 3] [--associations 4] [--scale 1.0]

Two loads: `big`, 800 CT slices of 0.5 MB, and `small`, 2,000 of 20 KB; eight studies each, new UIDs in every round, so
that nobody can answer from memory. A round that is not acknowledged to the last instance is no round.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from tests.benchmarks import running
from tests.benchmarks.memory import tree
from tests.benchmarks.running import Receiver

STUDIES = 8


@dataclass(frozen=True)
class Load:
    """What is sent in a round: per study so many square slices of `side` pixels."""

    name: str
    slices: int
    side: int

    def write(self, folder: Path) -> None:
        """Writes one folder of Part 10 files a study."""
        pixels = np.random.default_rng(0).integers(900, 1100, (self.side, self.side), np.uint16).tobytes()
        for study in range(STUDIES):
            where = folder / f"study{study}"
            where.mkdir(parents=True)
            header = _header(study, self.side, pixels)
            for number in range(1, self.slices + 1):
                header.InstanceNumber, header.SliceLocation = number, number
                header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
                header.save_as(where / f"{number}.dcm", enforce_file_format=True)


def _header(study: int, side: int, pixels: bytes) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID = f"B{time.monotonic_ns() % 10**9}{study}"
    dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = "Bench^Mark", "19800101", "F"
    dataset.StudyDate, dataset.StudyTime, dataset.Modality = "20260101", "080000", "CT"
    dataset.AccessionNumber, dataset.StudyID, dataset.SeriesNumber = dataset.PatientID, "1", 1
    dataset.Rows = dataset.Columns = side
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
    return dataset


def send(folder: Path, receiver: Receiver, associations: int, sender: str) -> float:
    """Instances a second from the first connection to the last release. Raises RuntimeError where one was refused."""
    studies = sorted(folder.iterdir())
    shares = [share for share in (studies[first::associations] for first in range(associations)) if share]
    begun = time.perf_counter()
    senders = [
        subprocess.Popen(
            [sender, "-aec", receiver.title, "-xe", "+sd", "+r", "127.0.0.1", str(receiver.port), *map(str, share)],
            # Without it dcmtk waits for delayed acknowledgements of TCP, and that is what would be measured.
            env=os.environ | {"TCP_NODELAY": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for share in shares
    ]
    said = [process.communicate()[0] for process in senders]
    took = time.perf_counter() - begun
    for process, text in zip(senders, said, strict=True):
        if process.returncode or "E:" in text or "W: Store Failed" in text:
            raise RuntimeError(f"{receiver.name} refused:\n{text[-800:]}")
    return sum(len(list(study.iterdir())) for study in studies) / took


def cpu_s(process: int) -> float:
    """Processor time that the process and all that it has started have used, in seconds; they must still run."""
    fields = [Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split() for each in tree(process)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def main(argv: Sequence[str] | None = None) -> None:
    """Every receiver takes every load in turn, round by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--associations", type=int, default=4)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the load, for a quick look")
    arguments = parser.parse_args(argv)
    sender = shutil.which("storescu", path="/usr/bin:/usr/local/bin")
    if sender is None:
        sys.exit("storescu is missing; install dcmtk")
    loads = [Load("big", round(100 * arguments.scale), 512), Load("small", round(250 * arguments.scale), 96)]
    with running.hub("dicom") as ours, running.storescp() as plain, running.orthanc() as indexed:
        receivers = [receiver for receiver in (ours, plain, indexed) if receiver]
        rates: dict[tuple[str, str], list[float]] = defaultdict(list)
        worked: dict[str, list[float]] = defaultdict(list)
        for _ in range(arguments.rounds):
            for load in loads:
                for receiver in receivers:
                    with contextlib.ExitStack() as stack:
                        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cstore-load-")))
                        load.write(folder)
                        before = cpu_s(receiver.process) if receiver.process else 0.0
                        rate = send(folder, receiver, arguments.associations, sender)
                        if receiver.process:
                            each = (cpu_s(receiver.process) - before) / (STUDIES * load.slices)
                            worked[load.name].append(each * 1000)
                        rates[load.name, receiver.name].append(rate)
    for load in loads:
        mine = statistics.median(rates[load.name, ours.name])
        for receiver in receivers:
            rate = statistics.median(rates[load.name, receiver.name])
            print(f"{load.name:6} {receiver.name:16} {rate:8.0f} instances/s   ours/theirs {mine / rate:5.2f}")
        print(f"{load.name:6} {ours.name:16} {statistics.median(worked[load.name]):8.2f} ms of processor an instance")


if __name__ == "__main__":
    main()
