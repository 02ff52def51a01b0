"""A recording that comes before anybody knows whose it is: read at once, attached later, taken back."""

import datetime as dt
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.registry import sniff
from hub.access import disclosure_for
from hub.demo import ecg_files
from hub.ingest import Ingest
from hub.ingest.verify import verify
from hub.offering import Filing
from schemas.delivery import Channel, Claim, Delivery, Receipt
from schemas.disclosure import Principal, Role
from schemas.faults import Busy, Conflict, Forbidden, InvalidPayload, NotFound
from schemas.organization import Organization, OrganizationKind
from schemas.patient import PatientCriteria
from schemas.reading import Draft
from schemas.report import ReportCriteria, ReportRecord
from storage import organizations
from tests.adapters.ecg.examples import OBSERVED_AT, examination
from tests.engines import Engines
from tests.hub.filing_hub import filing_hub
from tests.imaging import AUDITOR, CLINICIAN, OTHER_TECHNICIAN, TECHNICIAN, ImagingHub

READER = Principal("reader", "陆知行", Role.ECG_READER, "DH02")
ADMIN = Principal("admin", "管理员", Role.ADMIN, "BUREAU")


class Centre:
    """A hub that takes ECGs, and its worker by hand."""

    def __init__(self, hub: ImagingHub, filing: Filing, ingest: Ingest) -> None:
        self.hub, self.filing, self.ingest = hub, filing, ingest
        self.verb = hub.verbs.unidentified
        self.number = 0

    def send(self, content: bytes, channel: Channel = Channel.WATCH) -> Receipt:
        origin = replace(self.ingest.identify(Claim(Channel.MLLP, "CHC01", "127.0.0.1")), channel=channel)
        receipt = self.ingest.deliver(Delivery(origin, sniff(content[:4096]), io.BytesIO(content)))
        while self.filing():
            pass
        return receipt

    def recording(self, patient_id: str = "", name: str = "王弢") -> int:
        """Another recording; the id of its report."""
        self.number += 1
        made = replace(
            examination(patient_id=patient_id, name=name), observed_at=OBSERVED_AT + dt.timedelta(hours=self.number)
        )
        (report_id,) = self.send(ecg_files.record(made)).report_ids
        return report_id

    def person(self, number: str, name: str) -> int:
        """Somebody who is known."""
        return self.report(self.recording(number, name)).patient_id

    def report(self, report_id: int, principal: Principal = CLINICIAN) -> ReportRecord:
        return self.hub.verbs.query.report(disclosure_for(principal), report_id)

    def waiting(self, principal: Principal = READER) -> list[int]:
        return [each.record.id for each in self.verb.waiting(disclosure_for(principal)).items]

    def reports_of(self, person_id: int) -> set[int]:
        criteria = ReportCriteria(patient_id=person_id, limit=200)
        return {each.id for each in self.hub.verbs.query.reports(disclosure_for(CLINICIAN), criteria).items}

    def study(self, report_id: int) -> int:
        (found,) = (each.study_id for each in self.verb.attached(disclosure_for(READER)) if each.report_id == report_id)
        return found


@pytest.fixture
def centre(migrated_urls: Engines) -> Iterator[Centre]:
    with filing_hub(migrated_urls) as (hub, filing, ingest):
        with hub.verbs.database.write() as tx:
            own = Organization("DH02", "DH02", kind=OrganizationKind.DISTRICT_HOSPITAL, centre="ecg")
            organizations.put_organization(tx, own)
        yield Centre(hub, filing, ingest)


