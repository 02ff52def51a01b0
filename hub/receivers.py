"""Receivers: processes beside the hub's own that take DICOM and HL7 v2 in, all at the same doors.

An interpreter runs one thread at a time, however many processors there are. So the hub forks a keeper, before it has
a thread of its own, and the keeper forks the receivers, and another for each that dies. They share listening sockets:
whoever is idle accepts. None outlives the hub: the end of a pipe tells them that it is gone, however it went.
"""

import json
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from hub.metrics import count
from schemas.delivery import Delivery, Receipt

log = structlog.get_logger()

_NEWS_EVERY_S = 1.0
_NEWS_TOGETHER = 40  # what a pipe takes as one piece, 4,096 bytes, whoever else writes to it
_RESPAWN_AFTER_S = 1.0

# What a receiver does until it is told to stop. place: which of them it is, from 0, or whose it takes that died;
# counted: to be told of every delivery; stop: set when it is to end.
Receive = Callable[[int, Callable[[Receipt, Delivery, float], None], threading.Event], None]


class Receivers:
    """So many processes that run `receive`. Make it while this process has a single thread."""

    def __init__(self, number: int, receive: Receive) -> None:
        alive, self._life = os.pipe()
        self._news, news = os.pipe()
        self._keeper = os.fork()
        if self._keeper == 0:
            os.close(self._life)
            os.close(self._news)
            _end_with(lambda: _keep(number, receive, alive, news))
        os.close(alive)
        os.close(news)

    def start(self) -> None:
        """Begins to count what the receivers tell of."""
        threading.Thread(target=self._hear, name="receivers", daemon=True).start()

    def stop(self) -> None:
        """Lets every receiver finish what it has begun, and ends them."""
        os.kill(self._keeper, signal.SIGTERM)
        os.waitpid(self._keeper, 0)
        os.close(self._life)

    def _hear(self) -> None:
        with os.fdopen(self._news) as news:
            for line in news:
                for each in json.loads(line):
                    count(*each)


def _end_with(work: Callable[[], None]) -> None:
    """A forked process runs this and nothing behind it: what follows there belongs to the process it came from."""
    status = 1
    try:
        work()
        status = 0
    except BaseException as error:  # noqa: BLE001 - the edge of a process
        log.error("receiver.failed", error=type(error).__name__)
    finally:
        os._exit(status)


def _keep(number: int, receive: Receive, life: int, news: int) -> None:
    """Keeps the receivers running until the hub is gone or SIGTERM comes; then lets them finish."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for each in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(each, lambda *_: None)
    # Ctrl-C reaches every process of the terminal; the hub's own decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    receivers = {_spawn(receive, place, life, news): place for place in range(number)}
    while True:
        ready, _, _ = select.select([life, told], [], [])
        if life in ready:
            return
        if signal.SIGTERM in os.read(told, 512):
            break
        for lost in _ended(receivers):
            log.error("receiver.died", process=lost)
            place = receivers.pop(lost)
            time.sleep(_RESPAWN_AFTER_S)
            receivers[_spawn(receive, place, life, news)] = place
    for each_receiver in receivers:
        os.kill(each_receiver, signal.SIGTERM)
    for each_receiver in receivers:
        os.waitpid(each_receiver, 0)


def _ended(receivers: Iterable[int]) -> list[int]:
    return [each for each in receivers if os.waitpid(each, os.WNOHANG)[0]]


def _spawn(receive: Receive, place: int, life: int, news: int) -> int:
    process = os.fork()
    if process == 0:
        _end_with(lambda: _receive(receive, place, life, news))
    return process


def _receive(receive: Receive, place: int, life: int, news: int) -> None:
    stop = threading.Event()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_die_with_the_hub, args=(life,), name="life", daemon=True).start()
    told = _News(news)
    receive(place, told.add, stop)
    told.send()


def _die_with_the_hub(life: int) -> None:
    # Nobody ever writes to it: it ends when the hub does.
    os.read(life, 1)
    os._exit(1)


class _News:
    """Deliveries that were counted here, told to the hub's own process now and then: it answers for the figures."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._waiting: deque[tuple[str, str, str, float]] = deque()
        threading.Thread(target=self._run, name="news", daemon=True).start()

    def add(self, receipt: Receipt, taken: Delivery, took_s: float) -> None:
        self._waiting.append((taken.format.value, taken.origin.channel.value, receipt.state.value, round(took_s, 4)))

    def _run(self) -> None:
        while True:
            time.sleep(_NEWS_EVERY_S)
            self.send()

    def send(self) -> None:
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), _NEWS_TOGETHER))]
            os.write(self._pipe, json.dumps(some).encode() + b"\n")
