"""The short way for one more instance of a known series leaves in the database what the ordinary way leaves."""

import datetime as dt
import hashlib
import io
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub import audit
from hub.access import disclosure_for
from hub.curation import Curation
from hub.ingest import growing
from hub.ingest.contents import Contents
from hub.ingest.growing import Growing
from hub.ingest.index import Index
from hub.ingest.prepared import Prepared
from schemas.codes import DCM, Coding
from schemas.delivery import Accounting, Channel, Delivery, Format, Origin, Reading
from schemas.disclosure import Principal, Role
from schemas.faults import Fault
from schemas.identifiers import Identifier, authority_system
from schemas.order import ServiceOrder
from schemas.organization import Organization, OrganizationKind
from schemas.patient import Patient, PersonName
from schemas.report import Report, ReportCategory, ReportStatus
from schemas.study import Hidden, Instance, KeyObjects, Reference, Series, Study
from storage import organizations
from storage import tables as t
from storage.database import Database
from storage.objects_disk import DiskObjects
from tests.engines import Engines

ADMIN = Principal("admin", "管理员", Role.ADMIN, "BUREAU")
START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Said:
    """What happens: an image comes, or `what` else, about these; see `reading`."""

    what: str = "image"
    source: str = "CHC01"
    patient: str = "P1"
    name: str = "王芳"
    born: int = 1980
    study: str = "1"
    series: str = "1"
    sop: str = "1"
    pixels: int = 0
    accession: str = ""


def patient(said: Said) -> Patient:
    born = dt.date(said.born, 1, 1) if said.born else None
    return Patient((Identifier(authority_system("CHC"), said.patient),), PersonName(said.name), born)


def image(said: Said) -> Instance:
    study = Study(said.study, patient(said), "20261120", "093000", said.accession)
    digest = hashlib.sha256(f"{said.sop}{said.pixels}".encode()).hexdigest()
    return Instance(
        study, Series(f"{said.study}.{said.series}", "CT", 1), f"1.{said.sop}", "1.2", "1.2.1", digest, 132, 1
    )


def report(said: Said, status: ReportStatus) -> Report:
    return Report(
        key=said.study if status is ReportStatus.PARTIAL else f"F{said.study}",
        category=ReportCategory.IMAGING,
        status=status,
        code=Coding("CT", "CT", DCM),
        patient=patient(said),
        organization=said.source,
        observed_at=START,
        accession_number=said.accession,
        study_instance_uid=said.study if status is ReportStatus.PARTIAL else "",
        findings="" if status is ReportStatus.PARTIAL else "未见异常",
    )


def reading(said: Said) -> Reading:
    if said.what == "order":
        order = ServiceOrder(
            patient(said),
            "CHC02",
            placer_order_number=f"O{said.sop}",
            accession_number=said.accession,
            requesters=("CHC02",),
        )
        return Reading(orders=(order,))
    if said.what == "adt":
        return Reading(patients=(patient(said),), update=True)
    if said.what in ("final", "withdrawn"):
        return Reading((report(said, ReportStatus.FINAL if said.what == "final" else ReportStatus.CANCELLED),))
    instance = image(said)
    if said.what == "note":
        named = KeyObjects(Hidden.QUALITY.value, (Reference(said.study, instance.sop_instance_uid),))
        instance = replace(instance, sop_instance_uid=f"1.9.{said.sop}", key_objects=named)
    return Reading((report(said, ReportStatus.PARTIAL),), instances=(instance,), accounting=Accounting(3, 2, 1, 0))


def _digest_from(digest: str, offset: int) -> str:
    return hashlib.sha256(f"{digest}{offset}".encode()).hexdigest()


