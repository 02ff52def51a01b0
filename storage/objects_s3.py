"""Objects in a bucket of any S3 store, through MinIO's client: the digest is the key."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self
from urllib.parse import parse_qs, unquote, urlsplit

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from schemas.faults import Busy, Fault, Internal, NotFound
from storage import spool_file
from storage.at_once import AtOnce
from storage.object_stream import Pieces, absent, is_digest, known, within
from storage.spool_file import SpoolFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ABSENT = {"NoSuchKey", "NoSuchObject"}
_LATER = {
    "InternalError",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "XMinioServerNotInitialized",
    "XMinioStorageFull",
}
_READ_AHEAD = 1 << 18
# A store that has just started asks to wait 60 s, though it is ready within one; a sender would have given up.
_RETRIES = Retry(
    total=3,
    backoff_factor=0.2,
    status_forcelist=[502, 503, 504],
    raise_on_status=False,
    respect_retry_after_header=False,
)


@contextmanager
def s3_faults() -> Iterator[None]:
    """Turn what the client raises into a Fault; an answer that never came is Busy."""
    try:
        yield
    except S3Error as error:
        if error.code in _ABSENT:
            raise absent() from None
        if error.code in _LATER:
            raise Busy(f"the object store asks to come back later: {error.code}") from error
        raise Internal(f"the object store refused: {error.code}") from error
    except (HTTPError, MinioException) as error:
        raise Busy(f"the object store does not answer: {type(error).__name__}") from error


class S3Objects:
    """A bucket. One connection pool, shared by all threads."""

    def __init__(self, client: Minio, bucket: str, scratch: Path) -> None:
        self.client = client
        self.bucket = bucket
        self.scratch = scratch
        self._at_once = AtOnce()

    @classmethod
    def at(cls, url: str, scratch: Path) -> Self:
        """The bucket named by `s3://KEY:SECRET@host:port/bucket?secure=0&region=…`."""
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        bucket = parts.path.strip("/")
        if not (parts.hostname and parts.username and parts.password and bucket):
            raise Internal("an S3 store's address is s3://KEY:SECRET@host:port/bucket")
        client = Minio(
            f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname,
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            secure=options.get("secure", "1") != "0",
            # Named, so that the client does not ask the server for it before its first real question.
            region=options.get("region", "us-east-1"),
            # The client's own waits five minutes: longer than any sender of ours keeps its connection.
            http_client=PoolManager(
                maxsize=16,
                timeout=Timeout(connect=3, read=20),
                retries=_RETRIES,
            ),
        )
        return cls(client, bucket, scratch)

    def spool(self) -> "S3Spool":
        """Begin a new object."""
        return S3Spool(self)

    def remember(self, settled: Callable[[], None]) -> bool:
        """No: a bucket holds objects alone."""
        del settled
        return False

    def recall(self, each: Callable[[Sequence[tuple[str, bytes]]], None]) -> None:
        """Nothing."""

    def keep(self, contents: Sequence[bytes], envelopes: Sequence[bytes] = ()) -> list[str | Fault]:
        """Put short contents, all at once."""
        del envelopes
        return self._at_once(self._put_short, contents)

    def _put_short(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.put(digest, io.BytesIO(content), len(content))
        return digest

    def put(self, digest: str, source: BinaryIO, size: int) -> None:
        """Put an object, unless it is there already. The store shows one only when it has all of it."""
        try:
            if self.size(digest) == size:
                return
        except NotFound:
            pass
        with s3_faults():
            # Parts are held in memory, so one at a time.
            self.client.put_object(self.bucket, digest, source, size, num_parallel_uploads=1)

    def open(self, digest: str) -> BinaryIO:
        """The whole object, seekable: a seek that leaves what was read ahead costs a new range request."""
        return io.BufferedReader(RemoteFile(self, digest, self.size(digest)), _READ_AHEAD)

    def read(self, digest: str, offset: int = 0, length: int | None = None) -> bytes:
        """One range of it."""
        return b"".join(self.stream(digest, offset, length))

    def stream(self, digest: str, offset: int = 0, length: int | None = None, chunk: int = 1 << 20) -> Pieces:
        """The same range in pieces."""
        source = self.response(digest, offset, length)
        if source is None:
            return Pieces(lambda _: b"", lambda: None, 0, chunk)

        def read(size: int) -> bytes:
            with s3_faults():
                return source.read(size)

        return Pieces(read, source.close, within(int(source.headers["Content-Length"]), length), chunk)

    def exists(self, digest: str) -> bool:
        """Whether it is kept here."""
        try:
            self.size(digest)
        except NotFound:
            return False
        return True

    def size(self, digest: str) -> int:
        """Its length in bytes."""
        with s3_faults():
            return self.client.stat_object(self.bucket, known(digest)).size or 0

    def digests(self) -> Iterator[str]:
        """Everything in the bucket."""
        with s3_faults():
            for item in self.client.list_objects(self.bucket, recursive=True):
                if is_digest(item.object_name or ""):
                    yield str(item.object_name)

    def remove(self, digest: str) -> None:
        """Forget an object."""
        with s3_faults():
            self.client.remove_object(self.bucket, known(digest))

    def sweep(self) -> int:
        """Create the bucket where it is missing; remove what died while arriving on this machine."""
        with s3_faults():
            if not self.client.bucket_exists(self.bucket):
                self._make_bucket()
        return spool_file.sweep(self.scratch)

    def recover(self) -> int:
        """Nothing: what was kept is in the bucket."""
        return 0

    def close(self) -> None:
        """Nothing is put off."""

    def ready(self) -> None:
        """Raise where the bucket does not answer."""
        with s3_faults():
            if not self.client.bucket_exists(self.bucket):
                raise Internal("the object store has no such bucket")

    def response(self, digest: str, offset: int, length: int | None) -> BaseHTTPResponse | None:
        """The store's answer with this range, unread, which the caller closes; None where it begins past the end."""
        # To the client a length of 0 means all: a range that asks for nothing is asked as one byte, then not read.
        size = 0 if length is None else max(length, 1)
        with s3_faults():
            try:
                return self.client.get_object(self.bucket, known(digest), offset, size)
            except S3Error as error:
                if error.code == "InvalidRange":
                    return None
                raise

    def _make_bucket(self) -> None:
        try:
            self.client.make_bucket(self.bucket)
        except S3Error as error:
            # Several processes of one hub start at the same moment.
            if error.code != "BucketAlreadyOwnedByYou":
                raise


