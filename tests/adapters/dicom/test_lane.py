"""Short instances of several associations at once: taken together, each answered as if it were alone."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.dicom.store_scp import StoreScp
from schemas.delivery import Delivery, Receipt
from schemas.faults import Busy, Fault
from tests.adapters.dicom.test_hostile import ABORT, COMMAND, CONTEXT, LAST, associated, command, pdu, status, whole
from tests.adapters.dicom.test_listener import command_set, identify, p_data, receipt, store_command

C_ECHO = 0x30
TAKEN, BUSY, UNRECOGNISED = 0x0000, 0xA700, 0x0211


class Custody:
    """What came, and how: alone, as it arrived, or together with others. full: contents that find no room."""

    def __init__(self) -> None:
        self.alone: list[bytes] = []
        self.together: list[list[bytes]] = []
        self.full: set[bytes] = set()
        self.open = threading.Event()
        self.open.set()

    def take(self, delivery: Delivery) -> Receipt:
        self.alone.append(_content(delivery))
        return receipt()

    def take_together(self, deliveries: Sequence[Delivery]) -> list[Receipt | Fault]:
        assert self.open.wait(10)
        contents = [_content(each) for each in deliveries]
        self.together.append(contents)
        return [Busy("the disk is full") if sent(each) in self.full else receipt() for each in contents]

    @property
    def all(self) -> list[bytes]:
        return [*self.alone, *(each for some in self.together for each in some)]


def _content(delivery: Delivery) -> bytes:
    return b"".join(iter(lambda: delivery.content.read(1 << 16), b""))


@pytest.fixture
def custody() -> Custody:
    return Custody()


@pytest.fixture
def door(custody: Custody) -> Iterator[StoreScp]:
    with listening(custody) as listener:
        yield listener


@contextlib.contextmanager
def listening(custody: Custody) -> Iterator[StoreScp]:
    listener = StoreScp("127.0.0.1", 0, custody.take, identify, together=custody.take_together, timeout_s=10)
    listener.start()
    try:
        yield listener
    finally:
        custody.open.set()
        listener.stop(5)


def marked(name: str, size: int = 0) -> bytes:
    return b"<" + name.encode() + b">" + bytes(size)


def answer(line: socket.socket) -> int:
    kind, content = pdu(line)
    assert kind == 4
    return status(content)


def sent(content: bytes) -> bytes:
    """The content as it was sent, of what custody has seen with its file meta information."""
    return content[max(content.find(b"<"), 0) :]


def test_what_comes_at_once_is_taken_together_and_each_gets_its_own_answer(door: StoreScp, custody: Custody) -> None:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(associated(door.port)) for _ in range(5)]
        custody.open.clear()
        lines[0].sendall(whole(marked("first")))
        time.sleep(0.3)
        for number, line in enumerate(lines[1:]):
            line.sendall(whole(marked(f"{number}")))
        time.sleep(0.3)
        custody.open.set()
        assert [answer(line) for line in lines] == [TAKEN] * 5
        assert [len(some) for some in custody.together] == [1, 4]
        assert sorted(sent(each) for each in custody.together[1]) == [marked(f"{number}") for number in range(4)]
    assert custody.alone == []


def test_one_that_finds_no_room_is_told_so_and_the_others_are_not(door: StoreScp, custody: Custody) -> None:
    with associated(door.port) as one, associated(door.port) as other:
        custody.full = {marked("full")}
        other.sendall(whole(marked("full")))
        assert answer(other) == BUSY
        one.sendall(whole(marked("fits")))
        assert answer(one) == TAKEN


def test_requests_that_do_not_wait_for_their_answers_are_answered_in_order(door: StoreScp, custody: Custody) -> None:
    with associated(door.port) as line:
        line.sendall(b"".join(whole(marked(f"{number}", 30_000)) for number in range(20)))
        assert [answer(line) for _ in range(20)] == [TAKEN] * 20
    assert [sent(each)[:5].split(b">")[0] for each in custody.all] == [b"<%d" % number for number in range(20)]


def test_a_long_one_goes_its_own_way_and_short_ones_follow(door: StoreScp, custody: Custody) -> None:
    long = marked("long", 3 << 20)
    with associated(door.port) as line:
        line.sendall(whole(marked("before")))
        assert answer(line) == TAKEN
        line.sendall(p_data(CONTEXT, COMMAND | LAST, command()))
        pieces = [long[at : at + (200 << 10)] for at in range(0, len(long), 200 << 10)]
        for piece in pieces[:-1]:
            line.sendall(p_data(CONTEXT, 0, piece))
        line.sendall(p_data(CONTEXT, LAST, pieces[-1]))
        assert answer(line) == TAKEN
        line.sendall(whole(marked("behind")))
        assert answer(line) == TAKEN
    assert [sent(each) for each in custody.alone] == [long]
    assert [sent(some[0]) for some in custody.together] == [marked("before"), marked("behind")]


def test_a_slow_peer_keeps_nobody_waiting_and_loses_nothing(door: StoreScp, custody: Custody) -> None:
    with associated(door.port) as slow, associated(door.port) as quick:
        message = whole(marked("slow", 1000))
        slow.sendall(message[:500])
        for number in range(10):
            quick.sendall(whole(marked(f"{number}")))
            assert answer(quick) == TAKEN
        time.sleep(1.8)
        assert custody.alone == []
        slow.sendall(message[500:])
        assert answer(slow) == TAKEN
        assert [sent(each) for each in custody.alone] == [marked("slow", 1000)]
        # And is one of the others again.
        slow.sendall(whole(marked("again")))
        assert answer(slow) == TAKEN
    assert sent(custody.together[-1][0]) == marked("again")


def test_who_does_not_read_its_answers_keeps_nobody_waiting(door: StoreScp) -> None:
    with associated(door.port) as deaf, associated(door.port) as other:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(200):
                deaf.sendall(whole(marked("deaf")) * 500)
        other.sendall(whole(marked("other")))
        began = time.monotonic()
        assert answer(other) == TAKEN
        assert time.monotonic() - began < 5


def test_other_operations_stand_between_without_harm(door: StoreScp, custody: Custody) -> None:
    echo = store_command(AffectedSOPInstanceUID="1.2.3")
    echo.CommandField, echo.CommandDataSetType = C_ECHO, 0x0101
    with associated(door.port) as line:
        for number in range(3):
            line.sendall(whole(marked(f"{number}")) + p_data(CONTEXT, COMMAND | LAST, command_set(echo)))
            # In a presentation context of images C-ECHO is no operation, as its answer says.
            assert [answer(line), answer(line)] == [TAKEN, UNRECOGNISED]
    assert [sent(each) for each in custody.all] == [marked(f"{number}") for number in range(3)]


def test_stopping_lets_what_is_taken_be_answered(custody: Custody) -> None:
    with listening(custody) as door, associated(door.port) as busy, associated(door.port) as idle:
        custody.open.clear()
        busy.sendall(whole(marked("busy")))
        time.sleep(0.3)
        with ThreadPoolExecutor(1) as pool:
            stopped = pool.submit(door.stop, 10)
            time.sleep(0.2)
            assert not stopped.done()
            custody.open.set()
            assert answer(busy) == TAKEN
            stopped.result(10)
            assert [pdu(idle)[0], pdu(busy)[0]] == [ABORT, ABORT]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contents=st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=4),
    fragment=st.integers(1, 2000),
    packet=st.integers(50, 5000),
)
def test_however_it_is_cut_into_pieces_it_is_the_same(
    door: StoreScp, custody: Custody, contents: list[bytes], fragment: int, packet: int
) -> None:
    before = len(custody.all)
    with associated(door.port) as line:
        for content in contents:
            message = b"".join(
                p_data(CONTEXT, kind | (LAST if at + fragment >= len(part) else 0), part[at : at + fragment])
                for kind, part in ((COMMAND, command()), (0, content))
                for at in range(0, len(part), fragment)
            )
            for at in range(0, len(message), packet):
                line.sendall(message[at : at + packet])
            assert answer(line) == TAKEN
    found = custody.all[before:]
    assert len(found) == len(contents)
    assert all(any(each.endswith(content) for each in found) for content in contents)
