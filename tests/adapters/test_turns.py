"""One door, several processes: who accepts."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from adapters.dicom.dimse.server import Guest, Server
from adapters.turns import Turns


class House:
    """One of the processes at the door: keeps its guests until it is closed."""

    def __init__(self, door: socket.socket, turns: Turns) -> None:
        self.guests: list[Guest] = []
        self._over = threading.Event()
        self.server = Server(("", 0), self._serve, most=64, spare_s=60.0, door=door.dup(), turns=turns)
        self.server.start()

    def _serve(self, guest: Guest) -> None:
        self.guests.append(guest)
        guest.connection.recv(1)
        self.guests.remove(guest)

    def close(self) -> None:
        self.server.stop(1.0)


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        yield door


def settled(houses: list[House], number: int) -> list[int]:
    deadline = time.monotonic() + 5
    while sum(len(each.guests) for each in houses) != number and time.monotonic() < deadline:
        time.sleep(0.005)
    return [len(each.guests) for each in houses]


def test_those_who_come_at_once_are_served_together_four_by_four(door: socket.socket) -> None:
    turns = Turns(2)
    houses = [House(door, turns.sit(place)) for place in range(2)]
    peers: list[socket.socket] = []
    try:
        for number, shares in ((4, [4, 0]), (6, [4, 2]), (8, [4, 4])):
            while len(peers) < number:
                peers.append(socket.create_connection(door.getsockname()))
            assert settled(houses, number) == shares
        for _ in range(8):
            peers.pop(0).close()
        assert settled(houses, 0) == [0, 0]
        peers.append(socket.create_connection(door.getsockname()))
        assert settled(houses, 1) == [1, 0]
    finally:
        for peer in peers:
            peer.close()
        for house in houses:
            house.close()


def test_one_whose_turn_it_is_and_who_does_not_come_keeps_nobody_waiting_long(door: socket.socket) -> None:
    turns = Turns(2)
    turns.sit(0)
    house = House(door, turns.sit(1))
    try:
        with socket.create_connection(door.getsockname()):
            assert settled([house], 1) == [1]
    finally:
        house.close()