class House:
    """An index of its own. The same said again is the same object again, as it is from the reader."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._index = Index(database, Contents(_digest_from, lambda digest, kind: f"{kind}{digest}"), lambda _: True)
        self._readings: dict[Said, Reading] = {}
        with database.write() as tx:
            for code in ("CHC01", "CHC02", "BUREAU"):
                organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, "CHC")

    def take(self, together: list[Said]) -> None:
        self._index([self._prepared(said) for said in together])

    def _prepared(self, said: Said) -> Prepared:
        with self.database.read() as tx:
            source = organizations.source(tx, said.source)
        assert source
        found = self._readings.setdefault(replace(said, sop=""), reading(said))
        if said.what == "image":
            found = replace(found, instances=(replace(image(said), study=found.instances[0].study),))
        else:
            found = reading(said)
        content = repr((said, source.id)).encode()
        delivery = Delivery(Origin(source, Channel.C_STORE, START), Format.DICOM, io.BytesIO(content))
        return Prepared(delivery, hashlib.sha256(content).hexdigest(), len(content), found)

    def move(self, said: Said) -> None:
        """A person gives a study to another patient, or back."""
        curation, who = Curation(self.database, DiskObjects(Path("nothing-here"))), disclosure_for(ADMIN)
        with self.database.read() as tx:
            study_id = tx.scalar(select(t.study.c.id).where(t.study.c.study_instance_uid == said.study))
            person_id = tx.scalar(select(t.patient.c.person_id).where(t.patient.c.value == said.patient))
        if study_id and person_id:
            try:
                curation.move(who, study_id, person_id, "wrong worklist entry")
            except Fault:
                # Where it was never moved there is nothing to undo either.
                with suppress(Fault):
                    curation.undo_move(who, study_id, "it was right") if said.pixels else None

    def complete(self, said: Said) -> None:
        """Another process finds the study complete, or this one does."""
        url = self.database.engine.url.render_as_string(hide_password=False)
        with closing(Database(url)) as another, (another if said.pixels else self.database).write() as tx:
            quiet = t.study.update().where(t.study.c.study_instance_uid == said.study)
            tx.execute(quiet.values(completed_at=START))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.database.read() as tx:
            return {
                each.name: sorted(map(tuple, tx.execute(select(each))), key=repr) for each in t.metadata.sorted_tables
            }


@contextmanager
def short_way(*, taken: bool) -> Iterator[list[tuple[int, int]]]:
    """Clocks that tell the same, and the short way closed where it is not to be taken. Yields what went by it."""
    clock = itertools.count()
    went: list[tuple[int, int]] = []
    add: Callable[..., list[tuple[int, int]]] = Growing.add

    def noting(self: Growing, *told: object) -> list[tuple[int, int]]:
        pairs = add(self, *told) if taken else []
        went.extend(pairs)
        return pairs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "now", lambda: START + dt.timedelta(seconds=next(clock)))
        patch.setattr(growing.Growing, "add", noting)
        yield went


def complete(store: Database) -> list[str]:
    with store.read() as tx:
        found = select(t.study.c.study_instance_uid).where(t.study.c.completed_at.is_not(None))
        return sorted(tx.scalars(found))


SAID = st.builds(
    Said,
    what=st.sampled_from(["image"] * 12 + ["order", "adt", "final", "withdrawn", "note", "move", "complete"]),
    source=st.sampled_from(["CHC01", "CHC01", "CHC01", "CHC02"]),
    patient=st.sampled_from(["P1", "P1", "P2"]),
    name=st.sampled_from(["王芳", "王芳", "王芳", "李四"]),
    born=st.sampled_from([1980, 1980, 1980, 0, 1990]),
    study=st.sampled_from(["1", "1", "2"]),
    series=st.sampled_from(["1", "1", "2"]),
    sop=st.sampled_from("123456789"),
    pixels=st.sampled_from([0, 0, 0, 1]),
    accession=st.sampled_from(["", "A100", "A100"]),
)


@settings(max_examples=60, deadline=None)
@given(first=st.lists(SAID, max_size=3), batches=st.lists(st.lists(SAID, min_size=1, max_size=6), max_size=6))
def test_whatever_happens_both_ways_leave_the_same(
    migrated_sqlite: Path, first: list[Said], batches: list[list[Said]]
) -> None:
    left = []
    with tempfile.TemporaryDirectory() as folder:
        for taken in (False, True):
            place = Path(folder, f"{taken}.db")
            shutil.copy(migrated_sqlite, place)
            with short_way(taken=taken), closing(Database(f"sqlite:///{place}")) as database:
                house = House(database)
                for batch in ([Said(sop=n) for n in "ab"], first, *batches, [Said(sop=n) for n in "cd"]):
                    house.take([each for each in batch if each.what not in ("move", "complete")])
                    for each in batch:
                        if each.what == "move":
                            house.move(each)
                        elif each.what == "complete":
                            house.complete(each)
                left.append(house.rows())
    for name in left[0]:
        assert left[1][name] == left[0][name], name


def test_the_slices_of_a_series_go_the_short_way_until_something_changes(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    with short_way(taken=True) as went:
        house = House(store)
        house.take([Said(sop="1", accession="A100")])
        assert not went
        house.take([Said(sop=n, accession="A100") for n in "234"])
        assert len(went) == 3
        house.take([Said("order", accession="A100"), Said(sop="5", accession="A100")])
        house.take([Said(sop="2", pixels=1), Said(sop="6", name="李四"), Said(sop="7", source="CHC02")])
        assert len(went) == 3
        house.take([Said(sop="8")])
        assert len(went) == 4
        house.take([Said("note", sop="8"), Said(sop="9")])
        assert len(went) == 4
        two = [Said(patient="P9", study=study, sop=f"{study}0") for study in "89"]
        house.take(two)
        for each in two:
            house.complete(each)
        for number, each in enumerate(two, 1):
            house.take([replace(each, sop=f"{each.study}1")])
            assert len(went) == 4 + number
            assert complete(store) == ["8", "9"][number:], "it grows again, and only it"
    with store.read() as tx:
        assert tx.scalars(select(t.delivery.c.state)).all().count("held") == 2
    store.close()
