"""Faults as HTTP: the table of the design, and a bug that costs one request and tells nobody's data."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from prometheus_client import REGISTRY

from hub.api import outcomes
from hub.web_server import WebServer
from schemas.faults import FAULTS, Category, Fault
from tests.schemas.fhir.values import validated

TABLE = {
    Category.INVALID: (400, "invalid"),
    Category.UNSUPPORTED: (422, "not-supported"),
    Category.NOT_FOUND: (404, "not-found"),
    Category.CONFLICT: (409, "conflict"),
    Category.FORBIDDEN: (403, "forbidden"),
    Category.BUSY: (503, "transient"),
    Category.INTERNAL: (500, "exception"),
}
SECRET = "王芳 990101198503072342"


def _page(request: Request, fault: Fault, status: int) -> Response:
    return HTMLResponse(f"<h1>{fault.category}</h1>", status)


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/{door}/fault/{category}")
    @app.get("/fhir/R4/fault/{category}")
    def fault(category: Category) -> None:
        raise FAULTS[category]("expected one, found two", where="PID-3")

    @app.get("/{door}/http/{status}")
    def refused(status: int) -> None:
        raise HTTPException(status, "refused", headers={"X-Told": "yes"})

    @app.get("/{door}/bug")
    def bug() -> None:
        raise RuntimeError(SECRET)

    @app.get("/{door}/late-bug")
    def late_bug() -> Response:
        def chunks() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError(SECRET)

        return StreamingResponse(chunks())

    outcomes.install(app, page=_page)
    return app


@pytest.fixture(scope="module")
def door() -> Iterator[httpx.Client]:
    server = WebServer(_app(), "127.0.0.1", 0)
    server.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        yield client
    server.stop()


def test_the_table_covers_every_category() -> None:
    assert set(TABLE) == set(Category) == set(outcomes.STATUS)


@pytest.mark.parametrize("category", Category)
def test_fhir_hears_an_operation_outcome(door: httpx.Client, category: Category) -> None:
    answer = door.get(f"/fhir/R4/fault/{category}")
    status, code = TABLE[category]
    issue = validated(answer.json())["issue"][0]
    assert (answer.status_code, issue["code"]) == (status, code)
    assert (issue["diagnostics"], issue["expression"]) == ("expected one, found two", ["PID-3"])
    assert ("retry-after" in answer.headers) == (category is Category.BUSY)


@pytest.mark.parametrize("category", Category)
def test_other_machines_hear_plain_json(door: httpx.Client, category: Category) -> None:
    answer = door.get(f"/dicomweb/fault/{category}")
    assert answer.status_code == TABLE[category][0]
    assert answer.json() == {"category": category, "text": "expected one, found two", "where": "PID-3"}


def test_people_see_a_page(door: httpx.Client) -> None:
    answer = door.get("/reports/fault/not-found")
    assert (answer.status_code, answer.text) == (404, "<h1>not-found</h1>")


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (401, "forbidden"),
        (405, "unsupported"),
        (406, "unsupported"),
        (413, "invalid"),
        (429, "busy"),
        (502, "internal"),
    ],
)
def test_what_http_refuses_has_a_category_too(door: httpx.Client, status: int, category: str) -> None:
    answer = door.get(f"/deliveries/http/{status}")
    assert (answer.status_code, answer.json()["category"], answer.headers["x-told"]) == (status, category, "yes")


def test_a_bug_is_answered_and_nobodys_data_are_told(
    door: httpx.Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = door.get("/fhir/bug")
    assert (answer.status_code, validated(answer.json())["issue"][0]["code"]) == (500, "exception")
    told = "".join(capsys.readouterr()) + caplog.text
    incident = answer.json()["issue"][0]["diagnostics"].rpartition(" ")[2]
    assert incident in told
    assert "RuntimeError" in told
    assert "王芳" not in told + answer.text
    assert door.get("/reports/bug").text == "<h1>internal</h1>"


def test_a_bug_in_the_middle_of_an_answer_breaks_the_connection(
    door: httpx.Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        door.get("/fhir/late-bug")
    assert "王芳" not in "".join(capsys.readouterr()) + caplog.text


def test_requests_are_counted_by_route_not_by_address(door: httpx.Client) -> None:
    labels = {"route": "/{door}/http/{status}", "method": "GET", "status": "409"}
    before = REGISTRY.get_sample_value("dxhub_http_requests_total", labels) or 0
    # A request is counted when its answer is out; once the second is answered, the first has been.
    door.get("/recognition/http/409")
    door.get("/recognition/http/410")
    assert REGISTRY.get_sample_value("dxhub_http_requests_total", labels) == before + 1
