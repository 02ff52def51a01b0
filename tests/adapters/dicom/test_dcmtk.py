"""dcmtk's storescu sends every sample in its own transfer syntax: kept with its pixels, or refused with a reason."""

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

from tests.adapters.dicom.test_listener import answers
from tests.imaging import ImagingHub

# What makes dcmtk propose a transfer syntax; those that it cannot send are sent by pynetdicom, in test_store_scp.
PROPOSED = {
    "1.2.840.10008.1.2": "-xi",
    "1.2.840.10008.1.2.1": "-xe",
    "1.2.840.10008.1.2.2": "-xb",
    "1.2.840.10008.1.2.1.99": "-xd",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
    "1.2.840.10008.1.2.5": "-xr",
}
ANSWER = re.compile(r"Received Store Response \(([^)]*)\)")


def test_every_sample_that_dcmtk_can_send_is_kept_with_its_pixels_or_refused(
    small_hub: ImagingHub, samples: Path
) -> None:
    program = shutil.which("storescu", path="/usr/bin:/usr/local/bin") or pytest.skip("install the package dcmtk")
    stored, refused, syntaxes = 0, 0, set()
    for path in sorted([*samples.glob("dicom/*/*"), *samples.glob("ecg/dicom/*")]):
        syntax = _transfer_syntax(path)
        if syntax not in PROPOSED:
            continue
        command = [program, "-v", "-R", PROPOSED[syntax], "-aet", "CHC01"]
        command += ["127.0.0.1", str(small_hub.listener.port), str(path)]
        environment = {**os.environ, "TCP_NODELAY": "1"}
        # Without UTF-8 in between: what dcmtk repeats of a file is in any encoding.
        sent = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
        said = (sent.stdout + sent.stderr).decode("latin-1")
        answer = ANSWER.search(said)
        if answer is None:
            # The sender itself gave up: no SOP class to propose, no data set to be read.
            assert sent.returncode != 0, f"{path.name}: {said}"
        elif sent.returncode == 0 and "Success" in answer[1]:
            stored += 1
            syntaxes.add(syntax)
            _assert_kept(small_hub, path)
        else:
            refused += 1
            assert re.search(r"Error|Refused|0x0?111", answer[1], re.IGNORECASE), answer[1]
    assert answers(small_hub.listener.port)
    assert stored > 70
    assert refused
    # Three of the syntaxes have one sample each, of an instance that another sample brings too: a conflict.
    assert len(syntaxes) >= 9


def _transfer_syntax(path: Path) -> str:
    try:
        return str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    except (InvalidDicomError, AttributeError, ValueError, OSError):
        return ""


def _assert_kept(hub: ImagingHub, path: Path) -> None:
    """What is stored under the file's SOP Instance UID has its pixels, byte for byte."""
    original = pydicom.dcmread(path)
    with hub.verbs.database.read() as tx:
        digest = tx.exec_driver_sql(
            "select digest from instance where sop_instance_uid = ?", (str(original.SOPInstanceUID),)
        ).scalar()
    assert digest, path.name
    kept = pydicom.dcmread(io.BytesIO(hub.verbs.objects.read(digest)))
    assert kept.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID, path.name
    # dcmtk makes an odd length even.
    assert kept.get("PixelData", b"").rstrip(b"\0") == original.get("PixelData", b"").rstrip(b"\0"), path.name
