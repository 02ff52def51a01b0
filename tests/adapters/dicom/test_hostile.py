"""Peers that break the protocol, by mistake or on purpose: each meets its own end, and the next one is served."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.dicom.dimse.command import Value, decode, encode
from adapters.dicom.dimse.pdu import Violation, associate_request
from adapters.dicom.store_scp import StoreScp
from schemas.delivery import Delivery, Receipt
from tests.adapters.dicom.test_listener import (
    answers,
    command_set,
    identify,
    one_by_one,
    p_data,
    receipt,
    store_command,
)

CT, EXPLICIT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2.1"
CONTEXT = 1
ABORT, ACCEPT, P_DATA, RELEASED = 7, 2, 4, 6
UID = "1.2.3.4"
COMMAND, LAST = 1, 2


@dataclass
class Custody:
    """What reached its end, and what did not."""

    taken: list[bytes] = field(default_factory=list)
    begun: int = 0

    def deliver(self, delivery: Delivery) -> Receipt:
        self.begun += 1
        self.taken.append(b"".join(iter(lambda: delivery.content.read(1 << 16), b"")))
        return receipt()


@contextlib.contextmanager
def listening(custody: Custody, **more: object) -> Iterator[StoreScp]:
    together = one_by_one(custody.deliver)
    listener = StoreScp("127.0.0.1", 0, custody.deliver, identify, together=together, **more)  # type: ignore[arg-type]
    listener.start()
    try:
        yield listener
    finally:
        listener.stop(2)


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def associate(*more: bytes, calling: bytes = b"CHC01", max_length: int = 16384) -> bytes:
    context = item(0x20, bytes([CONTEXT, 0, 0, 0]) + item(0x30, CT) + item(0x40, EXPLICIT))
    user = item(0x50, item(0x51, struct.pack(">L", max_length)) + item(0x52, b"1.2.3") + b"".join(more))
    application = item(0x10, b"1.2.840.10008.3.1.1.1")
    body = b"\0\1\0\0" + b"DXHUB".ljust(16) + calling.ljust(16) + bytes(32) + application + context + user
    return b"\1\0" + struct.pack(">L", len(body)) + body


def pdu(line: socket.socket) -> tuple[int, bytes]:
    """The next PDU of the hub; (0, b"") where it has hung up."""
    head = _exactly(line, 6)
    if not head:
        return 0, b""
    return head[0], _exactly(line, int.from_bytes(head[2:], "big"))


def _exactly(line: socket.socket, count: int) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while len(found) < count and (piece := line.recv(count - len(found))):
            found += piece
    return found


@contextlib.contextmanager
def associated(port: int, *more: bytes, max_length: int = 16384) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=15) as line:
        line.sendall(associate(*more, max_length=max_length))
        assert pdu(line)[0] == ACCEPT
        yield line


def command(**more: str) -> bytes:
    return command_set(store_command(AffectedSOPInstanceUID=UID, **more))


def whole(content: bytes) -> bytes:
    return p_data(CONTEXT, COMMAND | LAST, command()) + p_data(CONTEXT, LAST, content)


def unfinished(content: bytes) -> bytes:
    """A store whose data set is never at its end."""
    return p_data(CONTEXT, COMMAND | LAST, command()) + p_data(CONTEXT, 0, content)


def status(content: bytes) -> int:
    found = decode(content[6:])["Status"]
    assert isinstance(found, int)
    return found


BROKEN = {
    "data-set-without-command": p_data(CONTEXT, LAST, b"data"),
    "wrong-context": p_data(3, COMMAND | LAST, command()),
    "data-set-in-another-context": p_data(CONTEXT, COMMAND | LAST, command()) + p_data(3, LAST, b"data"),
    "commands-mixed": p_data(CONTEXT, COMMAND, command()[:20]) + p_data(3, COMMAND | LAST, command()[20:]),
    "command-within-data-set": p_data(CONTEXT, COMMAND | LAST, command())
    + p_data(CONTEXT, 0, b"data")
    + p_data(CONTEXT, COMMAND | LAST, command()),
    "data-within-command": p_data(CONTEXT, COMMAND, command()[:20]) + p_data(CONTEXT, LAST, b"data"),
    "endless-command": p_data(CONTEXT, COMMAND, bytes(30_000)) * 3,
    "broken-command": p_data(CONTEXT, COMMAND | LAST, b"\0\0\2\0\xff\xff\xff\x7f1.2"),
    "command-of-another-group": p_data(CONTEXT, COMMAND | LAST, b"\x08\0\2\0\0\0\0\0"),
    "empty-command": p_data(CONTEXT, COMMAND | LAST, b""),
    "fragment-longer-than-pdu": b"\4\0\0\0\0\x0a" + struct.pack(">LBB", 999, CONTEXT, 3) + bytes(4),
    "fragment-without-room": b"\4\0\0\0\0\x06" + struct.pack(">LBB", 1, CONTEXT, 3),
    "pdu-of-four-gigabytes": b"\4\0\xff\xff\xff\xff" + struct.pack(">LBB", 0xFFFFFFF0, CONTEXT, 3),
    "pdu-of-three-bytes": b"\4\0\0\0\0\3abc",
    "unknown-pdu": b"\x99\0\0\0\0\4abcd",
    "second-association": associate(),
    "release-in-the-middle": p_data(CONTEXT, COMMAND | LAST, command()) + b"\5\0\0\0\0\4\0\0\0\0",
    "long-release": b"\5\0\0\0\0\x08" + bytes(8),
}


@pytest.fixture(scope="module")
def custody() -> Custody:
    return Custody()


@pytest.fixture(scope="module")
def door(custody: Custody) -> Iterator[StoreScp]:
    with listening(custody, timeout_s=2) as listener:
        yield listener


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_breaks_the_protocol_is_aborted_with_nothing_kept(broken: bytes, door: StoreScp, custody: Custody) -> None:
    before = len(custody.taken)
    with associated(door.port) as line:
        line.sendall(broken)
        kind, body = pdu(line)
        assert kind == ABORT
        assert body[2] == 2  # by the service provider
    assert len(custody.taken) == before
    assert answers(door.port)


REQUESTS = {
    "item-longer-than-pdu": associate(b"\x51\0\xff\xff"),
    "even-context": associate().replace(bytes([CONTEXT, 0, 0, 0]) + b"\x30", b"\2\0\0\0\x30"),
    "no-items": b"\1\0" + struct.pack(">L", 68) + b"\0\1\0\0" + b" " * 32 + bytes(32),
    "short": b"\1\0\0\0\0\4abcd",
    "another-application": associate().replace(b"1.2.840.10008.3.1.1.1", b"1.2.840.10008.3.1.1.9"),
    "another-version": associate().replace(b"\0\1\0\0DXHUB", b"\0\2\0\0DXHUB"),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_broken_request_for_an_association_is_refused(request_: bytes, door: StoreScp) -> None:
    with socket.create_connection(("127.0.0.1", door.port), timeout=15) as line:
        line.sendall(request_)
        assert pdu(line)[0] in {3, ABORT}
    assert answers(door.port)


def test_user_identity_and_extended_negotiation_are_heard_and_passed_over(door: StoreScp) -> None:
    identity = item(0x58, b"\2\1\0\4name\0\4word")
    extended = item(0x56, struct.pack(">H", len(CT)) + CT + b"\1\1\1")
    common = item(0x57, struct.pack(">H", len(CT)) + CT + struct.pack(">H", 4) + b"1.23" + b"\0\0")
    window = item(0x53, struct.pack(">HH", 8, 8))
    with associated(door.port, identity, extended, common, window) as line:
        line.sendall(whole(b"content"))
        kind, body = pdu(line)
        assert (kind, status(body)) == (P_DATA, 0)


def test_a_fragment_may_come_a_byte_at_a_time_and_many_in_one_packet(door: StoreScp, custody: Custody) -> None:
    pieces = [b"abc", b"", b"defgh" * 20_000, b"", b"i"]
    fragments = [p_data(CONTEXT, 0, piece) for piece in pieces] + [p_data(CONTEXT, LAST, b"")]
    slow = p_data(CONTEXT, COMMAND, command()[:9]) + p_data(CONTEXT, COMMAND | LAST, command()[9:]) + fragments[0]
    with associated(door.port) as line:
        for byte in slow:
            line.sendall(bytes([byte]))
        line.sendall(b"".join(fragments[1:]) + whole(b"the next, at once"))
        assert [status(pdu(line)[1]) for _ in range(2)] == [0, 0]
        line.sendall(b"\5\0\0\0\0\4\0\0\0\0")
        assert pdu(line)[0] == RELEASED
    assert custody.taken[-2].endswith(b"".join(pieces))
    assert custody.taken[-1].endswith(b"the next, at once")


def test_a_peer_that_takes_little_at_a_time_gets_its_answer_in_pieces(door: StoreScp) -> None:
    with associated(door.port, max_length=64) as line:
        line.sendall(whole(b"content"))
        answer, last = b"", False
        while not last:
            kind, body = pdu(line)
            assert kind == P_DATA
            assert len(body) <= 64
            answer, last = answer + body[6:], bool(body[5] & LAST)
    assert decode(answer)["Status"] == 0


@pytest.mark.parametrize("held", [b"", associate()[:40], associate()], ids=["silent", "half-a-request", "associated"])
def test_a_hundred_who_only_hold_their_places_give_them_up(held: bytes) -> None:
    custody = Custody()
    with listening(custody, max_associations=20, spare_s=0.2) as listener, contextlib.ExitStack() as stack:
        for _ in range(100):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=15))
            with contextlib.suppress(OSError):
                line.sendall(held)
        deadline = time.monotonic() + 20
        while not answers(listener.port):
            assert time.monotonic() < deadline


def test_who_is_busy_keeps_its_place_and_the_one_too_many_is_told_so() -> None:
    custody = Custody()
    with listening(custody, max_associations=1, spare_s=0.0) as listener, associated(listener.port) as line:
        line.sendall(whole(b"content")[:-3])
        while not custody.begun:
            time.sleep(0.001)
        with socket.create_connection(("127.0.0.1", listener.port), timeout=15) as other:
            other.sendall(associate())
            assert pdu(other) == (3, bytes([0, 2, 3, 2]))  # rejected, transient, local limit exceeded
        line.sendall(whole(b"content")[-3:])
        assert status(pdu(line)[1]) == 0


def test_a_data_set_that_stops_arriving_is_given_up_in_time() -> None:
    custody = Custody()
    with listening(custody, timeout_s=1) as listener, associated(listener.port) as line:
        line.sendall(whole(b"content")[:-3])
        began = time.monotonic()
        assert pdu(line)[0] == 0
        assert time.monotonic() - began < 5
        assert custody.begun == 1
        assert not custody.taken
        assert answers(listener.port)


def test_mutated_associations_neither_stop_nor_hang_the_listener(door: StoreScp) -> None:
    chance = random.Random(4)
    sound = associate() + whole(b"\x08\0\x05\0CS\0\0" * 40) + b"\5\0\0\0\0\4\0\0\0\0"

    def one(content: bytes) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", door.port), timeout=15) as line:
            line.sendall(content)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass

    for _ in range(30):
        threads = [threading.Thread(target=one, args=(_mutated(sound, chance),)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    assert answers(door.port)


def _mutated(sound: bytes, chance: random.Random) -> bytes:
    changed = bytearray(sound)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at : at + chance.randint(1, 40)]
        elif kind == 2:
            changed[at:at] = chance.randbytes(chance.randint(1, 40))
        else:
            changed[at:at] = changed[at : at + chance.randint(1, 200)]
    return bytes(changed)


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_command_a_request_or_a_violation(content: bytes) -> None:
    with contextlib.suppress(Violation):
        decode(content)
    with contextlib.suppress(Violation):
        associate_request(content)
    with contextlib.suppress(Violation):
        associate_request(associate()[6:80] + content)


@given(st.text(max_size=80), st.integers(0, 0xFFFF))
def test_a_command_reads_back_as_it_was_written(text: str, value: int) -> None:
    plain = "".join(character for character in text if "!" <= character <= "~")
    written: dict[str, Value] = {
        "AffectedSOPClassUID": plain,
        "Status": value,
        "OffendingElement": (value << 16 | value,),
    }
    assert decode(encode(written)) == written
