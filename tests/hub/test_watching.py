"""Carts that can only drop files: taken when at rest, moved aside with the reason, never twice, no link followed."""

import json
import os
import stat
from pathlib import Path

import pytest

from hub import watching
from hub.portal.fault_words import in_both_languages
from hub.watching import Watched, Watching
from schemas.delivery import Delivery, DeliveryCriteria, Format, Receipt
from schemas.faults import Busy
from tests.hub.kernel import ADMIN, Kernel

GOOD = json.dumps({"mr": "1", "values": {"718-7": 130}}).encode()


def sniffed(_: bytes) -> Format:
    """The kernel's reader reads everything."""
    return Format.HL7V2


class Cart:
    """A watched folder, and a clock that the test sets."""

    def __init__(self, hub: Kernel, folder: Path, source: str = "") -> None:
        self.hub, self.folder, self.now = hub, folder, 1000.0
        self.receipts: list[Receipt] = []
        self.delivered: list[Delivery] = []
        self.busy = False
        watched = Watched(folder, source, 5, 1_000_000)
        self.watching = Watching(
            watched, self._deliver, hub.ingest.identify, sniffed, in_both_languages, lambda: self.now
        )

    def _deliver(self, delivery: Delivery) -> Receipt:
        if self.busy:
            raise Busy("not now")
        self.delivered.append(delivery)
        self.receipts.append(self.hub.ingest.deliver(delivery))
        return self.receipts[-1]

    def drop(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def look(self, after_s: float = 0) -> list[str]:
        """Looks once, so much later; what lies in the folder then."""
        self.now += after_s
        self.watching.look()
        found = (path for path in self.folder.rglob("*") if path.is_symlink() or not path.is_dir())
        return sorted(str(path.relative_to(self.folder)) for path in found)


@pytest.fixture
def cart(hub: Kernel, tmp_path: Path) -> Cart:
    return Cart(hub, tmp_path / "in")


def test_a_file_is_taken_when_it_no_longer_grows_and_its_report_is_found(cart: Cart) -> None:
    path = cart.drop("CHC01/a.json", GOOD[:10])
    assert cart.look() == ["CHC01/a.json"]
    path.write_bytes(GOOD)
    assert cart.look(6) == ["CHC01/a.json"]
    assert cart.look(4) == ["CHC01/a.json"]
    assert cart.look(1) == ["CHC01/done/a.json"]
    (record,) = cart.hub.query.deliveries(cart.hub.ask(ADMIN), DeliveryCriteria()).items
    assert (record.channel, record.source, len(record.report_ids)) == ("watch", "CHC01", 1)


def test_what_is_refused_has_its_reason_beside_it_in_chinese_and_english(cart: Cart) -> None:
    cart.drop("CHC01/b.json", b"\xff no JSON")
    cart.drop("NOBODY/c.json", GOOD)
    cart.drop("d.json", GOOD)
    cart.look()
    found = cart.look(6)
    assert found == sorted(
        f"{place}refused/{name}{ending}"
        for place, name in (("CHC01/", "b.json"), ("NOBODY/", "c.json"), ("", "d.json"))
        for ending in ("", ".txt")
    )
    reason = (cart.folder / "NOBODY/refused/c.json.txt").read_text(encoding="utf-8")
    assert reason == "该发送方未登记\nthis sender is not registered\nfolder\n"
    assert "文件须放在" in (cart.folder / "refused/d.json.txt").read_text(encoding="utf-8")
    # Of whom nobody knows nothing is kept; of a known one everything.
    assert [receipt.state for receipt in cart.receipts] == ["quarantined"]


def test_whoever_is_killed_before_the_move_takes_it_again_for_the_same_receipt(
    cart: Cart, monkeypatch: pytest.MonkeyPatch
) -> None:
    cart.drop("CHC01/a.json", GOOD)
    cart.look()
    with monkeypatch.context() as killed:
        killed.setattr(watching, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            cart.look(6)
    restarted = Cart(cart.hub, cart.folder)
    restarted.look()
    assert restarted.look(6) == ["CHC01/done/a.json"]
    assert restarted.receipts == cart.receipts


def test_unfinished_hidden_and_postponed_files_stay(cart: Cart) -> None:
    for name in ("CHC01/a.json.part", "CHC01/.b.json", "CHC01/c.json"):
        cart.drop(name, GOOD)
    cart.busy = True
    cart.look()
    assert cart.look(60) == ["CHC01/.b.json", "CHC01/a.json.part", "CHC01/c.json"]
    cart.busy = False
    assert cart.look(1) == ["CHC01/.b.json", "CHC01/a.json.part", "CHC01/done/c.json"]


def test_a_file_that_grows_while_it_is_read_is_taken_whole_later(cart: Cart) -> None:
    path = cart.drop("CHC01/2026/a.json", GOOD[:-1])
    cart.look()
    deliver = cart.hub.ingest.deliver

    def late(delivery: Delivery) -> Receipt:
        receipt = deliver(delivery)
        with path.open("ab") as file:
            file.write(GOOD[-1:])
        return receipt

    cart.watching._deliver = late
    assert cart.look(6) == ["CHC01/2026/a.json"]
    cart.watching._deliver = deliver
    cart.look()
    assert cart.look(6) == ["CHC01/2026/done/a.json"]


def test_links_pipes_and_what_is_too_large_are_refused_without_being_read(cart: Cart, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(GOOD)
    cart.drop("CHC01/large.json", b" " * 1_000_001)
    (cart.folder / "CHC01/link.json").symlink_to(secret)
    (cart.folder / "CHC01/folder").symlink_to(tmp_path)
    os.mkfifo(cart.folder / "CHC01/pipe")
    cart.look()
    found = cart.look(6)
    names = ("folder", "large.json", "link.json", "pipe")
    assert found == sorted(f"CHC01/refused/{name}{ending}" for name in names for ending in ("", ".txt"))
    assert "不接收符号链接" in (cart.folder / "CHC01/refused/link.json.txt").read_text(encoding="utf-8")
    assert cart.receipts == []
    assert secret.read_bytes() == GOOD
    assert stat.S_ISFIFO((cart.folder / "CHC01/refused/pipe").lstat().st_mode)


def test_a_second_file_of_the_same_name_replaces_nothing(cart: Cart) -> None:
    for number in (1, 2):
        cart.drop("CHC01/a.json", json.dumps({"mr": "1", "key": f"K{number}"}).encode())
        cart.look()
        cart.look(6)
    assert cart.look() == ["CHC01/done/a-2.json", "CHC01/done/a.json"]
    assert len({receipt.delivery_id for receipt in cart.receipts}) == 2


def test_files_in_the_folder_itself_come_from_the_source_of_the_settings(hub: Kernel, tmp_path: Path) -> None:
    cart = Cart(hub, tmp_path / "in", source="CHC01")
    cart.drop("a.json", GOOD)
    cart.look()
    assert cart.look(6) == ["done/a.json"]
    assert hub.objects.read(cart.receipts[0].digest) == GOOD


def test_it_looks_by_itself_while_the_hub_runs(hub: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_EVERY_S", 0.02)
    watched = Watched(tmp_path / "in", "CHC01", 0.05, 1_000_000)
    running = Watching(watched, hub.ingest.deliver, hub.ingest.identify, sniffed, in_both_languages)
    running.start()
    (tmp_path / "in" / "a.json").write_bytes(GOOD)
    done = tmp_path / "in" / "done" / "a.json"
    for _ in range(500):
        if done.exists():
            break
        running._stop.wait(0.02)
    running.stop()
    assert done.read_bytes() == GOOD


def test_a_companion_says_whose_a_file_is_and_is_moved_with_it(cart: Cart) -> None:
    cart.drop("CHC01/scan.bin.json", json.dumps({"identifier": "7", "name": "王芳"}).encode())
    assert cart.look() == cart.look(60) == ["CHC01/scan.bin.json"]  # it waits for its file
    cart.drop("CHC01/scan.bin", GOOD)
    cart.look()
    assert cart.look(6) == ["CHC01/done/scan.bin", "CHC01/done/scan.bin.json"]
    hint = cart.delivered[-1].origin.hint
    assert hint is not None
    assert (hint.patient.name.text, hint.patient.key.value) == ("王芳", "7")
    assert hint.patient.key.system.endswith("CHC01")  # its own folder's numbers, unless it says otherwise


@pytest.mark.parametrize(
    "said", [b"no JSON", b"[1]", b'{"identifier": 7}', b'{"name": "x"}', b'{"who": "x"}', b"[" * 9999, b" " * 70000]
)
def test_a_companion_that_says_nothing_has_its_file_refused_with_the_reason(cart: Cart, said: bytes) -> None:
    cart.drop("CHC01/scan.bin.json", said)
    cart.drop("CHC01/scan.bin", GOOD)
    cart.look()
    found = cart.look(6)
    assert found == [f"CHC01/refused/scan.bin{ending}" for ending in ("", ".json", ".txt")]
    assert cart.receipts == []
