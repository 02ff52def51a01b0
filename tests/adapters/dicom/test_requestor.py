"""Associations that we ask for, with peers that behave and peers that do not."""

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from adapters.dicom.dimse import Ended
from adapters.dicom.dimse.command import C_ECHO, C_STORE, Value
from adapters.dicom.dimse.requestor import Requestor
from adapters.tls import client_context, server_context
from schemas.faults import Busy
from tests.adapters.authority import Authority

ECHO: Mapping[str, Value] = {"CommandField": C_ECHO, "AffectedSOPClassUID": str(Verification)}
PROPOSED = [(str(Verification), (str(ImplicitVRLittleEndian),))]


@contextmanager
def peer(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that takes one connection, and answers as the test says."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            connection, _ = door.accept()
            with connection:
                connection.settimeout(5)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(door.getsockname()[1])
        thread.join(10)


def requestor(port: int, timeout_s: float = 5.0) -> Requestor:
    return Requestor("127.0.0.1", port, called="PEER", calling="DXHUB", proposed=PROPOSED, timeout_s=timeout_s)


def test_a_peer_is_asked_answered_and_left_in_order() -> None:
    ae, events = AE("PEER"), []
    ae.add_supported_context(Verification)
    handlers: list[Any] = [
        (evt.EVT_RELEASED, lambda event: events.append("released")),
        (evt.EVT_C_ECHO, lambda event: 0x0000),
    ]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        with requestor(int(server.server_address[1])) as line:
            (context,) = line.contexts_for(str(Verification))
            assert line.contexts_for(str(CTImageStorage)) == ()
            assert [line.ask(context, ECHO)["Status"] for _ in range(3)] == [0, 0, 0]
    finally:
        server.shutdown()
    assert events == ["released"]


def test_a_data_set_longer_than_the_peer_takes_at_once_arrives_whole() -> None:
    ae, received = AE("PEER"), []
    ae.maximum_pdu_size = 4096
    ae.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)

    def store(event: evt.Event) -> int:
        received.append(event.encoded_dataset(include_meta=False))
        return 0xB007

    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    assert server is not None
    content = bytes(range(256)) * 400
    proposed = [(str(CTImageStorage), (str(ImplicitVRLittleEndian),)), (str(CTImageStorage), (ExplicitVRLittleEndian,))]
    command: Mapping[str, Value] = {
        "CommandField": C_STORE,
        "AffectedSOPClassUID": str(CTImageStorage),
        "AffectedSOPInstanceUID": "1.2",
    }
    port = int(server.server_address[1])
    try:
        with Requestor("127.0.0.1", port, called="PEER", calling="DXHUB", proposed=proposed) as line:
            (context,) = line.contexts_for(str(CTImageStorage))
            assert context.transfer_syntax == ExplicitVRLittleEndian
            assert line.ask(context, {**command, "Priority": 0}, io.BytesIO(content))["Status"] == 0xB007
    finally:
        server.shutdown()
    assert received == [content]


def _said(content: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(content)

    return answer


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\3\0\0\0\0\4\0\1\1\3",  # A-ASSOCIATE-RJ: calling AE title not recognised
        b"\7\0\0\0\0\4\0\0\2\0",  # A-ABORT
        b"\2\0\xff\xff\xff\xff",  # an A-ASSOCIATE-AC of four gigabytes
        b"\2\0\0\0\0\4abcd",
        b"\2\0" + struct.pack(">L", 74) + bytes(68) + b"\x21\0\xff\xff\1\0",
        b"\2\0" + struct.pack(">L", 77) + bytes(68) + b"\x21\0\0\5\7\0\0\0\0",  # a context that nobody proposed
        b"\2\0" + struct.pack(">L", 76) + bytes(68) + b"\x50\0\0\4\x51\0\0\0",
    ],
    ids=["silence", "http", "reject", "abort", "4 GB", "short", "item beyond", "stranger", "no length"],
)
def test_a_peer_that_speaks_no_dicom_is_an_unreachable_one(content: bytes) -> None:
    with peer(_said(content)) as port, pytest.raises(Busy):
        requestor(port)


def test_who_is_silent_or_not_there_is_not_waited_for() -> None:
    hold = threading.Event()

    def wait(_connection: socket.socket) -> None:
        hold.wait(10)

    with peer(wait) as port:
        with pytest.raises(Busy):
            requestor(port, timeout_s=1.0)
        hold.set()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    with pytest.raises(Busy):
        requestor(port)


def test_a_peer_that_hangs_up_in_the_middle_ends_it() -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        body = bytes(68) + b"\x21\0\0\x19\1\0\0\0\x40\0\0\x11" + str(ImplicitVRLittleEndian).encode()
        connection.sendall(b"\2\0" + struct.pack(">L", len(body)) + body)
        connection.recv(1 << 16)

    with peer(answer) as port, requestor(port) as line:
        (context,) = line.contexts_for(str(Verification))
        with pytest.raises(Ended):
            line.ask(context, ECHO)


def test_a_peer_over_tls_is_asked_if_its_certificate_is_good(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("pacs", hosts=("127.0.0.1",))
    ae = AE("PEER")
    ae.add_supported_context(Verification)
    encrypted = server_context(own.certificate, own.key)
    server = ae.start_server(("127.0.0.1", 0), block=False, ssl_context=encrypted)
    assert server is not None
    port = int(server.server_address[1])
    try:
        for context, good in ((client_context(authority.certificate), True), (client_context(), False)):
            made = partial(Requestor, "127.0.0.1", port, called="PEER", calling="DXHUB", proposed=PROPOSED)
            if good:
                with made(context=context) as line:
                    assert line.ask(line.contexts[0], ECHO)["Status"] == 0
            else:
                with pytest.raises(Busy):
                    made(context=context)
    finally:
        server.shutdown()
