"""EDF and EDF+ files, written here from the specification, and read by another library too."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from ecgdatakit.parsing.parsers.edf import EDFParser

from adapters.ecg import edf
from adapters.registry import sniff
from schemas.delivery import Format
from schemas.ecg import LEADS
from schemas.faults import Category, Fault
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, examination, origin, read

RATE = 500
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
PERSON = "000123 M 03-MAY-1960 王弢"


def file(
    labels: tuple[str, ...] = EIGHT,
    *,
    person: bytes = PERSON.encode(),
    kind: bytes = b"EDF+C",
    recording: bytes = b"Startdate 01-MAR-2026 X X cart",
    unit: bytes = b"uV",
    annotations: bool = True,
) -> bytes:
    """The examination of all these tests, ten seconds in records of one; a quantum is a microvolt."""
    signal = examination().signal.recording
    leads = {name: signal.samples_uv[LEADS.index(name)] for name in EIGHT}
    rows: list[npt.NDArray[np.int32]] = [leads[label.removeprefix("ECG ")] for label in labels]
    extra = 1 if annotations else 0
    count = len(rows) + extra
    names = [label.encode() for label in labels] + [b"EDF Annotations"] * extra

    def column(width: int, value: bytes, last: bytes | None = None) -> bytes:
        values = [value] * len(rows) + [value if last is None else last] * extra
        return b"".join(each.ljust(width) for each in values)

    seconds = rows[0].size // RATE
    head = b"".join(
        value.ljust(width)
        for value, width in (
            (b"0", 8),
            (person, 80),
            (recording, 80),
            (b"01.03.26", 8),
            (b"09.30.05", 8),
            (str(256 * (count + 1)).encode(), 8),
            (kind, 44),
            (str(seconds).encode(), 8),
            (b"1", 8),
            (str(count).encode(), 4),
        )
    )
    head += b"".join(name.ljust(16) for name in names) + column(80, b"electrode") + column(8, unit, b"")
    head += column(8, b"-32768", b"-1") + column(8, b"32767", b"1") + column(8, b"-32768") + column(8, b"32767")
    head += column(80, b"") + column(8, str(RATE).encode(), b"30") + column(32, b"")
    body = b""
    for second in range(seconds):
        body += b"".join(row[second * RATE : (second + 1) * RATE].astype("<i2").tobytes() for row in rows)
        body += f"+{second}\x14\x14".encode().ljust(60, b"\0") * extra
    return head + body


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        read(edf.read, content)
    return caught.value.category, caught.value.text


def test_twelve_leads_of_the_eight_that_are_stored_and_whose_they_are() -> None:
    assert sniff(file()[:4096]) is Format.EDF
    reading = read(edf.read, file(tuple(f"ECG {name}" for name in EIGHT)))
    (report,), recording = reading.reports, reading.recordings[0][1]
    assert report.patient == PATIENT
    assert report.observed_at == OBSERVED_AT
    assert recording.leads == LEADS
    assert "leads-derived" in report.flags
    expected = examination().signal.recording.samples_uv
    for lead in EIGHT:
        assert np.array_equal(recording.samples_uv[LEADS.index(lead)], expected[LEADS.index(lead)])
    assert np.abs(recording.samples_uv - expected).max() <= 1
    assert reading.accounting.notes == ("leads-derived", "annotations: kept in the original (1)")


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_chinese_names_are_intact_however_they_are_written(charset: str) -> None:
    assert read(edf.read, file(person=PERSON.encode(charset))).reports[0].patient == PATIENT


def test_another_library_sees_the_same_voltages(tmp_path: Path) -> None:
    content = file(annotations=False)
    (tmp_path / "a.edf").write_bytes(content)
    recording = read(edf.read, content).recordings[0][1]
    for lead in EDFParser().parse(tmp_path / "a.edf").leads:
        physical = lead.to_physical() if lead.is_raw else lead
        ours = recording.samples_uv[recording.leads.index(lead.label)]
        assert np.abs(ours - np.asarray(physical.samples)).max() <= 0.5 + 1e-6


def test_units_and_absent_dates() -> None:
    recording = read(edf.read, file(unit=b"mV", person=b"000123 X X X")).recordings
    assert recording[0][1].samples_uv[1, 0] == 1000 * examination().signal.recording.samples_uv[1, 0]
    report = read(edf.read, file(recording=b"Startdate X X X X")).reports[0]
    assert report.observed_at is None


def test_what_is_no_whole_ecg_is_refused() -> None:
    assert "bytes of samples" in refusal(file()[:-100])[1]
    assert refusal(file(kind=b"EDF+D"))[0] == Category.UNSUPPORTED
    assert "at least one lead" in refusal(file(unit=b"mmHg"))[1]
    assert refusal(file(person=b"X X X X")) == (Category.INVALID, "patient identifier missing")
    broken = bytearray(file())
    broken[236:244] = b"1e9     "
    assert "bytes of samples" in refusal(bytes(broken))[1]
    broken[236:244] = b"nan     "
    assert "number" in refusal(bytes(broken))[1]


def test_somebody_else_is_not_mixed_in() -> None:
    reading = read(edf.read, file(person=b"000999 F 01-JAN-1950 X"), origin())
    assert reading.reports[0].patient.key.value == "000999"
