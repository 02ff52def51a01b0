"""The project's own source as syntax trees, for the tests that judge how it is built."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hub", "adapters", "schemas", "storage")


class Module(NamedTuple):
    """One source file."""

    name: str
    path: str
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Full names of what it imports; `from a import b` gives `a.b`, since b may be a module."""
        for node in ast.walk(self.tree):
            yield from imported(node, self)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(node: ast.AST, module: Module) -> list[str]:
    """Full names of what one statement imports, relative ones resolved; nothing for other statements."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    parts = module.name.split(".")
    # A package's own name counts as one level already.
    up = len(parts) - node.level + module.path.endswith("__init__.py")
    start = ".".join([*parts[:up], *filter(None, [node.module])]) if node.level else str(node.module)
    return [f"{start}.{alias.name}" for alias in node.names]


def within(name: str, *packages: str) -> bool:
    """Whether a full name is one of `packages` or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the four packages."""
    return tuple(_module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, without what a build or a run has made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    # Outside a clone (an unpacked release) what is there was released.
    names = listed.stdout.split("\0") if not listed.returncode else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())


def _module(path: Path) -> Module:
    place = path.relative_to(ROOT)
    parts = place.parts[:-1] if place.name == "__init__.py" else place.with_suffix("").parts
    return Module(".".join(parts), place.as_posix(), ast.parse(path.read_text(encoding="utf-8")))
