"""Objects: the bytes as they were received, each named by the SHA-256 of its content.

A name that follows from the content makes the same bytes twice one object, lets `dxhub verify` prove that nothing
changed, and means that no text from outside ever becomes part of a path.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self
from urllib.parse import unquote, urlsplit

from schemas.faults import Fault, Internal
from storage.object_stream import Pieces
from storage.objects_disk import DiskObjects
from storage.objects_s3 import S3Objects


class Spool(Protocol):
    """A delivery on its way in: local and seekable, its digest counted while it is written.

    Everything that `write` took can be read back by `open`, before and after `keep`. Leaving the context closes it.
    """

    @property
    def digest(self) -> str:
        """SHA-256, in lower-case hexadecimal, of what was written so far."""

    @property
    def size(self) -> int:
        """Bytes written so far."""

    def write(self, data: bytes) -> int:
        """Append all of `data`. Raises Busy where the disk is full; the spool is then gone."""

    def keep(self) -> None:
        """Make it an object. Durable when this returns; the same content again is no work and no error.

        Raises Busy where the store is full or does not answer.
        """

    def open(self) -> BinaryIO:
        """Read the bytes back from this machine, from their start."""

    def close(self) -> None:
        """Forget the local temporary. What was kept stays."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Objects(Protocol):
    """A store of objects. Every method may be called from any thread.

    All that take a digest raise NotFound where there is no such object, Busy where the store does not answer.
    """

    def spool(self) -> Spool:
        """Begin a new object."""

    def keep(self, contents: Sequence[bytes], envelopes: Sequence[bytes] = ()) -> list[str | Fault]:
        """Make short contents objects, all at once: the digest of each, durable; Busy or Internal where it failed.

        envelopes: what is to be durable with each, at most 60,000 bytes; none for any, or one for each, perhaps empty.
        """

    def remember(self, settled: Callable[[], None]) -> bool:
        """Whether envelopes are kept here. Each is, until `settled` has returned, called some time after `keep`.

        settled: returns when what was made of all that was kept before is durable elsewhere. Raises Busy.
        """

    def recall(self, each: Callable[[Sequence[tuple[str, bytes]]], None]) -> None:
        """Hand over the digests and envelopes that processes left which ended before they settled; then forget them.

        Call it after `recover`. Raises what `each` raises, and forgets nothing then.
        """

    def open(self, digest: str) -> BinaryIO:
        """The whole object, seekable; from a remote store only what is read is fetched."""

    def read(self, digest: str, offset: int = 0, length: int | None = None) -> bytes:
        """One range of it; shorter than `length` where the object ends first."""

    def stream(self, digest: str, offset: int = 0, length: int | None = None, chunk: int = 1 << 20) -> Pieces:
        """The same range in pieces of `chunk` bytes, so that memory stays flat. NotFound is raised before the first.

        FilePieces where it stands in a file that nobody changes.
        """

    def exists(self, digest: str) -> bool:
        """Whether it is kept here."""

    def size(self, digest: str) -> int:
        """Its length in bytes."""

    def digests(self) -> Iterator[str]:
        """Everything in the store, in no promised order."""

    def remove(self, digest: str) -> None:
        """Forget an object, or do nothing where it is absent. Only the reconciler and a removal may: a row may
        point here. Raises Busy where another process will write a file of it."""

    def sweep(self) -> int:
        """Prepare the store and remove what interrupted deliveries left, at start; how many there were.

        Deliveries that another living process is writing are left alone.
        """

    def recover(self) -> int:
        """Make whole again what a crash of the machine took of objects that were durable in another form; how many.

        Call it before anything is read. What living processes have in hand is left to them.
        """

    def close(self) -> None:
        """Finish what is done better later. Nothing that was kept needs it."""

    def ready(self) -> None:
        """Raise Busy or Internal where the store could not take or give an object now."""


def objects_from_url(url: str, scratch: Path | None = None) -> Objects:
    """The store at `file:///path` or `s3://KEY:SECRET@host:port/bucket?secure=0`.

    scratch: where an S3 store lets deliveries grow before it sends them; a folder on disk keeps them within itself.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return DiskObjects(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        return S3Objects.at(url, scratch or Path(tempfile.gettempdir()) / "dxhub-incoming")
    # Only the scheme is repeated: the rest of the address may hold a secret.
    scheme = f"{parts.scheme or 'no scheme'}://…"
    raise Internal(f"objects are kept at file:///… or s3://…, not at {scheme}", where="DXHUB_OBJECTS_URL")
