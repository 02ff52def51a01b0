"""The object store, in a folder and in a MinIO server: the same promises."""

import hashlib
import io
import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.faults import Internal, NotFound
from storage.objects import Objects, objects_from_url
from tests.engines import Engines

UNKNOWN = hashlib.sha256(b"never stored").hexdigest()
MIB = 1 << 20


@pytest.fixture
def objects(engine_urls: Engines, tmp_path: Path) -> Objects:
    """An empty store."""
    store = objects_from_url(engine_urls.objects_url, scratch=tmp_path / "scratch")
    store.sweep()
    return store


def put(store: Objects, data: bytes) -> str:
    with store.spool() as spool:
        spool.write(data)
        spool.keep()
        return spool.digest


def test_what_is_kept_is_found_under_the_digest_of_its_content(objects: Objects) -> None:
    digest = put(objects, b"a blood count")
    assert digest == hashlib.sha256(b"a blood count").hexdigest()
    assert objects.exists(digest)
    assert objects.size(digest) == 13
    assert list(objects.digests()) == [digest]
    with objects.open(digest) as source:
        assert source.read() == b"a blood count"


def test_what_was_not_kept_leaves_nothing(objects: Objects, tmp_path: Path) -> None:
    with objects.spool() as spool:
        spool.write(b"half a ")
        assert not objects.exists(spool.digest)
    assert list(objects.digests()) == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_spool_reads_back_before_and_after_it_is_kept(objects: Objects) -> None:
    with objects.spool() as spool:
        for piece in (b"one ", b"two ", b"three"):
            assert spool.write(piece) == len(piece)
        for _ in range(2):
            with spool.open() as source:
                assert source.read() == b"one two three"
                assert source.seek(4) == 4
                assert source.read(3) == b"two"
            spool.keep()
        assert spool.size == 13


def test_the_same_content_twice_is_one_object(objects: Objects) -> None:
    assert put(objects, b"again") == put(objects, b"again")
    assert len(list(objects.digests())) == 1


def test_the_same_content_from_many_threads_at_once_is_one_object(objects: Objects) -> None:
    start = threading.Barrier(8)
    digests: list[str] = []

    def deliver() -> None:
        start.wait()
        digests.append(put(objects, b"all at once"))

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 8
    assert list(objects.digests()) == [hashlib.sha256(b"all at once").hexdigest()]


def test_short_contents_are_kept_all_at_once_each_under_its_digest(objects: Objects) -> None:
    contents = [b"one", b"two", b"one", b"x" * 100_000, put(objects, b"there already").encode(), b"there already"]
    kept = objects.keep(contents)
    assert kept == [hashlib.sha256(content).hexdigest() for content in contents]
    assert all(objects.read(str(digest)) == content for digest, content in zip(kept, contents, strict=True))
    assert len(list(objects.digests())) == 5
    assert objects.keep([]) == []


def test_an_empty_delivery_is_an_object_too(objects: Objects) -> None:
    digest = put(objects, b"")
    assert objects.size(digest) == 0
    assert objects.read(digest) == b""
    assert list(objects.stream(digest)) == []
    with objects.open(digest) as source:
        assert source.read() == b""


@pytest.mark.parametrize("name", [UNKNOWN, "", "../../etc/passwd", UNKNOWN.upper(), UNKNOWN + "\n", "é" * 64])
def test_a_name_that_is_no_object_is_not_found(objects: Objects, name: str) -> None:
    assert not objects.exists(name)
    for ask in (objects.open, objects.read, objects.stream, objects.size):
        with pytest.raises(NotFound):
            ask(name)


def test_removing_forgets_and_removing_again_is_no_error(objects: Objects) -> None:
    digest = put(objects, b"a stray")
    objects.remove(digest)
    objects.remove(digest)
    assert not objects.exists(digest)


def test_a_store_that_answers_is_ready(objects: Objects) -> None:
    objects.ready()


def test_a_reader_that_leaves_early_leaves_nothing_open(objects: Objects) -> None:
    digest = put(objects, bytes(3 * MIB))
    pieces = objects.stream(digest)
    assert next(pieces) == bytes(MIB)
    del pieces  # A source left open would be a ResourceWarning, and warnings are errors here.
    assert objects.read(digest, 5, 7) == bytes(7)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=3000),
    offset=st.integers(0, 3100),
    length=st.none() | st.integers(0, 3100),
    chunk=st.integers(1, 700),
)
def test_every_range_is_what_a_slice_would_be(
    objects: Objects, data: bytes, offset: int, length: int | None, chunk: int
) -> None:
    digest = put(objects, data)
    expected = data[offset:] if length is None else data[offset : offset + length]
    assert objects.read(digest, offset, length) == expected
    pieces = list(objects.stream(digest, offset, length, chunk))
    assert b"".join(pieces) == expected
    assert all(len(piece) <= chunk for piece in pieces)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(min_size=1, max_size=2000),
    steps=st.lists(st.tuples(st.sampled_from([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END]), st.integers(0, 2000))),
)
def test_an_open_object_seeks_like_any_file(objects: Objects, data: bytes, steps: list[tuple[int, int]]) -> None:
    model = io.BytesIO(data)
    with objects.open(put(objects, data)) as source:
        for whence, distance in steps:
            # From the end backwards; BytesIO stops at its start as we do.
            offset = -distance if whence == os.SEEK_END else distance
            if whence == os.SEEK_END:
                offset = max(offset, -len(data))
            assert source.seek(offset, whence) == model.seek(offset, whence)
            assert source.read(17) == model.read(17)
            assert source.tell() == model.tell()


def test_200_megabytes_pass_in_both_directions_with_flat_memory(objects: Objects) -> None:
    piece = os.urandom(MIB)
    tracemalloc.start()
    try:
        with objects.spool() as spool:
            for _ in range(200):
                spool.write(piece)
            spool.keep()
            digest = spool.digest
        again = hashlib.sha256()
        for part in objects.stream(digest):
            again.update(part)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert again.hexdigest() == digest
    assert objects.size(digest) == 200 * MIB
    # A part of an S3 upload is 5 MiB, and the client copies it while it signs.
    assert peak < 32 * MIB


def test_an_address_of_no_known_kind_is_refused_without_repeating_it() -> None:
    with pytest.raises(Internal, match="not at ftp://") as raised:
        objects_from_url("ftp://someone:secret@host/objects")
    assert "secret" not in str(raised.value)
