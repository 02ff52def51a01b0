"""Deliveries that wait at the same moment: each gets its own answer, whoever worked for it."""

import datetime as dt
import io
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from hub.ingest.group_commit import GroupCommit
from hub.ingest.prepared import Arrived, Prepared
from schemas.delivery import Channel, Delivery, Format, Origin, Receipt, State
from schemas.faults import Busy, Fault, Internal, InvalidPayload
from schemas.organization import Source

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def arrived(number: int) -> Arrived:
    origin = Origin(Source(1, "CHC01", "CHC01", "CHC01"), Channel.MLLP, NOW)
    return Arrived(Delivery(origin, Format.HL7V2, io.BytesIO(b"%d" % number), str(number)))


class House:
    """Archives and indexes in memory. trouble: number -> fault. batches: sizes of the transactions."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.trouble: dict[str, Fault] = {}
        self.broken = False
        self.disk: Fault | None = None
        self.disk_may_go_on = threading.Event()
        self.disk_may_go_on.set()
        self.syncing = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.at_work = threading.Event()

    def archive(self, together: Sequence[Arrived]) -> list[Prepared | Fault]:
        self.at_work.set()
        assert self.may_go_on.wait(10)
        return [
            self.trouble.get(each.delivery.message_id)
            or Prepared(each.delivery, each.delivery.message_id, 1, InvalidPayload("unread"))
            for each in together
        ]

    def index(self, together: Sequence[Prepared]) -> list[Receipt]:
        self.batches.append(len(together))
        if self.broken:
            raise RuntimeError("the index broke")
        return [Receipt(int(each.digest), each.digest, State.INDEXED, NOW) for each in together]

    def make_durable(self) -> None:
        self.syncing.set()
        assert self.disk_may_go_on.wait(10)
        if self.disk:
            raise self.disk


def receipts(outcomes: Sequence[Receipt | Fault]) -> list[int]:
    return [each.delivery_id for each in outcomes if isinstance(each, Receipt)]


def test_everybody_gets_the_receipt_of_their_own_delivery() -> None:
    house = House()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda n: receipts(commit.submit(arrived(n))), range(1, 400)))
    assert told == [[number] for number in range(1, 400)]
    assert sum(house.batches) == 399


def test_what_comes_while_one_is_at_work_shares_one_transaction() -> None:
    house = House()
    house.may_go_on.clear()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(commit.submit, arrived(1))
        assert house.at_work.wait(10)
        others = [pool.submit(commit.submit, arrived(n), arrived(n + 100)) for n in range(2, 6)]
        while len(commit._waiting) < 4:
            pass
        house.may_go_on.set()
        assert receipts(first.result(10)) == [1]
        assert [receipts(other.result(10)) for other in others] == [[n, n + 100] for n in range(2, 6)]
    assert house.batches == [1, 8]
    commit.close()


def test_one_that_cannot_be_kept_takes_nothing_from_the_others() -> None:
    house = House()
    house.trouble["2"] = Busy("the disk is full")
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    outcomes = commit.submit(arrived(1), arrived(2), arrived(3))
    assert receipts(outcomes) == [1, 3]
    assert outcomes[1] is house.trouble["2"]


def test_when_the_index_breaks_everybody_is_told_and_the_next_get_through() -> None:
    house = House()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    house.broken = True
    assert all(isinstance(each, Internal) for each in commit.submit(arrived(1), arrived(2)))
    house.broken = False
    assert receipts(commit.submit(arrived(3))) == [3]


def test_closing_waits_for_who_is_at_work() -> None:
    house = House()
    house.may_go_on.clear()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(commit.submit, arrived(1))
        assert house.at_work.wait(10)
        closing = pool.submit(commit.close)
        assert not closing.done()
        house.may_go_on.set()
        closing.result(10)
        assert receipts(working.result(10)) == [1]


def test_nothing_is_promised_before_the_disk_has_it_and_meanwhile_the_next_are_worked_for() -> None:
    house = House()
    house.disk_may_go_on.clear()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(commit.submit, arrived(1))
        assert house.syncing.wait(10)
        second = pool.submit(commit.submit, arrived(2))
        while house.batches != [1, 1]:
            pass
        closing = pool.submit(commit.close)
        assert not any(each.done() for each in (first, second, closing))
        house.disk_may_go_on.set()
        assert [receipts(each.result(10)) for each in (first, second)] == [[1], [2]]
        closing.result(10)


def test_a_disk_that_does_not_keep_what_was_indexed_lets_nothing_be_promised() -> None:
    house = House()
    commit = GroupCommit(house.archive, house.index, house.make_durable)
    house.disk = Busy("the disk is full")
    assert commit.submit(arrived(1), arrived(2)) == [house.disk, house.disk]
    house.disk = None
    assert receipts(commit.submit(arrived(3))) == [3]


@pytest.mark.parametrize(
    ("enclosed", "outcome", "synced"),
    [
        (True, {}, False),
        (False, {}, True),
        (True, {"state": State.HELD}, True),
        (True, {"received_at": NOW - dt.timedelta(days=1)}, True),
    ],
)
def test_only_what_its_envelope_says_whole_is_promised_without_the_index_on_disk(
    enclosed: bool, outcome: dict[str, Any], synced: bool
) -> None:
    house = House()

    def archive(together: Sequence[Arrived]) -> list[Prepared | Fault]:
        return [replace(e, enclosed=enclosed) for e in house.archive(together) if isinstance(e, Prepared)]

    def index(together: Sequence[Prepared]) -> list[Receipt]:
        return [replace(each, **outcome) for each in house.index(together)]

    assert receipts(GroupCommit(archive, index, house.make_durable).submit(arrived(1))) == [1]
    assert house.syncing.is_set() is synced
