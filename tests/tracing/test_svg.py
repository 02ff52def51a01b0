"""The tracing on paper: true to scale, complete, safe to put into a page."""

import datetime as dt
import gzip
import re
from itertools import pairwise
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring

from hub.demo.ecg_signal import Pattern, generate
from hub.tracing.svg import draw, thumbnail
from hub.tracing.trace import UNIT_MM, trace
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording

ECG = generate(Pattern(), seed=1).recording
SVG = "{http://www.w3.org/2000/svg}"


def points(path: str) -> list[list[tuple[float, float]]]:
    """Strokes of a path of M and l, in mm."""
    strokes = []
    for stroke in path.split("M")[1:]:
        numbers = [int(number) for number in re.findall(r"-?\d+", stroke)]
        x = y = 0
        line = []
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            line.append((x * UNIT_MM, y * UNIT_MM))
        strokes.append(line)
    return strokes


def traces(svg: str) -> list[Element]:
    return [path for path in fromstring(svg).iter(f"{SVG}path") if "scale" in path.get("transform", "")]


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in fromstring(svg).iter(f"{SVG}text")]


def pulses(rate_hz: float, leads: tuple[str, ...] = LEADS) -> EcgRecording:
    """A square wave: one millivolt for one second, then nothing for three."""
    row = np.tile(np.repeat(np.array([1000, 0, 0, 0], np.int32), round(rate_hz)), 3)[: round(10 * rate_hz)]
    return EcgRecording(leads, rate_hz, np.tile(row, (len(leads), 1)))


@pytest.mark.parametrize("rate_hz", [100, 250, 500, 1000, 2000])
@pytest.mark.parametrize(("speed", "gain"), [(12.5, 5), (25, 10), (50, 20)])
def test_a_millivolt_and_a_second_measure_what_the_paper_says(rate_hz: float, speed: float, gain: float) -> None:
    path = draw(pulses(rate_hz), layout="12x1", speed_mm_s=speed, gain_mm_mv=gain)
    (stroke,) = points(traces(path)[0].get("d", ""))
    heights = [y for _, y in stroke]
    assert max(heights) - min(heights) == pytest.approx(gain, abs=UNIT_MM)
    edges = [x for (x, y), (_, after) in pairwise(stroke) if abs(y - after) > gain / 2]
    assert edges[1] - edges[0] == pytest.approx(3 * speed, abs=0.15)
    assert edges[2] - edges[1] == pytest.approx(1 * speed, abs=0.15)


def test_the_picture_itself_is_measured_in_millimetres() -> None:
    root = fromstring(draw(ECG, layout="6x2"))
    _, _, width, height = (root.get("viewBox") or "").split()
    assert (root.get("width"), root.get("height")) == (f"{width}mm", f"{height}mm")
    inner = next(svg for svg in root.iter(f"{SVG}svg") if svg is not root)
    assert inner.get("viewBox") == f"0 0 {inner.get('width')} {inner.get('height')}"
    # Ten seconds and the calibration mark.
    assert inner.get("width") == "260"


def test_grid_has_a_line_every_millimetre_and_a_heavy_one_every_five() -> None:
    minor, major = [p.get("d", "") for p in fromstring(draw(ECG)).iter(f"{SVG}path")][:2]
    assert re.findall(r"M(\d+) 0v", minor) == [str(x) for x in range(261)]
    assert re.findall(r"M(\d+) 0v", major) == [str(x) for x in range(0, 261, 5)]
    assert re.findall(r"M0 (\d+)h", minor) == [str(y) for y in range(141)]


def test_baselines_lie_on_heavy_lines() -> None:
    for layout in ("3x4+1", "6x2", "12x1"):
        for path in traces(draw(ECG, layout=layout)):
            y = float(re.findall(r"translate\(\S+ ([0-9.]+)\)", path.get("transform", ""))[0])
            assert y % 5 == 0


def test_calibration_mark_is_one_millivolt_for_every_row() -> None:
    marks = [p.get("d", "") for p in fromstring(draw(ECG, gain_mm_mv=20)).iter(f"{SVG}path")]
    assert sum("v-20h5v20" in mark for mark in marks) == 4


@pytest.mark.parametrize(("layout", "count"), [("3x4+1", 13), ("6x2", 12), ("12x1", 12)])
def test_every_lead_is_drawn_and_named(layout: str, count: int) -> None:
    svg = draw(ECG, layout=layout)
    assert len(traces(svg)) == count
    assert set(LEADS) <= set(texts(svg))


