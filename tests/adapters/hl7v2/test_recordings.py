"""ECGs that come inside a result message: the document is kept, and the recording in it is opened."""

import base64

import numpy as np
import pytest

from hub.demo import ecg_files
from schemas.delivery import Reading
from schemas.faults import IdentityConflict
from schemas.report import ReportCategory
from tests.adapters.ecg.examples import examination
from tests.adapters.hl7v2.values import results

PID = "PID|1||000123^^^CHC01^MR||王弢||19600503|M"
OBR = "OBR|1|PL1|FI1|11524-6^心电图^LN|||20260301093005|||||||||||||||20260301094000||EC|F"
CART = examination()
FILES = {"aECG": ecg_files.xml(CART), "SCP-ECG": ecg_files.record(CART), "DICOM": ecg_files.part10(CART)}
PDF = b"%PDF-1.4\n%%EOF\n"


def sent(*contents: bytes, pid: str = PID, obr: str = OBR, more: tuple[str, ...] = ()) -> Reading:
    documents = (
        f"OBX|{n}|ED|{n}^document {n}^L||^application^octet-stream^Base64^{base64.b64encode(each).decode()}||||||F"
        for n, each in enumerate(contents, 1)
    )
    return results(*documents, *more, pid=pid, obr=obr)


@pytest.mark.parametrize("name", FILES)
def test_a_cart_file_in_a_message_is_an_ecg_with_its_waveform(name: str) -> None:
    reading = sent(PDF, FILES[name])
    ((report,), ((key, recording),)) = reading.reports, reading.recordings
    assert (key, report.category) == (report.key, ReportCategory.ECG)
    assert "no-waveform" not in report.flags
    assert np.array_equal(recording.samples_uv, CART.signal.recording.samples_uv)
    assert len(report.attachments) == len(reading.parts) == 2
    assert report.conclusion.startswith("窦性心律")
    assert "8867-4" in {each.code.code for each in report.observations}
    # What is final is what the message says, whoever wrote the file.
    assert report.status == "final"


def test_what_the_message_says_goes_before_what_the_file_says() -> None:
    said = ("OBX|8|NM|8867-4^心率^LN||71|/min|||||F", "OBX|9|TX|18844-1^印象^LN||正常心电图||||||F")
    (report,) = sent(FILES["aECG"], more=said).reports
    assert [str(each.code.code) for each in report.observations] == ["8867-4"]
    assert report.conclusion == "正常心电图"


def test_a_document_without_a_recording_stays_marked() -> None:
    reading = sent(PDF)
    assert reading.recordings == ()
    assert "no-waveform" in reading.reports[0].flags


def test_a_damaged_recording_stays_a_document_and_is_flagged() -> None:
    damaged = bytearray(FILES["SCP-ECG"])
    damaged[-1] ^= 1
    reading = sent(bytes(damaged))
    assert reading.recordings == ()
    assert {"recording-unreadable", "no-waveform"} <= set(reading.reports[0].flags)
    assert reading.parts == (bytes(damaged),)


@pytest.mark.parametrize("name", FILES)
def test_a_recording_of_somebody_else_is_a_conflict(name: str) -> None:
    with pytest.raises(IdentityConflict):
        sent(FILES[name], pid=PID.replace("19600503", "19610503"))
