"""Messages and origins of invented people, and a way to read one."""

import datetime as dt
import io

from adapters.hl7v2.reader import read
from schemas.delivery import Channel, Origin, Reading
from schemas.organization import Source

RESIDENT_NUMBER = "990102199001010015"  # the check digit is right, the region does not exist


def origin(charset: str = "", time_zone: str = "Asia/Shanghai") -> Origin:
    """A community centre that sends by MLLP."""
    source = Source(1, "CHC01 LIS", "CHC01", "CHC01", charset, time_zone)
    return Origin(source, Channel.MLLP, dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC), "127.0.0.1")


def read_bytes(content: bytes, *, charset: str = "") -> Reading:
    """What the hub's reader makes of content."""
    return read(io.BytesIO(content), origin(charset))


MSH = "MSH|^~\\&|LIS|CHC01|DXHUB|CENTRE|20261121103000||ORU^R01^ORU_R01|M1|P|2.5.1||||||UNICODE UTF-8"
PID = "PID|1||P1^^^CHC01^MR||王芳||19900101|F"
OBR = "OBR|1|PL1001|FI1001|58410-2^CBC^LN|||20261121100000|||||||||||||||20261121102900||LAB|F"


def message(*segments: str, terminator: str = "\r") -> bytes:
    """Segments as a message in UTF-8."""
    return "".join(segment + terminator for segment in segments).encode()


def results(*segments: str, pid: str = PID, obr: str = OBR) -> Reading:
    """What comes out of a result message with these segments behind its order."""
    return read_bytes(message(MSH, pid, obr, *segments))
