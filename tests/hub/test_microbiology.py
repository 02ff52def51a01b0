"""A culture and its susceptibilities are read together, in whichever sequence they come; orphans are not lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.fhir import observation
from schemas.fhir.references import Links
from schemas.observation import ObservationCriteria
from schemas.report import ReportRecord
from tests.engines import Engines
from tests.hub.mllp import Laboratory, head, opened, pid
from tests.schemas.fhir.values import validated


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    with opened(migrated_urls) as made:
        yield made


CULTURE = (
    "OBR|1|REQ12|LIS12|CULT^细菌培养^L|||20261120090000|||||||||||||||||MB|F",
    "OBX|1|CE|ORG^鉴定^L|1|112283007^大肠埃希菌^SCT||||||F",
    "OBX|2|CE|ORG^鉴定^L|2|3092008^金黄色葡萄球菌^SCT||||||F",
)


def susceptibilities(number: str = "LIS12-1", sub_id: str = "1", parent: str = "^LIS12") -> tuple[str, ...]:
    return (
        f"OBR|2|REQ12|{number}|SUSC^药敏^L|||20261120090000|||||||||||||||||MB|F|ORG&鉴定&L^{sub_id}|||{parent}",
        "OBX|1|SN|AMP^氨苄西林^L||>=^32|ug/mL||R|||F",
    )


def parent_id(laboratory: Laboratory, record: ReportRecord) -> int | None:
    found = laboratory.kernel.query.related(laboratory.kernel.ask(), record).parent
    return found.id if found else None


def child_ids(laboratory: Laboratory, record: ReportRecord) -> list[int]:
    return [each.id for each in laboratory.kernel.query.related(laboratory.kernel.ask(), record).children]


def of_service(laboratory: Laboratory, code: str) -> list[ReportRecord]:
    return [record for record in laboratory.reports() if record.report.code.code == code]


@pytest.mark.parametrize("culture_first", [True, False])
def test_susceptibilities_find_their_culture_in_whichever_sequence(laboratory: Laboratory, culture_first: bool) -> None:
    messages = [CULTURE, susceptibilities()]
    for each in messages if culture_first else reversed(messages):
        assert laboratory.send(head("ORU^R01"), pid("P1"), *each)[1] == "AA"
    (culture,), (child,) = of_service(laboratory, "CULT"), of_service(laboratory, "SUSC")
    assert parent_id(laboratory, child) == culture.id
    assert child_ids(laboratory, culture) == [child.id]
    kernel = laboratory.kernel
    assert kernel.query.parents(kernel.ask(), laboratory.reports()).keys() == {child.id}


def test_two_organisms_of_one_culture_have_susceptibilities_of_their_own(laboratory: Laboratory) -> None:
    laboratory.send(
        head("ORU^R01"), pid("P1"), *CULTURE, *susceptibilities(), *susceptibilities("LIS12-2", "2", "REQ12^LIS12")
    )
    (culture,) = of_service(laboratory, "CULT")
    children = of_service(laboratory, "SUSC")
    assert child_ids(laboratory, culture) == [each.id for each in children]
    origins = laboratory.kernel.query.derived_from(laboratory.kernel.ask(), [each.id for each in children])
    assert [origins[each.id] for each in children] == list(culture.observation_ids)


def test_the_parents_number_is_found_where_senders_put_it(laboratory: Laboratory) -> None:
    # The laboratory's number in the placer's place; the order's number alone; nothing but the result.
    for number, parent in (("S1", "LIS12"), ("S2", "REQ12"), ("S3", "")):
        laboratory.send(head("ORU^R01"), pid("P1"), *susceptibilities(number, "1", parent))
    laboratory.send(head("ORU^R01"), pid("P1"), *CULTURE)
    (culture,) = of_service(laboratory, "CULT")
    assert len(child_ids(laboratory, culture)) == 3


def test_an_orphan_is_read_and_says_what_it_waits_for(laboratory: Laboratory) -> None:
    assert laboratory.send(head("ORU^R01"), pid("P1"), *susceptibilities())[1] == "AA"
    (child,) = laboratory.reports()
    assert child.report.parent is not None
    assert child.report.parent.filler_order_number == "LIS12"
    assert parent_id(laboratory, child) is None


def test_another_patients_culture_of_the_same_number_is_no_parent(laboratory: Laboratory) -> None:
    laboratory.send(head("ORU^R01"), pid("P2", name="张伟"), *CULTURE)
    laboratory.send(head("ORU^R01"), pid("P1"), *susceptibilities())
    laboratory.send(head("ORU^R01", "CHC02"), pid("P1"), *CULTURE)
    (child,) = of_service(laboratory, "SUSC")
    assert parent_id(laboratory, child) is None


def test_a_susceptibility_is_derived_from_its_organism_in_fhir(laboratory: Laboratory) -> None:
    laboratory.send(head("ORU^R01"), pid("P1"), *CULTURE, *susceptibilities())
    kernel = laboratory.kernel
    found = kernel.query.observations(kernel.ask(), ObservationCriteria(newest_first=False)).items
    links = Links(derived_from=kernel.query.derived_from(kernel.ask(), [each.report_id for each in found]))
    served = {each["code"]["text"]: each for each in (validated(observation.to_fhir(one, links)) for one in found)}
    organism = next(each for each in found if each.observation.sub_id == "1")
    assert served["氨苄西林"]["derivedFrom"] == [{"reference": f"Observation/{organism.id}"}]
    assert "derivedFrom" not in served["鉴定"]


def test_the_sample_of_a_culture_over_a_socket(laboratory: Laboratory, samples: Path) -> None:
    content = (samples / "hl7" / "cn" / "12_micro_parent_child.hl7").read_bytes().replace(b"XZWSY", b"CHC01")
    assert laboratory.send_bytes(content)[1] == "AA"
    culture, child = laboratory.reports()
    assert child_ids(laboratory, culture) == [child.id]
