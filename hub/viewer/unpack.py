"""A package's tarball as files that a browser gets: only those wanted, at our address, compressed beforehand."""

import gzip
import tarfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import brotli

from schemas.faults import InvalidPayload

from .release import Change, Release

ENCODINGS = {"br": ".br", "gzip": ".gz"}
_WITHIN = PurePosixPath("package/dist")
_LICENCE = PurePosixPath("package/LICENSE")
_MOST_BYTES = 256 << 20
_MOST_FILES = 5000
_COMPRESSED = frozenset({".js", ".css", ".html", ".wasm", ".svg", ".json", ".txt", ".ico"})
_WORTH_BYTES = 1024
# Nine tenths of what the slowest level saves, in a tenth of its time.
_BROTLI_QUALITY = 9


def unpack(tarball: BinaryIO, release: Release, target: Path) -> None:
    """Fill the new folder `target`. Raises InvalidPayload for a tarball that holds anything unexpected."""
    undone = set(release.changes)
    try:
        with tarfile.open(fileobj=tarball, mode="r:gz") as archive:
            for path, content in _wanted(archive, release):
                content = _changed(path, content, release, undone)
                _write(target / path, content)
    except (tarfile.TarError, EOFError, OSError) as fault:
        raise InvalidPayload(f"not a package as npm packs it ({type(fault).__name__})", where="--from") from fault
    if undone or not (target / "index.html").is_file():
        raise InvalidPayload("the package is not built as this version of the hub expects", where="release.toml")


def _wanted(archive: tarfile.TarFile, release: Release) -> Iterator[tuple[PurePosixPath, bytes]]:
    total = count = 0
    for member in archive:
        path = _path(member)
        if path is None or any(fnmatchcase(str(path), pattern) for pattern in release.left_out):
            continue
        total, count = total + member.size, count + 1
        if total > _MOST_BYTES or count > _MOST_FILES:
            raise InvalidPayload("the package is larger than any viewer", where="--from")
        source = archive.extractfile(member)
        if source is not None:
            yield path, source.read()


def _path(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Where the member goes within our folder; None for what is no regular file of the built viewer."""
    # Links and devices are never made, so no path leads out of the folder but by its own steps.
    named = PurePosixPath(member.name)
    if not member.isreg() or named.is_absolute() or ".." in named.parts:
        return None
    if named == _LICENCE:
        return PurePosixPath("LICENSE.txt")
    return named.relative_to(_WITHIN) if named.is_relative_to(_WITHIN) else None


def _changed(path: PurePosixPath, content: bytes, release: Release, undone: set[Change]) -> bytes:
    for change in release.changes:
        old, new = change.old.encode(), change.new.replace("{root}", release.root).encode()
        if fnmatchcase(path.name, change.files) and old in content:
            content = content.replace(old, new)
            undone.discard(change)
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.suffix not in _COMPRESSED or len(content) < _WORTH_BYTES:
        return
    # No time of compression in it: the same package makes the same files.
    packed = {"gzip": gzip.compress(content, mtime=0), "br": brotli.compress(content, quality=_BROTLI_QUALITY)}
    for encoding, smaller in packed.items():
        if len(smaller) < len(content):
            path.with_name(path.name + ENCODINGS[encoding]).write_bytes(smaller)
