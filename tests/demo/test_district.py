"""The fictional district: complete, valid in form, and nobody's."""

from hub.demo.district import COMMUNITY_CENTRES, district
from schemas.disclosure import PEOPLE
from schemas.identifiers import valid_credit_code
from schemas.organization import OrganizationKind

DISTRICT = district()
BY_CODE = {organization.code: organization for organization in DISTRICT.organizations}


def test_it_has_the_institutions_that_the_contract_names() -> None:
    kinds = [organization.kind for organization in DISTRICT.organizations]
    assert kinds.count(OrganizationKind.BUREAU) == 1
    assert kinds.count(OrganizationKind.DISTRICT_HOSPITAL) == 3
    assert kinds.count(OrganizationKind.COMMUNITY_CENTRE) == 16
    assert kinds.count(OrganizationKind.CITY_HOSPITAL) == 1
    assert tuple(f"CHC{n:02d}" for n in range(1, 17)) == COMMUNITY_CENTRES


def test_each_regional_centre_has_one_hospital_that_hosts_it() -> None:
    hosts = [organization.centre for organization in DISTRICT.organizations if organization.centre]
    assert sorted(hosts) == ["ecg", "imaging", "laboratory"]


def test_credit_codes_hold_their_check_and_lie_in_a_region_that_nobody_has() -> None:
    codes = [o.credit_code for o in DISTRICT.organizations if o.kind is not OrganizationKind.OTHER]
    assert all(valid_credit_code(code) for code in codes)
    assert {code[2:8] for code in codes} == {"990100"}
    assert len(set(codes)) == len(codes)


def test_every_sender_belongs_to_an_institution_and_names_are_in_both_languages() -> None:
    assert {source.organization for source in DISTRICT.sources} <= BY_CODE.keys()
    assert {"unregistered", *COMMUNITY_CENTRES} <= {source.name for source in DISTRICT.sources}
    assert all(organization.name and organization.name_en for organization in DISTRICT.organizations)


def test_each_role_has_one_account_with_a_password_that_nobody_guesses() -> None:
    assert sorted(account.role for account in DISTRICT.accounts) == sorted(PEOPLE)
    assert all(account.account == account.role for account in DISTRICT.accounts)
    assert len({account.password for account in DISTRICT.accounts}) == len(PEOPLE)
    assert all(len(account.password) >= 16 for account in DISTRICT.accounts)
    assert district() == DISTRICT
    assert {account.organization for account in DISTRICT.accounts} <= BY_CODE.keys()
