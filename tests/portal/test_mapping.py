"""A person with only the portal maps an unknown code and sees the waiting results appear: with keys alone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from hub.app import Hub
from schemas.disclosure import Role
from storage import accounts

from .mapping_hub import PASSWORD, mapping_hub, result, send

pytestmark = pytest.mark.timeout(180)
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Two laboratories measured the same person; only one of them sends LOINC."""
    with mapping_hub(tmp_path) as made:
        for number in range(1, 4):
            send(made, result(3 * number, value=f"{number}.2"))
        pid = "PID|1||P0^^^CHC01^MR||王^芳||19680412|F"
        send(made, result(30, code="6690-2^白细胞计数^LN", value="9.9", sender="CHC02", pid=pid), "CHC02")
        yield made


@pytest.fixture(params=["zh-CN", "en-GB"])
def page(hub: Hub, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser on the sign-in page; at the end nothing may have gone wrong in it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("install the package chromium")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        context = browser.new_context(
            viewport={"width": 1280, "height": 860},
            locale=request.param,
            base_url=f"http://127.0.0.1:{hub.port('web')}",
        )
        made = context.new_page()
        made.on("pageerror", lambda error: wrong.append(str(error)))
        made.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        for account in ("lab-reviewer", "clinician", "admin"):
            with hub.verbs.database.write() as tx:
                accounts.put_language(tx, account, request.param[:2])
        yield made
        browser.close()
    assert not wrong


def sign_in(page: Page, role: Role) -> None:
    page.goto("/sign-in")
    page.fill("[name=account]", role.value)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)


def found_by_loinc(hub: Hub) -> int:
    """What a program finds: `Observation?code=http://loinc.org|6690-2`."""
    token = hub.verbs.access.issue_token("clinician")
    answer = httpx.get(
        f"http://127.0.0.1:{hub.port('web')}/fhir/R4/Observation",
        params={"code": "http://loinc.org|6690-2"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return int(answer.json()["total"])


def test_an_unknown_code_is_mapped_and_its_waiting_results_appear(hub: Hub, page: Page) -> None:
    assert found_by_loinc(hub) == 1
    sign_in(page, Role.LAB_REVIEWER)
    page.goto("/tasks")
    expect(page.locator("#tasks tbody tr")).to_have_count(1)
    page.locator(".row-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-results]")).to_have_text("3")
    expect(page.locator("#main")).not_to_contain_text("王芳")
    # The search box has the focus; the likeliest analyte is one arrow key away.
    expect(page.locator(".search-box")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_contain_text("6690-2")

    assert found_by_loinc(hub) == 4
    page.context.clear_cookies()
    sign_in(page, Role.CLINICIAN)
    page.goto("/reports/4")
    page.locator(".spark").first.click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("9.9")
    for value in ("1.2", "2.2", "3.2"):
        expect(dialog).to_contain_text(value)


def test_another_analyte_is_found_by_typing_and_an_answer_is_taken_back(hub: Hub, page: Page) -> None:
    sign_in(page, Role.LAB_REVIEWER)
    page.goto("/tasks/1")
    expect(page.locator(".search-box")).to_be_focused()
    page.keyboard.type("血小板")
    expect(page.locator(".code-choice").first).to_contain_text("777-3")
    page.fill(".search-box", "99999-6")
    expect(page.locator(".code-choice")).to_have_count(1)
    page.fill(".search-box", "PLT")
    expect(page.locator(".code-choice").first).to_contain_text("777-3")
    page.locator(".search-box").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_contain_text("777-3")
    page.locator("[name=decision][value=undo]").click()
    expect(page.locator(".search-box")).to_be_visible()
    assert found_by_loinc(hub) == 1
    page.fill("[name=reason]", "仪器内部编号")
    page.locator("[name=decision][value=dismiss]").click()
    expect(page.locator(".answer")).to_have_text("仪器内部编号")
    page.goto("/tasks")
    expect(page.locator(".nothing")).to_be_visible()


def test_a_profile_is_tried_saved_and_what_waited_is_read(hub: Hub, page: Page) -> None:
    for number in range(60, 63):
        send(hub, result(number).replace(b"MSH|^~\\&|", b"MSH||"))
    sign_in(page, Role.ADMIN)
    page.goto("/senders")
    page.get_by_role("link", name="CHC01", exact=True).click()
    page.locator("button[name=delivery]").first.click()
    expect(page.locator("#preview .note-bad")).to_contain_text("MSH-2")
    page.check("[name=repair-standard-encoding-characters]")
    page.locator("button[name=delivery]").first.click()
    expect(page.locator("#preview .note-good")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("王芳")
    expect(page).to_have_url(re.compile("/senders/profile"))
    page.locator(".form-foot .btn-primary").click()
    expect(page.locator("[data-done]")).to_be_visible()
    expect(page.locator("[data-indexed]")).to_have_text("3")
    page.goto("/senders/profile?name=CHC01")
    expect(page.locator("button[name=delivery]")).to_have_count(0)
