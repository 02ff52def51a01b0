"""Searching as FHIR describes it: who is meant, which period, which page, and what becomes of a word nobody knows."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from schemas.fhir import bundle
from tests.api.served import STUDY, Served
from tests.schemas.fhir.values import validated

PRIMARY = "urn:dxhub:authority:CHC01"


@pytest.mark.parametrize(
    ("query", "total"),
    [
        (f"identifier={PRIMARY}|P1", 1),
        ("identifier=P1", 1),
        ("identifier=|P1", 0),
        ("identifier=urn:other|P1", 0),
        ("identifier=P1'--", 0),
        ("name=王芳", 1),
        ("name=wf", 1),
        ("name=欧阳", 1),
        ("name=nobody", 0),
        ("birthdate=1985-03-07", 1),
        ("birthdate=1985-03-08", 0),
        ("identifier=P1&birthdate=1990-01-01", 0),
        ("_id=1,2,999", 2),
        ("_id=x", 0),
    ],
)
def test_a_patient_is_found(hub: Served, query: str, total: int) -> None:
    page = validated(hub.found(f"Patient?{query}"))
    assert (page["total"], len(bundle.resources(page))) == (total, total)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 4),
        ("patient=1", 3),
        ("patient=Patient/1", 3),
        ("subject=Patient/1&patient=Patient/1", 3),
        ("subject=Patient/1&patient=Patient/2", 0),
        ("patient=Patient/999", 0),
        ("patient=Patient/abc", 0),
        (f"patient.identifier={PRIMARY}|P1", 3),
        ("patient:Patient.identifier=P1", 3),
        ("patient.identifier=nobody", 0),
        ("category=LAB", 2),
        ("category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD", 1),
        ("category=EC", 1),
        ("category=imaging", 1),
        ("category=urn:other|RAD", 0),
        ("code=58410-2", 4),
        ("code=http://loinc.org|58410-2", 4),
        ("code=718-7", 0),
        ("status=final", 2),
        ("status=final,corrected", 3),
        ("identifier=A7", 1),
        (f"identifier=urn:dicom:uid|urn:oid:{STUDY}", 1),
        ("performer.identifier=CHC02", 1),
        ("performer.identifier=nowhere", 0),
        ("performer=Organization/999", 0),
        # All were observed at 2026-11-20T09:30Z, which is half past five in the afternoon in Shanghai.
        ("date=2026-11-20", 4),
        ("date=2026-11", 4),
        ("date=2026", 4),
        ("date=2026-11-21", 0),
        ("date=ge2026-11-20&date=lt2026-11-21", 4),
        ("date=gt2026-11-20", 0),
        ("date=gt2026-11-19", 4),
        ("date=lt2026-11-20", 0),
        ("date=le2026-11-20", 4),
        ("date=2026-11-20T17:30:00%2B08:00", 4),
        ("date=2026-11-20T09:30:00Z", 4),
        ("date=2026-11-20T09:30Z", 4),
        ("date=sa2026-11-20T09:30:00Z", 0),
        ("date=eb2026-11-20T09:30:00Z", 0),
    ],
)
def test_reports_are_found(hub: Served, query: str, total: int) -> None:
    page = validated(hub.found(f"DiagnosticReport?{query}"))
    assert (page["total"], len(bundle.resources(page, "match"))) == (total, total)


def test_reports_of_an_institution_are_found_by_its_reference(hub: Served) -> None:
    institution = bundle.resources(hub.found("Organization?identifier=CHC02"))[0]
    assert hub.found(f"DiagnosticReport?performer=Organization/{institution['id']}")["total"] == 1


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("patient=Patient/1", 2),
        ("code=718-7", 2),
        ("code=http://loinc.org|718-7&patient=1", 1),
        ("code=urn:other|718-7", 0),
        ("category=laboratory", 3),
        ("category=imaging", 0),
        ("date=2026-11-20&subject.identifier=P2", 1),
    ],
)
def test_results_are_found(hub: Served, query: str, total: int) -> None:
    assert validated(hub.found(f"Observation?{query}"))["total"] == total


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("patient=Patient/1", 1),
        ("patient=Patient/2", 0),
        (f"identifier=urn:oid:{STUDY}", 1),
        ("identifier=A7", 1),
        ("identifier=urn:oid:1.2.3", 0),
        ("started=2026-11-20", 1),
        ("started=ge2026-11-20", 1),
        ("started=gt2026-11-20", 0),
        ("modality=CT", 1),
        ("modality=MR", 0),
        ("_id=1", 1),
        ("_id=1&modality=MR", 0),
        ("_id=999", 0),
    ],
)
def test_studies_are_found(hub: Served, query: str, total: int) -> None:
    page = validated(hub.found(f"ImagingStudy?{query}"))
    assert page["total"] == total


@pytest.mark.parametrize(
    "path",
    [
        "DiagnosticReport?date=yesterday",
        "DiagnosticReport?date=2026-13-01",
        "DiagnosticReport?date=ne2026-01-01",
        "DiagnosticReport?date=٢٠٢٦",
        "DiagnosticReport?patient=Group/1",
        "DiagnosticReport?patient:missing=true",
        "DiagnosticReport?status=nonsense",
        "DiagnosticReport?code=a,b",
        "DiagnosticReport?code=a&code=b",
        "DiagnosticReport?code=urn:x|",
        "DiagnosticReport?_count=-1",
        "DiagnosticReport?_count=many",
        "Patient?birthdate=1985",
        "Patient?name:phonetic=x",
        "ImagingStudy?started=2026-11-20T09:30:00Z",
        "ImagingStudy?identifier=A*",
        "Provenance",
    ],
)
def test_what_cannot_be_meant_is_refused_and_the_place_is_named(hub: Served, path: str) -> None:
    answer = hub.get(path)
    assert answer.status_code == 400
    issue = validated(answer.json())["issue"][0]
    assert issue["code"] == "invalid"
    assert issue["expression"][0].startswith("http.")


def test_an_unknown_parameter_is_left_aside_and_named(hub: Served) -> None:
    page = validated(hub.found("Patient?identifier=P1&shoe-size=43&_sort=name&_include=Patient:organization"))
    assert page["total"] == 1
    issues = bundle.resources(page, "outcome")[0]["issue"]
    assert [issue["expression"] for issue in issues] == [["http.shoe-size"], ["http._sort"], ["http._include"]]
    assert "shoe-size" not in bundle.link(page, "self")


def test_an_unknown_parameter_is_refused_where_the_asker_is_strict(hub: Served) -> None:
    answer = hub.get("Patient?identifier=P1&shoe-size=43", Prefer="handling=strict")
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["http.shoe-size"])


def test_included_resources_come_once_and_are_not_counted(hub: Served) -> None:
    query = "&".join(
        f"_include=DiagnosticReport:{each}" for each in ("patient", "subject", "performer", "result", "imaging-study")
    )
    page = validated(hub.found(f"DiagnosticReport?patient=1&{query}"))
    included = [f"{each['resourceType']}" for each in bundle.resources(page, "include")]
    assert page["total"] == 3
    assert sorted(included) == ["ImagingStudy", "Observation", "Observation", "Organization", "Patient"]


def follow(hub: Served, page: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(bundle.link(page, "next"))
    return hub.found(f"{parts.path.removeprefix('/fhir/R4/')}?{parts.query}")


@pytest.mark.parametrize("order", ["date", "-date"])
def test_next_links_lead_through_everything_once(hub: Served, order: str) -> None:
    page = hub.found(f"DiagnosticReport?_count=3&_sort={order}&patient.identifier=P1&status=final,partial,corrected")
    seen = [each["id"] for each in bundle.resources(page)]
    whole = hub.found(f"DiagnosticReport?_sort={order}&_count=1000")
    page = hub.found(f"DiagnosticReport?_count=1&_sort={order}")
    walked = [each["id"] for each in bundle.resources(page)]
    while bundle.link(page, "next"):
        page = follow(hub, page)
        walked += [each["id"] for each in bundle.resources(page)]
    assert walked == [each["id"] for each in bundle.resources(whole)]
    assert len(set(walked)) == 4
    assert len(seen) == 3


def test_sorting_turns_the_order_around(hub: Served) -> None:
    oldest = [each["id"] for each in bundle.resources(hub.found("DiagnosticReport?_sort=date"))]
    newest = [each["id"] for each in bundle.resources(hub.found("DiagnosticReport"))]
    assert oldest == newest[::-1]


def test_a_count_beyond_the_most_is_cut_and_the_page_says_what_was_asked(hub: Served) -> None:
    page = hub.found("DiagnosticReport?_count=999999999")
    assert page["total"] == 4
    assert parse_qs(urlsplit(bundle.link(page, "self")).query)["_count"] == ["999999999"]


@pytest.mark.parametrize("query", ["_summary=count", "_count=0"])
def test_only_the_number_may_be_asked(hub: Served, query: str) -> None:
    page = validated(hub.found(f"DiagnosticReport?{query}"))
    assert (page["total"], "entry" in page) == (4, False)


def test_a_page_beyond_the_last_is_empty(hub: Served) -> None:
    page = hub.found("DiagnosticReport?_offset=50")
    assert (page["total"], bundle.resources(page), bundle.link(page, "next")) == (4, [], "")


def test_a_search_by_post_keeps_the_number_out_of_the_address(hub: Served) -> None:
    def search(address: str, **body: Any) -> httpx.Response:  # noqa: ANN401 whatever httpx takes
        return hub.request("POST", f"/fhir/R4/Patient/_search{address}", **body)

    assert search("", data={"identifier": f"{PRIMARY}|P1"}).json()["total"] == 1
    assert search("?name=x", data={"identifier": "P1"}).json()["total"] == 0
    assert search("", json={"identifier": "P1"}).status_code == 415
    assert search("", data={"name": "x" * 100_000}).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert search("", content=b"name=\xff", headers=form).status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ("application/fhir+xml", 406),
        ("text/turtle", 406),
    ],
)
def test_only_json_of_release_four_is_spoken(hub: Served, accept: str, status: int) -> None:
    answer = hub.get("Patient", Accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/fhir+json")


@pytest.mark.parametrize(("wanted", "status"), [("json", 200), ("application/fhir+json", 200), ("xml", 406)])
def test_a_format_in_the_address_overrides_the_header(hub: Served, wanted: str, status: int) -> None:
    assert hub.get(f"Patient?_format={wanted}", Accept="text/turtle").status_code == status
