"""The searches of one person's studies: the priors of all institutions, whatever number each knows the person by."""

import httpx
import pytest
from pydicom import Dataset

from tests.api.dicomweb.bodies import store
from tests.imaging import OTHER_TECHNICIAN, TECHNICIAN, ImagingHub, ct, part10

# Valid, of a region that does not exist.
RESIDENT = "99010119700101001X"


def of(number: str, resident: str = RESIDENT, **changes: object) -> Dataset:
    """A CT of the person who bears the resident number, known by `number` where it was made."""
    other = Dataset()
    other.PatientID = resident
    return ct(PatientID=number, OtherPatientIDsSequence=[other], **changes)


@pytest.fixture(scope="module")
def studies(small_hub: ImagingHub) -> dict[str, str]:
    """Two studies of one person at two institutions, and at the second one somebody else under the first's number."""
    here = of("P0001", PatientName="Zhang^San=张^三")
    there = of("Q7", StudyDate="20240301")
    stranger = ct(PatientID="P0001", PatientName="Li^Si=李^四", PatientBirthDate="19500505", PatientSex="F")
    with small_hub.client(TECHNICIAN) as first, small_hub.client(OTHER_TECHNICIAN) as second:
        assert store(first, part10(here)).status_code == 200
        assert store(second, part10(there), part10(stranger)).status_code == 200
    named = {"here": here, "there": there, "stranger": stranger}
    return {name: str(each.StudyInstanceUID) for name, each in named.items()}


def found(client: httpx.Client, person: object, path: str = "studies", **keys: str) -> list[str]:
    root = str(client.base_url).removesuffix("/dicomweb/")
    answer = client.get(f"{root}/viewer/{person}/dicomweb/{path}", params=keys)
    assert answer.status_code in {200, 204}, answer.text
    return [item["0020000D"]["Value"][0] for item in answer.json()] if answer.content else []


@pytest.mark.parametrize("keys", [{}, {"00100020": "P0001"}, {"PatientID": "Q7"}, {"PatientID": "nobody's"}])
def test_the_priors_of_all_institutions_are_found_by_any_of_their_numbers(
    clinician: httpx.Client, studies: dict[str, str], keys: dict[str, str]
) -> None:
    assert found(clinician, 1, **keys) == [studies["here"], studies["there"]]
    assert found(clinician, 2, **keys) == [studies["stranger"]]


def test_a_study_of_somebody_else_is_not_found_under_this_person(
    clinician: httpx.Client, studies: dict[str, str]
) -> None:
    assert found(clinician, 1, StudyInstanceUID=studies["stranger"]) == []
    assert found(clinician, 1, f"studies/{studies['stranger']}/series") == []
    assert found(clinician, 1, f"studies/{studies['stranger']}/instances") == []
    assert found(clinician, 2, f"studies/{studies['stranger']}/series") == [studies["stranger"]]


def test_a_technician_finds_only_what_the_own_institution_made(small_hub: ImagingHub, studies: dict[str, str]) -> None:
    with small_hub.client(TECHNICIAN) as technician:
        assert found(technician, 1) == [studies["here"]]


@pytest.mark.parametrize("person", ["0", "999999", "nobody", "1%20or%201", "-1"])
def test_nobody_s_studies_are_none(clinician: httpx.Client, studies: dict[str, str], person: str) -> None:
    root = str(clinician.base_url).removesuffix("/dicomweb/")
    assert clinician.get(f"{root}/viewer/{person}/dicomweb/studies").status_code in {204, 404}


def test_a_search_needs_a_token(small_hub: ImagingHub) -> None:
    with small_hub.client(None) as nobody:
        root = str(nobody.base_url).removesuffix("/dicomweb/")
        assert nobody.get(f"{root}/viewer/1/dicomweb/studies").status_code == 401
