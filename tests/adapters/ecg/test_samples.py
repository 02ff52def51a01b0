"""Every ECG file at hand is read right, or refused with a reason that an engineer can act on."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from ecgdatakit.parsing.parsers.dicom_waveform import DICOMWaveformParser
from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser
from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser
from ecgdatakit.parsing.parsers.mfer import MFERParser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser
from ecgdatakit.parsing.parsers.sierra_xml import SierraXMLParser

from adapters.ecg import ADAPTER
from adapters.ecg.dicom_waveform import read_waveform
from schemas.delivery import Format
from schemas.ecg import EcgRecording
from schemas.faults import Category, Fault
from tests.adapters.ecg.examples import PATIENT, origin, read

READ = {
    "aecg/hl7aecg_example.xml": (12, 1000, 100),
    "aecg/minimum_aecg.xml": (1, 13, 500),
    "aecg/same_ecg_Example_aecg.xml": (12, 5000, 500),
    "dicom/guangxi_general_ecg.dcm": (12, 5000, 500),
    "dicom/same_ecg_Example.dcm": (12, 5000, 500),
    "dicom/waveform_ecg.dcm": (12, 10000, 1000),
    "mfer/synthetic.mwf": (12, 5000, 500),
    "muse/guangxi_encoding_GB2312.xml": (12, 5000, 500),
    "muse/guangxi_teaching_sinus_rhythm.xml": (12, 5000, 500),
    "muse/synthetic_muse.xml": (12, 5000, 500),
    "scp/same_ecg_Example.scp": (12, 5000, 500),
    # Of 5500 samples the last ones are the calibration pulse and the rest before it, alike in all leads.
    "sierra/129DYPRG.XML": (12, 5264, 500),
    "sierra/2020-5-18_15-48-11.xml": (12, 5300, 500),
}
DERIVED = {"III", "aVR", "aVL", "aVF"}
FOLDERS = {"aecg": Format.AECG, "scp": Format.SCP_ECG, "muse": Format.MUSE_XML, "sierra": Format.SIERRA_XML}
FOLDERS |= {"mfer": Format.MFER}
REFUSED = {
    "aecg/empty_aecg.xml": (Category.INVALID, "patient identifier missing"),
    "dicom/ecg_pdf_encapsulated.dcm": (Category.UNSUPPORTED, "expected a 12-lead or general ECG waveform"),
}


def recording_of(path: Path) -> EcgRecording:
    if path.suffix == ".dcm":
        return read_waveform(pydicom.dcmread(path), PATIENT, origin())[1]
    content = path.read_bytes()
    (kind,) = [kind for kind, announces in ADAPTER.sniffers.items() if announces(content[:4096])]
    return read(ADAPTER.readers[kind], content).recordings[0][1]


@pytest.mark.parametrize("name", READ)
def test_sample_is_read_whole(samples: Path, name: str) -> None:
    recording = recording_of(samples / "ecg" / name)
    assert (*recording.samples_uv.shape, recording.sampling_rate_hz) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_sample_is_refused_with_its_reason(samples: Path, name: str) -> None:
    with pytest.raises(Fault) as caught:
        recording_of(samples / "ecg" / name)
    assert (caught.value.category, caught.value.text) == REFUSED[name]


def test_formats_without_a_reader_are_not_taken_for_one_of_ours(samples: Path) -> None:
    files = (path for path in (samples / "ecg").rglob("*") if path.is_file())
    others = [path for path in files if path.parent.name not in FOLDERS and path.suffix != ".hea"]
    assert len(others) > 10
    for path in others:
        head = path.read_bytes()[:4096]
        assert [kind for kind, announces in ADAPTER.sniffers.items() if announces(head)] == []


def test_sniffers_know_their_own(samples: Path) -> None:
    folder = samples / "ecg"
    for name, kind in FOLDERS.items():
        for path in (folder / name).iterdir():
            head = path.read_bytes()[:4096]
            assert [found for found, announces in ADAPTER.sniffers.items() if announces(head)] == [kind]


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("aecg/hl7aecg_example.xml", HL7aECGParser),
        ("aecg/same_ecg_Example_aecg.xml", HL7aECGParser),
        ("dicom/guangxi_general_ecg.dcm", DICOMWaveformParser),
        ("dicom/waveform_ecg.dcm", DICOMWaveformParser),
        ("mfer/synthetic.mwf", MFERParser),
        ("muse/guangxi_teaching_sinus_rhythm.xml", GEMuseXMLParser),
        ("muse/synthetic_muse.xml", GEMuseXMLParser),
        ("scp/same_ecg_Example.scp", SCPECGParser),
        ("sierra/129DYPRG.XML", SierraXMLParser),
        ("sierra/2020-5-18_15-48-11.xml", SierraXMLParser),
    ],
)
@pytest.mark.filterwarnings("ignore")  # the library warns of what it repairs
def test_another_library_sees_the_same_voltages(samples: Path, name: str, oracle: type) -> None:
    recording = recording_of(samples / "ecg" / name)
    leads = oracle().parse(samples / "ecg" / name).leads
    # Leads that follow from I and II are derived by us where a cart stores eight.
    assert {lead.label for lead in leads} in (set(recording.leads), set(recording.leads) - DERIVED)
    for lead in leads:
        physical = lead.to_physical() if lead.is_raw else lead
        factor = {"uV": 1.0, "mV": 1000.0}[physical.units]
        ours = recording.samples_uv[recording.leads.index(lead.label)]
        theirs = np.asarray(physical.samples)[: len(ours)] * factor
        assert np.abs(ours - theirs).max() <= 0.5 + 1e-6
