"""ECGs of the demo: what a reader of ECGs would notice first if they were wrong."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from hub.demo import ecg_files
from hub.demo.ecg_signal import Pattern, Rhythm, Signal, generate
from tests.adapters.ecg.examples import examination

PATTERNS = {
    "sinus": Pattern(),
    "fibrillation": Pattern(rate=96, rhythm=Rhythm.ATRIAL_FIBRILLATION),
    "ectopic": Pattern(rhythm=Rhythm.PVC),
    "block": Pattern(left_bundle_branch_block=True),
    "infarction": Pattern(rate=88, st_elevation_mv=0.35),
}


def lead(signal: Signal, name: str) -> npt.NDArray[np.float64]:
    recording = signal.recording
    row: npt.NDArray[np.float64] = recording.samples_uv[recording.leads.index(name)].astype(np.float64)
    return row


def r_peaks(signal: Signal) -> npt.NDArray[np.int64]:
    """Sample numbers of the beats: steep places at least 250 ms apart."""
    steep = np.abs(np.gradient(lead(signal, "V2"))) + np.abs(np.gradient(lead(signal, "II")))
    found: list[int] = []
    for at in np.flatnonzero(steep > 0.45 * steep.max()).tolist():
        if not found or at - found[-1] > 125:
            found.append(at)
    return np.array(found)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_limb_leads_obey_einthoven_and_goldberger(pattern: Pattern) -> None:
    signal = generate(pattern, seed=11)
    one, two = lead(signal, "I"), lead(signal, "II")
    assert np.array_equal(lead(signal, "III"), two - one)
    assert np.abs(lead(signal, "aVR") + (one + two) / 2).max() <= 1
    assert np.abs(lead(signal, "aVL") - (one - two / 2)).max() <= 1
    assert np.abs(lead(signal, "aVF") - (two - one / 2)).max() <= 1


def test_same_seed_gives_the_same_recording_and_another_gives_another() -> None:
    first, again, other = (generate(Pattern(), seed).recording.samples_uv for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("rate", [50, 72, 110])
def test_beats_come_at_the_rate_that_is_printed(rate: int) -> None:
    signal = generate(Pattern(rate=rate), seed=2)
    seen = 60 * 500 / np.diff(r_peaks(signal)).mean()
    assert seen == pytest.approx(signal.measurements.heart_rate, abs=3)
    assert signal.measurements.heart_rate == pytest.approx(rate, abs=4)


def test_fibrillation_is_irregular_and_sinus_rhythm_is_not() -> None:
    def spread(pattern: Pattern) -> float:
        intervals = np.diff(r_peaks(generate(pattern, seed=4)))
        return float(intervals.std() / intervals.mean())

    assert spread(PATTERNS["fibrillation"]) > 0.12 > 0.06 > spread(PATTERNS["sinus"])
    assert generate(PATTERNS["fibrillation"], seed=4).measurements.pr_ms is None


def test_anterior_infarction_raises_the_chest_leads_and_not_the_feet() -> None:
    calm, ill = (generate(Pattern(rate=70, st_elevation_mv=mv), seed=9) for mv in (0.0, 0.4))
    at = r_peaks(calm)[2:8] + 60  # 120 ms behind the steepest place of QRS
    raised = {name: float((lead(ill, name)[at] - lead(calm, name)[at]).mean()) for name in ("V2", "V3", "III", "aVF")}
    assert min(raised["V2"], raised["V3"]) > 200
    assert max(raised["III"], raised["aVF"]) < 50


def test_block_widens_qrs() -> None:
    assert generate(PATTERNS["block"], 1).measurements.qrs_ms > 120 > generate(Pattern(), 1).measurements.qrs_ms


def test_axis_and_corrected_interval_follow_from_what_is_seen() -> None:
    for pattern in PATTERNS.values():
        measured = generate(pattern, seed=1).measurements
        assert measured.qtc_ms == pytest.approx(measured.qt_ms * np.sqrt(measured.heart_rate / 60), rel=0.02)
        assert -90 < measured.axis_deg < 110


def test_statements_say_what_the_pattern_shows() -> None:
    def said(pattern: Pattern) -> tuple[str, ...]:
        return ecg_files.statements(pattern, generate(pattern, seed=1).measurements)

    assert said(Pattern()) == ("窦性心律", "正常心电图")
    assert said(Pattern(rate=48))[0] == "窦性心动过缓"
    assert "室性早搏" in said(PATTERNS["ectopic"])
    assert said(PATTERNS["fibrillation"])[0].startswith("心房颤动")
    assert any("前壁" in text for text in said(PATTERNS["infarction"]))


def test_same_examination_gives_the_same_bytes_so_a_second_delivery_earns_the_same_receipt() -> None:
    made = examination()
    for write in (ecg_files.part10, ecg_files.xml, ecg_files.record, ecg_files.pdf):
        assert write(made) == write(dataclasses.replace(made))


def test_pdf_has_its_objects_where_its_table_says() -> None:
    document = ecg_files.pdf(examination())
    begin = int(document.rsplit(b"startxref\n", 1)[1].split()[0])
    assert document[begin:].startswith(b"xref\n0 9\n")
    for number, line in enumerate(document[begin:].split(b"\n")[3:11], start=1):
        assert document[int(line.split()[0]) :].startswith(b"%d 0 obj" % number)
