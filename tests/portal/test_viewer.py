"""The image viewer in a real browser: behind the sign-in, with the priors, in Chinese, and what is measured is kept."""

import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydicom import dcmread

from hub.access import disclosure_for
from schemas.disclosure import Action
from schemas.study import StudyCriteria
from tests.viewing import PASSWORD, PEOPLE, SLICES, Viewing, viewing

from .pictures import picture

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("viewer")]

# The viewer draws with WebGL, here without a graphics card.
_FLAGS = [
    *("--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]
_WATCH = """document.addEventListener('securitypolicyviolation', (e) =>
  console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))"""
OPENS_WITHIN_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewing]:
    with viewing(tmp_path_factory.mktemp("viewing")) as made:
        yield made


class Desk:
    """A signed-in person's page, and everything that went wrong on it or left the machine."""

    def __init__(self, browser: Browser, served: Viewing) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.context.add_init_script(_WATCH)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda sent: self._sent(sent.url))
        self.served = served

    def _sent(self, url: str) -> None:
        # The browser's own reader of PDFs is a part of it.
        if url.startswith(("blob:", "data:", "chrome:", "chrome-extension:")):
            return
        if not url.startswith(self.served.address):
            self.wrong.append(f"left this machine: {url}")

    def sign_in(self, account: str) -> None:
        self.page.goto(f"{self.served.address}/sign-in")
        self.page.fill("[name=account]", account)
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def open(self, study: str = "ct") -> None:
        """Opens a study and waits for its picture."""
        self.page.goto(self.served.viewer(study))
        self.drawn()

    def drawn(self) -> None:
        self.page.locator("canvas.cornerstone-canvas").first.wait_for(timeout=OPENS_WITHIN_MS)
        expect(self.page.locator("[data-cy=viewport-overlay-bottom-right]").first).to_contain_text("/")
        self.page.wait_for_function(_DRAWN, timeout=OPENS_WITHIN_MS)

    def picture(self) -> bytes:
        """The middle of the viewport as grey values, row by row."""
        box = self.page.locator("canvas.cornerstone-canvas").first.bounding_box()
        assert box
        side = 240.0
        left, top = box["x"] + box["width"] / 2 - side / 2, box["y"] + box["height"] / 2 - side / 2
        shot = picture(self.page, clip={"x": left, "y": top, "width": side, "height": side})
        return _bytes_of_png(shot)


# The viewer draws on a canvas which it copies from; some pixel of it is neither black nor transparent.
_DRAWN = """() => {
  const canvas = document.querySelector('canvas.cornerstone-canvas');
  const context = canvas && canvas.getContext('2d');
  if (!context || !canvas.width) return false;
  const { data } = context.getImageData(canvas.width / 2 - 60, canvas.height / 2 - 60, 120, 120);
  return data.some((value, place) => place % 4 !== 3 && value > 40);
}"""


def _bytes_of_png(content: bytes) -> bytes:
    """The scan lines of a PNG, unfiltered only as far as comparing and counting need."""
    place, packed = 8, b""
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        if kind == b"IDAT":
            packed += content[place + 8 : place + 8 + length]
        place += 12 + length
    return zlib.decompress(packed)


@pytest.fixture
def desk(chromium: Browser, served: Viewing) -> Iterator[Desk]:
    made = Desk(chromium, served)
    yield made
    made.context.close()
    assert not made.wrong


def test_from_the_timeline_a_ct_opens_in_chinese_scrolls_and_shows_the_priors_of_all(desk: Desk) -> None:
    page, served = desk.page, desk.served
    desk.sign_in("radiologist")
    page.goto(f"{served.address}/patients/{served.person}")
    page.get_by_role("link", name="打开影像").first.focus()
    page.locator(f"a[href*='{served.studies['ct']}']").click()
    desk.drawn()

    for words in ("返回时间轴", "检查", "张三"):
        expect(page.get_by_text(words).first).to_be_visible()
    listed = page.locator("[data-cy=studyBrowser-panel]")
    expect(listed).to_contain_text("胸部正位片")  # of another institution, under another number
    expect(listed.locator(".hub-institution")).to_have_text(["机构CHC01", "机构CHC02"])
    expect(listed).not_to_contain_text("别人的检查")  # of another person, under the same number
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("crossOriginIsolated")

    place = page.locator("[data-cy=viewport-overlay-bottom-right]").first
    expect(place).to_contain_text(f"(1/{SLICES})")
    before = desk.picture()
    assert len(set(before)) > 10
    page.locator("canvas.cornerstone-canvas").first.hover()
    for _ in range(6):
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(60)
    expect(place).to_contain_text(f"(7/{SLICES})")
    page.wait_for_timeout(200)
    assert desk.picture() != before

    page.locator(".hub-back").click()
    expect(page).to_have_url(f"{served.address}/patients/{served.person}")


def test_the_list_is_narrowed_while_one_types_and_opens_the_images_with_one_click(desk: Desk) -> None:
    page, served = desk.page, desk.served
    desk.sign_in("radiologist")
    expect(page).to_have_url(f"{served.address}/imaging")
    lines = page.locator(".imaging-list tbody tr")
    expect(lines).to_have_count(3)  # of both institutions
    page.locator("[name=q]").press_sequentially("zs")
    expect(lines).to_have_count(2)
    page.select_option("[name=modality]", "CT")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("胸部CT平扫")
    expect(lines).to_contain_text(f"{SLICES}")
    expect(page).to_have_url(f"{served.address}/imaging?q=zs&state=waiting&modality=CT&organization=&days=")
    lines.get_by_role("link", name="打开影像").click()
    desk.drawn()
    expect(page.locator("[data-cy=studyBrowser-panel]")).to_contain_text("胸部正位片")


