"""A folder into which carts drop files that can do nothing else: what no longer grows is taken, and moved aside.

`FOLDER/SOURCE/file` comes from the source of that name; a file in FOLDER itself from the one that the settings name.
A file that cannot say whose it is (a PDF, a picture) has a companion, `NAME.json` beside `NAME`, with the fields of an
upload; it is written first, and moved with its file. What was taken stands in `done/` beside it, what was refused in
`refused/` with a `.txt` of the reason. A file is moved only after its receipt: whoever is killed in between takes it
again, and the same bytes earn the same receipt.
"""

import contextlib
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import structlog

from hub.hints import patient_hint
from schemas.delivery import Channel, Claim, Deliver, Delivery, Format, Identify, PatientHint
from schemas.faults import Busy, Fault, Forbidden, Internal, InvalidPayload

log = structlog.get_logger()
_EVERY_S = 1.0
_HEAD = 4096
_DEEPEST = 4
_COMPANION, _MOST_TOLD = ".json", 1 << 16
DONE, REFUSED = "done", "refused"
_ASIDE = frozenset({DONE, REFUSED})
# How programs name what they have not written to its end.
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp")

Explain = Callable[[Fault], str]


@dataclass(frozen=True, slots=True)
class Watched:
    """folder: what is watched. source: of files in the folder itself, empty where they are nobody's.

    quiet_s: how long a file must not have grown. most_bytes: of one file.
    """

    folder: Path
    source: str
    quiet_s: float
    most_bytes: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was at the last look, and since when (our monotonic clock) it has been so."""

    state: tuple[int, int, int]
    since: float


class Watching:
    """Takes files while the hub runs. port: none, 0. explain: a fault in the words of whoever looks after the cart."""

    port = 0

    def __init__(
        self,
        watched: Watched,
        deliver: Deliver,
        identify: Identify,
        sniff: Callable[[bytes], Format],
        explain: Explain,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = watched
        self._deliver = deliver
        self._identify = identify
        self._sniff = sniff
        self._explain = explain
        self._clock = clock
        self._seen: dict[Path, _Seen] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Makes the folder where there is none, and begins."""
        self._watched.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present file."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                self.look()
            except OSError as error:
                # A share that is away comes back; until then there is nothing to take.
                log.warning("watch.folder_unreadable", error=type(error).__name__)
            except Fault as fault:
                log.warning("watch.round_failed", category=fault.category.value)

    def look(self) -> None:
        """One look: takes what has not grown for long enough, notes what else is there."""
        now = self._clock()
        seen: dict[Path, _Seen] = {}
        for path, source in list(_files(self._watched.folder, self._watched.source)):
            if self._stop.is_set():
                return
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
            known = self._seen.get(path)
            seen[path] = known if known and known.state == state else _Seen(state, now)
            if now - seen[path].since >= self._watched.quiet_s and self._take(path, source):
                del seen[path]
        self._seen = seen

    def _take(self, path: Path, source: str) -> bool:
        """Whether the file needs no second look."""
        try:
            fault = self._delivered(path, source)
        except (Busy, Internal) as error:
            # Nothing could be promised: it stays and is tried again.
            log.warning("watch.postponed", category=error.category.value)
            return False
        except Fault as error:
            fault = error
        except _StillGrowing:
            return True
        companion = _companion(path)
        target = _move(path, REFUSED if fault else DONE, self._explain(fault) if fault else "")
        if companion:
            _rename(companion, target.with_name(target.name + _COMPANION))
        log.info("watch.taken", state=REFUSED if fault else DONE, category=fault.category.value if fault else "")
        return True

    def _delivered(self, path: Path, source: str) -> Fault | None:
        if not source:
            raise Forbidden("expected the file in a folder that is named as its source", where="folder")
        origin = self._identify(Claim(Channel.WATCH, source, ""))
        with _opened(path) as content:
            before = os.fstat(content.fileno())
            if before.st_size > self._watched.most_bytes:
                raise InvalidPayload(f"expected a file of at most {self._watched.most_bytes} bytes", where="file")
            kind = self._sniff(content.read(_HEAD))
            content.seek(0)
            origin = replace(origin, hint=_told(path, origin.source.authority))
            fault = self._deliver(Delivery(origin, kind, content)).fault
            after = os.fstat(content.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise _StillGrowing
        return fault


class _StillGrowing(Exception):
    """It was written to while it was read; what was read is kept, and the whole is taken when it has come to rest."""


def _files(folder: Path, source: str, depth: int = 0) -> Iterator[tuple[Path, str]]:
    """Whatever lies in the folder and those within, with its source; never through a symbolic link."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED) or _accompanies(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield path, source
        elif entry.name not in _ASIDE and depth < _DEEPEST:
            # The first level names the source; what is below it is how a cart keeps its days.
            with contextlib.suppress(OSError):
                yield from _files(path, source if depth else entry.name, depth + 1)


def _accompanies(name: str) -> bool:
    """Whether it is a companion, `scan.png.json`: it goes with its file, and waits for it."""
    return name.endswith(_COMPANION) and "." in name.removesuffix(_COMPANION)


def _opened(path: Path) -> BinaryIO:
    """Raises InvalidPayload for a link, for what is no file and for what must not be read; never waits for a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        link = path.is_symlink()
        words = "a symbolic link is not followed" if link else "the file cannot be read"
        raise InvalidPayload(words, where="file") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InvalidPayload("expected a file, found something else", where="file")
    return os.fdopen(handle, "rb")


def _companion(path: Path) -> Path | None:
    """The file that says whose this one is."""
    found = path.with_name(path.name + _COMPANION)
    return found if found.is_file() and not found.is_symlink() else None


def _told(path: Path, authority: str) -> PatientHint | None:
    """What the companion says; None where there is none. Raises InvalidPayload."""
    found = _companion(path)
    if found is None:
        return None
    with _opened(found) as content:
        text = content.read(_MOST_TOLD + 1)
    try:
        said = json.loads(text) if len(text) <= _MOST_TOLD else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise InvalidPayload("expected a JSON object of texts in the file that says whose this is", where="companion")
    return patient_hint(said, authority)


def _move(path: Path, aside: str, reason: str) -> Path:
    """Where it lies now: under its own name, or with a number where that is taken; the reason stands there first."""
    folder = path.parent / aside
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    number = 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    if reason:
        (folder / f"{target.name}.txt").write_text(reason, encoding="utf-8")
    _rename(path, target)
    return target


def _rename(path: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process of this hub was quicker
        path.rename(target)
