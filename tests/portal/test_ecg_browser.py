"""The ECG viewer in a real browser: millimetres counted in pixels, calipers by keys, the earlier ECG, no scripts."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from hub.tracing import filters
from schemas.ecg import EcgRecording
from tests.tracing.test_svg import pulses

from . import fakes
from .conftest import Portal
from .pictures import picture
from .test_browser import LANGUAGES, SIZES, Watched, chromium, watched  # noqa: F401 - fixtures
from .test_ecg import earlier

pytestmark = pytest.mark.timeout(180)

PX_MM = 5
_CALIBRATED = f"localStorage.setItem(`dxhub.ecg.mm ${{screen.width}}x${{screen.height}}`, '{PX_MM}')"
PHONE = pytest.mark.parametrize("watched", ["en-phone"], indirect=True)


def opened(watched: Watched) -> Page:  # noqa: F811 - the fixture's value
    page = watched.sign_in("clinician")
    page.goto(f"{watched.portal.address}/reports/5")
    expect(page.locator("[data-drawn]")).to_be_visible()
    return page


def until(page: Page, holds: str) -> None:
    """Waits for what the canvas drew. The policy forbids a page the `eval` of Playwright's own way of waiting."""
    for _ in range(100):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never held: {holds}")


def drawn(watched: Watched, recording: EcgRecording) -> None:  # noqa: F811
    watched.portal.verbs.retrieve.recording = lambda *_: recording  # type: ignore[method-assign]


def dark(png: bytes) -> npt.NDArray[np.bool_]:
    """Where ink is: everything of the grid is far brighter."""
    ink: npt.NDArray[np.bool_] = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).max(axis=2) < 90
    return ink


def uprights(ink: npt.NDArray[np.bool_], least: float) -> list[float]:
    """Columns of upright lines of at least this height, each line's middle."""
    columns = np.flatnonzero(ink.sum(axis=0) >= least)
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 3) + 1)
    return [float(group.mean()) for group in groups if group.size]


def levels(ink: npt.NDArray[np.bool_], least: float) -> list[float]:
    """The same of lines that lie."""
    return uprights(ink.T, least)


def check_millimetres(ink: npt.NDArray[np.bool_], px_mm: float) -> None:
    """A row of `pulses` at 25 mm/s and 10 mm/mV: the calibration mark, then 1 mV for a second, nothing for three."""
    found = uprights(ink, 8 * px_mm)
    # Sides of the mark, then the pulses' edges at 1, 4, 5, 8 and 9 s; the first begins with the strip.
    wanted = [2.5, 7.5, *(10 + 25 * second for second in (1, 4, 5, 8, 9))]
    assert len(found) == len(wanted)
    for (one, other), (begin, end) in zip(pairwise(found), pairwise(wanted), strict=True):
        assert other - one == pytest.approx((end - begin) * px_mm, abs=1.01)
    top, base = (found for found in levels(ink[:, round(12 * px_mm) :], 20 * px_mm))
    assert base - top == pytest.approx(10 * px_mm, abs=1.01)
    mark = levels(ink[:, : round(9.5 * px_mm)], 4.5 * px_mm)
    assert mark[-1] - mark[0] == pytest.approx(10 * px_mm, abs=1.01) or mark == [pytest.approx(top, abs=1.01)]


def test_a_millivolt_is_ten_millimetres_and_a_second_twenty_five_on_the_calibrated_canvas(watched: Watched) -> None:  # noqa: F811
    drawn(watched, pulses(500))
    watched.page.add_init_script(_CALIBRATED)
    page = opened(watched)
    baseline = page.evaluate("dxecg.state.view.sheet.baselines.at(-1)")
    canvas = page.locator("[data-canvas]")
    box = canvas.bounding_box()
    assert box
    # As the person sees it: what the screen shows, not what the canvas believes.
    shown = dark(picture(page, full_page=True))
    scrolled = page.evaluate("[scrollX, scrollY]")
    left, top = round(box["x"] + scrolled[0]), round(box["y"] + scrolled[1])
    rows = slice(top + round((baseline - 16) * PX_MM), top + round((baseline + 6) * PX_MM))
    visible = page.evaluate("document.querySelector('[data-stage]').clientWidth")
    ink = shown[rows, left : left + visible]
    if visible < 260 * PX_MM:  # the sheet is wider than the window: look at it in two halves
        page.evaluate("document.querySelector('[data-stage]').scrollLeft = 1e6")
        page.wait_for_timeout(200)
        moved = page.evaluate("document.querySelector('[data-stage]').scrollLeft")
        other = dark(picture(page, full_page=True))[rows, left : left + visible]
        ink = np.concatenate([ink, other[:, visible - round(moved) :]], axis=1)
    check_millimetres(ink, PX_MM)


