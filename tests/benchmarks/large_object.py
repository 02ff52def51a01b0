"""What the receiver needs of memory while one large instance comes in by C-STORE.

    python -m tests.benchmarks.large_object [--megabytes 1024]

Memory is the proportional set size of all of the hub's processes together. Linux only; needs dcmtk's storescu.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pydicom.uid import generate_uid

from tests.benchmarks import running
from tests.benchmarks.cstore import Load
from tests.benchmarks.memory import memory_mb

_FRAME_MB = 8  # 2048 x 2048 pixels of 16 bits
_LOOKS_EVERY_S = 0.02


def write_multi_frame(path: Path, megabytes: int) -> None:
    """A multi-frame CT of about that size, written without ever standing in memory."""
    frames = max(1, megabytes // _FRAME_MB)
    with tempfile.TemporaryDirectory() as folder:
        Load("one", 1, 16).write(Path(folder, "load"))
        head = Path(folder, "load", "study0", "1.dcm").read_bytes()
    # Of the pixel data's element only its head is kept, with a length of its own.
    head = head[: head.rindex(b"\xe0\x7f\x10\x00OW")]
    for side, tag in ((2048, b"\x28\x00\x10\x00US\2\0"), (2048, b"\x28\x00\x11\x00US\2\0")):
        at = head.index(tag) + len(tag)
        head = head[:at] + side.to_bytes(2, "little") + head[at + 2 :]
    number = str(frames).rjust(4).encode()
    rows = head.index(b"\x28\x00\x10\x00US")
    head = head[:rows] + b"\x28\x00\x08\x00IS\4\0" + number + head[rows:]
    with path.open("wb") as target:
        target.write(head + b"\xe0\x7f\x10\x00OW\0\0" + (frames * _FRAME_MB << 20).to_bytes(4, "little"))
        for _ in range(frames):
            target.write(os.urandom(_FRAME_MB << 20))


def peak_while(process: int, command: list[str]) -> tuple[float, float]:
    """The most memory seen while the command runs, in MB, and the seconds that it took. Raises where it fails."""
    seen, done = [memory_mb(process)], threading.Event()

    def look() -> None:
        while not done.wait(_LOOKS_EVERY_S):
            seen.append(memory_mb(process))

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.perf_counter()
    try:
        subprocess.run(command, check=True, env=os.environ | {"TCP_NODELAY": "1"}, timeout=900)
        took = time.perf_counter() - began
        # The header is described after the answer: that is part of what it needs.
        time.sleep(2)
    finally:
        done.set()
        watcher.join()
    return max(seen), took


def main(argv: Sequence[str] | None = None) -> None:
    """A small instance warms the hub up; then the large one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    arguments = parser.parse_args(argv)
    sender = shutil.which("storescu", path="/usr/bin:/usr/local/bin")
    if sender is None:
        sys.exit("storescu is missing; install dcmtk")
    with running.hub("dicom") as ours, tempfile.TemporaryDirectory(prefix="large-") as folder:
        send = [sender, "-aec", ours.title, "-xe", "127.0.0.1", str(ours.port)]
        Load("warm", 2, 64).write(Path(folder, "warm"))
        peak_while(ours.process, [*send, "+sd", "+r", f"{folder}/warm"])
        large = Path(folder, f"{generate_uid()}.dcm")
        write_multi_frame(large, arguments.megabytes)
        idle = memory_mb(ours.process)
        peak, took = peak_while(ours.process, [*send, str(large)])
        size = large.stat().st_size / (1 << 20)
        print(f"{size:.0f} MB in {took:.1f} s: {peak - idle:.1f} MB above idle ({idle:.0f} MB)")


if __name__ == "__main__":
    main()
