"""Merges of numbers: a person goes on as one, anything doubtful is asked, any merge can be undone."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub import identity, merges
from schemas.disclosure import Disclosure, Purpose
from schemas.faults import Conflict, Forbidden
from schemas.identifiers import Identifier, authority_system
from schemas.patient import Merge, MergeState, Patient, PersonName, Sex
from storage.database import Database
from storage.merges import known_of
from storage.patients import known_by_key
from tests.engines import Engines
from tests.hub.kernel import ADMIN, CLINICIAN
from tests.hub.mllp import MAN, WOMAN, Laboratory, head, opened, pid


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    with opened(migrated_urls) as made:
        yield made


def result(patient: str, filler: str, facility: str = "CHC01") -> tuple[str, ...]:
    obr = f"OBR|1||{filler}|58410-2^血常规^LN|||20261122083000||||||||||||||||||F"
    return (head("ORU^R01", facility), patient, obr, "OBX|1|NM|6690-2^白细胞^LN||5.2|10*9/L||N|||F")


def a40(
    surviving: str, prior: str, facility: str = "CHC01", former: str = "", kind: str = "ADT^A40^ADT_A39"
) -> tuple[str, ...]:
    return (head(kind, facility), "EVN|A40|20261122", surviving, f"MRG|{prior}||||||{former}")


def single(laboratory: Laboratory) -> int:
    (found,) = laboratory.kernel.query.merges(laboratory.kernel.ask(ADMIN))
    return found.id


@pytest.mark.parametrize("kind", ["ADT^A40^ADT_A39", "ADT^A34^ADT_A30", "ADT^A18"])
def test_two_numbers_become_one_person_and_can_be_taken_apart_again(laboratory: Laboratory, kind: str) -> None:
    laboratory.send(*result(pid("OLD1", name="李铭"), "F1"))
    laboratory.send(*result(pid("NEW1"), "F2"))
    before = {person.id for person in laboratory.people()}
    assert laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01", kind=kind))[1] == "AA"
    assert laboratory.partition() == {frozenset({"OLD1", "NEW1"})}
    assert laboratory.people()[0].patient.name.text == "李明"  # as the surviving number is called
    kernel = laboratory.kernel
    (told,) = kernel.query.merges(kernel.ask(ADMIN))
    assert (told.prior.value, told.surviving.value, told.organization) == ("OLD1", "NEW1", "CHC01")
    assert told.message_id.startswith("C")
    kernel.identity.undo_merge(kernel.ask(ADMIN), told.id, "打电话问过窗口")
    assert laboratory.partition() == {frozenset({"OLD1"}), frozenset({"NEW1"})}
    assert {person.id for person in laboratory.people()} == before
    (undone,) = kernel.query.merges(kernel.ask(ADMIN))
    assert (undone.state, undone.undone_by, undone.reason) == (MergeState.UNDONE, "admin", "打电话问过窗口")
    with pytest.raises(Conflict):
        kernel.identity.undo_merge(kernel.ask(ADMIN), told.id)


def test_a_circle_and_a_number_merged_into_itself_are_refused_with_the_reason(laboratory: Laboratory) -> None:
    for value in ("A", "B", "C"):
        laboratory.send(*result(pid(value), f"F-{value}"))
    assert laboratory.send(*a40(pid("B"), "A^^^CHC01"))[1] == "AA"
    assert laboratory.send(*a40(pid("C"), "B^^^CHC01"))[1] == "AA"
    inverse = laboratory.send(*a40(pid("A"), "B^^^CHC01"))
    assert inverse[1] == "AE"
    assert "merged" in inverse[3]
    long_way = laboratory.send(*a40(pid("A"), "C^^^CHC01"))
    assert long_way[1] == "AE"
    itself = laboratory.send(*a40(pid("A"), "A^^^CHC01"))
    assert itself[1] == "AE"
    assert "surviving" in itself[3]
    assert laboratory.partition() == {frozenset({"A", "B", "C"})}


def test_a_number_goes_on_as_one_other_only(laboratory: Laboratory) -> None:
    for value in ("A", "B", "C"):
        laboratory.send(*result(pid(value), f"F-{value}"))
    assert laboratory.send(*a40(pid("B"), "A^^^CHC01"))[1] == "AA"
    assert laboratory.send(*a40(pid("B"), "A^^^CHC01"))[1] == "AA"  # told once more
    assert laboratory.send(*a40(pid("C"), "A^^^CHC01"))[1] == "AE"
    assert laboratory.partition() == {frozenset({"A", "B"}), frozenset({"C"})}


def test_results_on_their_way_under_a_merged_number_find_the_person(laboratory: Laboratory) -> None:
    # Nobody has used OLD1 here yet.
    assert laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01", former="李铭"))[1] == "AA"
    assert laboratory.send(*result(pid("OLD1", name="李铭"), "F1"))[1] == "AA"
    assert laboratory.send(*result(pid("OLD1"), "F2"))[1] == "AA"  # the sender writes the new name already
    assert laboratory.partition() == {frozenset({"OLD1", "NEW1"})}
    assert {record.patient_id for record in laboratory.reports()} == {laboratory.people()[0].id}
    # Under the merged number somebody else is described: held, not taken for the person.
    assert laboratory.send(*result(pid("OLD1", name="张伟", born="19700101"), "F3"))[1] == "AE"
    assert len(laboratory.reports()) == 2


@pytest.mark.parametrize(
    ("facility", "prior", "former", "reason"),
    [
        ("CHC02", pid("OLD1", by="CHC01"), "OLD1^^^CHC01", "merge-by-another"),
        ("CHC01", pid("OLD1", born="19700101"), "OLD1^^^CHC01", "merge-contradicts"),
        ("CHC01", pid("OLD1", sex="F", resident=WOMAN), "OLD1^^^CHC01", "merge-contradicts"),
    ],
)
def test_a_doubtful_merge_changes_nothing_and_asks_a_person(
    laboratory: Laboratory, facility: str, prior: str, former: str, reason: str
) -> None:
    laboratory.send(*result(prior, "F1"))
    laboratory.send(*result(pid("NEW1", by="CHC01", resident=MAN), "F2"))
    assert laboratory.send(*a40(pid("NEW1", by="CHC01", resident=MAN), former, facility))[1] == "AA"
    assert laboratory.partition() == {frozenset({"OLD1"}), frozenset({"NEW1"})}
    kernel = laboratory.kernel
    (doubt,) = kernel.query.doubts(kernel.ask(ADMIN))
    assert doubt.reason == reason
    assert kernel.query.merges(kernel.ask(ADMIN))[0].state is MergeState.ASKED
    kernel.identity.decide(kernel.ask(ADMIN), doubt.id, link=True)
    assert laboratory.partition() == {frozenset({"OLD1", "NEW1"})}
    kernel.identity.reopen(kernel.ask(ADMIN), doubt.id)
    assert laboratory.partition() == {frozenset({"OLD1"}), frozenset({"NEW1"})}


def test_a_merge_that_a_person_undid_is_not_done_again_by_the_same_message(laboratory: Laboratory) -> None:
    for value in ("A", "B"):
        laboratory.send(*result(pid(value), f"F-{value}"))
    laboratory.send(*a40(pid("B"), "A^^^CHC01"))
    kernel = laboratory.kernel
    kernel.identity.undo_merge(kernel.ask(ADMIN), single(laboratory))
    assert laboratory.send(*a40(pid("B"), "A^^^CHC01"))[1] == "AA"
    assert laboratory.partition() == {frozenset({"A"}), frozenset({"B"})}
    assert [doubt.reason for doubt in kernel.query.doubts(kernel.ask(ADMIN))] == ["merge-undone-before"]


def test_who_was_linked_by_number_goes_with_their_number_when_a_merge_is_undone(laboratory: Laboratory) -> None:
    laboratory.send(*result(pid("OLD1", resident=MAN), "F1"))
    laboratory.send(*result(pid("NEW1"), "F2"))
    laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01"))
    laboratory.send(*result(pid("X9", resident=MAN), "F3", "CHC02"))
    assert laboratory.partition() == {frozenset({"OLD1", "NEW1", "X9"})}
    kernel = laboratory.kernel
    kernel.identity.undo_merge(kernel.ask(ADMIN), single(laboratory))
    assert laboratory.partition() == {frozenset({"OLD1", "X9"}), frozenset({"NEW1"})}


def test_merged_numbers_stay_together_when_one_of_them_is_recognised_elsewhere(laboratory: Laboratory) -> None:
    laboratory.send(*result(pid("X9", resident=MAN), "F3", "CHC02"))
    laboratory.send(*result(pid("OLD1"), "F1"))
    laboratory.send(*result(pid("NEW1"), "F2"))
    laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01"))
    laboratory.send(head("ADT^A08"), pid("OLD1", resident=MAN))
    assert laboratory.partition() == {frozenset({"OLD1", "NEW1", "X9"})}


def test_kept_apart_means_not_merged(laboratory: Laboratory) -> None:
    for value in ("A", "B"):
        laboratory.send(*result(pid(value), f"F-{value}"))
    laboratory.send(*a40(pid("B"), "A^^^CHC01"))
    # Later the source corrects the birth date of one: the question is asked, the merge stands until it is answered.
    laboratory.send(head("ADT^A08"), pid("A", born="19700101"))
    assert laboratory.partition() == {frozenset({"A", "B"})}
    kernel = laboratory.kernel
    (doubt,) = kernel.query.doubts(kernel.ask(ADMIN))
    assert doubt.reason == "birth-date-differs"
    kernel.identity.decide(kernel.ask(ADMIN), doubt.id, link=False)
    assert laboratory.partition() == {frozenset({"A"}), frozenset({"B"})}
    assert kernel.query.merges(kernel.ask(ADMIN))[0].state is MergeState.UNDONE


def test_only_who_settles_identities_sees_and_undoes_merges(laboratory: Laboratory) -> None:
    kernel = laboratory.kernel
    with pytest.raises(Forbidden):
        kernel.identity.undo_merge(kernel.ask(CLINICIAN), 1)
    with pytest.raises(Forbidden):
        kernel.query.merges(kernel.ask(CLINICIAN))


def test_a_public_merge_message_is_taken(laboratory: Laboratory, samples: Path) -> None:
    content = (samples / "hl7" / "dcm4che" / "ADT_A40-PatientMerge.hl7").read_bytes()
    assert laboratory.send_bytes(content.replace(b"XYZ_RADIOLOGY", b"CHC01"))[1] == "AA"
    assert laboratory.partition() == {frozenset({"NEW_PID_1", "OLD_PID_1"})}


NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
DISCLOSURE = Disclosure(ADMIN, Purpose.ADMINISTRATION)

# Any sequence of merges and undos, below the sockets: what holds is a forest, and persons are its trees.

LETTERS = "ABCDE"
steps = st.lists(
    st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)) | st.integers(0, 9), min_size=1, max_size=14
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("merges") / "hub.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    store = Database(f"sqlite:///{path}")
    yield store
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_merges_and_undos_leave_a_forest_and_undoing_restores(database: Database, plan: list[object]) -> None:
    with database.write() as tx:
        nothing_yet = tx.begin_nested()
        try:
            World(tx).run(plan)
        finally:
            nothing_yet.rollback()


class World:
    """Five numbers of one institution and what is said of them, beside a model: a parent for each merged number."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self.parents: dict[str, str] = {}
        self.held: list[tuple[int, str]] = []
        self.undone: set[tuple[str, str]] = set()
        tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # no delivery stands behind these merges
        self.rows = {letter: identity.recognise(tx, self.patient(letter), update=False, now=NOW) for letter in LETTERS}
        self.persons = {letter: self.person(letter) for letter in LETTERS}

    @staticmethod
    def patient(letter: str) -> Patient:
        return Patient((Identifier(authority_system("CHC01"), letter),), PersonName("李明"), None, Sex.MALE)

    def person(self, letter: str) -> int:
        known = known_by_key(self.tx, Identifier(authority_system("CHC01"), letter))
        assert known is not None
        return known.person_id

    def root(self, letter: str) -> str:
        while letter in self.parents:
            letter = self.parents[letter]
        return letter

    def run(self, plan: list[object]) -> None:
        for step in plan:
            if isinstance(step, tuple):
                self.merge(*step)
            elif isinstance(step, int) and self.held:
                self.undo(step % len(self.held))
            self.check()
        while self.held:
            self.undo(len(self.held) - 1)
            self.check()
        assert {letter: self.person(letter) for letter in LETTERS} == self.persons

    def merge(self, prior: str, surviving: str) -> None:
        refused = prior != surviving and (
            self.root(surviving) == prior
            or self.below(surviving, prior)
            or (prior in self.parents and self.parents[prior] != surviving)
        )
        told = Merge(self.patient(prior), self.patient(surviving))
        before = {merge.id for merge in known_of(self.tx, self.rows.values())}
        if refused:
            with pytest.raises(Conflict):
                merges.merge(self.tx, told, own=True, delivery_id=1, now=NOW)
            return
        merges.merge(self.tx, told, own=True, delivery_id=1, now=NOW)
        made = [m for m in known_of(self.tx, self.rows.values()) if m.id not in before]
        if (prior, surviving) in self.undone or prior == surviving or self.parents.get(prior) == surviving:
            assert all(m.state is not MergeState.MERGED for m in made)
            return
        assert [m.state for m in made] == [MergeState.MERGED]
        self.parents[prior] = surviving
        self.held.append((made[0].id, prior))

    def below(self, letter: str, above: str) -> bool:
        while letter in self.parents:
            letter = self.parents[letter]
            if letter == above:
                return True
        return False

    def undo(self, which: int) -> None:
        merge_id, prior = self.held.pop(which)
        self.undone.add((prior, self.parents.pop(prior)))
        merges.undo(self.tx, DISCLOSURE, merge_id, "", now=NOW)

    def check(self) -> None:
        trees = {frozenset(x for x in LETTERS if self.root(x) == root) for root in map(self.root, LETTERS)}
        people = {frozenset(x for x in LETTERS if self.person(x) == each) for each in map(self.person, LETTERS)}
        assert people == trees


