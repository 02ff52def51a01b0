"""What a folder of objects does when the disk is full, when a process dies, and what durability costs."""

import fcntl
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.faults import Busy, Internal
from storage import object_journal
from storage.object_journal import Journal
from storage.object_volumes import contents_of, stretches_of
from storage.objects_disk import DiskObjects

KIB = 1 << 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB and 40 names."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=40,mode=700", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("run as root where file systems may be mounted")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def files(store: DiskObjects) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def put(store: DiskObjects, data: bytes) -> str:
    with store.spool() as spool:
        spool.write(data)
        spool.keep()
        return spool.digest


def until_full(store: DiskObjects, size: int) -> list[str]:
    kept = []
    try:
        while True:
            kept.append(put(store, os.urandom(size)))
    except Busy:
        return kept


def test_a_full_disk_is_a_clear_refusal_and_the_store_goes_on(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.sweep()
    kept = put(store, bytes(100 * KIB))
    with store.spool() as spool:
        spool.write(bytes(100 * KIB))
        with pytest.raises(Busy, match="disk is full"):
            spool.write(bytes(100 * KIB))
    assert [path.name for path in files(store)] == [kept], "what did not fit left something behind"
    assert store.read(kept) == bytes(100 * KIB)
    # The room is free again: what is smaller fits.
    assert put(store, b"a small one") in set(store.digests())


def test_the_room_is_free_as_soon_as_the_refusal_is_given(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    spool = store.spool()
    with pytest.raises(Busy):
        spool.write(bytes(512 * KIB))
    assert not files(store)
    assert put(store, bytes(200 * KIB))
    spool.close()


def test_a_disk_without_room_for_another_name_is_full_too(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    kept = until_full(store, 8)
    assert kept
    assert sorted(path.name for path in files(store)) == sorted(kept)


def test_a_full_disk_is_not_ready(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.sweep()
    store.ready()
    (small_disk / "ballast").write_bytes(bytes(256 * KIB - 8 * KIB))
    until_full(store, 4 * KIB)
    with pytest.raises(Busy):
        store.ready()


def test_a_limit_on_the_size_of_files_reads_as_a_full_disk(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 * KIB, before[1]))
    try:
        with store.spool() as spool, pytest.raises(Busy):
            spool.write(bytes(101 * KIB))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not files(store)


def test_a_folder_that_is_gone_is_a_fault_of_ours_that_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Internal) as raised:
        DiskObjects(tmp_path / "file" / "objects").spool()
    assert str(tmp_path) not in str(raised.value)


DELIVERY_THAT_DIES = """
import sys
from pathlib import Path
from storage.objects_disk import DiskObjects
spool = DiskObjects(Path(sys.argv[1])).spool()
spool.write(b"never finished")
print("writing", flush=True)
sys.stdin.read()
"""


def test_a_sweep_removes_what_a_dead_process_left_and_spares_the_living(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    command = [sys.executable, "-c", DELIVERY_THAT_DIES, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as other:
        assert other.stdout
        assert other.stdout.readline() == b"writing\n"
        with store.spool() as ours:
            ours.write(b"still coming")
            assert store.sweep() == 0, "both deliveries are alive"
            other.send_signal(signal.SIGKILL)
            other.wait()
            assert store.sweep() == 1
            ours.keep()
            assert store.exists(ours.digest)
    assert store.sweep() == 0


def test_an_object_cut_short_by_the_disk_is_mended_by_the_next_delivery(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    digest = put(store, b"the whole report")
    store.path(digest).write_bytes(b"the wh")
    assert put(store, b"the whole report") == digest
    assert store.read(digest) == b"the whole report"


def test_short_content_cut_short_is_mended_too(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    store.sweep()
    (digest,) = store.keep([b"the whole report"])
    store.close()
    for damaged in (b"the wh", b"", b"the whole repor\0"):
        store.path(str(digest)).write_bytes(damaged)
        assert store.keep([b"the whole report", b"another"])[0] == digest
        store.close()
        assert store.read(str(digest)) == b"the whole report"
    assert list(store.incoming.iterdir()) == []


def volumes(store: DiskObjects) -> list[Path]:
    return list((store.root / "journal").iterdir())


def test_short_contents_are_durable_with_one_sync_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    real = os.fdatasync

    def noting(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    store = DiskObjects(tmp_path)
    store.keep([b"the first has the journal made"])
    monkeypatch.setattr(os, "fdatasync", noting)
    digests = store.keep([b"one", b"two", b"three", b"two"])
    (volume,) = volumes(store)
    assert synced == [volume]
    assert [*contents_of(volume)][1:] == [b"one", b"two", b"three"]
    other = DiskObjects(tmp_path)
    for each in (store, other):
        assert [each.read(str(digest)) for digest in digests] == [b"one", b"two", b"three", b"two"]
        assert set(digests) < set(each.digests())
        assert each.size(str(digests[2])) == 5
    with pytest.raises(Busy):
        other.remove(str(digests[0]))
    store.close()
    assert volumes(store) == []
    assert store.path(str(digests[0])).read_bytes() == b"one", "it has a file of its own now"
    assert len(list(other.digests())) == 4
    other.remove(str(digests[0]))
    assert not other.exists(str(digests[0]))


def test_when_it_is_quiet_what_came_gets_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_journal, "_QUIET_S", 0.05)
    store, other = DiskObjects(tmp_path), DiskObjects(tmp_path)
    digest = str(store.keep([b"content" * 1000])[0])
    (volume,) = volumes(store)
    deadline = time.monotonic() + 20
    while any(contents_of(volume)) and time.monotonic() < deadline:
        assert other.read(digest) == b"content" * 1000, "at every moment"
    assert store.path(digest).read_bytes() == other.read(digest) == b"content" * 1000
    store.close()


def test_a_volume_is_written_over_and_says_nothing_of_what_it_held_before(tmp_path: Path) -> None:
    written: list[bytes] = []
    journal = Journal(tmp_path / "journal", written.append, lambda stretch, _: written.append(stretch.read()))
    journal.append([b"a long one" * 100, b"another" * 100])
    (volume,) = (tmp_path / "journal").iterdir()
    journal.settle()
    assert list(contents_of(volume)) == []
    journal.append([b"short"])
    assert [*contents_of(volume)] == [b"short"]
    assert list((tmp_path / "journal").iterdir()) == [volume]
    journal.close()
    assert written == [b"a long one" * 100, b"another" * 100, b"short"]


def test_a_volume_that_cannot_be_read_back_is_not_given_up(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    kept = [str(each) for each in store.keep([b"whole", b"cut short by the disk"])]
    (volume,) = volumes(store)
    os.truncate(volume, volume.stat().st_size - 1)
    with pytest.raises(Internal):
        store.close()
    assert volume.exists()
    assert store.read(kept[0]) == b"whole"


JOURNAL_OF_A_PROCESS_THAT_DIES = """
import os, sys
from pathlib import Path
from storage.objects_disk import DiskObjects
store = DiskObjects(Path(sys.argv[1]))
store.keep([b"whole", b"cut short", b"never written"])
print("kept", flush=True)
sys.stdin.read()
"""


def test_what_a_crash_of_the_machine_took_is_written_again_from_the_journal(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    command = [sys.executable, "-c", JOURNAL_OF_A_PROCESS_THAT_DIES, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as other:
        assert other.stdout
        assert other.stdout.readline() == b"kept\n"
        assert store.recover() == 0, "its process lives"
        other.send_signal(signal.SIGKILL)
        other.wait()
    places = [store.path(hashlib.sha256(each).hexdigest()) for each in (b"cut short", b"never written")]
    places[0].parent.mkdir(exist_ok=True)
    places[0].write_bytes(b"cut")
    (volume,) = volumes(store)
    volume.with_suffix(".part").write_bytes(b"ne")
    with volume.open("ab") as journal:
        journal.write(volume.read_bytes()[16:62])  # the last write was cut short as well, and promised to nobody
    assert store.recover() == 3
    assert [place.read_bytes() for place in places] == [b"cut short", b"never written"]
    assert list((tmp_path / "journal").iterdir()) == []
    assert store.recover() == 0


def test_an_envelope_is_durable_with_its_content_until_what_was_made_of_them_is(tmp_path: Path) -> None:
    store, told = DiskObjects(tmp_path), list[tuple[str, bytes]]()
    settled: list[str] = []

    def settle() -> None:
        settled.append("asked")
        if len(settled) == 1:
            raise Busy("the database's disk did not keep it", where="database")

    assert store.remember(settle)
    (digest, again, _) = store.keep([b"one", b"one", b"two"], [b"first", b"second", b""])
    (volume,) = volumes(store)
    assert [(each.digest, each.envelope()) for each in stretches_of(volume)] == [
        (digest, b"first"),
        (again, b"second"),
        (hashlib.sha256(b"two").hexdigest(), b""),
    ]
    with pytest.raises(Busy):
        store.close()
    assert list(contents_of(volume)) == [b"one", b"one", b"two"], "not given up before"
    store.close()
    assert len(settled) == 2
    assert volumes(store) == []
    store.recall(told.extend)
    assert told == []


JOURNAL_WITH_ENVELOPES = """
import os, signal, sys
from pathlib import Path
from storage.objects_disk import DiskObjects
store = DiskObjects(Path(sys.argv[1]))
store.remember(lambda: None)
store.keep([b"whole", b"plain", b"changed", b"never written"], [b"told", b"", b"spoilt", b"of it"])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_envelopes_of_a_process_that_died_are_handed_over_once(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    command = [sys.executable, "-c", JOURNAL_WITH_ENVELOPES, str(tmp_path)]
    subprocess.run(command, check=False, cwd=Path.cwd())
    (volume,) = volumes(store)
    written = volume.read_bytes().replace(b"spoilt", b"sqoilt")
    volume.write_bytes(written.replace(b"never written", b"never wr"))
    assert store.recover() == 3
    assert store.recover() == 0
    kept = [hashlib.sha256(each).hexdigest() for each in (b"whole", b"plain", b"changed")]
    assert set(store.digests()) == set(kept)
    told: list[tuple[str, bytes]] = []

    def not_yet(_: object) -> None:
        raise Busy("the database is busy", where="database")

    with pytest.raises(Busy):
        store.recall(not_yet)
    store.recall(told.extend)
    assert told == [(kept[0], b"told")], "and none that is not as it was written"
    store.recall(told.extend)
    assert len(told) == 1
    assert volumes(store) == []


def test_whoever_recovers_takes_no_volume_that_has_just_been_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = DiskObjects(tmp_path), DiskObjects(tmp_path)
    real, looked = fcntl.flock, list[int]()

    def late(handle: int, how: int) -> None:
        # Between the name and the lock of a volume, where whoever recovers comes first.
        if how == fcntl.LOCK_EX and len(looked) < 3:
            looked.append(other.recover())
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    (digest,) = store.keep([b"acknowledged"])
    assert len(looked) == 3
    assert other.read(str(digest)) == b"acknowledged"
    store.close()
    assert other.read(str(digest)) == b"acknowledged"


def test_a_full_disk_costs_no_file_for_each_that_it_refuses(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.sweep()
    large = bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize + 1)
    for _ in range(20):
        (kept,) = store.keep([large])
        assert isinstance(kept, Busy)
    assert len(volumes(store)) <= 1
    store.close()


def test_what_finds_no_room_takes_nothing_from_the_others(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.sweep()
    room = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize
    short, long = b"short", b"l" * (room + 1)
    kept = store.keep([short, long])
    assert kept[0] == hashlib.sha256(short).hexdigest()
    assert isinstance(kept[1], Busy)
    assert list(store.digests()) == [kept[0]]
    assert store.keep([b"after"]) == [hashlib.sha256(b"after").hexdigest()]


def test_durability_costs_one_sync_of_the_file_and_one_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def noting(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    monkeypatch.setattr(os, "fsync", noting)
    store = DiskObjects(tmp_path)
    digest = put(store, b"first of its folder")
    leaf = store.path(digest).parent
    # The folders are new as well: each is made durable in its parent, once.
    assert synced[1:] == [leaf, tmp_path]
    assert synced[0].parent == store.incoming, "the bytes come first, or the name could outlive them"
    synced.clear()
    store.remove(digest)
    put(store, b"first of its folder")
    assert [path.parent == store.incoming or path for path in synced] == [True, leaf]
    synced.clear()
    put(store, b"first of its folder")
    assert synced == [leaf], "known content costs no sync of bytes"


def test_a_store_of_two_folders_deep_is_lifted_to_one(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    digest = put(store, b"kept by an earlier version")
    place = store.path(digest)
    deep = place.parent / digest[2:4]
    deep.mkdir()
    place.rename(deep / digest)
    DiskObjects(tmp_path).sweep()
    assert store.read(digest) == b"kept by an earlier version"
    assert list(store.digests()) == [digest]
    assert not deep.exists()


def test_only_the_hub_s_own_account_may_read_the_bytes(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path / "objects")
    place = store.path(put(store, b"a patient's report"))
    for path in (place, place.parent, place.parent.parent, store.incoming):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077


def test_what_others_put_into_the_folder_is_no_object(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    digest = put(store, b"an object")
    store.path(digest).with_name("notes.txt").write_text("not ours")
    (tmp_path / "lost+found").mkdir()
    assert list(store.digests()) == [digest]


def test_a_name_that_is_no_digest_never_becomes_a_path(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path / "objects")
    secret = tmp_path / hashlib.sha256(b"x").hexdigest()
    secret.write_text("outside")
    assert not store.exists(f"../{secret.name}")
