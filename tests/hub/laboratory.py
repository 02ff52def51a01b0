"""The kernel with the real reader of HL7 v2, and messages of a laboratory that writes codes of its own."""

import io

from adapters import hl7v2
from adapters.registry import sniff
from hub.ingest import Ingest
from hub.profiles import Profiles
from hub.terminology import Terminology
from schemas.delivery import Channel, Claim, Delivery, Format, Receipt
from schemas.disclosure import Principal, Role
from tests.engines import Engines

from .kernel import Kernel, kernel

LAB = Principal("lab", "秦主管", Role.LAB_REVIEWER, "DH02")
READERS = hl7v2.ADAPTER.readers


def message(
    number: int = 1,
    *,
    code: str = "1001^白细胞",
    value: str = "7.2",
    unit: str = "10*9/L",
    sender: str = "CHC01",
    pid: str = "",
    characters: str = "^~\\&",
) -> bytes:
    """A blood count of one result."""
    text = (
        f"MSH|{characters}|LIS|{sender}|HUB|DX|20261121083000||ORU^R01|M{number}|P|2.5.1||||||UNICODE UTF-8\r"
        f"{pid or f'PID|1||P1^^^{sender}^MR||王^芳||19680412|F'}\r"
        f"OBR|1||F{sender}{number:05d}|CBC^血常规|||202611{1 + number % 20:02d}0815|||||||||||||||20261121||LAB|F\r"
        f"OBX|1|NM|{code}||{value}|{unit}|3.5-9.5|N|||F\r"
    )
    return text.encode()


class Laboratory:
    """A hub, and as many processes beside it as a test asks for."""

    def __init__(self, urls: Engines) -> None:
        self.kernel: Kernel = kernel(urls)
        self.kernel.ingest.close()
        self.kernel.ingest = self.process()
        self.terminology = Terminology(self.kernel.database)
        self.profiles = Profiles(
            self.kernel.database,
            self.kernel.objects,
            READERS,
            sniff,
            self.kernel.ingest.replay,
            repairs=hl7v2.ADAPTER.repairs,
            strict=hl7v2.ADAPTER.strict,
            examiners=hl7v2.ADAPTER.examiners,
        )
        self._others: list[Ingest] = []

    def process(self) -> Ingest:
        """Another process that takes deliveries for the same hub."""
        made = Ingest(self.kernel.database, self.kernel.objects, self.kernel.senders, READERS, sniff)
        if hasattr(self, "_others"):
            self._others.append(made)
        return made

    def send(self, content: bytes, sender: str = "CHC01", by: Ingest | None = None) -> Receipt:
        """Delivers a message as that sender."""
        origin = self.kernel.senders.identify(Claim(Channel.MLLP, sender, "127.0.0.1"))
        return (by or self.kernel.ingest).deliver(Delivery(origin, Format.HL7V2, io.BytesIO(content), "M"))

    def close(self) -> None:
        """Ends it."""
        for ingest in (self.kernel.ingest, *self._others):
            ingest.close()
        self.kernel.database.close()
