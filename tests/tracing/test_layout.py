"""Sheets: no trace runs into its neighbour, pieces fit their paper, filters do what their names say."""

import re
from itertools import pairwise

import numpy as np
import pytest

from hub.demo.ecg_signal import Pattern, generate
from hub.portal.render import FONT
from hub.tracing import filters, layout, pdf, svg
from schemas.ecg import LEADS, NO_SAMPLE_UV, EcgRecording
from tests.tracing.test_svg import pulses

TALL = generate(Pattern(left_bundle_branch_block=True), seed=3).recording


@pytest.mark.parametrize("gain", layout.GAINS_MM_MV)
@pytest.mark.parametrize("name", layout.LAYOUTS)
def test_no_trace_runs_into_the_row_above_or_below(name: str, gain: float) -> None:
    reaches = layout.reach(TALL)
    sheet = layout.sheet(name, gain, reaches)
    edges = []
    for number, baseline in enumerate(sheet.baselines_mm):
        assert baseline % 5 == 0
        leads = [s.lead for s in sheet.strips if s.row == number]
        edges += [baseline - max(reaches[lead][0] for lead in leads) * gain]
        edges += [baseline + max(reaches[lead][1] for lead in leads) * gain]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= sheet.height_mm
    # A name is nearer to its own row than to any other, and no calibration mark reaches into another one.
    for number, label in enumerate(sheet.labels_mm):
        nearest = min(range(len(edges) // 2), key=lambda row: abs(sheet.baselines_mm[row] - label))
        assert nearest == number
    for above, own in pairwise(sheet.baselines_mm):
        assert own - above > gain


@pytest.mark.parametrize("speed", layout.SPEEDS_MM_S)
@pytest.mark.parametrize("gain", layout.GAINS_MM_MV)
@pytest.mark.parametrize("name", layout.LAYOUTS)
def test_pieces_fit_their_paper_and_lose_nothing(name: str, gain: float, speed: float) -> None:
    whole = layout.sheet(name, gain, layout.reach(TALL))
    parts = layout.pages(whole, speed, 277, 160)
    for part in parts:
        assert part.width_mm(speed) <= 277
        assert part.height_mm <= 160
        assert all(0 <= y <= part.height_mm for y in (*part.baselines_mm, *part.labels_mm))
        assert all(y % 5 == 0 for y in part.baselines_mm)
    for lead in LEADS:
        shown = sum(s.seconds for part in parts for s in part.strips if s.lead == lead)
        assert shown == pytest.approx(sum(s.seconds for s in whole.strips if s.lead == lead))


def test_two_recordings_stand_side_by_side_lead_by_lead() -> None:
    sheet = layout.compared(TALL, generate(Pattern(), seed=1).recording)
    for lead in LEADS:
        prior, now = [s for s in sheet.strips if s.lead == lead]
        assert (prior.source, now.source) == (layout.PRIOR, layout.NOW)
        assert prior.row == now.row
        assert now.at_s == prior.at_s + prior.seconds


@pytest.mark.parametrize(
    ("band", "mains", "hertz", "kept"),
    [
        ("0.5-40", False, 10, 1.0),
        ("0.5-40", False, 40, 0.707),
        ("0.5-40", False, 120, 0.02),
        ("0.05-150", False, 40, 1.0),
        ("0.05-150", False, 150, 0.707),
        ("", True, 50, 0.0),
        ("", True, 30, 1.0),
    ],
)
def test_a_filter_keeps_what_its_name_says(band: str, mains: bool, hertz: float, kept: float) -> None:
    time = np.arange(10_000) / 1000
    wave = np.rint(1000 * np.sin(2 * np.pi * hertz * time)).astype(np.int32)[None, :]
    out = filters.filtered(wave, 1000, filters.sections(band, mains, 1000))
    middle = slice(3000, 7000)
    assert np.abs(out[0, middle]).max() / 1000 == pytest.approx(kept, abs=0.03)
    assert np.array_equal(wave[0, :5], np.rint(1000 * np.sin(2 * np.pi * hertz * time[:5])))


def test_a_filter_leaves_a_gap_a_gap_and_a_level_a_level() -> None:
    samples = np.full((1, 2000), 700, np.int32)
    samples[0, 900:1000] = NO_SAMPLE_UV
    out = filters.filtered(samples, 500, filters.sections("", True, 500))
    assert (out[0, 900:1000] == NO_SAMPLE_UV).all()
    assert np.abs(np.delete(out[0], np.s_[900:1000]) - 700).max() <= 1


def test_a_filter_that_the_rate_cannot_hold_is_left_out() -> None:
    assert filters.sections("", True, 100) == ()
    assert len(filters.sections("0.05-150", False, 250)) == 1


def test_pdf_is_in_true_millimetres_on_a4() -> None:
    recording = pulses(500)
    sheet = layout.sheet("12x1", 10, layout.reach(recording))
    drawing = svg.Drawing({layout.NOW: recording}, sheet, 25)
    made = pdf.render(drawing, pdf.Words(("王芳",), "未滤波", "未经确认"), FONT)
    assert made == pdf.render(drawing, pdf.Words(("王芳",), "未滤波", "未经确认"), FONT)
    sizes = {tuple(round(float(n)) for n in found.split()) for found in re.findall(rb"/MediaBox \[([^\]]*)\]", made)}
    assert sizes == {(0, 0, 842, 595)}


def test_recording_without_leads_has_sheets_too() -> None:
    empty = EcgRecording((), 500.0, np.zeros((0, 0), np.int32))
    assert len(layout.sheets(empty)) == 9
