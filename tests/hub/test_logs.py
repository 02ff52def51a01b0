"""No name, birth date, identity number or free text reaches a log."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest
import structlog
from pydicom.valuerep import PersonName, validate_value

from hub import logs


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The hub's logging, as `dxhub` sets it up, and nothing of it afterwards."""
    levels = {name: logging.getLogger(name).level for name in logs.TALKATIVE}
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    with warnings.catch_warnings():
        logs.configure("info")
        yield text
    structlog.reset_defaults()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_exception_leaves_its_type_and_places_but_not_its_message(written: io.StringIO) -> None:
    try:
        raise ValueError("王芳 19800101")
    except ValueError:
        structlog.get_logger().exception("delivery.reader_failed", format="hl7v2")
    line = json.loads(written.getvalue().splitlines()[-1])
    assert line["error"] == "ValueError"
    assert "test_logs.py" in line["at"][-1]
    assert "王芳" not in json.dumps(line, ensure_ascii=False)


def test_libraries_that_quote_values_are_silent(written: io.StringIO) -> None:
    validate_value("UI", "王芳", 1)
    logging.getLogger("pydicom").error("bad value %s", PersonName("王^芳"))
    assert "王" not in written.getvalue()
