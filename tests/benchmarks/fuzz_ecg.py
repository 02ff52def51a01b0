"""Mutated ECG files of every format: only faults, nothing over two seconds, no file read and no address called.

    python -m tests.benchmarks.fuzz_ecg --count 20000 --samples $DXHUB_SAMPLES

What is read is measured and written as DICOM as well, as the hub would.
Prints one JSON object; exits 1 where a promise was broken, with the seeds that show it.
"""

import argparse
import io
import json
import random
import sys
import threading
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from adapters.dicom import REPORT_WRITER
from adapters.registry import READERS, sniff
from hub.demo import ecg_files
from hub.measuring import measured
from schemas.delivery import Format, PatientHint
from schemas.ecg import EcgRecording
from schemas.faults import Fault
from schemas.report import Report
from tests.adapters.dicom.recordings import offered, report
from tests.adapters.ecg import test_edf, test_picture, test_wfdb
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, examination, origin

LONGEST_S = 2.0
_HEAD = 4096
# What numbers and tags become in damaged or hostile files.
_WORDS = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x7f\xff",
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999",
    b"\xc3\x28",
    b"<",
    b"&x;",
)
_OUTSIDE = (
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>',
    b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>',
    b'<?xml-stylesheet href="file:///etc/hostname" type="text/xsl"?>',
)
# What an interpreter says before it goes outside, and what it reads of its own all the same.
_GOING_OUT = frozenset(
    {"open", "os.open", "socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen"}
)
_OWN = (sys.prefix, sys.base_prefix, "/usr/share/zoneinfo", "/usr/lib")


@dataclass
class Outcome:
    """What a run found. `broken`: what was promised and not kept, with the seed that shows it."""

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    broken: list[str] = field(default_factory=list)


class Outside:
    """Whether anything was opened or called while a file was read. An audit hook stays for good: made once."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.watching = 0  # the thread that reads
        sys.addaudithook(self._heard)

    def _heard(self, event: str, told: tuple[object, ...]) -> None:
        if self.watching == threading.get_ident() and event in _GOING_OUT and not str(told[0]).startswith(_OWN):
            self.seen.append(f"{event} {told[0]}")


@cache
def outside() -> Outside:
    """The one of this process."""
    return Outside()


def sound(samples: Path | None) -> list[tuple[Format, bytes]]:
    """Files of every format, as carts write them; of some only where there are samples."""
    made = examination()
    found = [
        (Format.DICOM, ecg_files.part10(made)),
        (Format.AECG, ecg_files.xml(made)),
        (Format.SCP_ECG, ecg_files.record(made)),
        (Format.PDF, ecg_files.pdf(made)),
        (Format.PICTURE, test_picture.GOOD["png"]),
        (Format.PICTURE, test_picture.GOOD["jpeg"]),
        (Format.PICTURE, test_picture.BOMB),
        (Format.EDF, test_edf.file()),
        (Format.WFDB, test_wfdb.record(212, test_wfdb.PACKED[212], test_wfdb.VALUES)),
    ]
    paths = sorted((samples / "ecg").rglob("*")) if samples else []
    contents = [path.read_bytes() for path in paths if path.is_file()]
    return found + [(kind, each) for each in contents if (kind := sniff(each[:_HEAD])) in READERS]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Bytes changed, put in, taken out, repeated or cut off; usually near the head, where the structure is."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(min(len(changed), chance.choice((300, 4000, 1 << 24)))) if changed else 0
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                word = chance.choice(_WORDS)
                changed[at : at + len(word)] = word
            case 2:
                changed[at:at] = chance.choice((*_WORDS, *_OUTSIDE, chance.randbytes(chance.randint(1, 40))))
            case 3:
                del changed[at : at + chance.choice((1, 2, 7, 300))]
            case 4:
                changed[at:at] = changed[at : at + chance.choice((4, 64, 900))] * chance.choice((1, 3, 20))
            case _ if chance.random() < 0.2:
                del changed[at:]
    return bytes(changed)


def _zip_of_mutated(content: bytes, chance: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    changed = chance.choice(sorted(files))
    return test_wfdb.zipped(files | {changed: mutated(files[changed], chance)})


def run(seeds: Iterable[str], samples: Path | None) -> Outcome:
    """One file for each seed: the same one every time."""
    outcome, files = Outcome(), sound(samples)
    hinted = origin(PatientHint(PATIENT, "ecg", observed_at=OBSERVED_AT))
    watch = outside()
    taken(examination().signal.recording, report())  # whatever is imported late is imported now
    for seed in seeds:
        chance = random.Random(seed)
        kind, content = chance.choice(files)
        inside = kind is Format.WFDB and content.startswith(b"PK") and chance.random() < 0.8
        # A zip notices every change of its files: they are changed before it is made.
        content = _zip_of_mutated(content, chance) if inside else mutated(content, chance)
        begun = time.process_time()  # of this process alone: a busy machine is no fault of a file
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                watch.watching = threading.get_ident()
                reading = READERS[kind](io.BytesIO(content), chance.choice((origin(), hinted)))
                for told, (_, recording) in zip(reading.reports, reading.recordings, strict=False):
                    taken(recording, told)
            outcome.read[kind] += 1
        except Fault as fault:
            outcome.refused[f"{kind} {fault.category.value}"] += 1
        except Exception as error:  # noqa: BLE001 - that there is none is what is tested
            outcome.broken.append(f"{seed} ({kind}): {type(error).__name__}: {error}")
        finally:
            watch.watching = 0
        took = time.process_time() - begun
        outcome.slowest_s = max(outcome.slowest_s, took)
        if took > LONGEST_S:
            outcome.broken.append(f"{seed} ({kind}): took {took:.2f} s")
    outcome.broken += watch.seen
    watch.seen = []
    return outcome


def taken(recording: EcgRecording, told: Report) -> None:
    """What the hub does with a recording, once it is read."""
    REPORT_WRITER.waveform(offered(replace(measured(told, recording), recording="ab" * 32)), recording)


def main() -> int:
    """Runs as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--samples", type=Path)
    arguments = parser.parse_args()
    begun = time.monotonic()
    found = run((f"{arguments.seed}-{number}" for number in range(arguments.count)), arguments.samples)
    print(
        json.dumps(
            {
                "files": arguments.count,
                "read": dict(sorted(found.read.items())),
                "refused": dict(sorted(found.refused.items())),
                "slowest_s": round(found.slowest_s, 3),
                "took_s": round(time.monotonic() - begun, 1),
                "broken": found.broken[:20],
                "broken_count": len(found.broken),
            },
            indent=1,
        )
    )
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
