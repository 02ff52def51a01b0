"""What is shipped to a browser: all of it from this hub, all of it in the wheel."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hub.portal import build_assets
from tests.source_tree import PACKAGES, ROOT, files

PORTAL = ROOT / "hub" / "portal"
STATIC = PORTAL / "static"


def pages() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((PORTAL / "templates").rglob("*.html")))


def test_every_library_that_a_page_names_was_fetched() -> None:
    named = set(re.findall(r"vendor/[\w./-]+", pages()))
    assert named
    assert not [name for name in named if not (STATIC / name).is_file()]


def test_every_icon_that_a_page_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "vendor" / "icons.svg").read_text()))
    assert drawn == set(json.loads((PORTAL / "package.json").read_text())["vendor"]["icons"])
    named = set(re.findall(r"""\bicon\(["']([\w-]+)["']""", pages()))
    assert named <= drawn, "add the missing ones to package.json and build again"


def test_a_browser_is_never_sent_to_another_machine() -> None:
    # A hospital's network has no internet: a page that waits for a font from elsewhere does not open.
    ours = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".html"}]
    sent = re.compile(r"""(?:src|href|action)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""")
    for text in [pages(), *(path.read_text(encoding="utf-8") for path in ours)]:
        assert not sent.search(text)


def test_every_library_is_pinned_by_its_checksum_and_by_no_address() -> None:
    lock = json.loads((PORTAL / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry.get("integrity", "").startswith("sha512-") for entry in packages.values())
    assert not [name for name, entry in packages.items() if "resolved" in entry]


def test_what_is_current_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        pytest.fail("asked npm although nothing had changed")

    monkeypatch.setattr(build_assets, "npm", unreachable)
    build_assets.fetch()


def test_a_build_without_a_network_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess([], 1, "", "npm error network")

    monkeypatch.setattr(build_assets, "npm", offline)
    monkeypatch.setattr(build_assets, "VENDOR", tmp_path / "vendor")
    with pytest.raises(SystemExit, match=r"could not be fetched(.|\n)*npm error network"):
        build_assets.fetch()
    assert not list(tmp_path.iterdir())


def test_the_wheel_holds_all_that_the_packages_need(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {path.relative_to(ROOT) for path in files()} | {
        path.relative_to(ROOT) for path in (STATIC / "vendor").rglob("*") if path.is_file()
    }
    assert not [path for path in ours if path.parts[0] in PACKAGES and path.as_posix() not in packed]
    assert not [name for name in packed if name.startswith("tests/")]
