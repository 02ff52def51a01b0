"""A hub that takes real HL7 v2 over MLLP: a sender's socket on one side, real stores and verbs on the other."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.hl7v2.frames import framed
from adapters.hl7v2.mllp import listener
from adapters.hl7v2.reader import read
from hub.ingest import Ingest
from schemas.delivery import Format
from schemas.patient import PatientCriteria, PatientRecord
from schemas.report import ReportCriteria, ReportRecord
from tests.engines import Engines
from tests.hub.kernel import Kernel, kernel
from tests.hub.test_identity import number

MAN, WOMAN = number(), number(male=False)  # checksum valid, of nobody


@dataclass
class Laboratory:
    """What a test sends and asks. `port`: of the MLLP listener."""

    kernel: Kernel
    port: int

    def send(self, *segments: str) -> list[str]:
        """The fields of MSA, after a message of these segments went over a socket of its own."""
        return self.send_bytes("".join(f"{segment}\r" for segment in segments).encode())

    def send_bytes(self, content: bytes) -> list[str]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall(framed(content))
            heard = b""
            while not heard.endswith(b"\x1c\r"):
                part = line.recv(65536)
                assert part, "closed without an answer"
                heard += part
        msa = next(each for each in heard.decode().split("\r") if each.startswith("MSA"))
        return msa.split("|")

    def people(self) -> tuple[PatientRecord, ...]:
        return self.kernel.query.find_patients(self.kernel.ask(), PatientCriteria()).items

    def reports(self) -> tuple[ReportRecord, ...]:
        """Current reports, in the order in which they came."""
        found = self.kernel.query.reports(self.kernel.ask(), ReportCriteria()).items
        return tuple(sorted(found, key=lambda record: record.id))

    def partition(self) -> set[frozenset[str]]:
        """Which of the sources' own numbers are one person."""
        own = "urn:dxhub:authority:"
        return {
            frozenset(i.value for i in person.patient.identifiers if i.system.startswith(own))
            for person in self.people()
        }


@contextmanager
def opened(urls: Engines) -> Iterator[Laboratory]:
    """On these stores, with a listener on a free port."""
    made = kernel(urls)
    made.ingest.close()
    made.ingest = Ingest(made.database, made.objects, made.senders, {Format.HL7V2: read}, lambda _: Format.HL7V2)
    server = listener("127.0.0.1", 0, made.ingest.deliver, made.senders.identify)
    server.start()
    try:
        yield Laboratory(made, server.port)
    finally:
        server.stop()
        made.ingest.close()
        made.database.close()


_counter = iter(range(1, 1_000_000))


def head(kind: str, facility: str = "CHC01", receiver: str = "DXHUB") -> str:
    """MSH of a message that was never sent before."""
    control = next(_counter)
    return f"MSH|^~\\&|LIS|{facility}|HUB|{receiver}|20261122090000||{kind}|C{control}|P|2.5.1||||||UNICODE UTF-8"


def pid(
    value: str, name: str = "李明", born: str = "19800101", sex: str = "M", resident: str = "", by: str = ""
) -> str:
    """PID with a source's own number, and a resident number if there is one."""
    numbers = f"{value}^^^{by}^MR" + (f"~{resident}^^^^NNCHN" if resident else "")
    return f"PID|1||{numbers}||{name}||{born}|{sex}"
