"""What an operator reads when something stands in the way: a sentence that names the setting, never a traceback."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import commands as command
from hub import logs


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logs, "configure", lambda _level: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    for part in ("HTTP", "DICOM", "MLLP"):
        monkeypatch.setenv(f"DXHUB_{part}_PORT", "0")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DXHUB_HTTP_PORT", "abc", "valid integer"),
        ("DXHUB_MLLP_PORT", "99999", "65535"),
        ("DXHUB_LOG_LEVEL", "loud", "'debug'"),
        ("DXHUB_DATABASE_URL", "mysql://root:hunter2@db/hub", "not at mysql://"),
        ("DXHUB_DATABASE_URL", "hunter2", "postgresql+psycopg://"),
        ("DXHUB_DATABASE_URL", "postgresql+psycopg://root:hunter2@db:port/hub", "cannot be understood"),
        ("DXHUB_OBJECTS_URL", "ftp://root:hunter2@files", "not at ftp://"),
        ("DXHUB_HOST", "192.0.2.1", "TLS proxy"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected_and_no_secret(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert command.main(["serve"]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert name in said
    assert "hunter2" not in said
    assert said.count("\n") == 1


def test_a_hub_that_only_watches_says_what_it_should_watch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DXHUB_WATCH", raising=False)
    assert command.main(["serve", "--only", "watch"]) == 2
    assert "DXHUB_WATCH" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["serve", "demo"])
@pytest.mark.parametrize("part", ["http", "dicom", "mllp"])
def test_a_port_that_is_taken_is_named_before_anything_is_made(
    verb: str, part: str, taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = {"http": 0, "dicom": 0, "mllp": 0, part: taken}
    flags = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    assert command.main([verb, "--data", str(tmp_path / "d"), *flags]) == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{taken}" in said
    assert f"--{part}-port" in said
    assert not (tmp_path / "d").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert command.main(["serve", "--data", str(tmp_path / "file" / "hub")]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file" / "hub") in said
    assert "DXHUB_DATA" in said


def test_a_hub_that_is_not_there_is_not_made_by_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["verify", "--data", str(tmp_path / "none")]) == 1
    assert "there is no hub in this folder" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_the_program_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("dxhub 0.")
