"""What the hub says when the S3 store is away, refuses, or is not what the settings promise."""

import time
from pathlib import Path

import pytest
from pydicom import dcmread

from schemas.faults import Busy, Internal
from storage.objects import Objects, objects_from_url
from tests.engines import MinioServer, free_port


def store_at(url: str, scratch: Path) -> Objects:
    return objects_from_url(url, scratch=scratch)


def test_a_store_that_is_away_is_busy_before_a_sender_gives_up(tmp_path: Path) -> None:
    store = store_at(f"s3://key:secret-of-the-hub@127.0.0.1:{free_port()}/hub?secure=0", tmp_path)
    began = time.monotonic()
    with pytest.raises(Busy) as raised:
        store.ready()
    assert time.monotonic() - began < 10
    assert "secret-of-the-hub" not in str(raised.value)
    with store.spool() as spool:
        spool.write(b"nowhere to go")
        with pytest.raises(Busy):
            spool.keep()
    assert not list(tmp_path.iterdir())


def test_wrong_keys_are_a_fault_of_ours_not_the_sender_s(minio: MinioServer, tmp_path: Path) -> None:
    url = minio.url(minio.create()).replace(minio.secret, "wrong-secret")
    with pytest.raises(Internal, match="refused"):
        store_at(url, tmp_path).ready()


def test_a_missing_bucket_is_said_and_made_at_the_next_start(minio: MinioServer, tmp_path: Path) -> None:
    store = store_at(minio.url("made-at-start"), tmp_path)
    with pytest.raises(Internal, match="no such bucket"):
        store.ready()
    store.sweep()
    store.sweep()
    store.ready()


def test_an_open_object_fetches_only_what_is_read(minio: MinioServer, tmp_path: Path) -> None:
    store = store_at(minio.url(minio.create()), tmp_path)
    with store.spool() as spool:
        spool.write(bytes(40 << 20) + b"the end")
        spool.keep()
    began = time.perf_counter()
    with store.open(spool.digest) as source:
        source.seek(-7, 2)
        assert source.read() == b"the end"
    ends_only = time.perf_counter() - began
    began = time.perf_counter()
    assert sum(len(piece) for piece in store.stream(spool.digest)) == (40 << 20) + 7
    assert ends_only < time.perf_counter() - began


@pytest.mark.parametrize("url", ["s3://host/bucket", "s3://key:secret@host:9000", "s3://key@host/bucket"])
def test_an_incomplete_address_is_refused_at_once(url: str, tmp_path: Path) -> None:
    with pytest.raises(Internal, match="s3://KEY:SECRET@host:port/bucket"):
        store_at(url, tmp_path)


def test_an_open_object_has_a_name_as_libraries_expect_of_a_buffered_file(minio: MinioServer, tmp_path: Path) -> None:
    store = store_at(minio.url(minio.create()), tmp_path)
    with store.spool() as spool:
        spool.write(bytes(128) + b"DICM" + b"\x08\x00\x60\x00CS\x02\x00CT")
        spool.keep()
    with store.open(spool.digest) as source:
        # Pydicom takes the name of a buffered file for granted; without one no image in a bucket could be drawn.
        assert dcmread(source).Modality == "CT"
