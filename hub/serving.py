"""A hub as its operator runs it: its own process, and receivers beside it."""

import gc
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub import app
from hub.doors import require_doors, shared_doors
from hub.memory import return_large_blocks
from hub.receivers import Receivers
from hub.settings import Settings
from schemas.units import ucum

_RECEIVED = frozenset({"dicom", "mllp"})
_MOST_RECEIVERS = 4
_MOST_OPEN_FILES = 1 << 16
# What is made of a message lives as long as the message; to look for circles in it every 700 objects takes a tenth of
# all time.
_YOUNG_OBJECTS = 50_000


@contextmanager
def serving(settings: Settings, parts: set[str]) -> Iterator[app.Hub]:
    """A hub whose doors for machines are served by several processes, while the block runs."""
    return_large_blocks()
    _open_files()
    # The tables of units take half a second to make: once, before anybody waits, and for all processes.
    ucum("mmol/L")
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    received = parts & _RECEIVED
    number = settings.receivers or min(_MOST_RECEIVERS, os.cpu_count() or 1)
    if number == 1 or not received:
        with app.running(settings, parts) as hub:
            yield hub
        return
    require_doors(settings, parts)
    app.require_certificates(settings)
    # One process brings the database to this version; the receivers find it done.
    app.open_stores(settings).close()
    doors = shared_doors(settings, received)

    turns = app.Turns(number)

    def receive(place: int, counted: app.Counted, stop: threading.Event) -> None:
        with app.running(settings, set(received), doors=doors, turns=turns.sit(place), counted=counted):
            stop.wait()

    # What every process shares is not looked through again, and so is not copied.
    gc.freeze()
    receivers = Receivers(number, receive)
    try:
        receivers.start()
        with app.running(settings, parts - received) as hub:
            hub.ports |= {part: door.getsockname()[1] for part, door in doors.items()}
            yield hub
    finally:
        receivers.stop()


def _open_files() -> None:
    """As many as the system lets this process have: each client that is sent something may keep some open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