def test_numbers_of_an_authority_that_nobody_registered_are_whose_results_they_bear(laboratory: Laboratory) -> None:
    for value in ("H1", "H2"):
        assert laboratory.send(*result(pid(value, by="HIS1"), f"F-{value}"))[1] == "AA"
    stranger = head("ADT^A08", "CHC02"), "EVN|A08", pid("H1", name="钱七", born="19810101", by="HIS1")
    assert laboratory.send(*stranger)[1] == "AE"
    assert {person.patient.name.text for person in laboratory.people()} == {"李明"}
    assert laboratory.send(*a40(pid("H2", by="HIS1"), "H1^^^HIS1", facility="CHC02"))[1] == "AA"
    assert laboratory.partition() == {frozenset({"H1"}), frozenset({"H2"})}
    doubts = laboratory.kernel.query.doubts(laboratory.kernel.ask(ADMIN))
    assert [doubt.reason for doubt in doubts] == ["merge-by-another"]
    own = head("ADT^A08", "CHC01"), "EVN|A08", pid("H1", name="李名", by="HIS1")
    assert laboratory.send(*own)[1] == "AA"
    assert {person.patient.name.text for person in laboratory.people()} == {"李名", "李明"}


def test_after_an_undone_merge_the_number_that_both_carry_is_a_question(laboratory: Laboratory) -> None:
    laboratory.send(*result(pid("OLD1"), "F1"))
    laboratory.send(*result(pid("NEW1"), "F2"))
    laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01"))
    kernel = laboratory.kernel
    kernel.identity.undo_merge(kernel.ask(ADMIN), single(laboratory), "两个人")
    apart = {frozenset({"OLD1"}), frozenset({"NEW1"})}
    assert laboratory.partition() == apart
    laboratory.send(head("ADT^A08"), pid("OLD1", resident=MAN))
    laboratory.send(head("ADT^A08"), pid("NEW1", resident=MAN))
    assert laboratory.partition() == apart
    (doubt,) = kernel.query.doubts(kernel.ask(ADMIN))
    assert doubt.reason == "merge-undone-before"
    kernel.identity.decide(kernel.ask(ADMIN), doubt.id, link=False)
    # What is new of a patient has the number looked at again.
    laboratory.send(head("ADT^A08"), pid("OLD1", name="李明^LIMING", resident=MAN))
    assert laboratory.partition() == apart
    assert not kernel.query.doubts(kernel.ask(ADMIN))


def test_a_merge_that_does_not_repeat_the_resident_number_takes_it_from_nobody(laboratory: Laboratory) -> None:
    laboratory.send(*result(pid("NEW1", resident=MAN), "F1"))
    laboratory.send(*result(pid("OLD1"), "F2"))
    laboratory.send(*a40(pid("NEW1"), "OLD1^^^CHC01"))
    (person,) = laboratory.people()
    assert MAN in {each.value for each in person.patient.identifiers}
