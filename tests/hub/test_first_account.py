"""A fresh hub gets its first administrator at the command line; a vendor's file is held against the standard."""

import json
from pathlib import Path

import pytest

from hub import app, logs
from hub.commands import main
from hub.settings import Settings
from schemas.disclosure import Role
from schemas.faults import Forbidden

from .laboratory import message

GOOD = message(code="6690-2^白细胞^LN").replace(b"ORU^R01", b"ORU^R01^ORU_R01").replace(b"||||||UNICODE UTF-8", b"")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logs, "configure", lambda _level: None)
    monkeypatch.chdir(tmp_path)


def added(data: Path, *more: str) -> list[str]:
    return ["account", "--data", str(data), "--add", "admin", "--role", "admin", "--institution", "HB01", *more]


def test_the_first_administrator_signs_in_with_the_printed_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(added(tmp_path)) == 1
    assert "no institution is registered" in capsys.readouterr().err
    assert main(added(tmp_path, "--institution-name", "区卫生健康局")) == 0
    password = capsys.readouterr().out.strip()
    assert main(added(tmp_path, "--institution-name", "别的名字")) == 1
    assert "exists already" in capsys.readouterr().err
    stores = app.open_stores(Settings(data=tmp_path))
    signed_in = stores.access.sign_in("admin", password, "")
    assert (signed_in.principal.role, signed_in.principal.organization) == (Role.ADMIN, "HB01")

    assert main(["account", "--data", str(tmp_path), "--reset", "admin"]) == 0
    renewed = capsys.readouterr().out.strip()
    assert stores.access.session(signed_in.token) is None
    with pytest.raises(Forbidden):
        stores.access.sign_in("admin", password, "")
    assert stores.access.sign_in("admin", renewed, "").principal.account == "admin"
    stores.close()


@pytest.mark.parametrize("wrong", [["--add", "x"], ["--add", "x", "--role", "admin"]])
def test_an_account_without_role_or_institution_is_refused(
    tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["account", "--data", str(tmp_path), *wrong]) == 2
    assert "--institution" in capsys.readouterr().err


def test_a_person_reads_in_a_few_lines_what_would_become_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "good.hl7"
    path.write_bytes(GOOD)
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{path}: would be taken, 1 report"
    assert any("白细胞 (6690-2) = " in line for line in told)
    assert any(" parts: " in line and "0 flagged" in line for line in told)
    assert len(told) <= 15
    path.write_bytes(GOOD.replace(b"ORU^R01", b"ORU^Z99"))
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: would be refused (unsupported) at MSH-9")


def test_a_conformant_file_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "good.hl7"
    path.write_bytes(GOOD)
    assert main(["check", "--strict", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: conformant with HL7 v2.5.1\n"
    assert main(["check", "--strict", "--json", str(path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["strict"]["conformant"]
    assert said["accounting"]["segments"] == 4


def test_a_vendor_reads_where_a_file_departs_from_the_standard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "departs.hl7"
    path.write_bytes(GOOD.replace(b"|7.2|", "|见报告|".encode()))
    # Our reader takes it; the standard does not.
    assert main(["check", str(path)]) == 0
    capsys.readouterr()
    assert main(["check", "--strict", str(path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{path}: not conformant with HL7 v2.5.1"
    assert "OBX[1]-5" in said[1]
    assert said[1].endswith("expected a value of data type NM; found a value that is no valid NM")
    assert main(["check", "--strict", "--json", str(path)]) == 1
    strict = json.loads(capsys.readouterr().out)["strict"]
    assert not strict["conformant"]
    assert strict["findings"][0]["where"] == "OBX[1]-5"


def test_whatever_a_file_holds_there_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "noise").write_bytes(b"MSH|^~\\&|" + bytes(range(256)) * 40)
    (tmp_path / "pdf").write_bytes(b"%PDF-1.4\n%%EOF")
    for name in ("empty", "noise", "pdf", "absent"):
        assert main(["check", "--strict", "--json", str(tmp_path / name)]) == 1
        assert json.loads(capsys.readouterr().out)["strict"]["conformant"] is False
        assert main(["check", "--strict", str(tmp_path / name)]) == 1
        assert "not conformant" in capsys.readouterr().out
