"""A doubtful identity is never reused; what agrees is linked; every link can be undone."""

import pytest

from schemas.delivery import State
from schemas.faults import Conflict, Forbidden, NotFound
from schemas.patient import DoubtState, PatientCriteria
from schemas.recognition import Decided
from schemas.report import ReportCriteria
from tests.hub.kernel import ADMIN, Kernel

# Checksum valid, of a region that does not exist.
NUMBER = "99010119800101001"


def number(male: bool = True, region: str = "990101") -> str:
    body = region + NUMBER[6:-1] + ("1" if male else "2")
    weights = [pow(2, 17 - position, 11) for position in range(17)]
    check = (12 - sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11) % 11
    return body + ("X" if check == 10 else str(check))


AGREED = {"resident": number(), "born": "1980-01-01", "sex": "male", "name": "李明"}


def people(hub: Kernel) -> int:
    return hub.query.find_patients(hub.ask(), PatientCriteria()).total


def test_same_resident_number_links_two_institutions_when_everything_agrees(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED}, source="CHC02")
    found = hub.query.find_patients(hub.ask(), PatientCriteria(text=number()))
    assert found.total == 1
    person = found.items[0]
    assert {i.value for i in person.patient.identifiers} == {"A1", "B9", number()}
    timeline = hub.query.reports(hub.ask(), ReportCriteria(patient_id=person.id))
    assert {record.organization for record in timeline.items} == {"CHC01", "CHC02"}


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({"born": "1981-01-01"}, "number-contradicts-birth-date"),
        ({"sex": "female"}, "number-contradicts-sex"),
        ({"name": "张伟"}, "name-differs"),
        ({"born": None}, "birth-date-or-sex-missing"),
    ],
)
def test_same_number_stays_apart_and_waits_for_a_person_when_anything_differs(
    hub: Kernel, differs: dict[str, str], reason: str
) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, **differs}, source="CHC02")
    assert people(hub) == 2
    waiting = hub.query.doubts(hub.ask(ADMIN))
    assert [doubt.reason for doubt in waiting] == [reason]
    assert all(person.doubtful for person in hub.query.find_patients(hub.ask(), PatientCriteria()).items)


def test_one_question_is_asked_of_two_persons_however_many_records_they_have(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    hub.send({"mr": "C5", "key": "F3", **AGREED}, source="DH02")
    hub.send({"mr": "B8", "key": "F4", **AGREED, "name": "张伟"}, source="CHC02")
    assert people(hub) == 2
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))
    hub.identity.decide(hub.ask(ADMIN), doubt.id, link=False)
    hub.send({"mr": "B7", "key": "F5", **AGREED, "name": "张伟"}, source="CHC02")
    assert hub.query.doubts(hub.ask(ADMIN)) == ()


def test_report_of_a_doubtful_identity_cannot_be_recognised(hub: Kernel) -> None:
    receipt = hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    with pytest.raises(Conflict, match="identity"):
        hub.recognition.decide(hub.ask(), report_id=receipt.report_ids[0], version=1, verdict=Decided.RECOGNISED)


def test_a_person_links_and_takes_it_back(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))
    hub.identity.decide(hub.ask(ADMIN), doubt.id, link=True)
    assert people(hub) == 1
    with pytest.raises(NotFound):
        hub.query.patient(hub.ask(), doubt.patient_id)
    with pytest.raises(Conflict):
        hub.identity.decide(hub.ask(ADMIN), doubt.id, link=False)
    hub.identity.reopen(hub.ask(ADMIN), doubt.id)
    assert people(hub) == 2
    assert [one.state for one in hub.query.doubts(hub.ask(ADMIN))] == [DoubtState.OPEN]


