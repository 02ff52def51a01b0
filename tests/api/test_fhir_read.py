"""Read, vread and history over a real socket, as a program of a clinician's sees them."""

from decimal import Decimal

import pytest

from schemas.fhir import bundle
from tests.api.served import STUDY, Served
from tests.schemas.fhir.values import validated


def report_id(hub: Served, category: str = "LAB") -> str:
    found = hub.found(f"DiagnosticReport?category={category}&patient.identifier=P1")
    return str(bundle.resources(found)[0]["id"])


@pytest.mark.parametrize("kind", ["Patient", "DiagnosticReport", "Observation", "ImagingStudy", "Organization"])
def test_what_a_search_finds_can_be_read_and_is_valid(hub: Served, kind: str) -> None:
    page = validated(hub.found(kind))
    assert page["total"] >= 1
    for resource in bundle.resources(page):
        read = validated(hub.found(f"{kind}/{resource['id']}"))
        assert read["meta"]["versionId"] == resource["meta"]["versionId"]
        history = validated(hub.found(f"{kind}/{resource['id']}/_history"))
        assert history["entry"][0]["resource"] == read
        assert hub.found(f"{kind}/{resource['id']}/_history/{read['meta']['versionId']}") == read


def test_a_correction_is_a_new_version_and_the_first_stays(hub: Served) -> None:
    key = report_id(hub)
    current, first = hub.found(f"DiagnosticReport/{key}"), hub.found(f"DiagnosticReport/{key}/_history/1")
    assert (current["status"], first["status"]) == ("corrected", "final")
    assert [
        entry["resource"]["meta"]["versionId"] for entry in hub.found(f"DiagnosticReport/{key}/_history")["entry"]
    ] == [
        "2",
        "1",
    ]
    told = {each["code"]["coding"][0]["code"]: each["valueQuantity"]["value"] for each in first["contained"]}
    assert told["718-7"] == Decimal("98.10")


def test_results_of_the_current_version_are_resources_of_their_own(hub: Served) -> None:
    report = hub.found(f"DiagnosticReport/{report_id(hub)}")
    values = [hub.found(each["reference"])["valueQuantity"]["value"] for each in report["result"]]
    assert values == [Decimal("99.10"), Decimal("7.2")]


def test_precision_survives_the_wire(hub: Served) -> None:
    report = hub.found(f"DiagnosticReport/{report_id(hub)}")
    assert '"value":99.10' in hub.get(report["result"][0]["reference"]).text


def test_a_report_of_images_points_at_its_study(hub: Served) -> None:
    report = hub.found(f"DiagnosticReport/{report_id(hub, 'RAD')}")
    study = hub.found(report["imagingStudy"][0]["reference"])
    assert study["identifier"][0] == {"use": "official", "system": "urn:dicom:uid", "value": f"urn:oid:{STUDY}"}
    assert sorted(series["instance"][0]["uid"] for series in study["series"]) == [f"{STUDY}.1.1", f"{STUDY}.2.1"]


def test_a_chinese_name_arrives_intact(hub: Served) -> None:
    names = {each["name"][0]["text"]: each for each in bundle.resources(hub.found("Patient"))}
    assert names["王芳"]["name"][1]["text"] == "Wang Fang"
    assert names["欧阳娜娜"]["name"][0]["family"] == "欧阳"


def test_what_the_asker_holds_is_not_sent_again(hub: Served) -> None:
    path = f"DiagnosticReport/{report_id(hub)}"
    first = hub.get(path)
    assert first.headers["etag"] == 'W/"2"'
    tagged = hub.get(path, **{"If-None-Match": first.headers["etag"]})
    dated = hub.get(path, **{"If-Modified-Since": first.headers["last-modified"]})
    assert (tagged.status_code, dated.status_code) == (304, 304)
    assert not tagged.content
    assert hub.get(path, **{"If-None-Match": 'W/"1"'}).status_code == 200


def test_the_document_of_a_report_can_be_fetched(hub: Served) -> None:
    report = hub.found(f"DiagnosticReport/{report_id(hub, 'EC')}")
    form = report["presentedForm"][0]
    assert (form["contentType"], form["title"]) == ("application/pdf", "检验报告")
    answer = hub.request("GET", form["url"])
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF-1.4\n", "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment")
    as_resource = hub.request("GET", form["url"], headers={"Accept": "application/fhir+json"})
    assert validated(as_resource.json())["data"] == "JVBERi0xLjQK"
    assert "窦性心律" in hub.request("GET", report["meta"]["source"]).text


@pytest.mark.parametrize(
    "path", ["Binary/1.1.9", "Binary/99.1.1", "Binary/delivery.999", "Binary/x", "Binary/1-../etc"]
)
def test_a_document_that_is_not_there_is_not_found(hub: Served, path: str) -> None:
    assert hub.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "Patient/999",
        "Patient/0",
        "Patient/abc",
        "Patient/99999999999999999999",
        "DiagnosticReport/999/_history",
        "DiagnosticReport/1/_history/99",
        "DiagnosticReport/1/_history/x",
        "ImagingStudy/1/_history/99",
        "Provenance/999",
        "Organization/1/_history/2",
        "Medication/1",
        "Medication",
    ],
)
def test_what_is_not_there_is_not_found_in_fhirs_own_words(hub: Served, path: str) -> None:
    answer = hub.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/fhir+json")
    assert validated(answer.json())["issue"][0]["code"] == "not-found"


def test_nobody_writes_here(hub: Served) -> None:
    answer = hub.request("PUT", "/fhir/R4/Patient/1", json={"resourceType": "Patient"})
    assert validated(answer.json())["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize(
    "path", ["Patient", "Patient/1", "Binary/1.1.1", "AuditEvent", "Medication", "Patient/1/_history"]
)
@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer", "Basic Y2xpbmljaWFuOng="])
def test_without_a_valid_token_nothing_is_told(hub: Served, path: str, token: str) -> None:
    answer = hub.get(path, "", **({"Authorization": token} if token else {}))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert validated(answer.json())["issue"][0]["code"] == "login"


@pytest.mark.parametrize(
    ("account", "status"), [("auditor", 403), ("admin", 403), ("quality", 200), ("clinician", 200)]
)
def test_reports_are_for_roles_that_read_them(hub: Served, account: str, status: int) -> None:
    answer = hub.get("DiagnosticReport", account)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["issue"][0]["code"] == "forbidden"


def test_a_technician_sees_what_their_institution_issued(hub: Served) -> None:
    key = report_id(hub)
    assert hub.get(f"DiagnosticReport/{key}", "technician").status_code == 200
    assert hub.get(f"DiagnosticReport/{key}", "technician2").status_code == 404
    assert hub.found("DiagnosticReport", "technician2")["total"] == 1


def test_only_the_auditor_reads_the_trail_and_it_tells_who_read(hub: Served) -> None:
    hub.found("Patient/1")
    assert hub.get("AuditEvent").status_code == 403
    page = validated(hub.found("AuditEvent?subtype=read&patient=Patient/1&altid=clinician", "auditor"))
    event = bundle.resources(page)[0]
    assert event["agent"][0]["altId"] == "clinician"
    assert {"reference": "Patient/1"} in [each.get("what") for each in event["entity"]]