def test_on_the_timeline_what_has_images_stands_in_the_columns_of_what_has_none(desk: Desk) -> None:
    desk.sign_in("radiologist")
    desk.page.goto(f"{desk.served.address}/patients/{desk.served.person}")
    for part in (".line-where", ".line-marks"):
        boxes = [each.bounding_box() for each in desk.page.locator(f".lines li {part}").all()]
        assert len({box["x"] for box in boxes if box}) == 1, part
    button = desk.page.locator(".line-open").first.bounding_box()
    assert button
    assert button["x"] >= max(box["x"] + box["width"] for box in boxes if box)


def test_what_is_measured_is_stored_with_the_study_and_opens_again(desk: Desk) -> None:
    page, served = desk.page, desk.served
    desk.sign_in("radiologist")
    desk.open()
    length = _measure(page)
    page.locator("[data-cy=trackedMeasurements-btn]").click()
    page.get_by_role("button", name="保存测量").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("右上肺结节")
    with page.expect_response(lambda answer: answer.request.method == "POST") as stored:
        page.get_by_role("dialog").get_by_role("button", name="保存", exact=True).click()
    assert stored.value.status == 200
    assert urlsplit(stored.value.url).path.startswith("/dicomweb/studies")

    asked = disclosure_for(PEOPLE["clinician"])
    series = served.hub.verbs.query.series(asked, served.studies["ct"])
    (kept,) = [each for each in series if each.series.modality == "SR"]
    assert kept.series.description == "右上肺结节"
    (content,) = served.hub.verbs.retrieve.instances(asked, served.studies["ct"], kept.series.series_instance_uid)
    folder = Path(str(served.hub.settings.data)) / "kept.dcm"
    folder.write_bytes(b"".join(content.chunks))
    assert "mm" in json.dumps(dcmread(folder).to_json_dict())
    (study,) = served.hub.verbs.query.studies(asked, StudyCriteria(study_instance_uids=(served.studies["ct"],))).items
    assert study.patient_id == served.person

    desk.open()
    line = page.locator("[data-cy=studyBrowser-panel]").get_by_text("右上肺结节")
    line.dblclick()
    page.get_by_role("button", name="是", exact=True).click()
    expect(page.locator("svg.svg-layer text").filter(has_text=length).first).to_be_visible()
    # The list stays closed until somebody asks for it.
    page.locator("[data-cy=trackedMeasurements-btn]").click()
    listed = page.locator("[data-cy=trackedMeasurements-panel]").filter(has_text=length)
    expect(listed.first).to_be_visible()


def _measure(page: Page) -> str:
    """Draws a line over the middle of the picture; the length that the viewer writes beside it."""
    tool = page.locator("[data-cy=MeasurementTools-split-button-primary]")
    tool.click()
    expect(
        tool.locator("[data-active=true]").or_(page.locator("[data-cy=Length][data-active=true]")).first
    ).to_be_visible()
    box = page.locator("canvas.cornerstone-canvas").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 100, y - 60)
    page.mouse.down()
    page.mouse.move(x + 80, y + 40, steps=8)
    page.mouse.up()
    written = page.locator("svg.svg-layer text").filter(has_text="mm").first
    expect(written).to_be_visible()
    # The length follows the pointer a moment late.
    length = ""
    while length != (length := (written.text_content() or "").strip()):
        page.wait_for_timeout(500)
    return length


@pytest.mark.parametrize("report", ["短报告单", "长报告单"])
def test_the_pdf_report_of_a_study_is_shown_beside_its_images(desk: Desk, report: str) -> None:
    page, served = desk.page, desk.served
    desk.sign_in("radiologist")
    desk.open("prior")
    # The browser's own reader takes it in a frame: the policies of both pages let it.
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-extension:")):
        page.locator("[data-cy=studyBrowser-panel]").get_by_text(report).dblclick()
    shown = page.locator("object[type='application/pdf']")
    expect(shown).to_be_visible()
    address = shown.get_attribute("data") or ""
    if report == "长报告单":
        assert address.endswith("/rendered")
        answer = desk.context.request.get(served.address + address)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.body().startswith(b"%PDF-")
    else:
        assert address.startswith("blob:")


def test_long_text_of_a_structured_report_ends_at_the_edge(desk: Desk) -> None:
    desk.sign_in("radiologist")
    desk.open("prior")
    # As the viewer writes it, under its own styles and ours.
    over = desk.page.evaluate("""() => {
      const text = document.createElement("pre");
      text.append("胸廓对称。".repeat(100));
      document.querySelector("[data-cy=viewport-pane]").append(text);
      return text.scrollWidth - text.clientWidth;
    }""")
    assert over == 0


def test_whoever_stayed_too_long_signs_in_and_is_back_at_the_study(desk: Desk) -> None:
    page, served = desk.page, desk.served
    desk.sign_in("radiologist")
    desk.open("prior")
    desk.context.clear_cookies()
    page.locator("[data-cy=studyBrowser-panel]").get_by_text("胸部CT平扫").click()
    page.wait_for_url("**/sign-in?next=**")
    desk.wrong.clear()  # The browser and the viewer say of each refusal that there was one.
    page.fill("[name=account]", "radiologist")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(served.viewer("prior"))
    desk.drawn()


def test_opening_is_in_the_audit_trail_once_with_its_purpose(desk: Desk) -> None:
    desk.sign_in("reader")
    desk.open("prior")
    trail = desk.served.hub.verbs.query.audit(disclosure_for(PEOPLE["auditor"]), account="reader")
    opened = [each for each in trail.items if each.detail == "opened in the viewer"]
    assert [(each.action, each.purpose, each.patient_id) for each in opened] == [
        (Action.READ, "TREAT", desk.served.person)
    ]
    expect(desk.page.get_by_text("Back to the timeline")).to_be_visible()
