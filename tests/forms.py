"""A person's browser without scripts: signs in, and sends forms of the page that was open."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

PASSWORD = "a-long-enough-password"


@contextmanager
def signed_in(port: int, account: str) -> Iterator[httpx.Client]:
    """A session of that account, whose password is PASSWORD."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        fields = {"csrf": _csrf(client.get("/sign-in").text), "account": account, "password": PASSWORD}
        assert client.post("/sign-in", data=fields).status_code == 303
        yield client


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Sends a form."""
    return client.post(path, data={"csrf": _csrf(client.get("/help").text), **fields})


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page)
    assert found
    return found[1]
