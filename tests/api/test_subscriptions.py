"""A hospital's system has itself called with notices: registered over FHIR, called by POST, again until it answers."""

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.fhir import rest_hook
from adapters.tls import client_context
from hub import audit
from hub.recall import Hooks, Raising
from schemas.reach import may_call, networks
from schemas.recognition import Decided
from storage import tables
from tests.api.served import Served
from tests.hub.kernel import AUDITOR, CLINICIAN
from tests.schemas.fhir.values import validated


class System:
    """Takes what it is called with, and answers as the test says."""

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[tuple[dict[str, str], Any]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                system.calls.append((dict(self.headers), json.loads(body) if body else None))
                self.send_response(system.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's word
                """Nothing to a test's screen."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/hook?of=dxhub"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def system() -> Iterator[System]:
    made = System()
    yield made
    made.server.shutdown()
    made.server.server_close()


def wanted(endpoint: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any part of a resource
    channel = {
        "type": "rest-hook",
        "endpoint": endpoint,
        "payload": "application/fhir+json",
        "header": ["X-Key: s3cret"],
    }
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "通知",
        "criteria": "Communication?recipient=Organization/DH02",
        "channel": channel | changes.pop("channel", {}),
    } | changes


def subscribe(hub: Served, resource: dict[str, Any], account: str = "admin") -> Any:  # noqa: ANN401 a response
    return hub.request("POST", "/fhir/R4/Subscription", account, json=resource)


def correct(hub: Served) -> None:
    """Someone reuses a result, and it is corrected."""
    kernel = hub.kernel
    said = {"mr": "S1", "key": "S1", "values": {"2823-3": "3.4"}}
    (report_id,) = kernel.send(said).report_ids
    kernel.recognition.decide(kernel.ask(CLINICIAN), report_id=report_id, version=1, verdict=Decided.RECOGNISED)
    kernel.send(said | {"status": "corrected", "values": {"2823-3": "6.1"}})
    Raising(kernel.database, dt.timedelta(0))()


def hooks(hub: Served) -> Hooks:
    return Hooks(hub.kernel.database, rest_hook(client_context(), networks("127.0.0.1")))


def later(hub: Served) -> None:
    """As if the wait before the next attempt were over."""
    with hub.kernel.database.write() as tx:
        tx.execute(tables.hook.update().values(next_attempt_at=audit.now()))


def test_a_system_is_called_once_with_the_notice_and_its_own_headers(fresh: Served, system: System) -> None:
    answer = subscribe(fresh, wanted(system.address))
    assert answer.status_code == 201, answer.text
    made = validated(answer.json())
    assert made["status"] == "active"
    assert "s3cret" not in answer.text
    correct(fresh)
    for _ in range(2):
        hooks(fresh)()
        later(fresh)
    ((headers, told),) = system.calls
    assert headers["X-Key"] == "s3cret"
    assert headers["Content-Type"] == "application/fhir+json"
    told = validated(told)
    assert told["payload"] == [{"contentString": "2823-3: 3.4 g/L -> 6.1 g/L"}]
    assert told["status"] == "in-progress"
    served = fresh.found(f"Communication/{told['id']}", "clinician")
    assert validated(served)["about"] == told["about"]
    assert fresh.found("Communication?status=completed", "clinician")["total"] == 0
    trail = fresh.kernel.query.audit(fresh.kernel.ask(AUDITOR)).items
    assert [each.detail for each in trail if each.entity == f"Communication/{told['id']}"][-1] == "rest-hook"


def test_a_system_that_refuses_or_leads_elsewhere_is_called_again(fresh: Served, system: System) -> None:
    number = subscribe(fresh, wanted(system.address)).json()["id"]
    correct(fresh)
    for status in (503, 302, 200):
        system.status = status
        hooks(fresh)()
        state = fresh.found(f"Subscription/{number}", "admin")
        assert ("error" in state) == (status != 200)
        later(fresh)
    hooks(fresh)()
    assert len(system.calls) == 3
    for _ in range(20):
        with fresh.kernel.database.write() as tx:
            tx.execute(tables.hook.update().values(answered_at=None, next_attempt_at=audit.now()))
        system.status = 500
        hooks(fresh)()
    assert fresh.found(f"Subscription/{number}", "admin")["status"] == "error"


def test_without_content_a_system_is_only_woken(fresh: Served, system: System) -> None:
    assert subscribe(fresh, wanted(system.address, channel={"payload": ""})).status_code == 201
    correct(fresh)
    hooks(fresh)()
    assert [body for _, body in system.calls] == [None]


def test_what_is_taken_back_is_called_no_more(fresh: Served, system: System) -> None:
    number = subscribe(fresh, wanted(system.address)).json()["id"]
    assert fresh.request("DELETE", f"/fhir/R4/Subscription/{number}", "admin").status_code == 204
    assert fresh.found("Subscription", "admin")["total"] == 0
    correct(fresh)
    hooks(fresh)()
    assert system.calls == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"criteria": "Observation?code=1"}, 422),
        ({"criteria": "Communication?recipient=Organization/CHC01"}, 403),
        ({"channel": {"type": "email"}}, 422),
        ({"channel": {"endpoint": "http://his.example/hook"}}, 403),
        ({"channel": {"endpoint": "https://10.1.2.3/hook"}}, 403),
        ({"channel": {"endpoint": "https://169.254.169.254/latest/meta-data"}}, 403),
        ({"channel": {"endpoint": "https://127.0.0.2/hook"}}, 403),
        ({"channel": {"endpoint": "https://127.2/hook"}}, 403),
        ({"channel": {"endpoint": "https://2130706434/hook"}}, 403),
        ({"channel": {"endpoint": "https://0/hook"}}, 403),
        ({"channel": {"endpoint": "https://localhost./hook"}}, 403),
        ({"channel": {"endpoint": "https://[::1]/hook"}}, 403),
        ({"channel": {"endpoint": "https://[::ffff:10.1.2.3]/hook"}}, 403),
        ({"channel": {"endpoint": "https://[64:ff9b::a01:203]/hook"}}, 403),
        ({"channel": {"endpoint": "https://[fd00::1]/hook"}}, 403),
        ({"channel": {"endpoint": "file:///etc/passwd"}}, 400),
        ({"channel": {"endpoint": "https://user:pw@his.example/"}}, 400),
        ({"channel": {"header": ["X: a\r\nY: b"]}}, 400),
        ({"channel": {"header": ["content-length: 0"]}}, 400),
        ({"channel": {"header": ["Transfer-Encoding: chunked"]}}, 400),
        ({"channel": {"header": ["Host: elsewhere"]}}, 400),
        ({"resourceType": "Patient"}, 400),
    ],
)
def test_what_is_not_offered_or_not_allowed_is_refused_with_its_place(
    fresh: Served, changes: dict[str, Any], status: int
) -> None:
    answer = subscribe(fresh, wanted("https://his.example/hook", **changes))
    assert answer.status_code == status, answer.text
    assert validated(answer.json())["resourceType"] == "OperationOutcome"
    assert subscribe(fresh, wanted("https://his.example/hook"), "clinician").status_code == 403


def test_a_name_that_comes_to_stand_for_an_inner_address_is_never_called(
    fresh: Served, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered while it led elsewhere, or a name that answers differently each time it is asked."""
    port = system.server.server_address[1]
    number = subscribe(fresh, wanted(f"https://rebound.example:{port}/hook")).json()["id"]
    correct(fresh)
    asked = list[str]()

    def resolve(host: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401 as the library's
        if host != "rebound.example":
            return known(host, *more, **named)
        asked.append(host)
        return known("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *more, **named)

    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    Hooks(fresh.kernel.database, rest_hook(client_context()))()
    assert asked == ["rebound.example"]
    assert system.calls == []
    assert "may not be called" in str(fresh.found(f"Subscription/{number}", "admin")["error"])


def test_what_was_looked_at_is_what_is_connected_to(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked = socket.getaddrinfo, list[str]()

    def resolve(host: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401 as the library's
        asked.append(host)
        return known("127.0.0.1" if host == "his.example" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    call = rest_hook(client_context(), networks("127.0.0.0/8"))
    call(system.address.replace("127.0.0.1", "his.example"), {}, b"{}")
    assert asked.count("his.example") == 1
    ((headers, _),) = system.calls
    assert headers["Host"].startswith("his.example:")


@pytest.mark.parametrize(
    ("address", "named", "open_"),
    [
        ("8.8.8.8", "", True),
        ("2606:4700::1111", "", True),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "127.0.0.0/8", True),
        ("10.8.3.4", "10.8.0.0/16, 127.0.0.1", True),
        ("10.9.3.4", "10.8.0.0/16, 127.0.0.1", False),
        ("::ffff:10.8.3.4", "10.8.0.0/16", True),
        ("2002:7f00:1::", "", False),
        ("64:ff9b::7f00:1", "", False),
        ("64:ff9b::808:808", "", True),
        ("100.64.0.1", "", False),
        ("224.0.0.1", "", False),
        ("0.0.0.0", "", False),  # noqa: S104 an address to refuse
        ("fe80::1%eth0", "", False),
        ("his.example", "", False),
    ],
)
def test_what_may_be_called(address: str, named: str, open_: bool) -> None:
    assert may_call(address, networks(named)) is open_