def test_the_same_in_the_picture_that_a_printer_gets(watched: Watched, chromium: Browser) -> None:  # noqa: F811
    drawn(watched, pulses(500))
    page = watched.sign_in("clinician")
    context = chromium.new_context(
        storage_state=page.context.storage_state(), device_scale_factor=2, viewport={"width": 1100, "height": 700}
    )
    sharp = context.new_page()
    sharp.goto(f"{watched.portal.address}/reports/5/ecg/paper.svg")
    px_mm = 96 / 25.4 * 2
    baseline = 20 + 3 * 35
    ink = dark(picture(sharp))
    context.close()
    rows = slice(round((5 + baseline - 16) * px_mm), round((5 + baseline + 6) * px_mm))
    check_millimetres(ink[rows, round(5 * px_mm) :], px_mm)


def test_intervals_are_measured_with_keys_alone(watched: Watched) -> None:  # noqa: F811
    page = opened(watched)
    stage, live = page.locator("[data-stage]"), page.locator("[data-live]")
    rr, bazett = page.locator("[data-result=rr]"), page.locator("[data-result=Bazett]")
    stage.focus()
    page.keyboard.press("r")
    # Twelve beats in ten seconds.
    expect(rr).to_have_text(re.compile(r"^≈ 83[0-6] ms · 72/min$"))
    first = int(rr.inner_text().split()[1])
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    expect(rr).to_have_text(re.compile(rf"^{first + 20} ms"))
    expect(live).to_contain_text(f"RR {first + 20} ms")
    page.keyboard.press("ArrowLeft")
    expect(rr).to_contain_text(f"{first + 18} ms")
    page.keyboard.press("t")
    expect(bazett).to_have_text(re.compile(r"^≈ \d{3} ms$"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(bazett).to_have_text(re.compile(r"^\d{3} ms$"))
    qt = int(page.locator("[data-result=qt]").inner_text().split()[0])
    assert int(bazett.inner_text().split()[0]) == pytest.approx(qt / ((first + 18) / 1000) ** 0.5, abs=1)
    expect(page.locator("[data-qtc-warning]")).to_be_hidden()
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    for _ in range(13):
        page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("[data-qtc-warning]")).to_contain_text("Fridericia")
    page.keyboard.press("m")
    expect(page.locator("[data-measure=march]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    expect(page.locator("[data-result=amp]")).to_have_text(re.compile(r"^≈ 1\.\d\d mV$"))
    page.keyboard.press("Escape")
    expect(page.locator("[data-measure=amp]")).to_have_attribute("aria-pressed", "false")


def test_intervals_are_measured_with_the_mouse(watched: Watched) -> None:  # noqa: F811
    page = opened(watched)
    canvas = page.locator("[data-canvas]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    mm, y = 96 / 25.4, box["y"] + 125 * 96 / 25.4
    page.mouse.move(box["x"] + 60 * mm, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 70 * mm, y, steps=4)
    page.mouse.move(box["x"] + 85 * mm, y, steps=4)
    page.mouse.up()
    expect(page.locator("[data-result=rr]")).to_have_text(re.compile(r"^(99\d|100\d) ms · 60/min$"))


def test_qtc_by_four_formulas(watched: Watched) -> None:  # noqa: F811
    page = opened(watched)
    found = page.evaluate("dxecg.corrected(400, 800)")
    assert found["warning"] == ""
    # 400 / sqrt(0.8); 400 / cbrt(0.8); 400 + 154 * 0.2; 400 + 1.75 * 15
    assert [round(found[name], 1) for name in ("Bazett", "Fridericia", "Framingham", "Hodges")] == [
        447.2,
        430.9,
        430.8,
        426.2,
    ]
    assert page.evaluate("[dxecg.corrected(400, 1001).warning, dxecg.corrected(400, 599).warning]") == [
        "bazett_low",
        "bazett_high",
    ]


def test_filters_of_screen_and_paper_agree_and_leave_the_recording_alone(watched: Watched) -> None:  # noqa: F811
    chance = np.random.default_rng(5)
    recording = fakes.recording()
    hum = 80 * np.sin(2 * np.pi * 50 * np.arange(5000) / 500) + chance.normal(0, 15, 5000)
    recording = replace(recording, samples_uv=recording.samples_uv + np.rint(hum).astype(np.int32))
    drawn(watched, recording)
    page = opened(watched)
    before = page.evaluate("Array.from(dxecg.state.recordings.now.uv.II)")
    page.get_by_role("button", name="0.5–40").click()
    page.locator("[data-mains]").click()
    shown = np.array(page.evaluate("Array.from(dxecg.state.recordings.now.shown.II)"))
    chain = filters.sections("0.5-40", True, 500)
    wanted = filters.filtered(recording.samples_uv, 500, chain)[1]
    assert np.abs(shown - wanted).max() < 12
    assert page.evaluate("Array.from(dxecg.state.recordings.now.uv.II)") == before == recording.samples_uv[1].tolist()
    assert "0.5–40 Hz 50 Hz 陷波 (不宜判读 ST 段)" in page.evaluate("dxecg.state.view.foot")
    assert "&mains=1" in (page.locator("[data-paper=paper]").get_attribute("href") or "")


@PHONE
def test_layouts_zoom_beats_and_the_earlier_ecg_on_a_phone(watched: Watched) -> None:  # noqa: F811
    earlier(watched.portal, 52, 30)
    page = opened(watched)
    watched.fits()
    page.get_by_role("button", name="12×1").click()
    expect(page.get_by_role("button", name="12×1")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="50", exact=True).click()
    page.locator("[data-zoom='1']").click()
    until(page, "dxecg.state.view.foot.includes('not to scale: 150 %')")
    page.locator("[data-set='mode=beats']").click()
    until(page, "dxecg.state.view.beats.length === 12")
    page.locator("[data-set='mode=compare']").click()
    expect(page.locator(".ecg-difference-table")).to_be_visible()
    until(page, "dxecg.state.view.sheet.layout === 'compare'")
    watched.fits()
    # What somebody prefers is there the next time.
    page.reload()
    expect(page.get_by_role("button", name="12×1")).to_have_attribute("aria-current", "true")


def test_the_screen_is_calibrated_once(watched: Watched) -> None:  # noqa: F811
    page = opened(watched)
    page.locator("[data-act=calibrate]").click()
    slider = page.locator("[data-slider]")
    slider.focus()
    before = float(slider.input_value())
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    bar = page.locator("[data-bar]").bounding_box()
    assert bar
    assert bar["width"] == pytest.approx(85.6 * (before + 0.5), abs=0.6)
    page.locator("[data-save]").click()
    page.reload()
    expect(page.locator("[data-drawn]")).to_be_visible()
    assert page.evaluate("dxecg.state.view.mm") == pytest.approx(before + 0.5, abs=0.01)
    assert "屏幕已校准" in page.evaluate("dxecg.state.view.foot")


def test_samples_that_do_not_come_are_missed(watched: Watched) -> None:  # noqa: F811
    page = watched.sign_in("clinician")
    page.route("**/ecg/data?*", lambda route: route.fulfill(status=503, body=b""))
    page.goto(f"{watched.portal.address}/reports/5")
    expect(page.locator("[data-failure]")).to_be_visible()
    watched.wrong.clear()  # the browser itself reports the answer


@pytest.fixture
def scriptless(chromium: Browser, portal: Portal) -> Iterator[Page]:  # noqa: F811
    """A browser that runs nothing."""
    context = chromium.new_context(java_script_enabled=False, locale=LANGUAGES["zh"], viewport=SIZES["desk"])
    page = context.new_page()
    page.goto(portal.address)
    page.locator("[name=account]").fill("ecg-reader")
    page.locator("[name=password]").fill(fakes.PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    yield page
    context.close()


def test_without_scripts_the_paper_is_there_and_prints_on_its_sheets(scriptless: Page, portal: Portal) -> None:
    earlier(portal, 52, 30)
    scriptless.goto(f"{portal.address}/reports/5")
    picture = scriptless.locator(".ecg-sheet > img")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box
    assert box["width"] == pytest.approx(270 * 96 / 25.4, abs=1)
    scriptless.locator(".ecg-plain a").first.click()
    scriptless.get_by_role("link", name="12×1").click()
    expect(scriptless.locator(".ecg-page")).to_have_count(2)
    scriptless.emulate_media(media="print")
    sheets = re.findall(rb"/MediaBox ?\[([^\]]*)\]", scriptless.pdf(prefer_css_page_size=True))
    assert [tuple(round(float(side)) for side in sheet.split()[2:]) for sheet in sheets] == [(842, 595)] * 2
    scriptless.emulate_media(media="screen")
    scriptless.goto(f"{portal.address}/reports/5/ecg/prior")
    expect(scriptless.locator(".ecg-sheet > svg")).to_be_visible()
