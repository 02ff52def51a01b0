"""IHE Imaging Object Change Management (RAD-66): what a rejection note does, over C-STORE and STOW-RS."""

import json
from pathlib import Path

import pytest
from pydicom import Dataset
from sqlalchemy import select

from hub.access import disclosure_for
from hub.ingest.rejections import IMAGES_EXPIRED, IMAGES_REJECTED
from schemas.report import ReportRecord, ReportStatus
from schemas.study import Hidden
from storage import rejections, reports, studies
from storage import tables as t
from tests.api.dicomweb.bodies import store as stow
from tests.imaging import AUDITOR, CLINICIAN, OTHER_TECHNICIAN, TECHNICIAN, ImagingHub, ct, part10, store, written
from tests.study_life.notes import note, seen, sent, slices


def test_a_note_over_c_store_hides_what_it_names_and_leaves_the_report_of_the_others(
    hub: ImagingHub, tmp_path: Path
) -> None:
    images = slices(3)
    for n, image in enumerate([*images, note("113001", images[:1])]):
        assert store(hub.listener.port, written(tmp_path, part10(image), f"{n}.dcm")) == 0
    assert seen(hub, images) == [i.SOPInstanceUID for i in images[1:]]
    assert _report(hub, images).report.status is ReportStatus.PARTIAL
    (told,) = _outbox(hub, "study.rejected")
    assert (told["code"], told["left"], told["revoked"]) == ("113001", 2, [])
    with hub.verbs.database.read() as tx:
        asker = disclosure_for(AUDITOR)
        uid = images[0].StudyInstanceUID
        hidden = {each.hidden for each in studies.instances(tx, asker, uid, hidden=True)}
        (record,) = rejections.records(tx, asker, uid)
    assert hidden == {None, Hidden.QUALITY, Hidden.NOTE}
    assert (record.code, record.instances, record.organization) == (Hidden.QUALITY, 1, "CHC01")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("113001", ReportStatus.CANCELLED),
        ("113037", ReportStatus.ENTERED_IN_ERROR),
        ("113038", ReportStatus.ENTERED_IN_ERROR),
        ("113039", ReportStatus.CANCELLED),
    ],
)
def test_a_study_without_an_image_left_is_nowhere_and_its_report_is_withdrawn(
    hub: ImagingHub, code: str, status: ReportStatus
) -> None:
    images = slices(2)
    sent(hub, *images, note(code, images))
    assert seen(hub, images) == []
    record = _report(hub, images)
    assert (record.report.status, record.version) == (status, 2)
    (told,) = _outbox(hub, "report.withdrawn")
    assert told == {"report": record.id, "version": 2, "decisions": []}


def test_a_note_that_comes_first_hides_what_comes_later(hub: ImagingHub) -> None:
    images = slices(2)
    sent(hub, note("113038", images), *images)
    assert seen(hub, images) == []
    assert _report(hub, images).report.status is ReportStatus.ENTERED_IN_ERROR


@pytest.mark.parametrize("code", ["113001", "113037", "113038"])
def test_what_was_rejected_stays_hidden_when_it_is_sent_again(hub: ImagingHub, code: str) -> None:
    images = slices(2)
    sent(hub, *images, note(code, images[:1]), *images)
    images[0].add_new(0x00091001, "LO", "sent on by another system")
    sent(hub, images[1])
    assert seen(hub, images) == [images[1].SOPInstanceUID]


def test_what_had_been_kept_long_enough_is_kept_anew_when_it_is_sent_anew(hub: ImagingHub) -> None:
    images = slices(2)
    sent(hub, *images, note("113039", images))
    assert seen(hub, images) == []
    sent(hub, images[0])
    assert seen(hub, images) == [images[0].SOPInstanceUID]
    record = _report(hub, images)
    assert record.report.status is ReportStatus.PARTIAL
    assert not {IMAGES_EXPIRED, IMAGES_REJECTED} & set(record.report.flags)


def test_a_new_image_brings_a_rejected_study_back_unread(hub: ImagingHub) -> None:
    images = slices(2)
    sent(hub, *images, note("113001", images))
    again = ct(StudyInstanceUID=images[0].StudyInstanceUID, SeriesInstanceUID=images[0].SeriesInstanceUID)
    sent(hub, again)
    assert seen(hub, images) == [again.SOPInstanceUID]
    assert _report(hub, images).report.status is ReportStatus.PARTIAL


def test_only_the_institution_whose_study_it_is_may_reject(hub: ImagingHub) -> None:
    images = slices(2)
    sent(hub, *images)
    with hub.client(OTHER_TECHNICIAN) as stranger:
        answer = stow(stranger, part10(note("113037", images)))
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0x0111]
    assert len(seen(hub, images)) == 2


def test_a_strangers_note_that_comes_first_hides_nothing(hub: ImagingHub) -> None:
    images = slices(2)
    with hub.client(OTHER_TECHNICIAN) as stranger:
        assert stow(stranger, part10(note("113037", images))).status_code == 200
    sent(hub, *images)
    assert len(seen(hub, images)) == 2


def test_a_note_about_another_patient_is_held_and_one_that_names_nothing_is_refused(hub: ImagingHub) -> None:
    images = slices(1)
    sent(hub, *images)
    wrong = note("113038", images, PatientID="P0777", PatientName="Li^Si=李^四", PatientBirthDate="19500505")
    empty = note("113001", images, CurrentRequestedProcedureEvidenceSequence=[])
    with hub.client(TECHNICIAN) as client:
        assert stow(client, part10(wrong)).status_code == 409
        assert stow(client, part10(empty)).status_code == 409
    assert len(seen(hub, images)) == 1


def test_images_of_interest_are_pointed_out_and_nothing_is_hidden(hub: ImagingHub) -> None:
    images = slices(2)
    marked = note("113000", images[:1])
    sent(hub, *images, marked)
    assert set(seen(hub, images)) == {*(i.SOPInstanceUID for i in images), marked.SOPInstanceUID}


def _report(hub: ImagingHub, images: list[Dataset]) -> ReportRecord:
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, images[0].StudyInstanceUID)
        assert known
        return reports.version(tx, disclosure_for(CLINICIAN), known.report_id)


def _outbox(hub: ImagingHub, topic: str) -> list[dict[str, object]]:
    with hub.verbs.database.read() as tx:
        query = select(t.outbox.c.payload).where(t.outbox.c.topic == topic).order_by(t.outbox.c.id)
        return [json.loads(payload) for payload in tx.scalars(query)]
