"""The viewer's installed files as they go to a browser: by exact name, in the smallest form that it takes."""

import mimetypes
from dataclasses import dataclass, field
from pathlib import Path

from .unpack import ENCODINGS

_TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """A file with its smaller forms by content coding, the smallest first."""

    path: Path
    media_type: str
    smaller: dict[str, Path] = field(default_factory=dict)


def files(folder: Path) -> dict[str, File]:
    """Every file below the folder by its name. What is not among the names is not served: no path is ever built."""
    suffixes = tuple(ENCODINGS.values())
    found: dict[str, File] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(suffixes):
            forms = {coding: path.with_name(path.name + suffix) for coding, suffix in ENCODINGS.items()}
            smaller = {coding: form for coding, form in forms.items() if form.is_file()}
            found[path.relative_to(folder).as_posix()] = File(path, _type(path), smaller)
    return found


def _type(path: Path) -> str:
    guessed = mimetypes.guess_type(path.name)[0]
    return _TYPES.get(path.suffix) or guessed or "application/octet-stream"
