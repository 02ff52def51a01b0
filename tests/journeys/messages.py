"""HL7 v2 as a community laboratory would send it, and a client that waits for each acknowledgement."""

import socket
import time

from tests.journeys.process import Hub


def oru(number: int | str, *, patient: str = "", name: str = "测试", obx: int = 3, facility: str = "CHC01") -> bytes:
    """An ORU^R01 of a patient and order of its own."""
    patient = patient or f"P{number}"
    lines = [
        f"MSH|^~\\&|LIS|{facility}|DXHUB||20261121103000+0800||ORU^R01^ORU_R01|{number}|P|2.5.1|||AL|NE||UNICODE UTF-8",
        f"PID|1||{patient}^^^{facility}^MR||{name}||19800101|M",
        f"ORC|RE||F{number}",
        f"OBR|1||F{number}|58410-2^CBC^LN|||20261121100000+0800|||||||||||||||20261121102900+0800||LAB|F",
        *(f"OBX|{i + 1}|NM|718-7^HGB^LN|{i}|{130 + i}|g/L|130-175|N|||F" for i in range(obx)),
    ]
    return "\r".join(lines).encode() + b"\r"


class Mllp:
    """One connection of a sender."""

    def __init__(self, port: int, timeout_s: float = 30) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: bytes) -> bytes:
        """The acknowledgement, without its frame. Raises ConnectionError where the hub went away."""
        self.socket.sendall(b"\x0b" + message + b"\x1c\r")
        return self.receive()

    def receive(self) -> bytes:
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("closed before the acknowledgement")
            answer += part
        return answer[1:-2]

    def close(self) -> None:
        self.socket.close()


def wait_until_taken(hub: Hub, within_s: float = 30) -> None:
    """Until the hub takes a message: what a sender who retries would do."""
    deadline = time.monotonic() + within_s
    while True:
        sender = Mllp(hub.ports["mllp"])
        answer = sender.send(oru(f"again{time.monotonic_ns()}"))
        sender.close()
        if b"MSA|CA" in answer:
            return
        if time.monotonic() > deadline:
            raise AssertionError(answer)
        time.sleep(0.2)
