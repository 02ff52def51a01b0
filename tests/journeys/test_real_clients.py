"""Real files from real clients: dcmtk, pynetdicom, python-hl7, DICOMweb; what was sent is found, byte for byte."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pynetdicom import AE

from tests.journeys.process import Hub
from tests.journeys.slices import ct, data_set_of, part10, stow_body

_DICOM_JSON = {"Accept": "application/dicom+json"}


def ct_series(samples: Path) -> list[Path]:
    return sorted((samples / "dicom" / "ct_ge_headtilt_28").glob("*.dcm"))


def retrieved(hub: Hub, file: Path) -> bytes:
    """The instance as WADO-RS gives it back."""
    header = pydicom.dcmread(file, stop_before_pixels=True)
    path = f"/dicomweb/studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}"
    with hub.http() as client:
        answer = client.get(
            f"{path}/instances/{header.SOPInstanceUID}", headers={"Accept": "application/dicom; transfer-syntax=*"}
        )
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def storescu(hub: Hub) -> Callable[[list[Path]], None]:
    """dcmtk's sender; not pynetdicom's of the same name, which lies in the environment's own folder."""
    program = shutil.which("storescu", path="/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("install dcmtk")

    def send(files: list[Path]) -> None:
        command = [program, "-aec", "DXHUB", "127.0.0.1", str(hub.ports["dicom"]), *map(str, files)]
        sent = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
        assert sent.returncode == 0, sent.stderr

    return send


def test_storescu_sends_a_ct_that_qido_finds(hub: Hub, storescu: Callable[[list[Path]], None], samples: Path) -> None:
    files = ct_series(samples)
    storescu(files)
    header = pydicom.dcmread(files[0], stop_before_pixels=True)
    # This scanner left date and accession number empty; the next test asks for those.
    for name in ("PatientID", "StudyInstanceUID"):
        assert _found(hub, name, str(header[name].value)) == [(header.StudyInstanceUID, 28)]


@pytest.mark.parametrize("asked", ["PatientID", "AccessionNumber", "StudyDate"])
def test_qido_finds_what_storescu_sent_by_patient_accession_and_date(
    hub: Hub, storescu: Callable[[list[Path]], None], tmp_path: Path, asked: str
) -> None:
    day = {"PatientID": "19991231", "AccessionNumber": "20000101", "StudyDate": "20000229"}[asked]
    slices = [ct(patient=f"Q{asked}", accession=f"A{day}", number=1)]
    slices += [ct(slices[0].StudyInstanceUID, patient=f"Q{asked}", accession=f"A{day}", number=n) for n in (2, 3)]
    for number, each in enumerate(slices):
        each.StudyDate = day
        (tmp_path / f"{number}.dcm").write_bytes(part10(each))
    storescu(sorted(tmp_path.glob("*.dcm")))
    assert _found(hub, asked, str(slices[0][asked].value)) == [(slices[0].StudyInstanceUID, 3)]


def _found(hub: Hub, name: str, value: str) -> list[tuple[str, int]]:
    """The studies that QIDO-RS finds, each with the number of its instances."""
    with hub.http() as client:
        answer = client.get("/dicomweb/studies", params={name: value}, headers=_DICOM_JSON)
    return [(study["0020000D"]["Value"][0], study["00201208"]["Value"][0]) for study in answer.json()]


def test_streamed_instances_come_back_byte_for_byte(hub: Hub, samples: Path) -> None:
    files = ct_series(samples)[:6]
    header = pydicom.dcmread(files[0], stop_before_pixels=True)
    ae = AE("CHC02")
    ae.add_requested_context(header.SOPClassUID, header.file_meta.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", hub.ports["dicom"])
    # Given a path, pynetdicom sends the file's data set as it stands.
    assert [association.send_c_store(file).Status for file in files] == [0] * len(files)
    association.release()
    for file in files:
        assert data_set_of(retrieved(hub, file)) == data_set_of(file.read_bytes())


def test_stow_rs_instances_come_back_byte_for_byte(hub: Hub, samples: Path) -> None:
    files = sorted((samples / "dicom" / "mr_uih_china").glob("*.dcm"))
    body, media_type = stow_body(file.read_bytes() for file in files)
    with hub.http("technician") as client:
        answer = client.post("/dicomweb/studies", content=body, headers={"Content-Type": media_type, **_DICOM_JSON})
    assert answer.status_code == 200, answer.text
    for file in files:
        assert data_set_of(retrieved(hub, file)) == data_set_of(file.read_bytes())


def test_mllp_send_of_python_hl7_is_acknowledged_and_the_result_found(hub: Hub, samples: Path) -> None:
    (file,) = (samples / "hl7" / "cn").glob("01*")
    tool = Path(sys.executable).with_name("mllp_send")
    sent = subprocess.run(
        [str(tool), "--loose", "--port", str(hub.ports["mllp"]), "--file", str(file), "127.0.0.1"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"MSA|AA" in sent.stdout, sent
    name = _name_in(file)
    with hub.http() as client:
        query = {"patient.identifier": _number_in(file), "_include": "DiagnosticReport:subject"}
        bundle = client.get("/fhir/R4/DiagnosticReport", params=query).json()
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert {resource["resourceType"] for resource in resources} == {"DiagnosticReport", "Patient"}
    assert [r["name"][0]["text"] for r in resources if r["resourceType"] == "Patient"] == [name]


def _pid(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").replace("\n", "\r").split("\r")
    return next(line for line in lines if line.startswith("PID")).split("|")


def _name_in(file: Path) -> str:
    """The ideographic name as PID-5 has it."""
    return _pid(file)[5].split("~")[0].replace("^", "")


def _number_in(file: Path) -> str:
    """The first identifier of PID-3."""
    return _pid(file)[3].split("~")[0].split("^")[0]
