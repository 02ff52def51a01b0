"""MLLP over TLS, over real sockets: who may come in, and what those meet who may not."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.hl7v2.connection import Limits
from adapters.hl7v2.frames import framed
from adapters.hl7v2.mllp import MllpListener, listener
from adapters.tls import client_context, server_context
from schemas.faults import Internal
from tests.adapters.authority import Authority, Issued
from tests.adapters.hl7v2.fakes import Custody
from tests.adapters.hl7v2.test_mllp import answers, closed, numbered


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def own(authority: Authority) -> Issued:
    return authority.issue("hub", hosts=("127.0.0.1", "localhost"))


@pytest.fixture
def custody() -> Custody:
    return Custody()


@contextlib.contextmanager
def serving(custody: Custody, context: ssl.SSLContext, limits: Limits | None = None) -> Iterator[MllpListener]:
    server = listener("127.0.0.1", 0, custody.deliver, custody.identify, limits=limits, context=context)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def mutual(custody: Custody, authority: Authority, own: Issued) -> Iterator[MllpListener]:
    """A listener that asks for certificates."""
    with serving(custody, server_context(own.certificate, own.key, authority.certificate)) as server:
        yield server


@contextlib.contextmanager
def connected(server: MllpListener, authority: Authority, shown: Issued | None = None) -> Iterator[ssl.SSLSocket]:
    context = client_context(authority.certificate, shown.certificate if shown else None, shown.key if shown else None)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as encrypted,
    ):
        yield encrypted


def test_a_message_comes_in_encrypted_and_is_acknowledged(custody: Custody, authority: Authority, own: Issued) -> None:
    with serving(custody, server_context(own.certificate, own.key)) as server, connected(server, authority) as line:
        line.sendall(framed(numbered(1)) + framed(numbered(2)))
        assert answers(line, 2) == [("AA", "M1"), ("AA", "M2")]
        assert line.version() in {"TLSv1.2", "TLSv1.3"}
    assert custody.claims[0].certificate is None


def test_what_a_certificate_proves_goes_with_each_message(
    mutual: MllpListener, custody: Custody, authority: Authority
) -> None:
    shown = authority.issue("CHC01", hosts=("lis.chc01.example",))
    with connected(mutual, authority, shown) as line:
        line.sendall(framed(numbered(1)))
        assert answers(line, 1) == [("AA", "M1")]
    proven = frozenset({"cn:chc01", "dns:lis.chc01.example", f"sha256:{shown.fingerprint}"})
    assert custody.claims[0].certificate == proven


def refused(server: MllpListener, authority: Authority, shown: Issued | None) -> None:
    # With TLS 1.3 a client learns only when it reads that its certificate was not taken.
    with pytest.raises(OSError, match=r"alert|reset|EOF|handshake|closed"), connected(server, authority, shown) as line:  # noqa: PT012
        line.sendall(framed(numbered(1)))
        if line.recv(1024) == b"":
            raise ConnectionResetError("closed")


def test_without_a_good_certificate_nobody_comes_in_and_the_listener_goes_on(
    mutual: MllpListener,
    custody: Custody,
    authority: Authority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stranger = Authority(tmp_path, "Another CA").issue("CHC01")
    for shown in (None, authority.issue("CHC01", expired=True), stranger):
        refused(mutual, authority, shown)
    with connected(mutual, authority, authority.issue("CHC01")) as line:
        line.sendall(framed(numbered(2)))
        assert answers(line, 1) == [("AA", "M2")]
    assert custody.kept == [numbered(2)]
    logged = capsys.readouterr().out
    assert "certificate has expired" in logged
    assert logged.count("tls.refused") == 3
    assert "CHC01" not in logged


def test_who_speaks_no_tls_is_turned_away(mutual: MllpListener, custody: Custody, authority: Authority) -> None:
    with socket.create_connection(("127.0.0.1", mutual.port), timeout=10) as line:
        line.sendall(framed(numbered(1)))
        assert b"MSA" not in line.recv(1024)
        assert closed(line)
    assert custody.kept == []


def test_versions_before_1_2_are_not_taken(mutual: MllpListener, authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", mutual.port), timeout=10) as line, pytest.raises(ssl.SSLError):
        context.wrap_socket(line, server_hostname="127.0.0.1")


def test_a_peer_that_is_slow_to_shake_hands_keeps_nobody_waiting(
    custody: Custody, authority: Authority, own: Issued
) -> None:
    context = server_context(own.certificate, own.key)
    with serving(custody, context, Limits(handshake_timeout_s=0.5)) as server:
        lines = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(5)]
        lines[0].sendall(b"\x16\x03\x01")
        with connected(server, authority) as line:
            line.sendall(framed(numbered(1)))
            assert answers(line, 1) == [("AA", "M1")]
        for slow in lines:
            assert closed(slow)
            slow.close()


def test_stopping_ends_encrypted_connections_and_answers_what_is_in_hand(
    custody: Custody, authority: Authority, own: Issued
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def dawdle(_: bytes) -> None:
        begun.set()
        assert may_go_on.wait(10)

    custody.before = dawdle
    context = server_context(own.certificate, own.key)
    with (
        serving(custody, context) as server,
        connected(server, authority) as idle,
        connected(server, authority) as line,
    ):
        line.sendall(framed(numbered(1)))
        assert begun.wait(10)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert closed(idle)
        may_go_on.set()
        assert answers(line, 1) == [("AA", "M1")]
        assert closed(line)
        stopping.join()


def test_a_frame_that_never_ends_is_refused_over_tls_too(custody: Custody, authority: Authority, own: Issued) -> None:
    context = server_context(own.certificate, own.key)
    with (
        serving(custody, context, Limits(frame_timeout_s=0.2)) as server,
        connected(server, authority) as line,
    ):
        line.sendall(b"\x0b" + numbered(1))
        assert answers(line, 1) == [("AR", "M1")]
        assert closed(line)


def test_files_that_cannot_be_used_are_told_before_anything_listens(own: Issued, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    for certificate, key in ((tmp_path / "none.pem", own.key), (tmp_path / "empty.pem", own.key)):
        with pytest.raises(Internal, match="TLS"):
            server_context(certificate, key)
