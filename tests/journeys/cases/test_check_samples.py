"""`dxhub check` over every HL7 v2 sample: what a vendor reads of a file before anything is sent."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.check import check
from hub.commands import run_check
from hub.settings import Settings
from tests.journeys.cases.expectations import SAMPLES

_REFUSED = {
    "cn/06_mindray_qc_not_patient.hl7": (
        "unsupported",
        "no patient: quality control results are not taken",
        "PID",
    ),
    "hapi/cv.04_001_chem.hl7": ("unsupported", "messages of type ERP^Z99 are not taken", "MSH-9"),
    "reportstream/OBX-to-Observation-st-value.hl7": ("invalid", "no usable patient identifier", "PID-3"),
}
# Places where a person should look, by reading the files.
_DOUBTS = {
    "cn/03_cbc_gbk_undeclared.hl7": {"MSH[1]-18"},
    "cn/04_mindray_bc_histogram.hl7": {"OBX[6]-5"},
    "cn/08_nonnumeric_in_NM.hl7": {"OBX[3]-5", "OBX[4]-5", "OBX[6]-5"},
    "reportstream/ORU_deidentified.hl7": {"PID[1]-7", "OBR[1]-7", "OBR[1]-22"},
    "reportstream/sample_oru_CDPH_NBS_20241021-001.hl7": {"OBX[4]-14", "OBX[13]-14"},
}


def segments_of(path: Path) -> int:
    """The lines of a file that are segments, frames and marks taken off."""
    return len(re.findall(rb"(?:^|[\r\n\x0b]|\xef\xbb\xbf)[A-Z][A-Z0-9]{2}\|", path.read_bytes()))


def checked(path: Path) -> dict[str, Any]:
    return check(path, app.READERS, app.sniff, app.EXAMINERS, app.DESCRIBERS)


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - set(_REFUSED)))
def test_of_every_segment_it_is_told_what_became_of_it(samples: Path, name: str) -> None:
    path = samples / "hl7" / name
    answer = checked(path)
    assert answer["ok"] is True
    told = answer["accounting"]
    assert told["segments"] == segments_of(path) > 0
    assert told["mapped"] + told["kept"] + told["flagged"] == told["segments"]
    assert {each["fate"] for each in told["fields"]} <= {"mapped", "kept", "flagged"}
    streamed = 2 if name.endswith(".mllp") else 0
    assert len(answer["reports"]) == SAMPLES[name].reports + streamed - (name == "cn/10_mllp_with_heartbeats.mllp")
    places = {note.partition(":")[0] for note in told["notes"]}
    assert _DOUBTS.get(name, set()) <= places


@pytest.mark.parametrize("name", _REFUSED)
def test_a_vendor_is_told_what_was_expected_and_where(samples: Path, name: str) -> None:
    answer = checked(samples / "hl7" / name)
    category, text, where = _REFUSED[name]
    assert answer["ok"] is False
    assert answer["fault"] == {"category": category, "text": text, "where": where}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    started = [sys.executable, "-m", "hub", "check", *arguments]
    return subprocess.run(started, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_a_line_for_each_file_and_fails_where_one_would_be_refused(
    samples: Path, tmp_path: Path
) -> None:
    folder = samples / "hl7" / "cn"
    taken, refused = folder / "02_cbc_gbk_declared_GB18030_trail7C.hl7", folder / "06_mindray_qc_not_patient.hl7"
    damaged = tmp_path / "damaged.hl7"
    damaged.write_bytes(taken.read_bytes()[:180])
    files = [str(each) for each in (taken, refused, damaged, tmp_path / "missing.hl7", tmp_path)]
    ran = run("--json", *files)
    assert (ran.returncode, ran.stderr) == (1, "")
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(each["file"], each["ok"]) for each in answers] == [
        (files[0], True),
        *((each, False) for each in files[1:]),
    ]
    assert answers[0]["reports"][0]["patient"]["name"]["text"] == "王弢"
    assert answers[1]["fault"]["where"] == "PID"
    assert all(each["fault"]["text"] for each in answers[1:])


def test_the_command_succeeds_where_every_file_would_be_taken(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(json=False, strict=False, files=[samples / "hl7" / "cn" / "12_micro_parent_child.hl7"])
    assert run_check(asked, Settings()) == 0
    assert "大肠埃希菌" in capsys.readouterr().out
