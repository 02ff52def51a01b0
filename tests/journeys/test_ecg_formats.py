"""Every ECG file at hand through a running hub, over real sockets and a real folder.

The recording that lies in the samples as DICOM, SCP and aECG is one recording, by whatever way it comes. C-STORE
carries the DICOM file as it is, and nothing else: SCP and aECG are no DICOM objects. They come by upload, inside a
result message (OBX ED) and through the watched folder.
"""

import base64
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.provenance import Provenance
from pydicom import Dataset, dcmread
from pydicom.uid import GeneralECGWaveformStorage
from pynetdicom import AE

from hub.access import disclosure_for
from hub.app import Hub, running
from hub.demo import ecg_files
from hub.settings import Settings
from hub.watching import DONE, REFUSED
from schemas.delivery import State
from schemas.disclosure import Principal, Role
from schemas.ecg import LEADS, EcgRecording
from schemas.ecg_statements import statement
from schemas.organization import Organization, OrganizationKind
from schemas.reading import Draft
from schemas.report import ReportCriteria, ReportRecord
from storage import organizations
from tests.adapters.ecg import test_picture
from tests.adapters.ecg.examples import examination
from tests.journeys.messages import Mllp

T = TypeVar("T")
PEOPLE = {
    "technician": Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01"),
    "clinician": Principal("clinician", "林医生", Role.CLINICIAN, "DH02"),
    "ecg-reader": Principal("ecg-reader", "陆知行", Role.ECG_READER, "DH02"),
    "admin": Principal("admin", "管理员", Role.ADMIN, "DH02"),
}
CLINICIAN = disclosure_for(PEOPLE["clinician"])
RESULT = (
    "MSH|^~\\&|ECG|CHC01|HUB|DX|20261121083000+0800||ORU^R01^ORU_R01|{id}|P|2.5.1|||AL|NE||UNICODE UTF-8\r"
    "PID|1||{patient}^^^CHC01^MR||{name}||{born}|M\r"
    "OBR|1|O{id}|F{id}|11524-6^心电图^LN|||202611210815+0800|||||||||||||||20261121083000+0800||EC|P\r"
    "OBX|1|ED|11524-6^心电图^LN||^AP^Octet-stream^Base64^{file}||||||P\r"
)
SAME = {
    "dicom": "dicom/same_ecg_Example.dcm",
    "scp": "scp/same_ecg_Example.scp",
    "aecg": "aecg/same_ecg_Example_aecg.xml",
}
# What every other file becomes: leads, samples, Hz; or the reason of its refusal. Signals come with their header.
BECOMES: dict[str, tuple[int, int, float] | str] = {
    "aecg/empty_aecg.xml": "patient identifier missing",
    "aecg/hl7aecg_example.xml": (12, 1000, 100),
    "aecg/minimum_aecg.xml": (1, 13, 500),
    "cpsc2018/A0001.hea": (12, 7500, 500),
    "cpsc2018/A0002.hea": (12, 5000, 500),
    "cpsc2018/A0003.hea": (12, 5000, 500),
    "cpsc2018/A0004.hea": (12, 5974, 500),
    "cpsc2018/A0005.hea": (12, 12500, 500),
    "dicom/ecg_pdf_encapsulated.dcm": (0, 0, 0),
    "dicom/guangxi_general_ecg.dcm": (12, 5000, 500),
    "dicom/waveform_ecg.dcm": (12, 10000, 1000),
    "mfer/synthetic.mwf": (12, 5000, 500),
    "muse/guangxi_encoding_GB2312.xml": (12, 5000, 500),
    "muse/guangxi_teaching_sinus_rhythm.xml": (12, 5000, 500),
    "muse/synthetic_muse.xml": (12, 5000, 500),
    "sierra/129DYPRG.XML": (12, 5264, 500),
    "sierra/2020-5-18_15-48-11.xml": (12, 5300, 500),
    "wfdb/s0010_re.hea": (15, 38400, 1000),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Everything that `dxhub serve` runs, on free ports."""
    folder = tmp_path_factory.mktemp("hub")
    watched = folder / "carts"
    settings = Settings(
        data=folder / "data", http_port=0, dicom_port=0, mllp_port=0, watch=watched, watch_quiet_s=1, study_quiet_s=60
    )
    with running(settings, {"web", "dicom", "mllp", "worker", "watch"}) as made:
        with made.stores.database.write() as tx:
            for code, centre in (("CHC01", ""), ("DH02", "ecg")):
                own = Organization(code, code, kind=OrganizationKind.DISTRICT_HOSPITAL, centre=centre)
                organizations.put_organization(tx, own)
            organizations.put_source(tx, "CHC01", "CHC01", "CHC01")
        for person in PEOPLE.values():
            made.stores.access.put_account(person, "unused in these tests")
        yield made


def program(hub: Hub, account: str) -> httpx.Client:
    token = hub.stores.access.issue_token(account)
    return httpx.Client(
        base_url=f"http://127.0.0.1:{hub.port('web')}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    )


def uploaded(hub: Hub, *paths: Path, **told: str) -> dict[str, Any]:
    with program(hub, "technician") as client:
        files = [("file", (path.name, path.read_bytes())) for path in paths]
        (receipt,) = client.post("/deliveries", files=files, data=told).json()["receipts"]
    return dict(receipt)


def stored(hub: Hub, path: Path) -> int:
    ae = AE("CHC01")
    ae.add_requested_context(dcmread(path).file_meta.MediaStorageSOPClassUID, dcmread(path).file_meta.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", hub.port("dicom"), ae_title="DXHUB")
    assert association.is_established
    status = int(association.send_c_store(path).Status)
    association.release()
    return status


def sent(hub: Hub, number: str, content: bytes, patient: str = "SBJ-123|Clark|19530508") -> bytes:
    sender = Mllp(hub.port("mllp"))
    file = base64.b64encode(content).decode()
    told = dict(zip(("patient", "name", "born"), patient.split("|"), strict=True))
    answer = sender.send(RESULT.format(id=number, file=file, **told).encode())
    sender.close()
    return answer


def until(found: Callable[[], T], within_s: float = 30) -> T:
    """What there is, once there is something."""
    deadline = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return value


def dropped(hub: Hub, content: bytes, name: str) -> Path:
    """Where the file lies, once the hub has moved it out of the way."""
    folder = hub.settings.watch / "CHC01"  # type: ignore[operator]
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    aside = [folder / DONE / name, folder / REFUSED / name]
    until(lambda: any(each.exists() for each in aside))
    return next(each for each in aside if each.exists())


def record_of(hub: Hub, report_id: int) -> ReportRecord:
    return hub.verbs.query.report(CLINICIAN, report_id)


def recording_of(hub: Hub, report_id: int) -> EcgRecording:
    return hub.verbs.retrieve.recording(CLINICIAN, record_of(hub, report_id).id)


def over_dicomweb(hub: Hub, uid: str) -> list[bytes]:
    """The instances of a study, once the hub has written them."""

    def fetched() -> list[bytes]:
        accept = {"accept": 'multipart/related; type="application/dicom"'}
        with program(hub, "clinician") as client:
            answer = client.get(f"/dicomweb/studies/{uid}", headers=accept)
        if answer.status_code != 200:
            return []
        boundary = answer.headers["content-type"].partition("boundary=")[2].strip('"').encode()
        parts = answer.content.split(b"--" + boundary)[1:-1]
        return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]

    return until(fetched)


def test_one_recording_is_one_by_whatever_way_it_comes(hub: Hub, samples: Path) -> None:
    files = {kind: samples / "ecg" / name for kind, name in SAME.items()}
    assert stored(hub, files["dicom"]) == 0x0000
    ways = {f"upload {kind}": uploaded(hub, path)["reports"][0] for kind, path in files.items()}
    for kind in ("scp", "aecg"):
        assert b"MSA|CA" in sent(hub, kind, files[kind].read_bytes())
        ways[f"message {kind}"] = by_number(hub, f"F{kind}").id
    assert dropped(hub, files["scp"].read_bytes(), "同一份.scp").parent.name == DONE
    wanted = recording_of(hub, ways["upload dicom"])
    assert wanted.leads == LEADS
    for way, report_id in ways.items():
        recording, record = recording_of(hub, report_id), record_of(hub, report_id)
        assert (recording.leads, recording.sampling_rate_hz) == (LEADS, 500), way
        # A quantum of this cart is 2.5 microvolts.
        assert np.abs(recording.samples_uv - wanted.samples_uv).max() <= 2.5, way
        person = hub.verbs.query.patient(CLINICIAN, record.patient_id).patient
        assert (person.key.value, person.name.text, str(person.birth_date), person.sex) == (
            *("SBJ-123", "Clark", "1953-05-08", "male"),
        ), way
    # One person, one report of the DICOM object however often it came, one of the SCP record.
    assert len({record_of(hub, each).patient_id for each in ways.values()}) == 1
    assert uploaded(hub, files["dicom"])["reports"] == [ways["upload dicom"]]


def by_number(hub: Hub, number: str) -> ReportRecord:
    """The report under its filler order number."""
    found = hub.verbs.query.reports(CLINICIAN, ReportCriteria(limit=200)).items
    return next(each for each in found if each.report.filler_order_number == number)


@pytest.mark.parametrize("name", BECOMES)
def test_every_sample_is_read_right_or_refused_with_its_reason_and_kept(hub: Hub, samples: Path, name: str) -> None:
    path = samples / "ecg" / name
    signals = sorted(path.parent.glob(f"{path.stem}.[dmx]??")) if path.suffix == ".hea" else []
    receipt = uploaded(hub, path, *signals)
    if receipt["state"] != State.INDEXED and BECOMES[name] != receipt["text"]:
        # Whose it is the file does not say: refused until whoever uploads it does.
        assert str(receipt["text"]).startswith("patient identifier missing"), receipt
        told = {"identifier": f"ECG-{path.stem}", "authority": "CHC01", "category": "ecg", "name": "测试"}
        receipt = uploaded(hub, path, *signals, **told, observed_at="2024-05-06T08:30:00+08:00")
    expected = BECOMES[name]
    if isinstance(expected, str):
        assert (receipt["state"], receipt["text"]) == (State.QUARANTINED, expected)
    else:
        assert receipt["state"] == State.INDEXED, receipt
        (report_id,) = receipt["reports"]
        if expected[0]:
            recording = recording_of(hub, report_id)
            assert (*recording.samples_uv.shape, recording.sampling_rate_hz) == expected
        else:
            assert record_of(hub, report_id).report.flags == ("no-waveform",)
    with hub.stores.objects.open(str(receipt["digest"])) as kept:
        content = kept.read()
    assert hashlib.sha256(content).hexdigest() == receipt["digest"]
    if not signals:
        assert content == path.read_bytes()


def test_every_sample_has_been_named(samples: Path) -> None:
    folder = samples / "ecg"
    files = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    signals = {
        each for each in files if Path(each).with_suffix(".hea").as_posix() in files and not each.endswith(".hea")
    }
    assert files - signals == BECOMES.keys() | set(SAME.values())


@pytest.mark.parametrize("charset", ["utf-8", "GB2312", "GBK", "GB18030"])
def test_chinese_statements_are_the_same_in_every_character_set(hub: Hub, samples: Path, charset: str) -> None:
    text = (samples / "ecg/muse/guangxi_teaching_sinus_rhythm.xml").read_text("utf-8")
    declared = text.replace(text.split("\n", 1)[0], f'<?xml version="1.0" encoding="{charset}"?>', 1)
    path = hub.settings.data / f"{charset}.xml"
    path.write_bytes(declared.encode(charset))
    (report_id,) = uploaded(hub, path)["reports"]
    said = record_of(hub, report_id).report.conclusion.split("\n")
    assert said[:2] == ["窦性心律", "ST段抬高（提示心室早期复极）"]


def test_an_ecg_without_dicom_is_measured_and_fetched_as_dicom_and_says_so_in_fhir(hub: Hub, samples: Path) -> None:
    (report_id,) = uploaded(hub, samples / "ecg" / SAME["scp"])["reports"]
    record = record_of(hub, report_id)
    # The cart measured no rate: what the hub worked out is marked.
    mine = {each.code.code: each for each in record.report.observations if each.computed}
    assert {code: str(each.value.value) for code, each in mine.items()} == {  # type: ignore[union-attr]
        "8867-4": "72",
        "MDC_ECG_TIME_PD_RR": "838",
    }
    (written,) = over_dicomweb(hub, record.report.study_instance_uid)
    ds = dcmread(io.BytesIO(written))
    assert ds.SOPClassUID == GeneralECGWaveformStorage
    recording = recording_of(hub, report_id)
    assert np.abs(ds.waveform_array(0).T - recording.samples_uv).max() <= 1
    with program(hub, "clinician") as client:
        fhir = client.get(f"/fhir/R4/DiagnosticReport/{report_id}").json()
        study = fhir["imagingStudy"][0]["reference"]
        assert client.get(f"/fhir/R4/{study}").json()["modality"][0]["code"] == "ECG"
        results = [client.get(f"/fhir/R4/{each['reference']}").json() for each in fhir["result"]]
        by_code = {each["code"]["coding"][0]["code"]: each for each in results}
        assert {"8867-4", "8625-6", "8633-0", "8634-8"} <= by_code.keys()
        for each in results:
            Observation.model_validate(each)
            assert {"reference": study} in each["derivedFrom"]
            assert ("device" in each) == (each["code"]["coding"][0]["code"] in mine)
        rate = by_code["8867-4"]
        assert rate["device"]["display"] == "dxhub"
        assert "sleepecg" in rate["method"]["text"]
        assert "performer" not in rate
        found = client.get(f"/fhir/R4/Provenance?target=Observation/{rate['id']}").json()
        assert found["total"] == 1
        told = found["entry"][0]["resource"]
        Provenance.model_validate(told)
        assert told["agent"][0]["who"]["display"] == "dxhub"
        assert client.get(f"/fhir/R4/Provenance/{told['id']}").json() == told
        sent_by_cart = by_code["8625-6"]["id"]
        assert client.get(f"/fhir/R4/Provenance?target=Observation/{sent_by_cart}").json()["total"] == 0


def test_a_doctors_confirmation_is_told_by_its_provenance(hub: Hub) -> None:
    path = hub.settings.data / "cart.xml"
    path.write_bytes(ecg_files.xml(examination(patient_id="000777", name="李雷")))
    (report_id,) = uploaded(hub, path)["reports"]
    reader = disclosure_for(PEOPLE["ecg-reader"])
    with program(hub, "clinician") as client:
        assert client.get(f"/fhir/R4/Provenance?target=DiagnosticReport/{report_id}").json()["total"] == 0
        assert statement("AF")
        hub.verbs.readings.confirm(reader, record_of(hub, report_id).id, Draft(1, ("AF",)))
        found = client.get(f"/fhir/R4/Provenance?target=DiagnosticReport/{report_id}/_history/2").json()
        assert found["total"] == 1
        told = found["entry"][0]["resource"]
        Provenance.model_validate(told)
        assert told["target"] == [{"reference": f"DiagnosticReport/{report_id}/_history/2"}]
        assert told["agent"][0]["who"]["identifier"]["value"] == "ecg-reader"
        assert told["agent"][0]["who"]["display"] == "陆知行"
        assert told["entity"][0]["what"]["reference"] == f"DiagnosticReport/{report_id}/_history/1"
        person = record_of(hub, report_id).patient_id
        again = client.get(f"/fhir/R4/Provenance?patient=Patient/{person}").json()
        assert [each["resource"]["id"] for each in again["entry"]] == [told["id"]]
        assert client.get(f"/fhir/R4/Provenance/{told['id']}").json() == told
        assert client.get(f"/fhir/R4/Provenance/reading.{report_id}.1").status_code == 404
        ecg = next(each for each in map(_parsed, over_dicomweb_of_three(hub, report_id)) if each.Modality == "ECG")
    assert str(ecg.WaveformAnnotationSequence[0].UnformattedTextValue).startswith("Confirmed by 陆知行")


def over_dicomweb_of_three(hub: Hub, report_id: int) -> list[bytes]:
    """The waveform, the text and the PDF."""
    uid = record_of(hub, report_id).report.study_instance_uid

    def all_three() -> list[bytes]:
        found = over_dicomweb(hub, uid)
        return found if len(found) == 3 else []

    return until(all_three)


def _parsed(content: bytes) -> Dataset:
    return dcmread(io.BytesIO(content))


def test_a_picture_is_a_report_without_a_waveform_by_whatever_way_it_comes(hub: Hub) -> None:
    path = hub.settings.data / "scan.png"
    path.write_bytes(test_picture.GOOD["png"])
    told = {
        "identifier": "P88",
        "authority": "CHC01",
        "category": "ecg",
        "name": "韩梅",
        "observed_at": "2026-11-21T08:00",
    }
    (report_id,) = uploaded(hub, path, **told)["reports"]
    assert b"MSA|CA" in sent(hub, "photo", test_picture.GOOD["jpeg"], "P88|韩梅|19900101")
    for record in (record_of(hub, report_id), by_number(hub, "Fphoto")):
        assert "no-waveform" in record.report.flags
        assert (record.report.recording, record.report.observations) == ("", ())
        (attachment,) = record.report.attachments
        assert attachment.media_type in ("image/png", "image/jpeg")
    # Into a folder its companion comes first, which says whose it is.
    folder = hub.settings.watch / "CHC01"  # type: ignore[operator]
    (folder / "照片.jpg.json").write_text(json.dumps(told | {"identifier": "P99"}), "utf-8")
    moved = dropped(hub, test_picture.GOOD["jpeg"], "照片.jpg")
    assert (moved.parent.name, moved.with_name("照片.jpg.json").exists()) == (DONE, True)
    found = hub.verbs.query.reports(CLINICIAN, ReportCriteria(limit=200)).items
    (dropped_one,) = (each.report for each in found if each.report.patient.key.value == "P99")
    assert (dropped_one.flags, dropped_one.attachments[0].media_type) == (("no-waveform",), "image/jpeg")
    # Without one a folder cannot say whose a picture is: the file and the reason wait for a person.
    moved = dropped(hub, test_picture.GOOD["png"], "扫描.png")
    assert moved.parent.name == REFUSED
    assert "图片本身无法说明属于哪位患者" in moved.with_name("扫描.png.txt").read_text("utf-8")


def test_a_hostile_picture_is_refused_and_kept_and_in_a_message_not_shown(hub: Hub) -> None:
    path = hub.settings.data / "bomb.png"
    path.write_bytes(test_picture.BOMB)
    told = {
        "identifier": "P89",
        "authority": "CHC01",
        "category": "ecg",
        "name": "王五",
        "observed_at": "2026-11-21T08:00",
    }
    receipt = uploaded(hub, path, **told)
    assert (receipt["state"], receipt["text"]) == (
        State.QUARANTINED,
        "the picture unpacks to more than its size tells",
    )
    with hub.stores.objects.open(str(receipt["digest"])) as kept:
        assert kept.read() == test_picture.BOMB
    assert b"MSA|CA" in sent(hub, "bomb", test_picture.BOMB, "P89|王五|19900101")
    record = by_number(hub, "Fbomb")
    assert {"no-waveform", "picture-unreadable"} <= set(record.report.flags)
    assert record.report.attachments[0].media_type == "application/octet-stream"
