"""The settings as an operator reads them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from hub.settings import Settings
from tests.source_tree import ROOT


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = f"./{value}"
    if value is None:
        value = ""
    if isinstance(value, bool):
        value = int(value)
    return f"`{value}`" if value != "" else ""


def rows() -> list[str]:
    """The README's table, as the code would write it."""
    return [
        f"| `DXHUB_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


@pytest.mark.parametrize("row", rows())
def test_the_readme_lists_every_setting_with_its_default(row: str) -> None:
    assert row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_readme_lists_no_setting_that_does_not_exist() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if line.startswith("| `DXHUB_")} <= set(rows())
