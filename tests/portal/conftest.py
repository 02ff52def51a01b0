"""The portal on a real port over verbs in memory, and a person before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from hub.web_server import WebServer
from schemas.disclosure import Role

from . import fakes
from .fakes import FakeVerbs


@dataclass
class Portal:
    """Where the portal listens, and what stands behind it."""

    address: str
    verbs: FakeVerbs


@dataclass
class Person:
    """A browser without scripts: keeps cookies, sends the forms that it was shown."""

    client: httpx.Client
    csrf: str = ""

    def sign_in(self, role: Role | str, password: str = fakes.PASSWORD) -> httpx.Response:
        page = self.client.get("/sign-in")
        answer = self.client.post(
            "/sign-in", data={"csrf": field(page, "csrf"), "account": str(role), "password": password}
        )
        if answer.status_code == 303:
            self.csrf = field(self.client.get("/help"), "csrf")
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def piece(self, path: str) -> httpx.Response:
        """As htmx asks for a piece of a page."""
        return self.get(path, hx_request="true", hx_request_type="partial")

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form of ours."""
        return self.client.post(path, data={"csrf": self.csrf, **fields})


def field(page: httpx.Response, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, f"no field {name} on this page"
    return found[1]


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[FastAPI, str]]:
    """One server for all tests; what stands behind it is new for each."""
    app = fakes.application(fakes.verbs())
    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    yield app, f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture
def portal(served: tuple[FastAPI, str]) -> Portal:
    """The portal over a fresh district."""
    app, address = served
    app.state.verbs = fakes.verbs()
    return Portal(address, app.state.verbs)


@pytest.fixture
def visitor(portal: Portal) -> Iterator[Person]:
    """Somebody who has not signed in."""
    with httpx.Client(base_url=portal.address, timeout=20) as client:
        yield Person(client)


@pytest.fixture
def clinician(visitor: Person) -> Person:
    """A signed-in clinician of DH1."""
    visitor.sign_in(Role.CLINICIAN)
    return visitor


@pytest.fixture
def technician(visitor: Person) -> Person:
    """A signed-in technician of CHC03."""
    visitor.sign_in(Role.TECHNICIAN)
    return visitor


@pytest.fixture
def admin(visitor: Person) -> Person:
    """A signed-in administrator."""
    visitor.sign_in(Role.ADMIN)
    return visitor
