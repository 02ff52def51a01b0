"""A result is reused at two institutions, then corrected: both learn of it, on their screens and in their system."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hub import app
from hub.access import disclosure_for
from hub.app import Hub
from hub.settings import Settings
from schemas.disclosure import Principal, Role
from schemas.dispatch import Destination
from schemas.organization import Organization, OrganizationKind
from storage import organizations
from tests.journeys.messages import Mllp
from tests.receiving import eventually, receiving

DOCTORS = {"lin": "DH1", "zhou": "CHC02"}
PASSWORD = "horse battery"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
RESULT = (
    "MSH|^~\\&|LIS|CHC01|DXHUB||20261121110000||ORU^R01^ORU_R01|M{status}|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||P1^^^CHC01^MR||王芳||19900101|F\r"
    "OBR|1|PL1|FI1|K^电解质^L|||20261121100000|||||||||||||||2026112110{minute}00||LAB|{status}\r"
    "OBX|1|NM|2823-3^钾^LN||{value}|mmol/L|3.5-5.3|{flag}|||{status}\r"
)


@pytest.fixture
def hub(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Hub]:
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    with app.running(Settings(data=tmp_path, http_port=0, mllp_port=0), {"web", "mllp", "worker"}) as made:
        with made.verbs.database.write() as tx:
            for code in ("CHC01", *DOCTORS.values()):
                organizations.put_organization(tx, Organization(code, f"机构{code}", code, OrganizationKind.OTHER))
                organizations.put_source(tx, code, code, code)
        for account, code in DOCTORS.items():
            made.verbs.access.put_account(Principal(account, account, Role.CLINICIAN, code), PASSWORD)
        made.verbs.access.put_account(Principal("auditor", "auditor", Role.AUDITOR, "DH1"), PASSWORD)
        yield made


def send(hub: Hub, status: str, value: str, minute: int, flag: str = "N") -> None:
    line = Mllp(hub.port("mllp"))
    assert b"MSA|AA" in line.send(RESULT.format(status=status, value=value, minute=minute, flag=flag).encode())
    line.close()


def program(hub: Hub, account: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {hub.verbs.access.issue_token(account)}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", headers=headers, timeout=30)


def notices(client: httpx.Client) -> list[dict[str, Any]]:
    return list(client.get("/recognition/notices").json())


def test_a_corrected_result_reaches_both_who_reused_it(hub: Hub) -> None:
    admin = disclosure_for(Principal("admin", "admin", Role.ADMIN, "DH1"))
    with receiving() as receiver, program(hub, "lin") as lin, program(hub, "zhou") as zhou:
        hub.verbs.notify.put_destination(admin, Destination("CHC02", "HIS", "127.0.0.1", receiver.port))
        send(hub, "F", "3.4", 10)
        (report,) = lin.get("/fhir/R4/DiagnosticReport?category=LAB").json()["entry"]
        report_id = report["resource"]["id"]
        for client, code in ((lin, "DH1"), (zhou, "CHC02")):
            new = {"report": report_id, "version": 1, "institution": code, "decision": "recognised"}
            assert client.post("/recognition/decisions", json=new).status_code == 201
        send(hub, "C", "6.1", 30, "HH")

        eventually(lambda: bool(notices(lin) and notices(zhou)))
        (told,) = notices(zhou)
        assert told["changes"] == [{"what": "钾", "before": "3.4 mmol/L", "after": "6.1 mmol/L HH"}]
        assert (told["kind"], told["reliance"], told["acknowledged_at"]) == ("corrected", "reused", None)
        # The system of the institution that reused it gets the corrected result, though somebody else had ordered it.
        (message,) = receiver.wait(1)
        assert b"|6.1|" in message

        mine = f"/recognition/notices/{told['id']}/acknowledgement"
        assert lin.post(mine, json={}).status_code == 404
        assert zhou.post(mine, json={"remark": "已通知患者复查"}).json()["acknowledged_by"] == "zhou"
        assert zhou.post(mine, json={}).status_code == 409
        _acknowledge_in_the_portal(hub, int(report_id))
        everyone = hub.verbs.recall.of_report(
            disclosure_for(Principal("lin", "", Role.CLINICIAN, "DH1")), int(report_id)
        )
        assert {each.acknowledged_by for each in everyone} == {"lin", "zhou"}
        with program(hub, "auditor") as auditor:
            lines = auditor.get(f"/recognition/ledger?report={report_id}").json()
        deeds = [(line["deed"], line["version"], line["account"], line["word"] or line["remark"]) for line in lines]
        assert sorted(deeds[:2]) == [("decided", 1, "lin", "recognised"), ("decided", 1, "zhou", "recognised")]
        assert sorted(deeds[2:4]) == [("told", 2, "lin", "corrected"), ("told", 2, "zhou", "corrected")]
        known = [("acknowledged", 2, "zhou", "已通知患者复查"), ("acknowledged", 2, "lin", "")]
        assert [deed for deed in deeds if deed[0] == "acknowledged"] == known
        assert lin.get(f"/recognition/ledger?report={report_id}").status_code == 403


def _acknowledge_in_the_portal(hub: Hub, report_id: int) -> None:
    signed_in = hub.verbs.access.sign_in("lin", PASSWORD, "127.0.0.1")
    cookies = {"dxhub_session": signed_in.token}
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.port('web')}", cookies=cookies, timeout=30) as browser:
        page = browser.get("/notices").text
        assert "<del>3.4 mmol/L</del>" in page
        assert "<strong>6.1 mmol/L HH</strong>" in page
        assert "您互认了第 1 版" in browser.get(f"/reports/{report_id}").text
        (notice,) = hub.verbs.recall.inbox(disclosure_for(signed_in.principal))
        answer = browser.post(f"/notices/{notice.id}/acknowledgement", data={"csrf": signed_in.csrf})
        assert answer.status_code == 303
        assert "menu-count" not in browser.get("/notices").text


@pytest.fixture
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


def sign_in(page: Page, hub: Hub, account: str) -> None:
    page.goto(f"http://127.0.0.1:{hub.port('web')}/")
    page.fill("input[name=account]", account)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.mark.timeout(180)
def test_two_doctors_at_their_screens_see_what_changed_and_say_that_they_know(hub: Hub, chromium: Browser) -> None:
    """Both reuse a value on the report's page; it is corrected; each finds the notice, and the ledger shows both."""
    send(hub, "F", "3.4", 10)
    at = f"http://127.0.0.1:{hub.port('web')}"
    pages = {}
    for account in DOCTORS:
        pages[account] = page = chromium.new_context(locale="zh-CN").new_page()
        sign_in(page, hub, account)
        page.goto(f"{at}/reports/1")
        page.locator("input[value=recognised]").check()
        page.locator(".decide button[type=submit]").click()
        expect(page.locator("#recognition")).to_contain_text("已记录")
    send(hub, "C", "6.1", 30, "HH")
    with program(hub, "lin") as lin, program(hub, "zhou") as zhou:
        eventually(lambda: bool(notices(lin) and notices(zhou)))
        for account, page in pages.items():
            page.goto(at)
            page.locator("a[href='/notices']").first.click()
            expect(page.locator(".notice del")).to_have_text("3.4 mmol/L")
            expect(page.locator(".notice-changes strong")).to_have_text("6.1 mmol/L HH")
            page.locator("input[name=remark]").fill(f"{account} 已复查")
            page.locator(".notice-form button").click()
            expect(page.locator(".notice-form")).to_have_count(0)
            expect(page.locator(".notice")).to_contain_text(f"{account} 已复查")
        told = {each["account"]: each for client in (lin, zhou) for each in notices(client)}
        decided = lin.get("/recognition/decisions?report=1").json()
    assert {who: (each["institution"], each["acknowledged_by"]) for who, each in told.items()} == {
        who: (code, who) for who, code in DOCTORS.items()
    }
    with program(hub, "auditor") as auditor:
        ledger = auditor.get("/recognition/ledger?report=1").json()
    known = [(each["account"], each["remark"]) for each in ledger if each["deed"] == "acknowledged"]
    assert sorted(known) == [(who, f"{who} 已复查") for who in sorted(DOCTORS)]
    # The decisions stand as they were made, about the version that was seen.
    assert sorted((each["institution"], each["version"], each["decision"]) for each in decided) == [
        (code, 1, "recognised") for code in sorted(DOCTORS.values())
    ]
