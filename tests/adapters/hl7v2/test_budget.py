"""Memory that large frames share: many at once cannot take all there is, and small ones never wait for them."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from adapters.hl7v2.budget import Budget
from adapters.hl7v2.connection import Limits
from adapters.hl7v2.frames import framed
from adapters.hl7v2.mllp import MllpListener
from tests.adapters.hl7v2.fakes import Custody, listening
from tests.adapters.hl7v2.test_mllp import answers, closed, connected, numbered

MB = 1 << 20
FREE = 128 * 1024
LARGE = numbered(7) + b"NTE|1||" + b"A" * (2 * MB) + b"\r"
# Room for one large frame beside the one that may always go on.
TIGHT = Limits(max_bytes=4 * MB, memory_bytes=4 * MB + 512 * 1024, frame_timeout_s=20)


def held(server: MllpListener) -> int:
    return server.budget.used_bytes


def nobody() -> None:
    raise AssertionError("it was called although it does not wait")


def test_small_frames_ask_for_nothing() -> None:
    budget = Budget(0, FREE)
    shares = [budget.share(nobody) for _ in range(3)]
    assert all(share.cover(FREE) for share in shares)
    assert budget.used_bytes == 0


def test_the_frame_that_began_first_always_goes_on_and_the_next_when_it_is_done() -> None:
    budget = Budget(MB, FREE)
    first, second, third = (budget.share(lambda: None) for _ in range(3))
    assert first.cover(8 * MB)
    assert not second.cover(2 * MB)
    assert second.cover(FREE)
    first.give_back()
    assert second.cover(8 * MB)
    assert not third.cover(2 * MB)
    second.give_back()
    third.give_back()
    assert budget.used_bytes == 0


def test_a_frame_that_waits_is_called_as_soon_as_there_is_room() -> None:
    budget = Budget(0, FREE)
    called: list[bool] = []
    first, second = budget.share(nobody), budget.share(lambda: called.append(second.cover(MB)))
    assert first.cover(MB)
    assert not second.cover(MB)
    assert not called
    first.give_back()
    assert called == [True]


def test_a_peer_that_sends_one_large_frame_after_another_is_not_first_for_ever() -> None:
    budget = Budget(0, FREE)
    greedy, other = (budget.share(lambda: None) for _ in range(2))
    assert greedy.cover(MB)
    assert not other.cover(MB)
    greedy.give_back(MB)  # its next frame stands in its buffer already
    assert not greedy.cover(8 * MB)
    assert other.cover(MB)


@contextlib.contextmanager
def begun(server: MllpListener, number: int) -> Iterator[list[socket.socket]]:
    """So many connections, each with a large frame that has begun and does not end."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connected(server)) for _ in range(number)]
        for line in lines:
            line.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                line.sendall(framed(LARGE)[:-1_000_000])
            line.settimeout(10)
        yield lines


def test_large_frames_that_do_not_end_take_no_more_than_their_share_and_small_ones_get_through() -> None:
    custody = Custody()
    with listening(custody, TIGHT) as server, begun(server, 12):
        assert held(server) <= TIGHT.memory_bytes
        with connected(server) as line:
            line.sendall(framed(numbered(1)))
            assert answers(line, 1) == [("AA", "M1")]
        assert held(server) <= TIGHT.memory_bytes
    assert custody.kept == [numbered(1)]


def test_large_frames_are_all_taken_one_after_another() -> None:
    custody = Custody()
    told: list[tuple[str, str]] = []
    with listening(custody, TIGHT) as server:

        def send() -> None:
            with connected(server) as line:
                line.sendall(framed(LARGE))
                told.extend(answers(line, 1))

        senders = [threading.Thread(target=send) for _ in range(6)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert told == [("AA", "M7")] * 6
        # An answer may arrive before its frame's memory is given back.
        deadline = time.monotonic() + 10
        while held(server):
            assert time.monotonic() < deadline


def test_who_waits_too_long_is_told_to_come_again() -> None:
    limits = Limits(max_bytes=4 * MB, memory_bytes=4 * MB, frame_timeout_s=1.0)
    with listening(Custody(), limits) as server, connected(server) as first, connected(server) as second:
        first.sendall(b"\x0b" + LARGE[:MB])
        deadline = time.monotonic() + 10
        while not held(server):
            assert time.monotonic() < deadline
        second.settimeout(10)
        second.sendall(b"\x0b" + LARGE[: 200 * 1024])
        assert answers(second, 1) == [("AR", "M7")]
        assert closed(second)
