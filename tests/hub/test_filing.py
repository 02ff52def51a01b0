"""Final reports as instances of their study: found by whoever asks for the study, one current version of each."""

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from adapters import dicom
from adapters.hl7v2.reader import read as read_hl7
from hub.access import disclosure_for
from hub.headers import Headers
from hub.ingest import Ingest
from hub.ingest.verify import verify
from hub.offering import Documents, Filing
from hub.portal.render import FONT
from schemas.delivery import Channel, Claim, Delivery, Format
from schemas.disclosure import Principal, Role
from schemas.report import ReportCriteria
from schemas.study import InstanceRecord
from tests.engines import Engines, program
from tests.imaging import CLINICIAN, ImagingHub, ct, imaging_hub, part10, store, written

RESULT = (
    "MSH|^~\\&|RIS|CHC01|HUB|DX|2025011512{sequence}00+0800||ORU^R01^ORU_R01|{sequence}|P|2.5|||||CHN|UNICODE UTF-8\r"
    "PID|1||P0001^^^CHC01^MR||张^三||19700101|M\r"
    "OBR|1|O1|A20250115001|CT001^胸部CT平扫^L|||20250115101500+0800|||||||||||A20250115001||||20250115121500+0800||RAD|"
    "{status}|||||||李四\r"
    "OBX|1|TX|59776-5^检查所见^LN||{findings}||||||{status}\r"
    "OBX|2|TX|19005-8^诊断意见^LN||{conclusion}||||||{status}\r"
    "ZDS|{study}^DXHUB^Application^DICOM\r"
)

ADMIN = Principal("admin", "管理员", Role.ADMIN, "BUREAU")


@dataclass
class Archive:
    """A hub that takes images and HL7 v2, and its worker by hand."""

    hub: ImagingHub
    ingest: Ingest
    filing: Filing
    folder: Path

    def send(self, ds: Dataset) -> None:
        assert store(self.hub.listener.port, written(self.folder, part10(ds))) == 0

    def report(self, study: str, sequence: int, conclusion: str = "右肺结节。", status: str = "F") -> None:
        said = RESULT.format(
            sequence=sequence, study=study, conclusion=conclusion, status=status, findings="右肺上叶见结节。"
        )
        origin = self.ingest.identify(Claim(Channel.MLLP, "CHC01", "127.0.0.1"))
        receipt = self.ingest.deliver(Delivery(origin, Format.HL7V2, io.BytesIO(said.encode())))
        assert receipt.fault is None

    def work(self) -> None:
        while self.filing():
            pass

    def documents(self, study: str) -> list[InstanceRecord]:
        found = self.hub.verbs.query.instances(disclosure_for(CLINICIAN), study)
        return [each for each in found if not each.rows]

    def read(self, instance: InstanceRecord) -> Dataset:
        return dcmread(io.BytesIO(self.hub.verbs.objects.read(instance.digest)))


@pytest.fixture
def archive(migrated_urls: Engines, tmp_path: Path) -> Iterator[Archive]:
    with imaging_hub(migrated_urls) as hub:
        database, objects = hub.verbs.database, hub.verbs.objects
        read = dicom.ADAPTER.readers[Format.DICOM]
        senders = hub.verbs.ingest.identify.__self__  # type: ignore[attr-defined]
        ingest = Ingest(database, objects, senders, {Format.HL7V2: read_hl7}, lambda _: Format.HL7V2)
        filing = Filing(database, objects, Documents(objects, dicom.REPORT_WRITER, FONT), read)
        yield Archive(hub, ingest, filing, tmp_path)
        ingest.close()


def texts(ds: Dataset) -> str:
    return "\n".join(str(each.value) for each in ds.iterall() if each.keyword == "TextValue")


@pytest.mark.parametrize("images_first", [True, False])
def test_a_final_report_is_two_documents_of_its_study(archive: Archive, images_first: bool) -> None:
    study = ct()
    if images_first:
        archive.send(study)
        archive.report(study.StudyInstanceUID, 10)
        archive.work()
    else:
        archive.report(study.StudyInstanceUID, 10)
        archive.work()
        archive.send(study)
        archive.work()
    made = {archive.read(each).Modality: archive.read(each) for each in archive.documents(study.StudyInstanceUID)}
    assert made.keys() == {"SR", "DOC"}
    assert "右肺结节。" in texts(made["SR"])
    assert made["DOC"].EncapsulatedDocument.startswith(b"%PDF-")
    for ds in made.values():
        assert (ds.PatientID, str(ds.PatientName)) == ("P0001", "Zhang^San=张三")
        assert ds.AccessionNumber == "A20250115001"


