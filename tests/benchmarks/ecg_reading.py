"""How long each ECG sample takes from its bytes to the canonical recording, to its heart rate, and to DICOM.

    python -m tests.benchmarks.ecg_reading --samples $DXHUB_SAMPLES

Prints milliseconds, the best and the usual of several runs; exits 1 where reading to canonical takes 100 ms or more.
"""

import argparse
import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adapters.dicom import REPORT_WRITER
from adapters.registry import READERS, sniff
from hub.measuring import beats
from schemas.delivery import PatientHint, Reading
from schemas.ecg import encode
from schemas.faults import Fault
from tests.adapters.dicom.recordings import SOMEBODY, contents, offered
from tests.adapters.ecg.examples import OBSERVED_AT, origin

LONGEST_MS = 100.0
_RUNS = 15
_HINT = PatientHint(SOMEBODY, "ecg", observed_at=OBSERVED_AT)


def taken_ms(run: Callable[[], object]) -> tuple[float, float]:
    """The best and the median of several runs, after one that is not counted."""
    run()
    took = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        run()
        took.append((time.perf_counter() - begun) * 1000)
    return min(took), statistics.median(took)


def _read(content: bytes) -> Reading:
    kind = sniff(content[:4096])
    try:
        reading = READERS[kind](io.BytesIO(content), origin())
    except Fault:
        reading = READERS[kind](io.BytesIO(content), origin(_HINT))
    for _, recording in reading.recordings:
        encode(recording)
    return reading


def main() -> int:
    """Runs as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, required=True)
    warnings.simplefilter("ignore")
    slow = 0
    print(f"{'file':44}{'read: best':>12}{'usual':>8}{'rate':>8}{'DICOM':>8}")
    for name, content in contents(parser.parse_args().samples):
        try:
            reading = _read(content)
        except Fault as fault:
            print(f"{name:44}refused: {fault.text}")
            continue
        if not reading.recordings:
            print(f"{name:44}a document, no recording")
            continue
        best, usual = taken_ms(lambda content=content: _read(content))  # type: ignore[misc]
        recording = reading.recordings[0][1]
        told = offered(replace(reading.reports[0], recording="ab" * 32))
        rate = taken_ms(lambda recording=recording: beats(recording))[1]  # type: ignore[misc]
        written = taken_ms(lambda told=told, recording=recording: REPORT_WRITER.waveform(told, recording))[1]  # type: ignore[misc]
        print(f"{name:44}{best:12.1f}{usual:8.1f}{rate:8.1f}{written:8.1f}")
        slow += usual >= LONGEST_MS
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
