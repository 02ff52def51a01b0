"""The shapes around resources: pages, faults, what a service says of itself; and how a Chinese name is told."""

import datetime as dt

import pytest

from schemas.faults import FAULTS, Busy, Category, InvalidPayload
from schemas.fhir import bundle, capability_statement, document, elements, operation_outcome, organization, patient
from schemas.fhir.capability_statement import Capability, SearchParameter
from schemas.identifiers import RESIDENT_ID, Identifier
from schemas.patient import Patient, PatientRecord, PersonName

from . import values as v

NOW = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
BASE = "http://hub/fhir/R4"


def test_a_page_of_results_tells_where_the_next_one_begins() -> None:
    page = bundle.searchset(
        [("match", organization.to_fhir(v.CHC01)), ("outcome", operation_outcome.warnings([("ignored", "http.foo")]))],
        total=9,
        links={"self": f"{BASE}/Organization", "next": f"{BASE}/Organization?_offset=1"},
        base=BASE,
    )
    served = v.validated(page)
    assert bundle.link(served, "next").endswith("_offset=1")
    assert bundle.link(served, "previous") == ""
    assert [each["resourceType"] for each in bundle.resources(served, "match")] == ["Organization"]
    assert served["entry"][0]["fullUrl"] == f"{BASE}/Organization/7"


def test_an_empty_page_is_a_page() -> None:
    assert v.validated(bundle.searchset([], total=0, links={"self": BASE}, base=BASE))["total"] == 0


def test_history_says_how_each_version_came_to_be() -> None:
    who = Patient((Identifier(RESIDENT_ID, "x"),), PersonName("王芳"))
    versions = [patient.to_fhir(PatientRecord(12, number, who, NOW)) for number in (2, 1)]
    served = v.validated(bundle.history(versions, total=2, links={"self": BASE}, base=BASE))
    assert [entry["request"]["method"] for entry in served["entry"]] == ["PUT", "POST"]
    assert [entry["response"]["etag"] for entry in served["entry"]] == ['W/"2"', 'W/"1"']


@pytest.mark.parametrize("category", Category)
def test_every_category_of_fault_is_an_issue_and_comes_back(category: Category) -> None:
    fault = FAULTS[category]("expected a date, found none", where="http.date")
    read = operation_outcome.from_fhir(v.validated(operation_outcome.to_fhir(fault)))
    assert (read.category, read.text, read.where) == (category, fault.text, fault.where)


def test_being_busy_is_transient() -> None:
    assert operation_outcome.to_fhir(Busy("locked"))["issue"][0]["code"] == "transient"


def test_capability_statement_is_of_release_four() -> None:
    parameter = SearchParameter("name", "string", "the name or its pinyin")
    served = v.validated(
        capability_statement.to_fhir(
            [Capability("Patient", ("read", "vread", "search-type"), (parameter,), ("Patient:organization",))],
            base=BASE,
            software_version="0.1.0",
            published_at=NOW,
        )
    )
    assert served["fhirVersion"] == "4.0.1"
    assert served["rest"][0]["resource"][0]["searchParam"][0]["name"] == "name"


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [("王芳", "王", "芳"), ("欧阳娜娜", "欧阳", "娜娜"), ("司马", "司", "马"), ("𠮷田", "𠮷", "田")],
)
def test_a_han_name_is_split_where_its_form_tells(name: str, family: str, given: str) -> None:
    assert patient.split(name) == (family, given)


@pytest.mark.parametrize("name", ["", "王", "阿依古丽·买买提", "Wang Fang", "王芳之女双胞胎"])
def test_a_name_whose_form_does_not_tell_stays_whole(name: str) -> None:
    assert patient.split(name) == ("", "")


def test_a_resident_number_is_the_national_identifier() -> None:
    who = Patient((Identifier(RESIDENT_ID, "990101199001011237"),), PersonName("王芳", "Wang Fang"))
    served = v.validated(patient.to_fhir(PatientRecord(1, 1, who, NOW)))
    assert served["identifier"][0]["type"]["coding"][0]["code"] == "NI"
    assert [name["text"] for name in served["name"]] == ["王芳", "Wang Fang"]
    assert served["name"][0]["family"] == "王"


def test_a_foreign_patient_is_read_by_family_and_given_name() -> None:
    read = patient.from_fhir(
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:x", "value": "1"}],
            "name": [{"family": "李", "given": ["雷"]}],
            "birthDate": "1980-02",
        }
    )
    assert (read.name.text, read.birth_date) == ("李雷", None)


def test_a_patient_whom_nothing_identifies_is_refused() -> None:
    with pytest.raises(InvalidPayload) as refused:
        patient.from_fhir({"resourceType": "Patient"})
    assert refused.value.where == "Patient.identifier"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"value": NaN}', "[" * 100_000])
def test_what_is_not_a_resource_is_refused(content: str) -> None:
    with pytest.raises(InvalidPayload):
        document.loads(content)


def test_text_loses_what_fhir_forbids_and_nothing_else() -> None:
    assert elements.text("a\x00\x1b王\u3000芳\n") == "a王\u3000芳\n"
    assert elements.text(" \u3000") is None


def test_a_time_before_standard_time_has_an_offset_that_fhir_can_write() -> None:
    assert elements.moment(dt.datetime(1899, 12, 31, tzinfo=v.SHANGHAI)) == "1899-12-30T15:54:17+00:00"
    with pytest.raises(InvalidPayload):
        elements.read_moment("2024-05-06T07:08:09")
    assert elements.read_moment("2024-05") is None
