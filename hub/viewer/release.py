"""Which release of the image viewer belongs to this hub, and where its files lie once they are installed."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

# What unpacking does to the files beside what release.toml says; a new number makes a new folder.
_MADE_BY = "1"
ADDRESS = "/viewer/files"


@dataclass(frozen=True, slots=True)
class Change:
    """In every file whose name matches `files`, `old` becomes `new`; some file has it."""

    files: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Release:
    """`integrity`: of the package's tarball, as npm writes it. `left_out`: patterns of files. `name`: of its folder."""

    package: str
    version: str
    integrity: str
    left_out: tuple[str, ...]
    changes: tuple[Change, ...]
    name: str

    @property
    def root(self) -> str:
        """The path under which its files are served; another release, another path, so browsers may keep them."""
        return f"{ADDRESS}/{self.name}/"


@cache
def release() -> Release:
    """The release that this version of the hub was tested with."""
    text = resources.files("hub.viewer").joinpath("release.toml").read_bytes()
    said = tomllib.loads(text.decode())
    return Release(
        package=said["package"],
        version=said["version"],
        integrity=said["integrity"],
        left_out=tuple(said["left_out"]),
        changes=tuple(Change(each["files"], each["from"], each["to"]) for each in said["changes"]),
        name=f"{said['version']}-{hashlib.sha256(text + _MADE_BY.encode()).hexdigest()[:8]}",
    )


def installed(folder: Path) -> Path | None:
    """Where the viewer's files lie; None where this release is not installed. `folder`: DXHUB_VIEWER."""
    found = folder / release().name
    return found if found.is_dir() else None
