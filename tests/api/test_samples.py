"""What real devices and systems sent, through the whole hub: valid FHIR, and nothing of it lost on the way."""

import dataclasses
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import httpx
import pytest

from hub.access import disclosure_for
from hub.app import Hub, running
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.fhir import bundle, diagnostic_report, document, observation, patient
from schemas.organization import Organization
from schemas.patient import PatientCriteria
from schemas.report import ReportCriteria
from storage import organizations
from tests.schemas.fhir.values import validated

# Each of a kind that nothing else brings; the adapters' own tests read the rest.
FOLDERS = ("hl7/cn", "hl7/hapi", "hl7/reportstream", "ecg/aecg", "ecg/scp", "ecg/dicom", "dicom/charset_cn")
CLINICIAN = Principal("clinician", "林医生", Role.CLINICIAN, "CHC01")
TECHNICIAN = Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01")


@pytest.fixture(scope="module")
def hub(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The whole hub, into which a technician uploaded the samples."""
    folder = tmp_path_factory.mktemp("hub")
    with running(Settings(data=folder, http_port=0), {"web"}) as made:
        with made.stores.database.write() as tx:
            organizations.put_organization(tx, Organization("CHC01", "第一社区卫生服务中心"))
            organizations.put_source(tx, "CHC01", "CHC01", "CHC01")
        for person in (CLINICIAN, TECHNICIAN):
            made.stores.access.put_account(person, "unused in these tests")
        files = chain.from_iterable(sorted((samples / each).iterdir()) for each in FOLDERS)
        parts = [("file", (path.name, path.read_bytes())) for path in files if path.is_file()]
        with client(made, "technician") as program:
            answer = program.post("/deliveries", files=parts)
        assert answer.status_code == 207
        assert len(answer.json()["receipts"]) == len(parts)
        yield made


def client(hub: Hub, account: str) -> httpx.Client:
    token = hub.stores.access.issue_token(account)
    return httpx.Client(
        base_url=f"http://127.0.0.1:{hub.port('web')}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    )


@pytest.mark.parametrize("kind", ["Patient", "DiagnosticReport", "Observation", "ImagingStudy"])
def test_everything_that_samples_became_is_valid_fhir(hub: Hub, kind: str) -> None:
    seen = 0
    with client(hub, "clinician") as program:
        address = f"/fhir/R4/{kind}?_count=50"
        while address:
            page = document.loads(program.get(address).content)
            seen += len(bundle.resources(validated(page)))
            address = bundle.link(page, "next")
    assert seen == page["total"] > 0


def test_reports_come_back_from_fhir_as_they_were_read(hub: Hub) -> None:
    page = hub.verbs.query.reports(disclosure_for(CLINICIAN), ReportCriteria(limit=1000))
    for record in page.items:
        report = record.report
        served = validated(diagnostic_report.to_fhir(dataclasses.replace(record, observation_ids=())))
        read = diagnostic_report.from_fhir(served, report.patient)
        told_once = (observation.without_report_time(each, report.observed_at) for each in report.observations)
        assert read == dataclasses.replace(report, observations=tuple(told_once)), report.key


def test_patients_come_back_from_fhir_as_they_are_known(hub: Hub) -> None:
    page = hub.verbs.query.find_patients(disclosure_for(CLINICIAN), PatientCriteria(limit=1000))
    for record in page.items:
        assert patient.from_fhir(validated(patient.to_fhir(record))) == record.patient
