"""Open to everyone: alive, ready, how busy; and nothing of a patient."""

import shutil
from pathlib import Path

from tests.api.served import Served


def test_alive_and_ready_without_a_token(hub: Served) -> None:
    assert hub.request("GET", "/healthz", "").text == "ok\n"
    answer = hub.request("GET", "/readyz", "")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "objects": "ok"})


def test_not_ready_when_the_store_is_away_but_alive(fresh: Served, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "objects")
    answer = fresh.request("GET", "/readyz", "")
    assert (answer.status_code, answer.json()["database"]) == (503, "ok")
    assert answer.json()["objects"] != "ok"
    assert fresh.request("GET", "/healthz", "").status_code == 200


def test_figures_tell_what_was_done_and_no_patient(hub: Served) -> None:
    hub.found("Patient?identifier=P1")
    figures = hub.request("GET", "/metrics", "").text
    assert 'dxhub_http_requests_total{method="GET",route="/fhir/R4/Patient",status="200"}' in figures
    assert "dxhub_http_request_duration_seconds_bucket" in figures
    assert "P1" not in figures
