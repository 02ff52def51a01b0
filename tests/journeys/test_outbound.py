"""Results on their way out of a whole hub that is killed at bad moments, and what an operator sees of it."""

import socket
import threading
from pathlib import Path

import pytest

from adapters.hl7v2.frames import framed
from hub.access import disclosure_for
from hub.notify import Notify
from schemas.disclosure import Principal, Role
from schemas.dispatch import Destination, DispatchState
from storage.database import Database
from tests.engines import Engines
from tests.journeys.process import Hub, seed, serving
from tests.receiving import acknowledgement, control_id, eventually, receiving

ADMIN = disclosure_for(Principal("admin", "admin", Role.ADMIN, "DH01"))
RESULT = (
    "MSH|^~\\&|LIS|CHC01|DXHUB|X|20261121103000||ORU^R01^ORU_R01|M{number}|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||P1^^^CHC01^MR||王芳||19900101|F\r"
    "ORC|RE|PL{number}^DH01|FI{number}\r"
    "OBR|1|PL{number}^DH01|FI{number}|58410-2^血常规^LN|||20261121100000|||||||||||||||20261121102900||LAB|F\r"
    "OBX|1|NM|718-7^血红蛋白^LN||{number}|g/L|||||F\r"
)


def send(hub: Hub, number: int) -> None:
    with socket.create_connection(("127.0.0.1", hub.ports["mllp"]), timeout=30) as line:
        line.sendall(framed(RESULT.format(number=1000 + number).encode()))
        assert b"MSA|AA|" in line.recv(65536)


def test_a_hub_that_is_killed_before_the_answer_sends_the_same_bytes_again_and_keeps_the_order(
    migrated_urls: Engines, tmp_path: Path
) -> None:
    tokens = seed(migrated_urls)
    database = Database(migrated_urls.database_url)
    notify = Notify(database)
    answered = threading.Event()
    with receiving() as receiver:

        def wait(message: bytes) -> bytes:
            answered.wait(60)
            return acknowledgement(message, "AA")

        receiver.answer = wait
        notify.put_destination(ADMIN, Destination("DH01", "HIS", "127.0.0.1", receiver.port))
        with serving(migrated_urls, tmp_path, tokens) as hub:
            for number in range(3):
                send(hub, number)
            receiver.wait(1)
            hub.kill()  # the receiver has the first message, and nobody heard its answer
        answered.set()
        with serving(migrated_urls, tmp_path, tokens) as hub:
            messages = receiver.wait(4)
            eventually(lambda: notify.dispatches(ADMIN, state=DispatchState.DELIVERED).total == 3)
            with hub.http() as http:
                assert 'dxhub_waiting{what="dispatches-dead"} 0.0' in http.get("/metrics").text
            assert hub.stop() == 0
    assert messages[0] == messages[1]
    assert [b"FI100%d" % number in message for number, message in enumerate(messages[1:])] == [True, True, True]
    assert len({control_id(message) for message in messages}) == 3
    database.close()


def test_a_tls_file_that_cannot_be_used_is_told_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing", encoding="ascii")
    urls = Engines("embedded", f"sqlite:///{tmp_path}/hub.db", f"file://{tmp_path}/objects")
    bad = str(tmp_path / "bad.pem")
    settings = {"DXHUB_MLLP_TLS_CERTIFICATE": bad, "DXHUB_MLLP_TLS_KEY": bad}
    with pytest.raises(AssertionError, match="TLS certificate"), serving(urls, tmp_path, {}, **settings):
        pass
