"""A laboratory's own code makes a task; mapping it makes every result under it, ever received, part of the district."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.access import disclosure_for
from hub.catalogue import items_of_order
from schemas.codes import LOINC, Coding
from schemas.delivery import State
from schemas.disclosure import Principal, Role
from schemas.faults import Conflict, Forbidden, InvalidPayload
from schemas.fhir import observation as fhir_observation
from schemas.mapping import MappingKind
from schemas.observation import ObservationCriteria, ObservationRecord
from schemas.task import TaskState
from storage import audit, catalogue, mappings
from tests.engines import Engines

from .kernel import ADMIN, AUDITOR, CLINICIAN, TECHNICIAN
from .laboratory import LAB, Laboratory, message

WBC = Coding("6690-2", "白细胞计数", LOINC)


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    made = Laboratory(migrated_urls)
    yield made
    made.close()


def open_tasks(laboratory: Laboratory, state: TaskState = TaskState.OPEN) -> list[tuple[str, str]]:
    page = laboratory.terminology.tasks(disclosure_for(LAB), state)
    return [(each.task.kind.value, each.task.code) for each in page.items]


def under(laboratory: Laboratory, code: str, system: str = LOINC) -> tuple[ObservationRecord, ...]:
    criteria = ObservationCriteria(code=code, code_system=system)
    return laboratory.kernel.query.observations(laboratory.kernel.ask(), criteria).items


def test_a_code_makes_one_task_however_often_it_comes(laboratory: Laboratory) -> None:
    for number in range(1, 5):
        assert laboratory.send(message(number)).state is State.INDEXED
    laboratory.send(message(5, code="6690-2^WBC^LN"))
    laboratory.send(message(6, code="777-3^PLT^LN", unit="万个"))
    assert open_tasks(laboratory) == [("code", "1001"), ("unit", "万个")]
    (waiting, unit) = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items
    assert (waiting.task.display, waiting.task.source, waiting.results) == ("白细胞", "CHC01", 4)
    assert (unit.task.system, unit.results) == ("urn:dxhub:codes:CHC01", None)


def test_two_institutions_may_mean_different_things_by_one_code(laboratory: Laboratory) -> None:
    laboratory.send(message(1))
    laboratory.send(message(2, code="1001^尿素", sender="CHC02"), "CHC02")
    first, second = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items
    assert (first.task.code, first.task.organization) == (second.task.code, "CHC01")
    laboratory.terminology.map(disclosure_for(LAB), first.task.id, "6690-2")
    assert [each.organization for each in under(laboratory, "6690-2")] == ["CHC01"]


def test_several_processes_open_one_task(laboratory: Laboratory) -> None:
    others = [laboratory.process() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        states = list(
            pool.map(
                lambda n: laboratory.send(message(n, pid=f"PID|1||P{n}||王^芳"), by=others[n % 3]).state, range(1, 19)
            )
        )
    assert set(states) == {State.INDEXED}
    assert open_tasks(laboratory) == [("code", "1001")]


def test_what_was_refused_opens_no_task_and_what_is_read_later_does(laboratory: Laboratory) -> None:
    laboratory.send(message(1, code="777-3^PLT^LN"))
    other = "PID|1||P1^^^CHC01^MR||李^强||19500101|M"
    held = laboratory.send(message(2, pid=other))
    assert held.state is State.HELD
    assert open_tasks(laboratory) == []
    laboratory.send(message(3))
    assert open_tasks(laboratory) == [("code", "1001")]


def test_mapping_finds_all_that_ever_came_and_undoing_loses_nothing(laboratory: Laboratory) -> None:
    for number in range(1, 4):
        laboratory.send(message(number))
    laboratory.send(message(4, code="6690-2^WBC^LN", sender="CHC02"), "CHC02")
    assert len(under(laboratory, "6690-2")) == 1
    before = laboratory.kernel.query.report(laboratory.kernel.ask(), 1)

    task = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items[0].task
    mapped = laboratory.terminology.map(disclosure_for(LAB), task.id, "6690-2")
    assert (mapped.state, mapped.concept) == (TaskState.MAPPED, WBC)
    found = under(laboratory, "6690-2")
    assert len(found) == len(under(laboratory, "6690-2", "")) == 4
    assert {each.concept.code for each in found if each.concept} == {"6690-2"}
    # What the source said stays as it was said: no new version, and its own code finds its own results alone.
    assert laboratory.kernel.query.report(laboratory.kernel.ask(), 1) == before
    assert len(under(laboratory, "1001", "urn:dxhub:codes:CHC01")) == 3

    laboratory.send(message(5))
    assert len(under(laboratory, "6690-2")) == 5
    assert open_tasks(laboratory) == []

    laboratory.terminology.undo(disclosure_for(LAB), task.id)
    assert len(under(laboratory, "6690-2")) == 1
    assert open_tasks(laboratory) == [("code", "1001")]
    history = laboratory.terminology.history(disclosure_for(LAB), task)
    assert [each.concept for each in history] == [None, WBC]


def test_fhir_shows_the_source_s_code_and_what_it_stands_for(laboratory: Laboratory) -> None:
    laboratory.send(message(1))
    laboratory.terminology.map(disclosure_for(LAB), 1, "6690-2")
    (record,) = under(laboratory, "6690-2")
    codings = fhir_observation.to_fhir(record)["code"]["coding"]
    assert [(each["system"], each["code"]) for each in codings] == [
        ("urn:dxhub:codes:CHC01", "1001"),
        (LOINC, "6690-2"),
    ]


def test_a_unit_is_mapped_to_ucum_for_its_institution(laboratory: Laboratory) -> None:
    laboratory.send(message(1, code="777-3^PLT^LN", unit="万个"))
    with pytest.raises(InvalidPayload):
        laboratory.terminology.map(disclosure_for(LAB), 1, "no such unit")
    assert laboratory.terminology.map(disclosure_for(LAB), 1, "10*10/L").concept == Coding(
        "10*10/L", "", "http://unitsofmeasure.org"
    )
    assert open_tasks(laboratory, TaskState.MAPPED) == [(MappingKind.UNIT.value, "万个")]


def test_what_is_no_loinc_code_is_not_taken(laboratory: Laboratory) -> None:
    laboratory.send(message(1))
    for code in ("", "6690-3", "WBC", "6690", "6690-2'--"):
        with pytest.raises(InvalidPayload):
            laboratory.terminology.map(disclosure_for(LAB), 1, code)
    assert open_tasks(laboratory) == [("code", "1001")]


def test_a_dismissed_code_needs_a_reason_and_can_come_back(laboratory: Laboratory) -> None:
    laboratory.send(message(1))
    asked = disclosure_for(LAB)
    with pytest.raises(InvalidPayload):
        laboratory.terminology.dismiss(asked, 1, "  ")
    laboratory.terminology.dismiss(asked, 1, "仪器内部编号")
    laboratory.send(message(2))
    assert open_tasks(laboratory) == []
    assert laboratory.terminology.task(asked, 1).task.reason == "仪器内部编号"
    with pytest.raises(Conflict):
        laboratory.terminology.dismiss(asked, 1, "again")
    # Whoever knows better may still map it.
    laboratory.terminology.map(asked, 1, "6690-2")
    with pytest.raises(Conflict):
        laboratory.terminology.map(asked, 1, "777-3")
    laboratory.terminology.undo(asked, 1)
    laboratory.terminology.undo(asked, 1)
    assert open_tasks(laboratory) == [("code", "1001")]


def test_examples_help_and_every_look_is_audited(laboratory: Laboratory) -> None:
    for number in range(1, 9):
        laboratory.send(message(number, value=f"{number}.5"))
    asked = disclosure_for(LAB)
    examples = laboratory.terminology.examples(asked, laboratory.terminology.task(asked, 1).task)
    assert len(examples) == 5
    with laboratory.kernel.database.read() as tx:
        (seen,) = audit.records(tx, disclosure_for(AUDITOR), account="lab", action="read").items
    assert (seen.entity, seen.patient_id) == ("Task/1", examples[0].patient_id)


def test_each_decision_is_in_the_trail(laboratory: Laboratory) -> None:
    laboratory.send(message(1))
    laboratory.terminology.map(disclosure_for(LAB), 1, "6690-2")
    laboratory.terminology.undo(disclosure_for(LAB), 1)
    with laboratory.kernel.database.read() as tx:
        trail = audit.records(tx, disclosure_for(AUDITOR), action="administer").items
    assert [each.detail for each in trail] == [
        "code urn:dxhub:codes:CHC01 1001: taken back",
        "code urn:dxhub:codes:CHC01 1001: mapped to 6690-2",
    ]


@pytest.mark.parametrize(
    ("who", "may"),
    [(LAB, True), (ADMIN, True), (CLINICIAN, False), (TECHNICIAN, False), (AUDITOR, False)],
)
def test_only_who_knows_laboratories_maps(laboratory: Laboratory, who: Principal, may: bool) -> None:
    laboratory.send(message(1))
    asked = disclosure_for(who)
    if may:
        assert laboratory.terminology.map(asked, 1, "6690-2").decided_by == who.account
        return
    for forbidden in (
        lambda: laboratory.terminology.tasks(asked, TaskState.OPEN),
        lambda: laboratory.terminology.map(asked, 1, "6690-2"),
        lambda: laboratory.terminology.dismiss(asked, 1, "x"),
        lambda: laboratory.terminology.undo(asked, 1),
    ):
        with pytest.raises(Forbidden):
            forbidden()
    assert who.role is not Role.LAB_REVIEWER


@pytest.mark.parametrize("place", ["unit", "code", "name", "sub-id"])
def test_a_text_in_the_place_of_a_word_is_kept_and_holds_up_nobody(laboratory: Laboratory, place: str) -> None:
    text = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(150_000))
    plain = message(1).decode()
    content = {
        "unit": plain.replace("|10*9/L|", f"|{text}|"),
        "code": plain.replace("1001^白细胞", f"{text}^{text}"),
        "name": plain.replace("王^芳", f"{text}^{text}"),
        "sub-id": plain.replace("白细胞||", f"白细胞|{text}|"),
    }[place]
    assert content != plain
    begun = time.perf_counter()
    assert laboratory.send(content.encode()).state is State.INDEXED
    assert time.perf_counter() - begun < 2


def test_what_no_index_of_the_database_can_hold_is_refused_alone(laboratory: Laboratory) -> None:
    too_long = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(150_000))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hub.vocabulary._LONGEST", 1 << 20)
        state = laboratory.send(message(1, unit=too_long)).state
    assert state is (
        State.INDEXED if "sqlite" in laboratory.kernel.database.engine.url.drivername else State.QUARANTINED
    )
    assert laboratory.send(message(2)).state is State.INDEXED


@pytest.mark.parametrize("name", ["99LAB", "LIS"])
def test_two_laboratories_that_hit_upon_the_same_name_for_their_codes_share_no_mapping(
    laboratory: Laboratory, name: str
) -> None:
    laboratory.send(message(1, code=f"7^白细胞^{name}"))
    laboratory.send(message(2, code=f"7^血小板^{name}", sender="CHC02"), sender="CHC02")
    first = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items[0].task
    laboratory.terminology.map(disclosure_for(LAB), first.id, WBC.code)
    assert [record.observation.code.display for record in under(laboratory, WBC.code)] == ["白细胞"]


def order(number: int, service: str, sender: str = "CHC01") -> bytes:
    text = (
        f"MSH|^~\\&|HIS|{sender}|HUB|DX|20261121083000||OML^O21|O{number}|P|2.5.1||||||UNICODE UTF-8\r"
        f"PID|1||P1^^^{sender}^MR||王^芳||19680412|F\r"
        f"ORC|NW|PL{number:06d}\rOBR|1|PL{number:06d}||{service}\r"
    )
    return text.encode()


def test_an_institution_s_own_order_code_waits_for_a_person_unless_its_name_says_what_it_is(
    laboratory: Laboratory,
) -> None:
    assert laboratory.send(order(1, "250101015^血常规^99HIS")).state is State.INDEXED
    assert laboratory.send(order(2, "250102099^早孕三联^99HIS")).state is State.INDEXED
    laboratory.send(order(3, "250102099^早孕三联^99HIS"))
    assert open_tasks(laboratory) == [("order", "250102099")]
    (waiting,) = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items
    assert waiting.results is None
    with pytest.raises(InvalidPayload):
        laboratory.terminology.map(disclosure_for(LAB), waiting.task.id, "L-NONE")
    found = laboratory.terminology.items(waiting.task, "xjs")
    assert "P-SEX" in [item.code for item in found]
    laboratory.terminology.map(disclosure_for(LAB), waiting.task.id, "p-sex")
    with laboratory.kernel.database.read() as tx:
        known, items = mappings.concepts(tx), catalogue.catalogue(tx)
    service = Coding("250102099", "早孕三联", waiting.task.system)
    assert [each.item.code for each in items_of_order(items, known, [service])] == ["P-SEX"]
    laboratory.terminology.undo(disclosure_for(LAB), waiting.task.id)
    assert open_tasks(laboratory) == [("order", "250102099")]


def test_items_whose_names_are_like_the_institution_s_are_offered(laboratory: Laboratory) -> None:
    laboratory.send(order(1, "77^甲状腺功能全套八项^99HIS"))
    (waiting,) = laboratory.terminology.tasks(disclosure_for(LAB), TaskState.OPEN).items
    offered = [item.code for item in laboratory.terminology.items(waiting.task)]
    assert {"P-TFT", "P-TFT5"} <= set(offered[:4])