def test_leads_follow_each_other_in_time_as_on_paper() -> None:
    rising = np.tile(np.arange(5000, dtype=np.int32), (12, 1))
    svg = draw(EcgRecording(LEADS, 500.0, rising))
    starts = [re.findall(r"translate\((\S+) ", path.get("transform", ""))[0] for path in traces(svg)]
    assert starts[:4] == ["10", "72.5", "135", "197.5"]


def test_lead_that_was_not_recorded_keeps_its_place_and_says_so() -> None:
    svg = draw(EcgRecording(("II",), 500.0, ECG.samples_uv[1:2]))
    assert len(traces(svg)) == 2  # its own place and the rhythm
    assert {"II", "I —", "V6 —"} <= set(texts(svg))
    assert "stroke-dasharray" in svg


def test_nothing_is_drawn_where_nothing_was_recorded() -> None:
    samples = np.zeros(100, np.int32)
    samples[40:60] = NO_SAMPLE_UV
    first, second = points(trace(samples, 0.05, 0.01))
    assert first[0][0] == 0
    assert second[0][0] == pytest.approx(60 * 0.05)


def test_no_peak_is_lost_where_samples_are_finer_than_the_paper() -> None:
    samples = np.zeros(80_000, np.int32)
    samples[31_234], samples[50_001] = 2000, -1500
    (stroke,) = points(trace(samples, 25 / 8000, 0.01))
    assert len(stroke) < 10_000
    assert min(y for _, y in stroke) == pytest.approx(-20, abs=UNIT_MM)
    assert max(y for _, y in stroke) == pytest.approx(15, abs=UNIT_MM)


def test_speed_gain_filter_and_rate_are_printed() -> None:
    svg = draw(ECG, speed_mm_s=50, gain_mm_mv=5, note="无滤波")
    assert "50 mm/s\u20035 mm/mV\u2003无滤波\u2003500 Hz" in texts(svg)


def test_words_from_outside_cannot_become_markup() -> None:
    evil = '</text><script>alert(1)</script>" onload="x\x00\x1b'
    svg = draw(ECG, lines=[evil], note=evil, label=evil)
    tags = {element.tag for element in fromstring(svg).iter()}
    assert tags == {f"{SVG}{tag}" for tag in ("svg", "title", "rect", "text", "path")}
    assert evil.replace("\x00", " ").replace("\x1b", " ") in texts(svg)


def test_strict_content_policy_has_nothing_to_forbid() -> None:
    for svg in (draw(ECG), thumbnail(ECG)):
        for element in fromstring(svg).iter():
            assert not {"style", "class", "id", "href"} & set(element.attrib)
            assert not [name for name in element.attrib if name.startswith("on")]


def test_screen_reader_hears_what_the_picture_is() -> None:
    root = fromstring(draw(ECG, label="王芳的心电图"))
    assert (root.get("role"), root.get("aria-label")) == ("img", "王芳的心电图")
    assert root[0].text == "王芳的心电图"
    assert "12 leads" in (fromstring(draw(ECG)).get("aria-label") or "")


def test_long_line_is_cut_where_the_paper_ends() -> None:
    (line, *_) = texts(draw(ECG, lines=["窦" * 300]))
    assert line.endswith("…")
    assert len(line) < 60


def test_picture_travels_in_less_than_fifty_kilobytes() -> None:
    for layout in ("3x4+1", "6x2", "12x1"):
        assert len(gzip.compress(draw(ECG, layout=layout).encode())) < 50_000
    assert len(thumbnail(ECG).encode()) < 12_000


@pytest.mark.parametrize("wrong", [{"layout": "4x3"}, {"speed_mm_s": 24}, {"gain_mm_mv": 0}])
def test_paper_that_does_not_exist_is_not_drawn(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        draw(ECG, **wrong)  # type: ignore[arg-type]


def test_recording_of_a_moment_or_of_nothing_can_be_drawn() -> None:
    empty = EcgRecording((), 500.0, np.zeros((0, 0), np.int32), dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    moment = EcgRecording(("V9",), 500.0, np.zeros((1, 1), np.int32))
    for recording in (empty, moment):
        assert fromstring(draw(recording)).tag == fromstring(thumbnail(recording)).tag == f"{SVG}svg"
