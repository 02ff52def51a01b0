"""What the service says of itself is what it does."""

import pytest

from hub.api.fhir.kinds import Kind
from hub.api.fhir.registry import KINDS
from tests.api.served import Served
from tests.schemas.fhir.values import validated


def test_anyone_may_ask_what_is_served(hub: Served) -> None:
    statement = validated(hub.found("metadata", ""))
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == f"{hub.address}/fhir/R4"


def test_every_interaction_that_is_promised_is_served(hub: Served) -> None:
    for resource in hub.found("metadata")["rest"][0]["resource"]:
        kind = resource["type"]
        account = {"AuditEvent": "auditor", "Subscription": "admin"}.get(kind, "clinician")
        for interaction in resource["interaction"]:
            if interaction["code"] in ("create", "delete"):
                continue  # see test_subscriptions.py
            tail = {"read": "/1", "vread": "/1/_history/1", "history-instance": "/1/_history", "search-type": "?_id=1"}
            answer = hub.get(f"{kind}{tail[interaction['code']]}", account)
            assert answer.status_code in (200, 404), (kind, interaction)
            assert "not served" not in answer.text


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_search_parameter_that_is_promised_is_used(hub: Served, kind: Kind) -> None:
    statement = hub.found("metadata")["rest"][0]["resource"]
    resource = next(each for each in statement if each["type"] == kind.name)
    account = "auditor" if resource["type"] == "AuditEvent" else "clinician"
    for parameter in resource["searchParam"]:
        value = {"date": "2026-11-20", "reference": "1", "token": "1", "string": "x"}[parameter["type"]]
        value = {"status": "final"}.get(parameter["name"], value)
        if resource["type"] == "Provenance" and parameter["name"] != "target":
            value += "&target=1"
        answer = hub.get(f"{resource['type']}?{parameter['name']}={value}", account, Prefer="handling=strict")
        assert answer.status_code == 200, answer.text
    for include in resource.get("searchInclude", []):
        assert hub.get(f"{resource['type']}?_include={include}", account, Prefer="handling=strict").status_code == 200


def test_every_example_in_the_description_is_valid() -> None:
    for kind in KINDS.values():
        validated(kind.example)


def test_the_description_names_every_path_and_every_parameter(hub: Served) -> None:
    description = hub.request("GET", "/openapi.json", "").json()
    for kind in KINDS.values():
        search = description["paths"][f"/fhir/R4/{kind.name}"]["get"]
        assert {each.name for each in kind.searchable} <= {each["name"] for each in search["parameters"]}
        assert search["responses"]["200"]["content"]["application/fhir+json"]["example"]["resourceType"] == "Bundle"
    assert description["paths"]["/fhir/R4/Patient"]["get"]["security"] == [{"HTTPBearer": []}]
    for path in ("/deliveries", "/recognition/decisions", "/healthz", "/readyz", "/metrics", "/fhir/R4/Binary/{id}"):
        for operation in description["paths"][path].values():
            assert operation["summary"]
            assert operation.get("description") or path.startswith("/fhir")