def test_it_waits_is_nobodys_and_can_be_read_at_once(centre: Centre) -> None:
    report_id = centre.recording()
    assert centre.waiting() == [report_id]
    record = centre.report(report_id)
    assert record.doubtful
    # Whoever is looked for is not found in it, by name or otherwise.
    for text in ("王弢", "wt", record.report.patient.key.value):
        found = centre.hub.verbs.query.find_patients(disclosure_for(CLINICIAN), PatientCriteria(text=text))
        assert found.items == ()
    assert centre.hub.verbs.query.find_patients(disclosure_for(CLINICIAN), PatientCriteria()).items == ()
    centre.hub.verbs.readings.confirm(disclosure_for(READER), report_id, Draft(record.version, ("SR",)))
    assert centre.waiting() == [report_id], "read, and still nobody's"
    assert list(verify(centre.hub.verbs.database, centre.hub.verbs.objects)) == []


def test_the_same_file_from_somebody_who_can_be_asked_is_refused(centre: Centre) -> None:
    receipt = centre.send(ecg_files.record(examination(patient_id="")), Channel.UPLOAD)
    assert receipt.text == "patient identifier missing"
    assert centre.waiting() == []


def test_a_cart_that_speaks_dicom_may_send_nobody_too_and_images_may_not(centre: Centre) -> None:
    sent = ecg_files.part10(examination(patient_id=""))
    receipt = centre.send(sent, Channel.C_STORE)
    assert receipt.fault is None
    assert centre.waiting() == list(receipt.report_ids)
    assert centre.hub.verbs.objects.read(receipt.digest) == sent


def test_attached_it_is_the_patients_with_all_that_was_read_in_it(centre: Centre) -> None:
    person = centre.person("P77", "王芳")
    report_id = centre.recording()
    read = centre.hub.verbs.readings.confirm(disclosure_for(READER), report_id, Draft(1, ("SR",), "急诊"))
    before = centre.report(report_id).patient_id
    with pytest.raises(InvalidPayload):
        centre.verb.attach(disclosure_for(READER), report_id, person, "  ")
    centre.verb.attach(disclosure_for(READER), report_id, person, "家属带身份证到场")
    assert centre.waiting() == []
    record = centre.report(report_id)
    assert (record.patient_id, record.report.patient.name.text, record.doubtful) == (person, "王芳", False)
    assert record.version == read + 1
    assert "急诊" in record.report.conclusion
    assert report_id in centre.reports_of(person)
    with pytest.raises(Conflict):
        centre.verb.attach(disclosure_for(ADMIN), report_id, person, "twice")
    with pytest.raises(Conflict):
        centre.verb.recording(disclosure_for(READER), report_id)
    (kept,) = centre.verb.attached(disclosure_for(READER))
    assert (kept.change.account, kept.change.reason) == ("reader", "家属带身份证到场")
    trail = centre.hub.verbs.query.audit(disclosure_for(AUDITOR), patient_id=person).items
    assert any(each.account == "reader" and each.entity == f"ImagingStudy/{kept.study_id}" for each in trail)
    # What the cart sends again, or more of, goes where it went.
    centre.send(centre.hub.verbs.objects.read(_digest(centre, record)))
    assert centre.report(report_id).patient_id == person
    centre.verb.detach(disclosure_for(READER), kept.study_id, "认错了人")
    assert centre.waiting() == [report_id]
    assert centre.report(report_id).patient_id == before
    assert report_id not in centre.reports_of(person)
    assert centre.verb.attached(disclosure_for(READER)) == ()
    with pytest.raises(Conflict):
        centre.verb.detach(disclosure_for(READER), kept.study_id, "again")
    assert list(verify(centre.hub.verbs.database, centre.hub.verbs.objects)) == []


def _digest(centre: Centre, record: ReportRecord) -> str:
    admin = disclosure_for(ADMIN)
    return centre.hub.verbs.query.delivery(admin, record.delivery_id).digest


