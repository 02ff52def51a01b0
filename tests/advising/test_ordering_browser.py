"""A doctor who was never here before: from signing in to a recorded decision, in a real browser."""

import shutil
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from .conftest import District
from .laboratories import DOCTOR, HB, K, message

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("ordering-browser")]

PASSWORD = "horse battery"
SIZES = {"desk": ViewportSize(width=1280, height=860), "phone": ViewportSize(width=390, height=800)}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screen(request: pytest.FixtureRequest, chromium: Browser, district: District) -> Iterator[Page]:
    """A browser on which nothing may go wrong; somebody else's results are there already."""
    district.hub.verbs.access.put_account(DOCTOR, PASSWORD)
    district.send(message({HB: "128"}, number="F1"))
    district.send(message({K: "2.4"}, number="F2", flag="LL"))
    context = chromium.new_context(viewport=SIZES[request.param], locale="zh-CN")
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    yield page
    context.close()
    assert not wrong


def fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url


@pytest.mark.parametrize("screen", ["desk", "phone"], indirect=True)
def test_from_signing_in_to_a_decision_within_a_minute(screen: Page, district: District) -> None:
    started = time.monotonic()
    screen.goto(district.address)
    screen.keyboard.type("clinician")
    screen.keyboard.press("Tab")
    screen.keyboard.type(PASSWORD)
    screen.keyboard.press("Enter")
    expect(screen.get_by_role("searchbox")).to_be_focused()
    screen.keyboard.type("wf")
    screen.get_by_role("link", name="开单前查看").click()
    screen.get_by_role("link", name="门诊").click()
    fits(screen)
    screen.keyboard.type("xhdb")  # 血红蛋白
    expect(screen.locator(".pick").first).to_be_visible()
    screen.keyboard.press("ArrowDown")
    screen.keyboard.press("Enter")
    expect(screen.locator(".answer")).to_contain_text("可以互认")
    fits(screen)
    screen.get_by_role("button", name="互认，不再开单").click()
    expect(screen.locator(".answer-decided")).to_contain_text("已记录")
    assert time.monotonic() - started < 60
    (made,) = district.program().get("/recognition/decisions?report=1").json()
    assert (made["decision"], made["item"]) == ("recognised", "L-718-7")


@pytest.mark.parametrize("screen", ["desk"], indirect=True)
def test_a_critical_value_is_repeated_in_two_clicks_and_nothing_pops_up(screen: Page, district: District) -> None:
    screen.goto(f"{district.address}/patients/1/ordering?setting=inpatient&item=L-2823-3")
    screen.fill("input[name=account]", "clinician")
    screen.fill("input[name=password]", PASSWORD)
    screen.keyboard.press("Enter")
    expect(screen.locator(".answer")).to_contain_text("危急值")
    expect(screen.get_by_role("button", name="互认，不再开单")).to_have_count(0)
    expect(screen.locator("dialog[open]")).to_have_count(0)
    screen.get_by_text("全部依据").click()
    expect(screen.locator(".answer-all")).to_contain_text("患者身份无疑问")
    screen.get_by_role("button", name="02").click()
    expect(screen.locator(".answer-decided")).to_contain_text("已记录")
    (made,) = district.program().get("/recognition/decisions?report=2").json()
    assert (made["decision"], made["reason"], made["advice"]) == ("not-recognised", "02", "not-suggested")
