"""What a hub under HL7 v2 load needs of memory: after few messages and after many, and for one large one.

    python -m tests.benchmarks.memory [--few 10000] [--many 100000] [--connections 8]

Memory is the proportional set size of all of the hub's processes together: what they share counts once. Linux only.
"""

import argparse
import base64
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import running
from tests.benchmarks.mllp import drive, message, send

_MB = 1 << 20
_DOCUMENT_MB = 5
_AT_A_TIME = 2_000
_LOOKS_EVERY_S = 0.005


def tree(process: int) -> list[int]:
    """The process and all that it has started, directly or not."""
    started = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(each for child in started for each in tree(int(child)))]


def memory_mb(process: int) -> float:
    """Of the process and all that it has started."""
    lines = [line for each in tree(process) for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def with_document(run: str) -> bytes:
    """A message of 5 MB: a few results and a PDF."""
    pdf = b"%PDF-1.7\n" + os.urandom(_DOCUMENT_MB * _MB * 3 // 4)
    text = base64.b64encode(pdf).decode()
    return message(run, 0, 3) + f"OBX|4|ED|PDF^report^L||^application^pdf^Base64^{text}||||||F\r".encode()


def peak_while_sending(port: int, process: int, payload: bytes) -> float:
    """The most memory, in MB, seen while one message is taken."""
    seen = [memory_mb(process)]
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(memory_mb(process))
            time.sleep(_LOOKS_EVERY_S)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        list(drive(port, [payload]))
    finally:
        done.set()
        watcher.join()
    return max(seen)


def main(argv: Sequence[str] | None = None) -> None:
    """One large message on a hub that has been warmed up; then many small ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args(argv)
    run = f"{time.time_ns() // 10**6 % 10**8}"
    with running.hub("mllp") as ours:
        send(ours.port, [message(f"{run}w", each, 30) for each in range(200)], arguments.connections)
        idle = memory_mb(ours.process)
        peak = peak_while_sending(ours.port, ours.process, with_document(f"{run}d"))
        print(f"a message of {_DOCUMENT_MB} MB: {peak - idle:6.1f} MB above idle ({idle:.0f} MB)", flush=True)
        sent, few = 0, 0.0
        while sent < arguments.many:
            work = [message(f"{run}m", sent + each, 30) for each in range(min(_AT_A_TIME, arguments.many - sent))]
            send(ours.port, work, arguments.connections)
            sent += len(work)
            if not few and sent >= arguments.few:
                few = memory_mb(ours.process)
        many = memory_mb(ours.process)
        print(f"after {arguments.few} messages {few:.0f} MB, after {sent} {many:.0f} MB: {many - few:+.1f} MB")


if __name__ == "__main__":
    main()
