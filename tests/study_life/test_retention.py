"""Retention by rule: what was kept for long enough is hidden, told and audited, and kept anew when it is sent anew."""

import datetime as dt
import json

from pydicom import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select

from hub import audit
from hub.access import disclosure_for
from hub.ingest.rejections import IMAGES_EXPIRED
from hub.retention import Retention
from schemas.report import ReportRecord, ReportStatus
from schemas.study import Hidden
from storage import reports, studies
from storage import tables as t
from tests.adapters.dicom.structured import reading
from tests.imaging import CLINICIAN, ImagingHub, ct
from tests.study_life.notes import kept, seen, sent, slices

YEARS = 15


def _in(years: float) -> dt.datetime:
    return audit.now() + dt.timedelta(days=366 * years)


def test_the_rule_hides_what_is_older_and_says_so(hub: ImagingHub) -> None:
    old, recent = slices(2), [ct(StudyDate=f"{_in(0):%Y%m%d}")]
    sent(hub, *old, *recent)
    # Five years from now the date lies further back, the arrival does not; sixteen years from now both do.
    assert _round(hub, 5) == 0
    assert _round(hub, 14.9) == 0
    assert _round(hub, 16) == 2
    assert _round(hub, 16) == 0
    assert seen(hub, old) == []
    with hub.client(CLINICIAN) as clinician:
        uid = old[0].StudyInstanceUID
        assert clinician.get("/studies", params={"StudyInstanceUID": uid}).status_code == 204
        assert clinician.get(f"/studies/{uid}").status_code == 404
    assert {(each.hidden, each.hidden_by) for each in kept(hub, old)} == {
        (Hidden.EXPIRED, f"Rule/image_retention_years/{YEARS}")
    }
    study_id = _report(hub, old)[0]
    with hub.verbs.database.read() as tx:
        (record,) = tx.execute(select(t.audit).where(t.audit.c.entity == f"ImagingStudy/{study_id}")).all()
        told = [
            json.loads(each)
            for each in tx.scalars(select(t.outbox.c.payload).where(t.outbox.c.topic == "study.rejected"))
        ]
    assert (record.action, record.account, record.role, record.organization) == ("administer", "", "system", "CHC01")
    assert record.detail == f"kept for {YEARS} years: 2 instances hidden"
    assert record.patient_id
    assert [(each["code"], each["left"]) for each in told] == [("113039", 0)] * 2


def test_without_a_rule_everything_iskept(hub: ImagingHub) -> None:
    images = slices(1)
    sent(hub, *images)
    assert Retention(hub.verbs.database, 0, lambda: _in(100)).round() == 0
    assert len(seen(hub, images)) == 1


def test_it_looks_once_an_hour(hub: ImagingHub) -> None:
    retention = Retention(hub.verbs.database, YEARS, lambda: _in(16))
    assert retention.round() == 0
    images = slices(1)
    sent(hub, *images)
    assert retention.round() == 0
    assert len(seen(hub, images)) == 1


def test_what_nobody_read_is_withdrawn_and_what_a_doctor_wrote_stays_final(hub: ImagingHub) -> None:
    images, read = slices(1), slices(1)
    sent(hub, *images, *read, reading(read[0]))
    assert _report(hub, read)[1].report.status is ReportStatus.FINAL
    assert _round(hub, 16) == 2
    _, unread = _report(hub, images)
    _, final = _report(hub, read)
    assert (unread.report.status, unread.version) == (ReportStatus.CANCELLED, 2)
    assert final.report.status is ReportStatus.FINAL
    assert IMAGES_EXPIRED in final.report.flags


def test_what_is_sent_again_is_shown_again_and_not_hidden_by_the_next_round(hub: ImagingHub) -> None:
    images = slices(2)
    sent(hub, *images)
    _long_ago(hub)
    assert _round(hub, 0) == 1
    sent(hub, *images)
    assert _round(hub, 0) == 0
    assert len(seen(hub, images)) == 2
    _, record = _report(hub, images)
    assert (record.report.status, IMAGES_EXPIRED in record.report.flags) == (ReportStatus.PARTIAL, False)
    assert _round(hub, 16) == 1


def test_a_new_image_of_a_hidden_study_is_shown_and_brings_its_report_back(hub: ImagingHub) -> None:
    images = slices(3)
    sent(hub, images[0])
    _long_ago(hub)
    assert _round(hub, 0) == 1
    sent(hub, images[1])
    sent(hub, images[2])
    assert seen(hub, images) == [each.SOPInstanceUID for each in images[1:]]
    _, record = _report(hub, images)
    assert (record.report.status, IMAGES_EXPIRED in record.report.flags) == (ReportStatus.PARTIAL, False)


def test_many_studies_are_hidden_a_handful_at_a_time(hub: ImagingHub) -> None:
    sent(hub, *(ct(StudyInstanceUID=generate_uid()) for _ in range(12)))
    assert _round(hub, 16) == 12


def _round(hub: ImagingHub, years: float) -> int:
    return Retention(hub.verbs.database, YEARS, lambda: _in(years)).round()


def _long_ago(hub: ImagingHub) -> None:
    """What has come so far came, and was taken, twenty years ago."""
    with hub.verbs.database.write() as tx:
        tx.execute(t.study.update().values(last_arrival_at=_in(-20), study_date="20000102"))


def _report(hub: ImagingHub, images: list[Dataset]) -> tuple[int, ReportRecord]:
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, images[0].StudyInstanceUID)
        assert known
        return known.id, reports.version(tx, disclosure_for(CLINICIAN), known.report_id)