def test_a_link_takes_all_records_of_a_person_along_and_back(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    hub.send({"mr": "D4", "key": "F3", **AGREED, "name": "张伟"}, source="DH02")
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))

    def records() -> list[set[str]]:
        found = hub.query.find_patients(hub.ask(), PatientCriteria(text=number())).items
        return sorted({i.value for i in person.patient.identifiers} - {number()} for person in found)

    for _ in range(2):
        hub.identity.decide(hub.ask(ADMIN), doubt.id, link=True)
        assert records() == [{"A1", "B9", "D4"}]
        hub.identity.reopen(hub.ask(ADMIN), doubt.id)
        assert sorted(map(sorted, records())) == [["A1"], ["B9", "D4"]]


def test_only_those_who_settle_identity_may_answer(hub: Kernel) -> None:
    with pytest.raises(Forbidden):
        hub.identity.decide(hub.ask(), 1, link=True)


@pytest.mark.parametrize("differs", [{"born": "1980-02-02"}, {"sex": "female"}, {"name": "张伟"}])
def test_result_whose_patient_contradicts_the_known_one_is_held(hub: Kernel, differs: dict[str, str]) -> None:
    known = {"mr": "1", "born": "1970-01-01", "sex": "male", "name": "李明"}
    hub.send(known)
    held = hub.send({**known, **differs, "key": "F2"})
    assert (held.state, held.category) == (State.HELD, "conflict")
    assert held.report_ids == ()
    assert hub.query.reports(hub.ask(), ReportCriteria()).total == 1


def test_same_filler_number_for_another_patient_is_held(hub: Kernel) -> None:
    hub.send({"mr": "1", "key": "F1"})
    assert hub.send({"mr": "2", "key": "F1", "name": "张伟"}).state is State.HELD


def test_registration_message_corrects_the_source_s_own_patient(hub: Kernel) -> None:
    hub.send({"mr": "1", "name": "李明", "born": "1970-01-01"})
    hub.send({"mr": "1", "name": "李铭", "born": "1970-01-02", "adt": True})
    (person,) = hub.query.find_patients(hub.ask(), PatientCriteria(name="李铭")).items
    assert [version.patient.name.text for version in hub.query.patient_versions(hub.ask(), person.id)] == [
        "李铭",
        "李明",
    ]


def test_registration_message_forgets_what_it_asks_to_forget_and_nothing_else(hub: Kernel) -> None:
    hub.send({"mr": "1", "name": "李明", "born": "1970-01-01", "sex": "male"})
    hub.send({"mr": "1", "name": "李铭", "adt": True})
    (person,) = hub.query.find_patients(hub.ask(), PatientCriteria()).items
    assert (person.patient.name.text, str(person.patient.birth_date), person.patient.sex) == (
        "李铭",
        "1970-01-01",
        "male",
    )
    hub.send({"mr": "1", "name": "李铭", "adt": True, "deleted": ["birth_date", "sex"]})
    (person,) = hub.query.find_patients(hub.ask(), PatientCriteria()).items
    assert (person.patient.birth_date, person.patient.sex) == (None, "unknown")


def test_result_with_another_resident_number_under_the_same_number_is_held(hub: Kernel) -> None:
    other = {**AGREED, "resident": number(region="990102")}
    hub.send({"mr": "A1", "key": "F1", **AGREED})
    held = hub.send({"mr": "A1", "key": "F2", **other})
    assert (held.state, held.category) == (State.HELD, "conflict")
    hub.send({"mr": "B9", "key": "F3", **other}, source="CHC02")
    assert people(hub) == 2


def test_registration_message_corrects_no_other_institution_s_patient(hub: Kernel) -> None:
    hub.send({"mr": "1", "name": "李明", "born": "1970-01-01"}, source="CHC01")
    held = hub.send({"mr": "1", "name": "张伟", "authority": "CHC01", "adt": True}, source="CHC02")
    assert (held.state, held.category) == (State.HELD, "conflict")
    taken = hub.send({"mr": "1", "name": "李明", "sex": "male", "authority": "CHC01", "adt": True}, source="CHC02")
    assert taken.state is State.INDEXED
    (person,) = hub.query.find_patients(hub.ask(), PatientCriteria()).items
    assert (person.patient.name.text, person.patient.sex) == ("李明", "male")