class S3Spool(SpoolFile):
    """A delivery on its way into the bucket: whole on this machine first, since its name is known only at its end."""

    def __init__(self, store: S3Objects) -> None:
        super().__init__(store.scratch)
        self._store = store

    def keep(self) -> None:
        """Put it into the bucket."""
        with self.open() as source:
            self._store.put(self.digest, source, self.size)


class RemoteFile(io.RawIOBase):
    """An object in a bucket, as a file. It holds one open answer and asks anew only when read elsewhere."""

    def __init__(self, store: S3Objects, digest: str, size: int) -> None:
        self._store = store
        self._digest = digest
        self._size = size
        self._position = 0
        self._source: BaseHTTPResponse | None = None

    @property
    def name(self) -> str:
        """What it is called: pydicom asks every buffered file for this, one on a disk always knows."""
        return self._digest

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; nothing is asked of the store until the next read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        position = max(start + offset, 0)
        if position != self._position:
            self._drop()
        self._position = position
        return position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill as much of `buffer` as one read gives."""
        if self._position >= self._size:
            return 0
        if self._source is None:
            self._source = self._store.response(self._digest, self._position, None)
        if self._source is None:
            return 0
        view = memoryview(buffer)
        with s3_faults():
            piece = self._source.read(len(view))
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of the store's answer."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
