"""A study that belongs to another patient: moved with provenance, told everywhere, undone, stored as it was sent."""

import io

import httpx
import pytest
from pydicom import Dataset, dcmread
from pydicom.filereader import read_dataset

from hub.access import disclosure_for
from hub.archive import Archive
from hub.retrieve.pixels import read_frame
from schemas.disclosure import Action, Principal, Role
from schemas.faults import Conflict, Forbidden, InvalidPayload
from schemas.study_life import ChangeKind
from storage import accounts, reports, studies
from storage import tables as t
from tests.api.dicomweb.bodies import parts_of, store
from tests.imaging import CLINICIAN, TECHNICIAN, ImagingHub, ct, part10
from tests.study_life.notes import slices

ADMIN = Principal("admin", "管理员", Role.ADMIN, "BUREAU")
RIGHT = {"PatientID": "P0002", "PatientName": "Li^Si=李^四", "PatientBirthDate": "19620304", "PatientSex": "F"}


def test_a_moved_study_is_the_right_patients_everywhere_and_stored_as_it_was_sent(hub: ImagingHub) -> None:
    images, right = _two_patients(hub)
    study_id = _id(hub, images)
    hub.verbs.curation.move(disclosure_for(ADMIN), study_id, right, "技师选错了工作列表条目")
    with hub.client(CLINICIAN) as clinician:
        uid = images[0].StudyInstanceUID
        (found,) = clinician.get("/studies", params={"PatientID": "P0002", "StudyInstanceUID": uid}).json()
        assert found["00100010"]["Value"] == [{"Alphabetic": "Li^Si", "Ideographic": "李四"}]
        assert clinician.get("/studies", params={"PatientID": "P0001"}).status_code == 204
        (header,) = clinician.get(f"/studies/{uid}/metadata").json()
        assert (header["00100020"]["Value"], header["00100030"]["Value"]) == (["P0002"], ["19620304"])
        (original,) = header["04000561"]["Value"]
        assert original["04000550"]["Value"][0]["00100020"]["Value"] == ["P0001"]
        handed = _handed(clinician, uid)
    assert (handed.PatientID, handed.PatientSex, handed.PixelData) == ("P0002", "F", images[0].PixelData)
    assert str(handed.PatientName) == "Li^Si=李四"
    with hub.verbs.database.read() as tx:
        (stored,) = studies.instances(tx, disclosure_for(CLINICIAN), uid)
    with Archive(hub.verbs.database, hub.verbs.objects, read_frame).open(stored) as moved:
        moved.seek(stored.data_set_offset)
        over_dimse = read_dataset(moved, is_implicit_VR=False, is_little_endian=True)
    assert (over_dimse.PatientID, over_dimse.PixelData) == ("P0002", images[0].PixelData)
    (item,) = handed.OriginalAttributesSequence
    assert (item.ModifiedAttributesSequence[0].PatientID, item.ModifyingSystem) == ("P0001", "dxhub")
    with hub.verbs.database.read() as tx:
        asker = disclosure_for(CLINICIAN)
        record = studies.study(tx, asker, study_id)
        report = reports.version(tx, asker, record.report_id)
        (stored,) = studies.instances(tx, asker, uid)
        assert (record.patient_id, report.patient_id, report.version) == (right, right, 2)
        trail = tx.execute(t.audit.select().where(t.audit.c.action == Action.ADMINISTER.value)).all()
    assert hub.verbs.objects.read(stored.digest) == part10(images[0])
    assert {row.patient_id for row in trail if row.entity == f"ImagingStudy/{study_id}"} > {right}
    (change,) = hub.verbs.curation.study(disclosure_for(ADMIN), study_id).changes
    assert (change.kind, change.account, change.reason) == (ChangeKind.MOVE, "admin", "技师选错了工作列表条目")
    assert (change.before.key.value, change.after.key.value) == ("P0001", "P0002")


def test_a_move_is_undone_and_nothing_is_left_of_it_but_its_history(hub: ImagingHub) -> None:
    images, right = _two_patients(hub)
    study_id, asker = _id(hub, images), disclosure_for(ADMIN)
    with hub.verbs.database.read() as tx:
        wrong = studies.study(tx, asker, study_id).patient_id
    hub.verbs.curation.move(asker, study_id, right, "wrong entry")
    hub.verbs.curation.undo_move(asker, study_id, "it was right")
    life = hub.verbs.curation.study(asker, study_id)
    assert life.record.patient_id == wrong
    assert [change.kind for change in life.changes] == [ChangeKind.UNDO, ChangeKind.MOVE]
    with hub.client(CLINICIAN) as clinician:
        handed = _handed(clinician, images[0].StudyInstanceUID)
    assert (handed.PatientID, "OriginalAttributesSequence" in handed) == ("P0001", False)
    with pytest.raises(Conflict):
        hub.verbs.curation.undo_move(asker, study_id, "again")


def test_more_images_of_a_moved_study_go_where_it_went(hub: ImagingHub) -> None:
    images, right = _two_patients(hub)
    hub.verbs.curation.move(disclosure_for(ADMIN), _id(hub, images), right, "wrong entry")
    late = ct(StudyInstanceUID=images[0].StudyInstanceUID, SeriesInstanceUID=images[0].SeriesInstanceUID)
    corrected = ct(StudyInstanceUID=images[0].StudyInstanceUID, **RIGHT)
    stranger = ct(StudyInstanceUID=images[0].StudyInstanceUID, PatientID="P0003", PatientName="Wu^Ming")
    with hub.client(TECHNICIAN) as technician:
        assert store(technician, part10(late)).status_code == 200
        assert store(technician, part10(corrected)).status_code == 200
        assert store(technician, part10(stranger)).status_code == 409
    with hub.verbs.database.read() as tx:
        record = studies.study(tx, disclosure_for(CLINICIAN), _id(hub, images))
    assert (record.patient_id, record.instance_count) == (right, 3)


def test_who_administers_studies_alone_moves_them_and_says_why(hub: ImagingHub) -> None:
    images, right = _two_patients(hub)
    study_id = _id(hub, images)
    with pytest.raises(Forbidden):
        hub.verbs.curation.move(disclosure_for(CLINICIAN), study_id, right, "why not")
    with pytest.raises(InvalidPayload):
        hub.verbs.curation.move(disclosure_for(ADMIN), study_id, right, "  ")


def _two_patients(hub: ImagingHub) -> tuple[list[Dataset], int]:
    """A study under the wrong patient, and the right one's record, known from another study."""
    images, other = slices(1), ct(**RIGHT)
    with hub.verbs.database.write() as tx:
        accounts.put_account(tx, ADMIN, "!")
    with hub.client(TECHNICIAN) as technician:
        assert store(technician, part10(images[0]), part10(other)).status_code == 200
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, other.StudyInstanceUID)
        assert known
        return images, studies.study(tx, disclosure_for(CLINICIAN), known.id).patient_id


def _id(hub: ImagingHub, images: list[Dataset]) -> int:
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, images[0].StudyInstanceUID)
        assert known
        return known.id


def _handed(client: httpx.Client, uid: str) -> Dataset:
    ((_, content),) = parts_of(client.get(f"/studies/{uid}"))
    return dcmread(io.BytesIO(content))
