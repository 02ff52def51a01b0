"""Invented patients: plausible, unassigned, and the same every time."""

from collections import Counter

from hub.demo.district import COMMUNITY_CENTRES
from hub.demo.people import find, people
from schemas.identifiers import resident_number
from schemas.patient import Sex

PEOPLE = people()


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    assert people() == PEOPLE
    assert people(1) != PEOPLE
    assert 55 <= len(PEOPLE) <= 70
    assert len({person.serial for person in PEOPLE}) == len(PEOPLE)


def test_every_identity_number_holds_its_check_digit_in_a_region_that_no_county_has() -> None:
    numbers = [person.resident_number for person in PEOPLE if person.resident_number]
    assert len(numbers) > 50
    assert all(resident_number(number) and number.startswith("990") for number in numbers)


def test_numbers_agree_with_their_holders_except_where_a_doubt_is_meant() -> None:
    odd = []
    for person in PEOPLE:
        says = resident_number(person.resident_number)
        if says and (says.birth_date, says.male) != (person.birth_date, person.sex is Sex.MALE):
            odd.append(person.name)
    assert odd == ["孙桂芝", "诸葛瑜"]


def test_names_of_every_difficulty_occur() -> None:
    names = {person.name for person in PEOPLE}
    assert {"张玥", "王喆", "李珅", "王弢", "欧阳静", "阿依古丽·买买提", "𠮷瑞"} <= names
    assert Counter(person.name for person in PEOPLE)["周慕青"] == 3
    assert not find(PEOPLE, "陈婴").resident_number


def test_both_sexes_and_all_ages_occur() -> None:
    assert {person.sex for person in PEOPLE} == {Sex.MALE, Sex.FEMALE}
    years = {person.birth_date.year for person in PEOPLE}
    assert min(years) < 1940
    assert max(years) > 2020


def test_no_two_people_share_a_record_number_within_an_institution() -> None:
    for centre in COMMUNITY_CENTRES:
        assert len({person.record_number(centre) for person in PEOPLE}) == len(PEOPLE)
    assert PEOPLE[0].record_number("CHC01") != PEOPLE[0].record_number("CHC02")
