"""Objects in a folder: `incoming/` while they arrive, then `ab/<digest>`; `journal/` for the newest short ones."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from schemas.faults import Busy, Fault, Internal, NotFound
from storage import spool_file
from storage.object_journal import Journal
from storage.object_stream import FilePieces, Pieces, absent, is_digest, known, within
from storage.object_volumes import Stretch, Volumes
from storage.spool_file import SpoolFile, disk_faults, make_private


class DiskObjects:
    """A folder of objects on a local file system."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.incoming = self.root / "incoming"
        # Folders whose own entry this process knows to be durable: a store has 256 and each needs that once.
        self._settled = {self.root}
        journal = self.root / "journal"
        self._journal = Journal(journal, self._restore, self._place)
        self._volumes = Volumes(journal)

    def spool(self) -> "DiskSpool":
        """Begin a new object."""
        return DiskSpool(self)

    def keep(self, contents: Sequence[bytes], envelopes: Sequence[bytes] = ()) -> list[str | Fault]:
        """Durable in the journal, with one sync for all; their own files are written later."""
        try:
            return [*self._journal.append(contents, envelopes)]
        except Fault as fault:
            if len(contents) < 2:
                return [fault] * len(contents)
        # One that finds no room takes nothing from the others.
        return [kept for at, each in enumerate(contents) for kept in self.keep([each], envelopes[at : at + 1])]

    def remember(self, settled: Callable[[], None]) -> bool:
        """They stand in the journal, and it is not cleared before."""
        self._journal.before_clearing = settled
        return True

    def _place(self, stretch: Stretch, part: Path) -> None:
        """Gives a content its file, which is synced later. part: where it is written before it has its name."""
        place = self.path(stretch.digest)
        # What a failing disk, or a crash, cut short is not it.
        if _holds(place, stretch.length) and place.read_bytes() == stretch.read():
            return
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            stretch.copy(handle)
        finally:
            os.close(handle)
        _move(part, place)

    def _put(self, content: bytes) -> None:
        with self.spool() as spool:
            spool.write(content)
            spool.keep()

    def _restore(self, content: bytes) -> None:
        """Makes a content of the journal an object, durably, whatever became of its file."""
        place = self.path(hashlib.sha256(content).hexdigest())
        if place.is_file() and place.read_bytes() != content:
            place.unlink(missing_ok=True)
        if place.is_file():
            with place.open("rb") as whole:
                os.fsync(whole.fileno())
            self.settle(place.parent)
        else:
            self._put(content)

    def recover(self) -> int:
        """Write again what the journals of dead processes stand for."""
        return self._journal.recover()

    def recall(self, each: Callable[[Sequence[tuple[str, bytes]]], None]) -> None:
        """Those in the journals of dead processes."""
        self._journal.recall(each)

    def close(self) -> None:
        """Give what the journal holds files of its own."""
        self._journal.close()

    def open(self, digest: str) -> BinaryIO:
        """The whole object, seekable."""
        place = f"{self.root}/{known(digest)[:2]}/{digest}"
        with disk_faults():
            # Looked for once more: it may have got its file in between.
            source = _opened(place) or self._in_volume(digest) or _opened(place)
        if source is None:
            raise absent()
        return source

    def _in_volume(self, digest: str) -> BinaryIO | None:
        content = self._volumes.find(digest)
        return None if content is None else io.BytesIO(content)

    def read(self, digest: str, offset: int = 0, length: int | None = None) -> bytes:
        """One range of it."""
        with self.open(digest) as source, disk_faults():
            source.seek(offset)
            return source.read(-1 if length is None else length)

    def stream(self, digest: str, offset: int = 0, length: int | None = None, chunk: int = 1 << 20) -> Pieces:
        """The same range in pieces."""
        source = self.open(digest)
        if not isinstance(source, io.BytesIO):
            return FilePieces(source, offset, length, chunk)
        source.seek(offset)
        return Pieces(source.read, source.close, within(len(source.getbuffer()) - offset, length), chunk)

    def exists(self, digest: str) -> bool:
        """Whether it is kept here."""
        try:
            self.open(digest).close()
        except NotFound:
            return False
        return True

    def size(self, digest: str) -> int:
        """Its length in bytes."""
        with self.open(digest) as source:
            return source.seek(0, os.SEEK_END)

    def digests(self) -> Iterator[str]:
        """Everything in the folder."""
        with disk_faults():
            recent = self._volumes.digests()
            yield from recent
            for leaf in self.root.glob("[0-9a-f][0-9a-f]"):
                # Read whole before anything is given out, since the reconciler removes while it walks.
                yield from [path.name for path in leaf.iterdir() if is_digest(path.name) and path.name not in recent]

    def remove(self, digest: str) -> None:
        """Forget an object. Raises Busy for one that another process has just taken and will write a file of."""
        if digest in self._volumes.digests():
            self._journal.settle()
        if digest in self._volumes.digests():
            raise Busy("the object is being put away; remove it later")
        with disk_faults():
            self.path(digest).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Create the folder where it is missing and remove what died while arriving."""
        with disk_faults():
            for deep in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]"):
                _lift(deep)
        return spool_file.sweep(self.incoming)

    def ready(self) -> None:
        """Raise where nothing could be written."""
        with disk_faults():
            room = os.statvfs(self.incoming).f_bavail
        if not room:
            raise Busy("the object store's disk is full")
        if not os.access(self.incoming, os.W_OK | os.X_OK):
            raise Internal("the object store's folder may not be written")

    def path(self, digest: str) -> Path:
        """Where an object is or would be. NotFound for what is no digest."""
        return self.root / known(digest)[:2] / digest

    def settle(self, leaf: Path) -> None:
        """Make the entries in `leaf` durable, and at first sight the folder's own entry in its parents."""
        _sync_folder(leaf)
        while leaf not in self._settled:
            _sync_folder(leaf.parent)
            self._settled.add(leaf)
            leaf = leaf.parent


class DiskSpool(SpoolFile):
    """A delivery on its way into the folder."""

    def __init__(self, store: DiskObjects) -> None:
        super().__init__(store.incoming)
        self._store = store

    def keep(self) -> None:
        """Sync the file, give it its name, sync the folder."""
        place = self._store.path(self.digest)
        with self._freed_on_fault():
            if _holds(place, self.size):
                self._temporary.unlink(missing_ok=True)
            else:
                os.fsync(self._fd)
                _move(self._temporary, place)
            # Also where it was there already: another thread may have named it a moment ago and not yet synced.
            self._store.settle(place.parent)
        self._path = place


def _opened(place: str) -> BinaryIO | None:
    try:
        # Not by a Path: to make one takes as long as to open it, and each frame that somebody sees is opened here.
        return open(place, "rb")  # noqa: PTH123 as said
    except FileNotFoundError:
        return None


def _lift(deep: Path) -> None:
    # Stores were once two folders deep, which made a folder, and two more syncs, of nearly every new object.
    for path in deep.iterdir():
        path.rename(deep.parent / path.name)
    deep.rmdir()
    _sync_folder(deep.parent)


def _holds(place: Path, size: int) -> bool:
    # A file cut short by a failing disk has the name but not the length; a fresh copy then takes its place.
    try:
        return place.stat().st_size == size
    except FileNotFoundError:
        return False


def _move(source: Path, place: Path) -> None:
    try:
        source.replace(place)
    except FileNotFoundError:
        make_private(place.parent)
        source.replace(place)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
