"""The portal in a real browser: what a clinician clicks, in both languages, at a desk and on a phone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from schemas.recognition import Decided

from . import fakes
from .conftest import Portal

pytestmark = pytest.mark.timeout(180)

SIZES = {"desk": ViewportSize(width=1280, height=860), "phone": ViewportSize(width=390, height=800)}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
_WATCH = """document.addEventListener('securitypolicyviolation', (e) =>
  console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser of the machine, without its network chatter."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page that remembers everything that went wrong on it."""

    def __init__(self, context: BrowserContext, portal: Portal) -> None:
        self.page: Page = context.new_page()
        self.portal = portal
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{self.page.url}: {message.text}")

    def sign_in(self, account: str) -> Page:
        """Signs in with keys alone, as somebody would who has done it a hundred times."""
        self.page.goto(self.portal.address)
        self.page.keyboard.type(account)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(fakes.PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "sign-in" not in url)
        return self.page

    def fits(self) -> None:
        """Nothing is wider than the screen but what scrolls inside itself."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, self.page.url


BOTH = pytest.mark.parametrize("watched", ["zh-desk", "en-phone"], indirect=True)
PHONE = pytest.mark.parametrize("watched", ["en-phone"], indirect=True)


@pytest.fixture
def watched(request: pytest.FixtureRequest, chromium: Browser, portal: Portal) -> Iterator[Watched]:
    """A browser in one language and of one size; at the end nothing may have gone wrong."""
    language, size = getattr(request, "param", "zh-desk").split("-")
    context = chromium.new_context(viewport=SIZES[size], locale=LANGUAGES[language])
    context.add_init_script(_WATCH)
    for account in ("clinician", "technician", "admin"):
        portal.verbs.access.languages[account] = language
    made = Watched(context, portal)
    yield made
    context.close()
    assert not made.wrong


@BOTH
def test_from_signing_in_to_a_decision(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    zh = page.get_attribute("html", "lang") == "zh-CN"

    page.locator("body").click(position={"x": 5, "y": 300})
    page.keyboard.press("/")
    page.keyboard.type("wf")
    expect(page.locator(".person-row")).to_have_count(1)
    expect(page).to_have_url(f"{watched.portal.address}/patients?q=wf")
    watched.fits()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(".line")).to_have_count(8)
    watched.fits()
    page.get_by_role("link", name="影像" if zh else "Imaging", exact=True).click()
    expect(page.locator(".line")).to_have_count(2)
    page.go_back()
    expect(page.locator(".line")).to_have_count(8)

    page.locator(".line").first.click()
    expect(page.locator("h2").first).to_have_text("血常规 + CRP")
    watched.fits()
    page.get_by_text("病情变化" if zh else "The condition changed").click()
    page.get_by_role("button", name="提交决定" if zh else "Record decision").click()
    expect(page.locator(".note-good")).to_be_visible()
    made = watched.portal.verbs.query.decisions_[-1]
    assert (made.report_id, made.version, made.verdict, made.reason) == (1, 1, Decided.NOT_RECOGNISED, "01")


def test_the_trend_opens_over_the_report_and_closes_again(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    page.goto(f"{watched.portal.address}/reports/1")
    page.locator(".spark").nth(2).click()
    expect(page.locator("dialog[open] h2")).to_have_text("血红蛋白")
    expect(page.locator("dialog[open] canvas")).to_be_visible()
    drawn = page.evaluate(
        "(() => { const c = document.querySelector('dialog canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; return d.some((v, i) => i % 4 === 3 && v > 0) })()"
    )
    assert drawn
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator(".spark").nth(3).click()
    expect(page.locator("dialog[open] h2")).to_have_text("血小板计数")
    page.locator("dialog [data-close]").click()
    expect(page.locator("dialog[open]")).to_have_count(0)


@BOTH
def test_images_turn_by_keys_slider_and_window(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    page.goto(f"{watched.portal.address}/reports/4")
    position = page.locator("[data-position]")
    expect(position).to_have_text("7 / 12")
    page.wait_for_function("document.querySelector('[data-image]').naturalWidth > 0")
    page.locator("[data-stage]").focus()
    page.keyboard.press("ArrowDown")
    expect(position).to_have_text("8 / 12")
    page.keyboard.press("End")
    expect(position).to_have_text("12 / 12")
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text("12 / 12")
    page.locator("[data-slider]").fill("3")
    expect(position).to_have_text("3 / 12")
    page.locator("[data-window]").nth(1).click()
    expect(page.locator("[data-image]")).to_have_attribute("src", re.compile(r"window=-600%2C1500%2Clinear$"))
    page.locator("[data-frames]").nth(1).click()
    expect(position).to_have_text("2 / 2")
    watched.fits()


def test_the_name_stays_on_the_image_wherever_one_looks_closer(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    page.goto(f"{watched.portal.address}/reports/4")
    page.wait_for_function("document.querySelector('[data-image]').naturalWidth > 0")
    stage, name = page.locator("[data-stage]"), page.locator(".viewer-top-left")
    page.locator("[data-zoom]").click()
    expect(stage).to_have_class(re.compile("zoomed"))
    assert stage.evaluate("s => { s.scrollTo(150, 150); return s.scrollTop; }") > 100
    shown, around = name.bounding_box(), stage.bounding_box()
    assert shown
    assert around
    assert (shown["x"], shown["y"]) == (around["x"], around["y"])


def test_a_picture_that_does_not_come_says_so(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    page.route("**/rendered**", lambda route: route.fulfill(status=200, content_type="image/jpeg", body=b"no picture"))
    page.goto(f"{watched.portal.address}/reports/4")
    expect(page.locator("[data-failure]")).to_be_visible()


@PHONE
def test_dropped_files_earn_their_receipts_one_by_one(watched: Watched, tmp_path: Path) -> None:
    page = watched.sign_in("technician")
    watched.fits()
    names = ["一.dcm", "<img src=x onerror=alert(1)>.dcm", "bad.dcm", "large.dcm"]
    for name in names:
        (tmp_path / name).write_bytes({"b": b"bad", "l": b"0" * 1_200_000}.get(name[0], b"good"))
    page.locator("input[type=file]").set_input_files([tmp_path / name for name in names])
    expect(page.locator(".receipt-good")).to_have_count(2)
    expect(page.locator(".receipt-bad")).to_have_count(2)
    expect(page.locator(".receipts")).to_contain_text("byte 128")
    expect(page.locator(".receipts")).to_contain_text("<img src=x onerror=alert(1)>.dcm")
    watched.fits()


@PHONE
def test_an_administrator_reads_a_delivery_again(watched: Watched) -> None:
    page = watched.sign_in("admin")
    page.goto(f"{watched.portal.address}/quarantine")
    page.locator(".search-form [name=q]").fill("CHC07")
    page.locator("select[name=state]").select_option("all")
    expect(page.locator("tbody tr")).to_have_count(11)
    page.locator("select[name=state]").select_option("quarantined")
    expect(page.locator("tbody tr")).to_have_count(2)
    watched.fits()
    page.locator(".row-link").first.click()
    expect(page.locator(".raw-marked")).to_have_count(1)
    watched.fits()
    page.locator("form[action$=replay] button").click()
    page.wait_for_load_state()
    assert watched.portal.verbs.ingest.replayed == [101]


EVERYWHERE = pytest.mark.parametrize("watched", ["zh-desk", "en-desk", "zh-phone", "en-phone"], indirect=True)


@EVERYWHERE
def test_every_entry_of_the_longest_menu_is_in_sight(watched: Watched) -> None:
    page = watched.sign_in("admin")
    width = page.viewport_size["width"] if page.viewport_size else 0
    boxes = [entry.bounding_box() for entry in page.locator(".menu a").all()]
    assert len(boxes) > 8
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    room = page.evaluate("(({clientWidth, scrollWidth}) => scrollWidth - clientWidth)(document.querySelector('.menu'))")
    assert room == 0
    watched.fits()


@BOTH
def test_a_choice_does_not_touch_the_field_above_it(watched: Watched) -> None:
    page = watched.sign_in("admin")
    page.goto(f"{watched.portal.address}/nodes/new")
    field, choice = page.locator("#port").bounding_box(), page.locator(".form-check").first.bounding_box()
    assert field
    assert choice
    assert choice["y"] - field["y"] - field["height"] >= 10


def test_a_report_prints_like_paper(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    for number in (1, 5):
        page.goto(f"{watched.portal.address}/reports/{number}")
        page.emulate_media(media="print")
        for screen_only in (".top", ".report-side", ".report-tools", ".decide-jump"):
            expect(page.locator(screen_only).first).to_be_hidden()
        for paper_only in (".paper-institution", ".paper-patient", ".report-foot"):
            expect(page.locator(paper_only).first).to_be_visible()
        sheets = re.findall(rb"/MediaBox ?\[([^\]]*)\]", page.pdf(prefer_css_page_size=True))
        across, along = (float(side) for side in sheets[0].split()[2:])
        assert len(sheets) == 1
        # A4 in points; an ECG lies on its side.
        assert (round(across), round(along)) == ((595, 842) if number == 1 else (842, 595))
        page.emulate_media(media="screen")


def test_when_the_hub_falls_silent_the_page_says_so(watched: Watched) -> None:
    page = watched.sign_in("clinician")
    page.route("**/patients?q=*", lambda route: route.abort())
    page.locator("[data-search]").fill("wf")
    expect(page.locator(".toast-line")).to_be_visible()
    watched.wrong.clear()  # the browser itself reports the request that was cut


def test_what_breaks_the_policy_would_be_heard(watched: Watched) -> None:
    # Every test above leans on this: a page that ran something foreign, or styled itself inline, fails it.
    page = watched.sign_in("clinician")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    page.wait_for_timeout(100)
    assert any("style-src" in words for words in watched.wrong)
    assert page.evaluate("window.ran") is None
    watched.wrong.clear()


def test_an_ecg_is_read_by_keyboard_alone(watched: Watched, portal: Portal) -> None:
    page = watched.sign_in("ecg-reader")
    page.get_by_role("link", name="未确认").or_(page.locator("#ecgs .row-link")).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/reports/5**")
    pick = page.locator("[data-pick]")
    pick.focus()
    while page.locator("[data-chosen] li").count():
        page.keyboard.press("Backspace")
    for typed in ("af", "zszc"):
        page.keyboard.type(typed)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
    page.locator("#m-8867-4").fill("80")
    expect(page.locator("tr:has(#m-8867-4) [data-difference]")).to_have_text("+8")
    page.locator("#m-8867-4").press("Control+Enter")
    page.wait_for_url("**/ecg")
    (draft,) = portal.verbs.readings.drafts
    assert draft.statements[0] == "AF"
    assert len(draft.statements) == 2
    assert {code: str(value) for code, value in draft.measured.items()} == {"8867-4": "80"}
    watched.fits()
