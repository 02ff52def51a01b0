"""WFDB records: as research and some carts keep them, in every format of samples, and damaged."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ecgdatakit.parsing.parsers.wfdb import WFDBParser

from adapters.ecg import wfdb
from adapters.registry import sniff
from schemas.delivery import Format, PatientHint, Reading
from schemas.ecg import LEADS, NO_SAMPLE_UV
from schemas.faults import Category, Fault, IdentityConflict
from schemas.patient import Patient, PersonName, Sex
from tests.adapters.ecg.examples import OBSERVED_AT, PATIENT, origin, read

SOMEBODY = PatientHint(Patient(PATIENT.identifiers, PersonName("王弢")), "ecg", observed_at=OBSERVED_AT)


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def taken(content: bytes, hint: PatientHint | None = SOMEBODY) -> Reading:
    return read(wfdb.read, content, origin(hint))


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        taken(content)
    return caught.value.category, caught.value.text


def record(code: int, data: bytes, values: list[int], *, fields: str = "", first: int = 0) -> bytes:
    """Two leads, I and II, whose samples take turns."""
    leads = {"I": values[::2], "II": values[1::2]}
    lines = [f"r {len(leads)} 500 {len(values) // 2} 09:30:05 01/03/2026"]
    for name, row in leads.items():
        # A checksum is of what is stored, gaps too.
        lines.append(f"r.dat {code}{fields} 200(0)/mV 16 0 {first or row[0]} {sum(row) % 65536} 0 {name}")
    return zipped({"r.hea": "\n".join(lines).encode() + b"\n", "r.dat": data})


VALUES = [0, 100, -100, 1, 511, -1, -511, 127, 20, -20, 7, 8]


def twelve_bits(values: list[int]) -> bytes:
    packed = bytearray()
    for one, two in zip(values[::2], values[1::2], strict=True):
        packed += bytes([one & 255, (one >> 8 & 15) | (two >> 8 & 15) << 4, two & 255])
    return bytes(packed)


def ten_bits(values: list[int], *, format_311: bool) -> bytes:
    packed = b""
    for one, two, three in zip(values[::3], values[1::3], values[2::3], strict=True):
        a, b, c = (value & 1023 for value in (one, two, three))
        words = (a << 1 | (c & 31) << 11) | (b << 1 | (c >> 5) << 11) << 16
        packed += (a | b << 10 | c << 20 if format_311 else words).to_bytes(4, "little")
    return packed


PACKED = {
    16: np.array(VALUES, "<i2").tobytes(),
    24: b"".join(value.to_bytes(3, "little", signed=True) for value in VALUES),
    32: np.array(VALUES, "<i4").tobytes(),
    61: np.array(VALUES, ">i2").tobytes(),
    160: (np.array(VALUES) + 32768).astype("<u2").tobytes(),
    212: twelve_bits(VALUES),
    310: ten_bits(VALUES, format_311=False),
    311: ten_bits(VALUES, format_311=True),
}


@pytest.mark.parametrize("code", PACKED)
def test_every_format_of_samples_gives_the_voltages_that_were_stored(code: int) -> None:
    recording = taken(record(code, PACKED[code], VALUES)).recordings[0][1]
    assert recording.samples_uv[0].tolist() == [value * 5 for value in VALUES[::2]]
    assert recording.samples_uv[1].tolist() == [value * 5 for value in VALUES[1::2]]
    assert recording.started_at == OBSERVED_AT


def test_a_time_that_no_clock_shows_is_no_time() -> None:
    content = zipfile.ZipFile(io.BytesIO(record(16, PACKED[16], VALUES)))
    header = content.read("r.hea").replace(b"09:30:05", b"99999999999:1:1")
    report = taken(zipped({"r.hea": header, "r.dat": content.read("r.dat")})).reports[0]
    assert report.observed_at == OBSERVED_AT  # as the upload says


def test_bytes_with_an_offset_and_differences() -> None:
    small = [0, 100, -100, 1, 127, -1, -127, 127]
    plain = taken(record(80, bytes(value + 128 for value in small), small)).recordings[0][1]
    assert plain.samples_uv[0].tolist() == [value * 5 for value in small[::2]]
    steps = bytes(value & 255 for value in (0, 0, 5, 7, -2, -100))
    summed = taken(record(8, steps, [10, 10, 15, 17, 13, -83], first=10)).recordings[0][1]
    assert summed.samples_uv[:2].tolist() == [[50, 75, 65], [50, 85, -415]]


def test_the_lowest_value_of_a_format_is_a_gap_and_zero_is_not() -> None:
    values = [0, 5, -32768, 5, 0, 5]
    reading = taken(record(16, np.array(values, "<i2").tobytes(), values))
    assert reading.recordings[0][1].samples_uv[0].tolist() == [0, NO_SAMPLE_UV, 0]
    assert "gaps" in reading.reports[0].flags


def test_what_is_missing_is_named() -> None:
    whole = zipfile.ZipFile(io.BytesIO(record(16, PACKED[16], VALUES)))
    header, signals = whole.read("r.hea"), whole.read("r.dat")
    assert sniff(header) is Format.WFDB
    category, words = refusal(header)
    assert category == Category.INVALID
    assert "upload header and signals together, or in one zip" in words
    assert "the header (.hea) is missing" in refusal(zipped({"r.dat": signals}))[1]
    assert "patient identifier missing" in _refused_without_a_person(zipped({"r.hea": header, "r.dat": signals}))


def _refused_without_a_person(content: bytes) -> str:
    with pytest.raises(Fault) as caught:
        taken(content, None)
    return caught.value.text


def test_damaged_samples_are_refused() -> None:
    changed = bytearray(PACKED[16])
    changed[0] ^= 1
    assert "checksum" in refusal(record(16, bytes(changed), VALUES))[1]
    assert "expected 12 samples" in refusal(record(16, PACKED[16][:-2], VALUES))[1]
    assert "damaged" in refusal(record(16, PACKED[16], VALUES)[:-30])[1]
    assert refusal(record(516, PACKED[16], VALUES))[0] == Category.UNSUPPORTED
    assert "several" in refusal(zipped({"a.hea": b"a 1\na.dat 16\n", "b.hea": b"b 1\nb.dat 16\n"}))[1]


def test_a_zip_that_unpacks_to_more_than_a_resting_ecg_is_not_unpacked() -> None:
    assert "at most" in refusal(zipped({"r.hea": b"r 1\nr.dat 16\n", "r.dat": b"\0" * (33 << 20)}))[1]


def from_samples(header: Path) -> bytes:
    files = sorted(header.parent.glob(f"{header.stem}.*"), key=lambda path: path.suffix != ".hea")
    return zipped({path.name: path.read_bytes() for path in files})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["wfdb/s0010_re", *(f"cpsc2018/A000{number}" for number in range(1, 6))])
def test_samples_have_the_voltages_that_another_library_sees(samples: Path, name: str) -> None:
    header = samples / "ecg" / f"{name}.hea"
    content = from_samples(header)
    assert sniff(content[:4096]) is Format.WFDB
    recording = taken(content).recordings[0][1]
    assert recording.leads[:12] == LEADS
    for lead in WFDBParser().parse(header).leads:
        physical = lead.to_physical() if lead.is_raw else lead
        label = {"VX": "X", "VY": "Y", "VZ": "Z"}.get(lead.label.upper(), lead.label)
        ours = recording.samples_uv[[name.upper() for name in recording.leads].index(label.upper())]
        factor = {"uV": 1.0, "mV": 1000.0}[physical.units]
        assert np.abs(ours - np.asarray(physical.samples) * factor).max() <= 0.5 + 1e-6


def test_an_upload_for_another_sex_than_the_header_says_is_held(samples: Path) -> None:
    with pytest.raises(IdentityConflict):
        taken(
            from_samples(samples / "ecg/cpsc2018/A0002.hea"),
            PatientHint(Patient(PATIENT.identifiers, PersonName("王弢"), sex=Sex.MALE), "ecg"),
        )
