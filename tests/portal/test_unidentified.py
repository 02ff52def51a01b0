"""Whose recording it is, as the ECG doctor says it in the portal: a whole hub behind the pages."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr

from hub import app
from hub.demo import ecg_files
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.adapters.ecg.examples import OBSERVED_AT, examination
from tests.engines import Engines
from tests.forms import PASSWORD, post, signed_in

_T = TypeVar("_T")
ROLES = (Role.ECG_READER, Role.CLINICIAN, Role.ADMIN)


@pytest.fixture
def hub(migrated_urls: Engines, tmp_path: Path) -> Iterator[app.Hub]:
    """A hub with its portal, its worker, and a folder for carts."""
    settings = Settings(
        data=tmp_path / "data",
        database_url=SecretStr(migrated_urls.database_url),
        objects_url=SecretStr(migrated_urls.objects_url),
        http_port=0,
        watch=tmp_path / "carts",
        watch_source="CHC01",
        watch_quiet_s=1,
    )
    (tmp_path / "carts").mkdir()
    with app.running(settings, {"web", "worker", "watch"}) as made:
        with made.stores.database.write() as tx:
            for code in ("CHC01", "DH02"):
                organizations.put_organization(tx, Organization(code, code, kind=OrganizationKind.OTHER, centre="ecg"))
                organizations.put_source(tx, code, code, code)
        for role in ROLES:
            made.stores.access.put_account(Principal(role.value, role.value, role, "DH02", "en"), PASSWORD)
        yield made


def test_the_doctor_opens_attaches_and_takes_back(hub: app.Hub, tmp_path: Path) -> None:
    known = replace(examination("", "P77", "王芳"), observed_at=OBSERVED_AT.replace(year=2025))
    drop(tmp_path, "known.scp", ecg_files.record(known))
    with signed_in(hub.port("web"), Role.ECG_READER) as doctor:
        until(lambda: "王芳" in doctor.get("/patients?q=王芳").text)
        drop(tmp_path, "nobody.scp", ecg_files.record(examination("", "", "")))
        queue = until(lambda: re.search(r'href="(/ecg/unidentified/\d+)"', doctor.get("/ecg/unidentified").text))
        one = queue[1]
        report = one.replace("/ecg/unidentified", "/reports")
        assert "Nobody has said whose this recording is." in doctor.get(report).text
        assert doctor.get(f"{report}/ecg/thumbnail.svg").status_code == 200
        found = doctor.get(one, params={"q": "王芳"}).text
        person = re.findall(r'name="patient" value="(\d+)"', found)
        assert len(person) == 1
        fields = {"patient": person[0], "reason": "家属带身份证到场"}
        assert post(doctor, f"{one}/attach", patient=person[0], reason="").status_code == 400
        until(lambda: post(doctor, f"{one}/attach", **fields).headers.get("location", "").endswith("#attached"))
        quicker = post(doctor, f"{one}/attach", **fields)
        assert quicker.headers["location"] == "/ecg/unidentified?quicker=1"
        assert "Somebody was quicker" in doctor.get("/ecg/unidentified?quicker=1").text
        assert doctor.get(one).headers["location"] == "/ecg/unidentified?quicker=1"
        shown = doctor.get("/ecg/unidentified").text
        assert "Every recording has its patient" in shown
        assert "家属带身份证到场" in shown
        assert f'href="{report}' in doctor.get(f"/patients/{person[0]}").text
        (back,) = re.findall(r'action="(/ecg/unidentified/studies/\d+/detach)"', shown)
        assert post(doctor, back, reason="认错了人").status_code == 303
        assert f'href="{one}"' in doctor.get("/ecg/unidentified").text
        assert f'href="{report}' not in doctor.get(f"/patients/{person[0]}").text
    with signed_in(hub.port("web"), Role.CLINICIAN) as clinician:
        assert clinician.get("/ecg/unidentified").status_code == 403
        assert clinician.get(one).status_code == 403
        assert post(clinician, f"{one}/attach", **fields).status_code == 403
    with signed_in(hub.port("web"), Role.ADMIN) as admin:
        # Who administers says whose it is, and sees no tracing.
        shown = admin.get("/ecg/unidentified").text
        assert f'href="{one}"' in shown
        assert "thumbnail" not in shown


def drop(folder: Path, name: str, content: bytes) -> None:
    """As a cart does."""
    (folder / "carts" / name).write_bytes(content)


def until(look: Callable[[], _T | None]) -> _T:
    """What is there at last."""
    deadline = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