def test_they_are_found_and_fetched_like_any_instance(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    uid = study.StudyInstanceUID
    with archive.hub.client(CLINICIAN) as client:
        found = client.get(f"/studies?StudyInstanceUID={uid}").json()
        assert sorted(found[0]["00080061"]["Value"]) == ["CT", "DOC", "SR"]
        assert found[0]["00201208"]["Value"] == [3]
        series = client.get(f"/studies/{uid}/series?Modality=DOC").json()[0]["0020000E"]["Value"][0]
        sop = client.get(f"/studies/{uid}/series/{series}/instances").json()[0]["00080018"]["Value"][0]
        answer = client.get(
            f"/studies/{uid}/series/{series}/instances/{sop}",
            headers={"Accept": 'multipart/related; type="application/dicom"'},
        )
        assert answer.status_code == 200
        assert b"%PDF-" in answer.content


def test_nothing_that_we_made_comes_back_as_a_report(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    before = archive.hub.verbs.query.reports(disclosure_for(CLINICIAN), ReportCriteria()).total
    for instance in archive.documents(study.StudyInstanceUID):
        archive.send(archive.read(instance))  # as a workstation sends on what it fetched
    archive.work()
    assert archive.hub.verbs.query.reports(disclosure_for(CLINICIAN), ReportCriteria()).total == before == 1
    assert len(archive.documents(study.StudyInstanceUID)) == 2


def test_a_new_version_takes_the_place_of_the_old_one_and_names_it(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    first = {archive.read(each).Modality: archive.read(each) for each in archive.documents(study.StudyInstanceUID)}
    archive.report(study.StudyInstanceUID, 11, "考虑炎性。", "C")
    assert archive.documents(study.StudyInstanceUID) == []  # at once: nobody reads what no longer holds
    archive.work()
    made = {archive.read(each).Modality: archive.read(each) for each in archive.documents(study.StudyInstanceUID)}
    assert "考虑炎性。" in texts(made["SR"])
    for modality, ds in made.items():
        before = ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
        assert before.ReferencedSOPInstanceUID == first[modality].SOPInstanceUID
        assert ds.SeriesInstanceUID == first[modality].SeriesInstanceUID


def test_of_a_withdrawn_report_no_document_is_shown(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    assert len(archive.documents(study.StudyInstanceUID)) == 2
    archive.report(study.StudyInstanceUID, 11, status="X")
    assert archive.documents(study.StudyInstanceUID) == []
    archive.work()
    assert archive.documents(study.StudyInstanceUID) == []
    with archive.hub.client(CLINICIAN) as client:
        found = client.get(f"/studies?StudyInstanceUID={study.StudyInstanceUID}").json()
    assert found[0]["00080061"]["Value"] == ["CT"]


def test_a_preliminary_report_is_not_offered(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10, status="P")
    archive.work()
    assert archive.documents(study.StudyInstanceUID) == []


def test_a_round_that_was_killed_is_begun_anew_and_what_is_made_is_proved(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.filing._make(1)  # the documents are in the object store, and the process dies
    archive.work()
    archive.work()
    assert len(archive.documents(study.StudyInstanceUID)) == 2
    assert list(verify(archive.hub.verbs.database, archive.hub.verbs.objects)) == []


def test_their_text_is_ours_whatever_the_source_is_known_to_write(archive: Archive) -> None:
    headers = Headers(archive.hub.verbs.database, archive.hub.verbs.objects, dicom.ADAPTER.describers[Format.DICOM])
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    assert {each.charset for each in headers.next_batch(0)} == {""}


def test_a_study_that_goes_to_another_patient_gets_documents_that_name_that_one(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.send(ct(PatientID="P0002", PatientName="Li^Si=李^四", PatientBirthDate="19620304", PatientSex="F"))
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    curation, asker = archive.hub.verbs.curation, disclosure_for(ADMIN)
    (moved,) = curation.find(asker, study.StudyInstanceUID)
    (right,) = curation.find(asker, "P0002")
    curation.move(asker, moved.id, right.patient_id, "技师选错了工作列表条目")
    assert archive.documents(study.StudyInstanceUID) == []
    archive.work()
    made = [archive.read(each) for each in archive.documents(study.StudyInstanceUID)]
    assert {(ds.PatientID, str(ds.PatientName)) for ds in made} == {("P0002", "Li^Si=李四")}
    assert len(made) == 2


def test_another_reader_of_structured_reports_reads_ours(archive: Archive) -> None:
    study = ct()
    archive.send(study)
    archive.report(study.StudyInstanceUID, 10)
    archive.work()
    for instance in archive.documents(study.StudyInstanceUID):
        path = written(archive.folder, archive.hub.verbs.objects.read(instance.digest))
        if archive.read(instance).Modality == "SR":
            command = [program("dsrdump", "dcmtk"), "+U8", str(path)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert "Verification Flag   : VERIFIED" in said
            assert "右肺结节。" in said
        else:
            pdf = archive.folder / "out.pdf"
            subprocess.run([program("dcm2pdf", "dcmtk"), path, pdf], capture_output=True, check=True)
            assert pdf.read_bytes().startswith(b"%PDF-")
