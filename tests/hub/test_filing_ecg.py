"""An ECG whose cart knows no DICOM is a study of its own: found, fetched and withdrawn like any other."""

import io
from collections.abc import Iterator

import pytest
from pydicom import Dataset, dcmread

from adapters.registry import sniff
from hub.access import disclosure_for
from hub.demo import ecg_files
from hub.ingest import Ingest
from hub.ingest.verify import verify
from hub.offering import Filing
from schemas.delivery import Channel, Claim, Delivery, Receipt
from schemas.disclosure import Action, Principal, Role
from schemas.offered import DocumentKind
from schemas.organization import Organization, OrganizationKind
from schemas.reading import Draft
from schemas.report import ReportCriteria, ReportRecord
from storage import organizations
from tests.adapters.ecg.examples import examination
from tests.engines import Engines
from tests.hub.filing_hub import filing_hub
from tests.imaging import AUDITOR, CLINICIAN, ImagingHub

READER = Principal("reader", "陆知行", Role.ECG_READER, "DH02")


class Centre:
    """A hub that takes ECGs, and its worker by hand."""

    def __init__(self, hub: ImagingHub, filing: Filing, ingest: Ingest) -> None:
        self.hub, self.filing, self.ingest = hub, filing, ingest

    def send(self, content: bytes) -> Receipt:
        origin = self.ingest.identify(Claim(Channel.MLLP, "CHC01", "127.0.0.1"))
        return self.ingest.deliver(Delivery(origin, sniff(content[:4096]), io.BytesIO(content)))

    def work(self) -> None:
        while self.filing():
            pass

    def report(self) -> ReportRecord:
        (found,) = self.hub.verbs.query.reports(disclosure_for(CLINICIAN), ReportCriteria()).items
        return found

    def instances(self) -> dict[str, Dataset]:
        uid = self.report().report.study_instance_uid
        found = self.hub.verbs.query.instances(disclosure_for(CLINICIAN), uid)
        read = [dcmread(io.BytesIO(self.hub.verbs.objects.read(each.digest))) for each in found]
        return {ds.Modality: ds for ds in read}


@pytest.fixture
def centre(migrated_urls: Engines) -> Iterator[Centre]:
    with filing_hub(migrated_urls) as made:
        yield Centre(*made)


def test_a_preliminary_ecg_is_an_instance_of_a_study_of_its_own(centre: Centre) -> None:
    assert centre.send(ecg_files.record(examination())).fault is None
    uid = centre.report().report.study_instance_uid
    assert uid.startswith("2.25.")
    centre.work()
    assert centre.instances().keys() == {"ECG"}
    with centre.hub.client(CLINICIAN) as client:
        (found,) = client.get(f"/studies?StudyInstanceUID={uid}&ModalitiesInStudy=ECG").json()
        assert found["00100020"]["Value"] == ["000123"]
        series = client.get(f"/studies/{uid}/series").json()[0]["0020000E"]["Value"][0]
        sop = client.get(f"/studies/{uid}/series/{series}/instances").json()[0]["00080018"]["Value"][0]
        accept = {"Accept": 'multipart/related; type="application/dicom"'}
        answer = client.get(f"/studies/{uid}/series/{series}/instances/{sop}", headers=accept)
        assert answer.status_code == 200
        assert b"1.2.840.10008.5.1.4.1.1.9.1.2" in answer.content
    assert list(verify(centre.hub.verbs.database, centre.hub.verbs.objects)) == []


def test_a_confirmed_one_stands_beside_its_report_and_the_older_waveform_is_gone(centre: Centre) -> None:
    centre.send(ecg_files.record(examination()))
    centre.work()
    first = centre.instances()["ECG"]
    with centre.hub.verbs.database.write() as tx:
        own = Organization("DH02", "DH02", kind=OrganizationKind.DISTRICT_HOSPITAL, centre="ecg")
        organizations.put_organization(tx, own)
    record = centre.report()
    centre.hub.verbs.readings.confirm(disclosure_for(READER), record.id, Draft(record.version, ("SR",)))
    assert centre.instances() == {}  # at once: nobody reads what no longer holds
    centre.work()
    made = centre.instances()
    assert made.keys() == {"ECG", "SR", "DOC"}
    assert made["ECG"].SOPInstanceUID != first.SOPInstanceUID
    assert {ds.StudyInstanceUID for ds in made.values()} == {first.StudyInstanceUID}
    assert made["ECG"].WaveformAnnotationSequence[0].UnformattedTextValue.startswith("Confirmed by 陆知行")
    assert (made["ECG"].waveform_array(0) == first.waveform_array(0)).all()
    centre.hub.verbs.readings.withdraw(disclosure_for(READER), record.id, 2, "另一位病人")
    centre.work()
    assert centre.instances() == {}


def test_the_same_ecg_sent_back_to_us_adds_nothing(centre: Centre) -> None:
    centre.send(ecg_files.xml(examination()))
    centre.work()
    ds = centre.instances()["ECG"]
    target = io.BytesIO()
    ds.save_as(target, enforce_file_format=True)
    assert centre.send(target.getvalue()).fault is None
    assert centre.report().version == 1


def test_a_cart_that_sends_dicom_keeps_its_own_waveform_alone(centre: Centre) -> None:
    centre.send(ecg_files.part10(examination(confirmed_by="王医生")))
    centre.work()
    made = centre.instances()
    assert made.keys() == {"ECG", "SR", "DOC"}
    assert made["ECG"].Manufacturer != "dxhub"


def test_whoever_takes_the_waveform_away_is_recorded(centre: Centre) -> None:
    centre.send(ecg_files.part10(examination()))
    disclosure = disclosure_for(CLINICIAN)
    made = centre.hub.verbs.offering.document(disclosure, centre.report().id, DocumentKind.WAVEFORM)
    assert (made.media_type, made.filename) == ("application/dicom", f"report-{centre.report().id}-v1.ecg.dcm")
    assert dcmread(io.BytesIO(made.content)).Manufacturer == "dxhub"
    entries = centre.hub.verbs.query.audit(disclosure_for(AUDITOR)).items
    assert any(each.action is Action.EXPORT for each in entries)