@pytest.mark.parametrize(
    ("anew", "reason"),
    [
        ({"resident": number(region="990102")}, "number-differs"),
        ({"name": "张伟"}, "name-differs"),
        ({"born": "1980-02-02"}, "birth-date-differs"),
        ({"sex": "female"}, "sex-differs"),
    ],
)
def test_registration_message_undoes_a_link_whose_ground_it_takes_away(
    hub: Kernel, anew: dict[str, str], reason: str
) -> None:
    first = hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED}, source="CHC02")
    hub.send({"mr": "B9", **AGREED, **anew, "adt": True}, source="CHC02")
    assert people(hub) == 2
    assert reason in {doubt.reason for doubt in hub.query.doubts(hub.ask(ADMIN))}
    kept = hub.query.report(hub.ask(), first.report_ids[0])
    assert kept.doubtful
    identifiers = hub.query.patient(hub.ask(), kept.patient_id).patient.identifiers
    assert {identifier.value for identifier in identifiers} == {"A1", number()}


def test_registration_message_asks_again_about_a_link_that_a_person_made(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))
    hub.identity.decide(hub.ask(ADMIN), doubt.id, link=True)
    hub.send({"mr": "B9", **AGREED, "name": "张伟", "sex": "female", "adt": True}, source="CHC02")
    assert people(hub) == 1
    (anew,) = hub.query.doubts(hub.ask(ADMIN))
    assert anew.reason == "sex-differs"
    hub.identity.decide(hub.ask(ADMIN), anew.id, link=False)
    assert people(hub) == 2


def test_number_given_to_somebody_else_makes_the_earlier_results_doubtful(hub: Kernel) -> None:
    (report_id,) = hub.send({"mr": "1", "name": "王芳", "born": "1950-01-01", "sex": "female"}).report_ids
    hub.send({"mr": "1", "name": "张伟", "born": "1990-02-02", "sex": "male", "adt": True})
    assert hub.query.report(hub.ask(), report_id).doubtful
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))
    hub.identity.decide(hub.ask(ADMIN), doubt.id, link=True)
    assert not hub.query.report(hub.ask(), report_id).doubtful


def test_description_that_fits_two_people_is_linked_to_neither(hub: Kernel) -> None:
    hub.send({"mr": "A1", "key": "F1", **AGREED}, source="CHC01")
    hub.send({"mr": "B9", "key": "F2", **AGREED, "name": "张伟"}, source="CHC02")
    (doubt,) = hub.query.doubts(hub.ask(ADMIN))
    hub.identity.decide(hub.ask(ADMIN), doubt.id, link=False)
    hub.send({"mr": "C5", "key": "F3", **AGREED, "name": ""}, source="DH02")
    assert people(hub) == 3
    assert {doubt.reason for doubt in hub.query.doubts(hub.ask(ADMIN))} == {"several-agree"}


@pytest.mark.parametrize("typed", ["王芳", "王", "芳", "wangfang", "wf", "WF", "Wang Fang", "A1"])
def test_patient_is_found_by_what_people_type(hub: Kernel, typed: str) -> None:
    hub.send({"mr": "A1", "name": "王芳"})
    hub.send({"mr": "B2", "name": "李明", "key": "F2"})
    assert hub.query.find_patients(hub.ask(), PatientCriteria(text=typed)).total == 1


@pytest.mark.parametrize(
    ("name", "typed"), [("单雄", "shanxiong"), ("欧阳娜", "oyn"), ("买买提·艾力", "买买提艾力"), ("𠮷田", "𠮷")]
)
def test_rare_readings_and_rare_characters_are_found(hub: Kernel, name: str, typed: str) -> None:
    hub.send({"mr": "A1", "name": name})
    assert hub.query.find_patients(hub.ask(), PatientCriteria(text=typed)).total == 1


def test_a_wildcard_typed_by_a_person_is_not_one(hub: Kernel) -> None:
    hub.send({"mr": "A1", "name": "王芳"})
    assert hub.query.find_patients(hub.ask(), PatientCriteria(text="%")).total == 0
