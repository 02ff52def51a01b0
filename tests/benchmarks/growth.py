"""Whether the hub slows down as it fills: many small instances by C-STORE, the last of them against the first.

    python -m tests.benchmarks.growth [--count 200000] [--window 10000] [--associations 4]

Every instance is new, 250 to a study. The processor time of an instance is told beside its rate: what else runs on the
machine moves the rate, growth moves both.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import running
from tests.benchmarks.cstore import STUDIES, Load, cpu_s, send


def main(argv: Sequence[str] | None = None) -> None:
    """Rates of one window after another, and what the last is of the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--window", type=int, default=10_000)
    parser.add_argument("--associations", type=int, default=4)
    parser.add_argument("--side", type=int, default=32, help="of a slice, in pixels")
    arguments = parser.parse_args(argv)
    sender = shutil.which("storescu", path="/usr/bin:/usr/local/bin")
    if sender is None:
        sys.exit("storescu is missing; install dcmtk")
    load = Load("small", 250, arguments.side)
    rounds = max(1, round(arguments.window / (STUDIES * load.slices)))
    rates: list[float] = []
    with running.hub("dicom") as ours:
        sent = 0
        while sent < arguments.count:
            took, worked, number = 0.0, 0.0, 0
            for _ in range(rounds):
                with tempfile.TemporaryDirectory(prefix="growth-") as folder:
                    load.write(Path(folder, "load"))
                    before = cpu_s(ours.process)
                    each = STUDIES * load.slices
                    took += each / send(Path(folder, "load"), ours, arguments.associations, sender)
                    worked += cpu_s(ours.process) - before
                    number += each
            sent += number
            rates.append(number / took)
            print(
                f"{sent:8} {rates[-1]:6.0f} instances/s {worked / number * 1000:6.2f} ms of processor each", flush=True
            )
            time.sleep(0.5)
    print(f"the last {arguments.window} at {rates[-1] / rates[0]:.2f} of the first's rate")


if __name__ == "__main__":
    main()
