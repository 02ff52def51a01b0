"""Fetches the image viewer while the hub is built, and adapts it: only the files wanted, at our address, compressed.

`release.toml` names and pins it. `hub/portal/build_assets.py` runs this file by itself: it imports nothing of the hub.
"""

import base64
import gzip
import hashlib
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

HERE = Path(__file__).resolve().parent
_WITHIN = PurePosixPath("package/dist")
_LICENCE = PurePosixPath("package/LICENSE")
_COMPRESSED = frozenset({".js", ".css", ".wasm", ".svg", ".json"})
_WORTH_BYTES = 1024
# Within a hundredth of what the slowest level saves, in a third of its time.
_LEVEL = 6

Npm = Callable[[list[str], Path], Any]


def fetch(npm: Npm, vendor: Path = HERE / "vendor") -> None:
    """Leaves in `vendor` one folder, the viewer of release.toml; no work where it is there already.

    npm: runs npm with these arguments in that folder, and ends the build where it fails.
    """
    release = tomllib.loads((HERE / "release.toml").read_text(encoding="utf-8"))
    name = _name(release)
    if (vendor / name).is_dir():
        return
    with tempfile.TemporaryDirectory(prefix="dxhub-viewer-") as made_in:
        work = Path(made_in)
        # Only its files are wanted: what it depends on is bundled, and nothing that it brings is run.
        npm(["pack", f"{release['package']}@{release['version']}", "--ignore-scripts", "--silent"], work)
        (tarball,) = work.glob("*.tgz")
        unpack(tarball, release, work / name)
        partly = vendor.with_name(f".vendor-{work.name}")
        shutil.copytree(work / name, partly / name)
    shutil.rmtree(vendor, ignore_errors=True)
    partly.rename(vendor)


def _name(release: dict[str, Any]) -> str:
    # Another release, other changes or other steps: another address, so that no browser mixes them.
    said = (HERE / "release.toml").read_bytes() + Path(__file__).read_bytes()
    return f"{release['version']}-{hashlib.sha256(said).hexdigest()[:8]}"


def unpack(tarball: Path, release: dict[str, Any], target: Path) -> None:
    """Fills the new folder `target`, whose name is part of the files' address; ends the build where it cannot."""
    algorithm, _, expected = release["integrity"].partition("-")
    digest = hashlib.new(algorithm, tarball.read_bytes()).digest()
    if base64.b64encode(digest).decode() != expected:
        raise SystemExit(f"{release['package']} {release['version']} is not the package that release.toml pins.")
    undone = {change["from"] for change in release["changes"]}
    with tarfile.open(tarball, mode="r:gz") as archive:
        for path, content in _wanted(archive, release["left_out"]):
            content = _changed(path, content, release["changes"], f"/viewer/files/{target.name}/", undone)
            _write(target / path, content)
    if undone:
        raise SystemExit(f"The viewer is not built as release.toml expects; nowhere in it is {sorted(undone)}.")


def _wanted(archive: tarfile.TarFile, left_out: list[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    for member in archive:
        path = _path(member)
        source = archive.extractfile(member)
        if path and source and not any(fnmatchcase(str(path), pattern) for pattern in left_out):
            yield path, source.read()


def _path(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Where the member goes within our folder; None for what is no regular file of the built viewer."""
    named = PurePosixPath(member.name)
    if not member.isreg() or ".." in named.parts:
        return None
    if named == _LICENCE:
        return PurePosixPath("LICENSE.txt")
    return named.relative_to(_WITHIN) if named.is_relative_to(_WITHIN) else None


def _changed(path: PurePosixPath, content: bytes, changes: list[dict[str, str]], root: str, undone: set[str]) -> bytes:
    for change in changes:
        old, new = change["from"].encode(), change["to"].replace("{root}", root).encode()
        if fnmatchcase(path.name, change["files"]) and old in content:
            content = content.replace(old, new)
            undone.discard(change["from"])
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No time of compression in it: the same package makes the same files.
    if path.suffix in _COMPRESSED and len(content) >= _WORTH_BYTES:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, _LEVEL, mtime=0))
    else:
        path.write_bytes(content)
