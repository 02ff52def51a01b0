"""What a large message costs a running hub in memory."""

import base64
import random
import socket
from pathlib import Path

import pytest

from adapters.hl7v2.frames import framed
from tests.engines import Engines
from tests.journeys.process import Hub, seed, serving

MB = 1 << 20
MOST_MB = 40
_HEADER = "MSH|^~\\&|LIS|CHC01|DXHUB|CENTRE|20261121103000||ORU^R01^ORU_R01|{id}|P|2.5.1||||||UNICODE UTF-8\r"
_REST = (
    "PID|1||P1^^^CHC01^MR||{name}||19900101|F\r"
    "OBR|1|PL{id}|FI{id}|58410-2^CBC^LN|||20261121100000|||||||||||||||20261121102900||LAB|F\r"
    "OBX|1|NM|2823-3^钾^LN||4.1|mmol/L|3.5-5.3|N|||F\r"
)


def message(number: int, name: str, document: bytes = b"") -> bytes:
    text = (_HEADER + _REST).format(id=f"M{number}", name=name)
    if document:
        text += f"OBX|2|ED|11502-2^报告^LN||^application^pdf^Base64^{base64.b64encode(document).decode()}||||||F\r"
    return text.encode()


def sent(hub: Hub, content: bytes) -> bytes:
    """The acknowledgement."""
    with socket.create_connection(("127.0.0.1", hub.ports["mllp"]), timeout=60) as line:
        line.sendall(framed(content))
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = line.recv(65536)
            assert part, "hung up"
            answer += part
    return answer


def resident_mb(process: int, what: str) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="install Linux: the peak is read from /proc")
# Characters of the first plane take two bytes each in memory, those beyond it four.
@pytest.mark.parametrize("name", ["王芳", "𠮷瑞"])
def test_a_message_of_5_mb_with_a_document_needs_little_more_than_itself(tmp_path: Path, name: str) -> None:
    urls = Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")
    document = b"%PDF-1.4\n" + random.Random(1).randbytes(15 * MB // 4)
    with serving(urls, tmp_path, seed(urls), DXHUB_RECEIVERS="1") as hub:
        for number in range(20):
            assert b"MSA|AA|" in sent(hub, message(number, name))
        process = hub.process.pid
        Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        idle = resident_mb(process, "VmRSS")
        for number in range(100, 103):
            content = message(number, name, document + bytes([number]))
            assert len(content) > 5 * MB
            assert b"MSA|AA|" in sent(hub, content)
        assert resident_mb(process, "VmHWM") - idle <= MOST_MB
