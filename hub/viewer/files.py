"""The viewer's files as they go to a browser: by exact name, compressed beforehand where that makes them smaller."""

import mimetypes
from dataclasses import dataclass
from pathlib import Path

ADDRESS = "/viewer/files"
VENDOR = Path(__file__).resolve().parent / "vendor"
COMPRESSED = ".gz"
_TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """A file on disk; `compressed`: it is kept only as gzip makes it."""

    path: Path
    media_type: str
    compressed: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """The files of one release by their names; what is not among the names is not served: no path is ever built.

    `name`: of the release as this hub adapted it; it is part of every file's address, so browsers may keep them.
    """

    name: str
    files: dict[str, File]

    @property
    def root(self) -> str:
        """The path under which the files are served."""
        return f"{ADDRESS}/{self.name}/"

    @property
    def entry(self) -> str:
        """The name of the script that starts the viewer."""
        return next(name for name in self.files if name.startswith("app.bundle.") and name.endswith(".js"))


def viewer(vendor: Path = VENDOR) -> Viewer:
    """The one release that the build left in the folder `vendor`."""
    (folder,) = (path for path in vendor.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = (_file(folder, path) for path in folder.rglob("*") if path.is_file())
    return Viewer(folder.name, dict(found))


def _file(folder: Path, path: Path) -> tuple[str, File]:
    compressed = path.suffix == COMPRESSED
    named = path.with_suffix("") if compressed else path
    kind = _TYPES.get(named.suffix) or mimetypes.guess_type(named.name)[0] or "application/octet-stream"
    return named.relative_to(folder).as_posix(), File(path, kind, compressed)
