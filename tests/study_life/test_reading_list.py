"""The list of imaging studies that wait to be read: what is on it, when it leaves, how it is narrowed."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import Connection, event, text

from hub.access import disclosure_for
from schemas.disclosure import Principal, Role
from schemas.faults import Forbidden
from schemas.reading_list import ListCriteria, ListedStudy
from schemas.study import StudyContent
from storage import reading_list
from storage.database import Database
from storage.migrate import migrate
from tests.adapters.dicom.structured import DOSE_REPORT, encapsulated, number, reading, report
from tests.imaging import AUDITOR, CLINICIAN, TECHNICIAN, ImagingHub, ct, part10, store, written
from tests.study_life.notes import note, slices

RADIOLOGIST = disclosure_for(Principal("radiologist", "孙医生", Role.RADIOLOGIST, "DH02"))
EVERYTHING = ListCriteria(waiting=False)


def send(hub: ImagingHub, folder: Path, *instances: Dataset, calling: str = "CHC01") -> None:
    for each in instances:
        assert store(hub.listener.port, written(folder, part10(each)), calling=calling) == 0


def listed(hub: ImagingHub, criteria: ListCriteria = ListCriteria()) -> tuple[ListedStudy, ...]:  # noqa: B008
    return hub.verbs.query.reading_list(RADIOLOGIST, criteria).items


def uids(hub: ImagingHub, criteria: ListCriteria = ListCriteria()) -> list[str]:  # noqa: B008
    return [each.record.study.study_instance_uid for each in listed(hub, criteria)]


def test_a_study_waits_until_a_final_reading_has_come_whatever_the_order(hub: ImagingHub, tmp_path: Path) -> None:
    made = [study := ct(), reading(study), report(study, number(DOSE_REPORT, "1"), title=DOSE_REPORT)]
    for order in itertools.permutations(range(3)):
        uid = generate_uid()
        for each in made:
            each.StudyInstanceUID, each.SeriesInstanceUID, each.SOPInstanceUID = uid, generate_uid(), generate_uid()
        for place in order:
            send(hub, tmp_path, made[place])
            came = set(order[: order.index(place) + 1])
            # Dose is no reading, and a reading without its images is none that waits.
            assert (uid in uids(hub)) == (0 in came and 1 not in came), (order, came)
        assert uid in uids(hub, EVERYTHING)


def test_a_reading_that_is_taken_back_has_the_study_wait_again(hub: ImagingHub, tmp_path: Path) -> None:
    study = ct()
    send(hub, tmp_path, study, reading(study))
    assert uids(hub) == []
    (found,) = listed(hub, EVERYTHING)
    assert found.read
    send(hub, tmp_path, note("113001", [study]))
    assert uids(hub, EVERYTHING) == []  # no image of it is shown
    (again,) = [ct(StudyInstanceUID=study.StudyInstanceUID, SeriesInstanceUID=study.SeriesInstanceUID)]
    send(hub, tmp_path, again)
    assert uids(hub) == [study.StudyInstanceUID]


def test_a_line_says_what_is_in_the_study_and_how_much_came_before(hub: ImagingHub, tmp_path: Path) -> None:
    images = slices(3)
    send(hub, tmp_path, *images, report(images[0], number(DOSE_REPORT, "1"), title=DOSE_REPORT))
    send(hub, tmp_path, encapsulated(images[0]))
    send(hub, tmp_path, ct(StudyDate="20240101"), ct(StudyDate="20260101", BodyPartExamined="HEAD"))
    newest, ours, oldest = listed(hub, EVERYTHING)  # the PDF is a reading
    assert [each.priors for each in (newest, ours, oldest)] == [2, 1, 0]
    assert ours.content == StudyContent(series=1, images=3, documents=2, body_parts=("CHEST",))
    assert newest.content.body_parts == ("HEAD",)
    assert not ours.record.complete


def test_what_came_before_there_was_a_list_stands_where_it_would_stand(hub: ImagingHub, tmp_path: Path) -> None:
    waits, read = ct(), ct()
    send(hub, tmp_path, waits, report(waits, number(DOSE_REPORT, "1"), title=DOSE_REPORT), read, reading(read))
    with hub.verbs.database.write() as tx:
        for statement in (
            "DROP INDEX ix_study_unread",
            "DROP INDEX ix_study_observed_at",
            "ALTER TABLE study DROP COLUMN read_at",
            "UPDATE alembic_version SET version_num = '0090'",
        ):
            tx.execute(text(statement))
    migrate(hub.verbs.database)
    assert uids(hub) == [waits.StudyInstanceUID]
    assert len(uids(hub, EVERYTHING)) == 2


def test_documents_alone_are_no_study_to_read(hub: ImagingHub, tmp_path: Path) -> None:
    send(hub, tmp_path, encapsulated(ct()))
    assert listed(hub, EVERYTHING) == ()


def test_the_list_is_narrowed_by_what_a_reader_knows(hub: ImagingHub, tmp_path: Path) -> None:
    first = ct(AccessionNumber="A77", PatientID="p-one", StudyDate="20240101")
    second = ct(PatientName="Li^Si=李^四", PatientID="P2", Modality="MR", StudyDate="20250301", AccessionNumber="B1")
    send(hub, tmp_path, first)
    send(hub, tmp_path, second, calling="CHC02")
    one, two = first.StudyInstanceUID, second.StudyInstanceUID
    since = datetime(2025, 1, 1, tzinfo=UTC)
    for criteria, expected in (
        (ListCriteria(), [two, one]),
        (ListCriteria(limit=1), [two]),
        (ListCriteria(limit=1, offset=1), [one]),
        (ListCriteria(modality="CT"), [one]),
        (ListCriteria(modality="C"), []),
        (ListCriteria(modality="%"), []),
        (ListCriteria(organization="CHC02"), [two]),
        (ListCriteria(since=since), [two]),
        *((ListCriteria(text=typed), [one]) for typed in ("张三", "zs", "Zhang San", "p-one", "A77", " A7 ")),
        *((ListCriteria(text=typed), [two]) for typed in ("李", "ls", "p2", "B1")),
        (ListCriteria(text="A77", organization="CHC02"), []),
    ):
        assert uids(hub, criteria) == expected, criteria


def test_only_who_reads_images_is_shown_the_list_and_it_is_written_down(hub: ImagingHub, tmp_path: Path) -> None:
    send(hub, tmp_path, ct())
    for principal in (CLINICIAN, TECHNICIAN):
        with pytest.raises(Forbidden):
            hub.verbs.query.reading_list(disclosure_for(principal), ListCriteria())
    (found,) = listed(hub)
    entries = hub.verbs.query.audit(disclosure_for(AUDITOR), patient_id=found.record.patient_id).items
    assert ("radiologist", "imaging reading list") in [(each.account, each.detail) for each in entries]
    own = hub.verbs.query.reading_list  # bound to one institution, an asker sees what it made
    bound = disclosure_for(Principal("radiologist", "", Role.RADIOLOGIST, "CHC02"))
    assert own(bound, ListCriteria()).total == 1
    with hub.verbs.database.read() as tx:
        only = type(bound)(bound.principal, bound.purpose, only_organization="CHC02")
        assert reading_list.search(tx, only, ListCriteria()).total == 0


@contextmanager
def _said(tx: Connection) -> Iterator[list[tuple[str, object]]]:
    said: list[tuple[str, object]] = []

    def hear(_: object, __: object, statement: str, values: object, *___: object) -> None:
        said.append((statement, values))

    event.listen(tx, "before_cursor_execute", hear)
    yield said
    event.remove(tx, "before_cursor_execute", hear)


@pytest.mark.parametrize(
    ("criteria", "index"),
    [
        (ListCriteria(), "ix_study_unread"),
        (EVERYTHING, "ix_study_observed_at"),
        (ListCriteria(waiting=False, modality="CT", organization="CHC01"), "ix_study_observed_at"),
        (ListCriteria(waiting=False, text="zs"), "study USING INTEGER PRIMARY KEY"),
    ],
)
def test_the_list_is_read_along_an_index(migrated_sqlite: Path, criteria: ListCriteria, index: str) -> None:
    database = Database(f"sqlite:///{migrated_sqlite}")
    with database.read() as tx:
        with _said(tx) as said:
            reading_list.search(tx, RADIOLOGIST, criteria)
        page = next(pair for pair in said if "ORDER BY" in pair[0])
        plan = tx.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {page[0]}", page[1]).fetchall()  # type: ignore[union-attr]
        steps = [row[3] for row in plan]
        assert any(index in step for step in steps), steps
        assert not any(step.startswith("SCAN") and "USING" not in step for step in steps), steps
    database.close()