def test_a_technician_sees_and_attaches_what_their_own_institution_sent(centre: Centre) -> None:
    person, other = centre.person("P77", "王芳"), centre.person("P78", "李四")
    report_id = centre.recording()
    assert centre.waiting(TECHNICIAN) == [report_id]
    assert centre.waiting(OTHER_TECHNICIAN) == []
    with pytest.raises(NotFound):
        centre.verb.attach(disclosure_for(OTHER_TECHNICIAN), report_id, person, "guessed")
    with pytest.raises(Forbidden):
        centre.verb.waiting(disclosure_for(CLINICIAN))
    centre.verb.attach(disclosure_for(TECHNICIAN), report_id, other, "我做的检查")
    assert centre.verb.attached(disclosure_for(OTHER_TECHNICIAN)) == ()
    with pytest.raises(NotFound):
        centre.verb.detach(disclosure_for(OTHER_TECHNICIAN), centre.study(report_id), "guessed")


def test_nobody_is_attached_to_nobody_and_what_is_not_filed_yet_waits(centre: Centre) -> None:
    one, other = centre.recording(), centre.recording()
    nobody = centre.report(other).patient_id
    with pytest.raises(Conflict):
        centre.verb.attach(disclosure_for(READER), one, nobody, "the same person")
    person = centre.person("P77", "王芳")
    origin = replace(centre.ingest.identify(Claim(Channel.MLLP, "CHC01", "127.0.0.1")), channel=Channel.WATCH)
    content = ecg_files.record(replace(examination(patient_id=""), observed_at=OBSERVED_AT + dt.timedelta(days=9)))
    (unfiled,) = centre.ingest.deliver(Delivery(origin, sniff(content[:4096]), io.BytesIO(content))).report_ids
    with pytest.raises(Busy):
        centre.verb.attach(disclosure_for(READER), unfiled, person, "in a hurry")


def test_of_two_who_attach_at_the_same_moment_one_is_told_that_the_other_was_quicker(centre: Centre) -> None:
    people = [centre.person("P77", "王芳"), centre.person("P78", "李四")]
    report_id = centre.recording()
    together = threading.Barrier(2)

    def attach(person: int) -> bool:
        together.wait(10)
        try:
            centre.verb.attach(disclosure_for(READER), report_id, person, "seen")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(attach, people))
    assert sorted(done) == [False, True]
    assert [report_id in centre.reports_of(person) for person in people] == done
    assert len(centre.verb.attached(disclosure_for(READER))) == 1


def test_a_reading_that_began_before_is_not_saved_over_the_attachment(centre: Centre) -> None:
    person = centre.person("P77", "王芳")
    report_id = centre.recording()
    seen = centre.report(report_id).version
    centre.verb.attach(disclosure_for(READER), report_id, person, "seen")
    with pytest.raises(Conflict):
        centre.hub.verbs.readings.confirm(disclosure_for(READER), report_id, Draft(seen, ("SR",)))
    assert centre.report(report_id).patient_id == person


STEPS = st.lists(st.sampled_from(["one", "other", "back", "read", "again"]), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_it_is_one_persons_or_waits(centre: Centre, steps: list[str]) -> None:
    if not centre.number:
        centre.people = {"one": centre.person("P77", "王芳"), "other": centre.person("P78", "李四")}  # type: ignore[attr-defined]
    people: dict[str, int] = centre.people  # type: ignore[attr-defined]
    report_id = centre.recording()
    sent = centre.hub.verbs.objects.read(_digest(centre, centre.report(report_id)))
    owner = ""
    for step in steps:
        if step == "read":
            version = centre.report(report_id).version
            centre.hub.verbs.readings.confirm(disclosure_for(READER), report_id, Draft(version, ("SR",)))
        elif step == "again":
            assert centre.send(sent).report_ids == (report_id,)
        elif step == "back":
            if owner:
                centre.verb.detach(disclosure_for(READER), centre.study(report_id), "no")
            owner = ""
        elif owner:
            with pytest.raises(Conflict):
                centre.verb.attach(disclosure_for(READER), report_id, people[step], "me too")
        else:
            centre.verb.attach(disclosure_for(READER), report_id, people[step], "seen")
            owner = step
        while centre.filing():
            pass
        assert (report_id in centre.waiting()) == (not owner)
        assert [name for name, person in people.items() if report_id in centre.reports_of(person)] == [owner] * bool(
            owner
        )
