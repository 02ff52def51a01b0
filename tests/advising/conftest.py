"""A whole hub behind a socket, with two laboratories and a doctor's program."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import app
from hub.app import Hub
from hub.settings import Settings
from schemas.delivery import Channel, Claim, Delivery, Format
from schemas.disclosure import Principal, Role
from storage import accounts, organizations

from .laboratories import DOCTOR, register

TECHNICIAN = Principal("technician", "赵技师", Role.TECHNICIAN, "CHC01")
QUALITY = Principal("quality", "质控员", Role.QUALITY, "DH02")


@dataclass
class District:
    """The hub, and programs that ask it."""

    hub: Hub
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.hub.port('web')}"

    def send(self, content: bytes, sender: str = "CHC01") -> None:
        ingest = self.hub.verbs.ingest
        origin = ingest.identify(Claim(Channel.MLLP, sender, "127.0.0.1"))
        ingest.deliver(Delivery(origin, Format.HL7V2, io.BytesIO(content), "M"))

    def program(self, account: str = "clinician") -> httpx.Client:
        if account not in self._clients:
            token = {"Authorization": f"Bearer {self.hub.verbs.access.issue_token(account)}"} if account else {}
            self._clients[account] = httpx.Client(base_url=self.address, headers=token, timeout=30, trust_env=False)
        return self._clients[account]

    def verdicts(self, *orders: dict[str, Any], patient: object = 1, **whom: object) -> list[dict[str, Any]]:
        asked = {"patient": patient, "orders": list(orders)} | whom
        answer = self.program().post("/recognition/verdicts", json={k: v for k, v in asked.items() if v is not None})
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture
def district(tmp_path: Path, migrated_sqlite: Path) -> Iterator[District]:
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    with app.running(Settings(data=tmp_path, http_port=0), {"web"}) as made:
        register(made.verbs.database)
        with made.verbs.database.write() as tx:
            for code in ("CHC01", "CHC02"):
                organizations.put_source(tx, code, code, code)
            for who in (DOCTOR, TECHNICIAN, QUALITY):
                accounts.put_account(tx, who, "nobody signs in: passwords are slow to hash")
        opened = District(made)
        yield opened
        opened.close()
