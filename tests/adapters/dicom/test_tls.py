"""DICOM over TLS, over real sockets: who may come in, and what those meet who may not."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.dicom.store_scp import StoreScp
from adapters.tls import server_context
from schemas.delivery import Claim, Delivery, Origin, Receipt
from tests.adapters.authority import Authority, Issued
from tests.adapters.dicom.test_listener import answers, identify, take
from tests.imaging import ct, part10, written


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def own(authority: Authority) -> Issued:
    return authority.issue("hub", hosts=("127.0.0.1", "localhost"))


class Custody:
    """Remembers who came and how much of what they sent was read."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.sizes: list[int] = []

    def identify(self, claim: Claim) -> Origin:
        self.claims.append(claim)
        return identify(claim)

    def deliver(self, delivery: Delivery) -> Receipt:
        self.sizes.append(sum(map(len, iter(lambda: delivery.content.read(1 << 16), b""))))
        return take(delivery)


@contextlib.contextmanager
def listening(custody: Custody, context: ssl.SSLContext, timeout_s: float = 60) -> Iterator[StoreScp]:
    listener = StoreScp("127.0.0.1", 0, custody.deliver, custody.identify, context=context, timeout_s=timeout_s)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop(2)


def storescu(port: int, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("storescu", path="/usr/bin:/usr/local/bin") or pytest.skip("install the package dcmtk")
    command = [program, "-aet", "CHC01", *arguments, "127.0.0.1", str(port), str(path)]
    environment = {**os.environ, "TCP_NODELAY": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_dcmtk_stores_over_tls_and_what_its_certificate_proves_goes_with_it(
    authority: Authority, own: Issued, tmp_path: Path
) -> None:
    custody = Custody()
    path = written(tmp_path, part10(ct(Rows=1024, Columns=1024, PixelData=bytes(2 << 20))))
    shown = authority.issue("CHC01", hosts=("ct.chc01.example",))
    with listening(custody, server_context(own.certificate, own.key, authority.certificate)) as listener:
        sent = storescu(
            listener.port, path, "+tls", str(shown.key), str(shown.certificate), "+cf", str(authority.certificate)
        )
    assert sent.returncode == 0, sent.stderr
    assert custody.sizes[0] > 2 << 20
    proven = {"cn:chc01", "dns:ct.chc01.example", f"sha256:{shown.fingerprint}"}
    assert [claim.certificate for claim in custody.claims] == [frozenset(proven)]


def test_without_a_certificate_where_one_is_asked_for_nothing_is_stored(
    authority: Authority, own: Issued, tmp_path: Path
) -> None:
    custody = Custody()
    path = written(tmp_path, part10(ct()))
    with listening(custody, server_context(own.certificate, own.key, authority.certificate)) as listener:
        for arguments in (["+tla", "+cf", str(authority.certificate)], []):
            assert storescu(listener.port, path, *arguments).returncode != 0
    assert not custody.claims
    assert not custody.sizes


def test_a_door_that_asks_for_no_certificate_says_so(authority: Authority, own: Issued, tmp_path: Path) -> None:
    custody = Custody()
    path = written(tmp_path, part10(ct()))
    with listening(custody, server_context(own.certificate, own.key)) as listener:
        sent = storescu(listener.port, path, "+tla", "+cf", str(authority.certificate))
    assert sent.returncode == 0, sent.stderr
    assert [claim.certificate for claim in custody.claims] == [None]


def test_a_handshake_that_never_ends_keeps_nobody_waiting(authority: Authority, own: Issued, tmp_path: Path) -> None:
    custody = Custody()
    path = written(tmp_path, part10(ct()))
    with (
        listening(custody, server_context(own.certificate, own.key), timeout_s=2) as listener,
        socket.create_connection(("127.0.0.1", listener.port), timeout=20) as silent,
    ):
        assert storescu(listener.port, path, "+tla", "+cf", str(authority.certificate)).returncode == 0
        assert silent.recv(1) == b""
        assert not answers(listener.port)  # and who speaks no TLS gets nothing


def test_handshakes_that_never_end_do_not_fill_the_door(authority: Authority, own: Issued, tmp_path: Path) -> None:
    custody = Custody()
    path = written(tmp_path, part10(ct()))
    context = server_context(own.certificate, own.key)
    listener = StoreScp(
        "127.0.0.1", 0, custody.deliver, custody.identify, context=context, max_associations=5, spare_s=0.2
    )
    listener.start()
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=20))
            deadline = time.monotonic() + 20
            while storescu(listener.port, path, "+tla", "+cf", str(authority.certificate)).returncode:
                assert time.monotonic() < deadline
    finally:
        listener.stop(2)
