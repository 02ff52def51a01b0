"""Philips' documents: packed samples, the calibration pulse behind them, and what contradicts itself."""

import base64
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from ecgdatakit.parsing.codecs.xli import xli_decode
from ecgdatakit.parsing.parsers.sierra_xml import SierraXMLParser

from adapters.ecg import sierra, xli
from schemas.delivery import Reading
from schemas.ecg import LEADS
from schemas.faults import Fault, InvalidPayload, UnsupportedPayload
from tests.adapters.ecg.examples import read

WAVEFORM = re.compile(r"(<parsedwaveforms[^>]*>)([^<]*)(</parsedwaveforms>)")


@pytest.fixture
def document(samples: Path) -> str:
    """A document of version 1.03, packed by XLI."""
    return (samples / "ecg/sierra/129DYPRG.XML").read_bytes().decode()


def of(text: str) -> Reading:
    return read(sierra.read, text.encode())


def packed(document: str) -> bytes:
    match = WAVEFORM.search(document)
    assert match
    return base64.b64decode("".join(match[2].split()))


def with_waveform(document: str, samples: str, **attributes: str) -> str:
    told = "".join(f' {name}="{value}"' for name, value in attributes.items())
    tag = f'<parsedwaveforms durationperchannel="11000"{told}>'
    return WAVEFORM.sub(lambda _: f"{tag}{samples}</parsedwaveforms>", document)


def rebuilt(document: str) -> np.ndarray:
    rows = xli.with_limb_leads(xli.unpack(packed(document), 12, 5500))
    return np.stack(rows)


def test_packed_samples_are_those_that_another_reader_finds(document: str) -> None:
    # Behind the twelve leads stand four more chunks, which the document names no leads for.
    ours = xli.unpack(packed(document), 12, 5500)
    for row, theirs in zip(ours, xli_decode(packed(document))[:12], strict=True):
        assert np.array_equal(row, theirs[:5500])


def test_the_calibration_pulse_is_never_shown_as_signal(document: str) -> None:
    reading = of(document)
    ((_, recording),) = reading.recordings
    assert rebuilt(document)[:, -200:].max() * 5 == 1000
    assert recording.samples_uv.shape == (12, 5264)
    assert "calibration-cut" in reading.reports[0].flags
    assert np.array_equal(recording.samples_uv, rebuilt(document)[:, :5264] * 5)
    # Sent once more without its last second, nothing more is taken from it.
    shorter = rebuilt(document)[:, :5200].astype("<i2")
    again = of(
        with_waveform(document, base64.b64encode(shorter.tobytes()).decode(), dataencoding="Base64").replace(
            '"11000"', '"10400"'
        )
    )
    assert again.recordings[0][1].samples_uv.shape == (12, 5200)
    assert "calibration-cut" not in again.reports[0].flags


@pytest.mark.parametrize("encoding", ["Base64", "Plain"])
def test_samples_that_are_not_packed(document: str, encoding: str) -> None:
    stored = rebuilt(document).astype("<i2")
    text = base64.b64encode(stored.tobytes()).decode() if encoding == "Base64" else " ".join(map(str, stored.ravel()))
    plain = of(with_waveform(document, text, dataencoding=encoding, compressflag="False", compressmethod="XLI"))
    assert np.array_equal(plain.recordings[0][1].samples_uv, of(document).recordings[0][1].samples_uv)


def test_the_representative_beat_has_its_own_rate_and_fiducials(samples: Path) -> None:
    path = samples / "ecg/sierra/2020-5-18_15-48-11.xml"
    ((_, recording),) = read(sierra.read, path.read_bytes()).recordings
    beat = recording.median
    assert beat is not None
    assert (recording.sampling_rate_hz, beat.sampling_rate_hz, beat.leads) == (500, 1000, LEADS)
    theirs = SierraXMLParser().parse(path).median_beats
    for lead in theirs:
        assert np.array_equal(beat.samples_uv[beat.leads.index(lead.label)], lead.samples * lead.resolution)
    assert dict(beat.fiducials_ms) == {
        "p-onset": 505 - 164,
        "p-offset": 505 - 164 + 104,
        "qrs-onset": 505,
        "qrs-offset": 505 + 102,
        "t-offset": 505 + 399,
    }


def test_statements_measurements_and_status(document: str) -> None:
    (report,) = of(document).reports
    assert report.conclusion.splitlines()[0] == "Sinus bradycardia (rate< 50)"
    assert report.conclusion.splitlines()[-1] == "ABNORMAL ECG"
    values = {o.code.code: str(getattr(o.value, "value", "")) for o in report.observations}
    assert [values[code] for code in ("8867-4", "8625-6", "8633-0", "8634-8", "8636-3", "8632-2")] == [
        *("41", "151", "135", "476", "393", "-21")
    ]
    assert report.status == "preliminary"
    signed = of(document.replace("Unconfirmed diagnosis", "Confirmed by: 李医师"))
    assert (signed.reports[0].status, signed.reports[0].performers) == ("final", ("李医师",))
    assert signed.reports[0].key == report.key


@pytest.mark.parametrize("codec", ["gb18030", "utf-16"])
def test_chinese_statements_are_intact(document: str, codec: str) -> None:
    chinese = document.replace("Sinus bradycardia", "窦性心动过缓").replace("UTF-8", codec.upper())
    (report,) = read(sierra.read, chinese.encode(codec)).reports
    assert report.conclusion.startswith("窦性心动过缓 (rate< 50)\n")


@pytest.mark.parametrize(
    ("old", "new", "kind", "where"),
    [
        ("<documentversion>1.03", "<documentversion>2.0", UnsupportedPayload, "documentinfo"),
        ("<samplingrate>500", "<samplingrate>0", InvalidPayload, "signalcharacteristics"),
        ("<signalresolution>5", "<signalresolution>-", InvalidPayload, "signalcharacteristics"),
        ('"11000"', '"99999999"', UnsupportedPayload, "durationperchannel"),
        ('"11000"', '"12000"', InvalidPayload, "parsedwaveforms, chunk 1"),
        ('"XLI"', '"ZIP"', UnsupportedPayload, "parsedwaveforms/@compression"),
        ("<numberchannelsallocated>12", "<numberchannelsallocated>15", InvalidPayload, "parsedwaveforms/@leadlabels"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(
    document: str, old: str, new: str, kind: type[Fault], where: str
) -> None:
    assert old in document
    with pytest.raises(kind) as caught:
        of(document.replace(old, new))
    assert caught.value.where == where


def test_a_table_that_grows_without_end_is_refused_early() -> None:
    # Every code stands for the longest string so far and one more.
    codes = "".join(f"{code:010b}" for code in [65, *range(256, 1023), *[1022] * 8000])
    bomb = int(codes.ljust(-len(codes) % 8 + len(codes), "0"), 2).to_bytes((len(codes) + 7) // 8, "big")
    with pytest.raises(InvalidPayload, match="many more"):
        xli.unpack(struct.pack("<i2xh", len(bomb), 0) + bomb, 1, 5000)
