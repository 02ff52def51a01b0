"""HL7 v2 over MLLP: acknowledged messages a second, beside python-hl7's bare parse of the same message.

    python -m tests.benchmarks.mllp [--rounds 3] [--connections 8] [--messages 2000] [--results 30]

The peer only parses: nothing is stored, indexed or promised. A ratio of 1 means that a durable, findable report costs
no more than that.
"""

import argparse
import random
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import hl7

from tests.benchmarks import running

_ANALYTES = (
    ("6690-2", "WBC", "10*9/L"),
    ("789-8", "RBC", "10*12/L"),
    ("718-7", "HGB", "g/L"),
    ("4544-3", "HCT", "%"),
    ("777-3", "PLT", "10*9/L"),
    ("2823-3", "K", "mmol/L"),
)
_PARSES = 200


def message(run: str, number: int, results: int) -> bytes:
    """An ORU^R01 of its own patient, order and control id."""
    chance = random.Random(number)
    born = f"{chance.randint(1935, 2015)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    key = f"{run}{number:06d}"
    lines = [
        f"MSH|^~\\&|LIS|CHC01|DXHUB|LAB|20260101093000+0800||ORU^R01^ORU_R01|M{key}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{key}^^^CHC01^MR||基准^{number}||{born}|{'FM'[number % 2]}",
        "PV1|1|O",
        f"ORC|RE|P{key}|L{key}",
        f"OBR|1|P{key}|L{key}|58410-2^CBC^LN|||20260101080000+0800{'|' * 15}20260101092500+0800||LAB|F",
    ]
    for index in range(results):
        code, name, unit = _ANALYTES[index % len(_ANALYTES)]
        value, sub_id = f"{chance.uniform(2, 12):.2f}", index // len(_ANALYTES) + 1
        lines.append(
            f"OBX|{index + 1}|NM|{code}^{name}^LN|{sub_id}|{value}|{unit}^{unit}^UCUM|2-12|N|||F|||20260101080000+0800"
        )
    return "".join(line + "\r" for line in lines).encode()


def drive(port: int, work: list[bytes]) -> Iterator[float]:
    """Sends one after the other on one connection; the seconds that each waited for its acknowledgement."""
    with socket.create_connection(("127.0.0.1", port), 60) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for payload in work:
            begun = time.perf_counter()
            peer.sendall(b"\x0b" + payload + b"\x1c\x0d")
            answer = b""
            while not answer.endswith(b"\x1c\x0d"):
                part = peer.recv(65536)
                if not part:
                    raise ConnectionError("closed before the acknowledgement")
                answer += part
            if b"|AA|" not in answer and b"|CA|" not in answer:
                raise RuntimeError(f"refused: {answer!r}")
            yield time.perf_counter() - begun


def send(port: int, work: list[bytes], connections: int) -> tuple[float, list[float]]:
    """Messages a second over all connections, and every wait in seconds, shortest first."""
    shares = [work[first::connections] for first in range(connections)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        waits = [wait for share in pool.map(lambda each: list(drive(port, each)), shares) for wait in share]
    return len(work) / (time.perf_counter() - begun), sorted(waits)


def parse_rate(payload: bytes) -> float:
    """How many such messages python-hl7 parses a second on one core."""
    text = payload.decode()
    begun = time.perf_counter()
    for _ in range(_PARSES):
        hl7.parse(text)
    return _PARSES / (time.perf_counter() - begun)


def main(argv: Sequence[str] | None = None) -> None:
    """Rounds of load and yardstick in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--results", type=int, default=30)
    arguments = parser.parse_args(argv)
    rates, parses, waits = [], [], []
    with running.hub("mllp") as ours:
        for number in range(arguments.rounds):
            run = f"{time.time_ns() // 10**6 % 10**8}{number}"
            work = [message(run, each, arguments.results) for each in range(arguments.messages)]
            rate, waited = send(ours.port, work, arguments.connections)
            rates.append(rate)
            waits.append(waited)
            parses.append(parse_rate(work[0]))
    rate, parse = statistics.median(rates), statistics.median(parses)
    middle, late = (statistics.median(each[int(len(each) * share)] for each in waits) * 1000 for share in (0.5, 0.99))
    print(f"dxhub            {rate:8.0f} messages/s   p50 {middle:.1f} ms, p99 {late:.1f} ms")
    print(f"python-hl7 parse {parse:8.0f} messages/s   ours/theirs {rate / parse:5.2f}")


if __name__ == "__main__":
    main()
