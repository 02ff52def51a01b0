"""Exports of GE MUSE: eight leads, Chinese statements in every encoding, and what contradicts itself."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from adapters.ecg import muse
from schemas.delivery import Reading
from schemas.ecg import LEADS
from schemas.faults import InvalidPayload
from tests.adapters.ecg.examples import origin, read

STATEMENTS = "窦性心律\nST段抬高（提示心室早期复极）"


@pytest.fixture
def export(samples: Path) -> str:
    """A real export with Chinese statements."""
    return (samples / "ecg/muse/guangxi_teaching_sinus_rhythm.xml").read_bytes().decode()


def of(text: str, codec: str = "utf-8", charset: str = "") -> Reading:
    return read(muse.read, text.encode(codec), origin(charset=charset))


@pytest.mark.parametrize("codec", ["GB2312", "GBK", "GB18030", "UTF-8", "UTF-16"])
def test_chinese_statements_are_intact_in_the_declared_encoding(export: str, codec: str) -> None:
    declared = export.replace('encoding="UTF-8"', f'encoding="{codec}"')
    (report,) = of(declared, codec).reports
    assert report.conclusion == STATEMENTS
    assert "charset-repaired" not in report.flags


@pytest.mark.parametrize("codec", ["gbk", "gb18030"])
def test_chinese_bytes_declared_as_utf_8_are_read_as_what_they_are(export: str, codec: str) -> None:
    (report,) = of(export, codec).reports
    assert report.conclusion == STATEMENTS
    assert "charset-repaired" in report.flags


def test_eight_stored_leads_make_twelve(export: str) -> None:
    ((_, recording),) = of(export).recordings
    assert recording.leads == LEADS
    lead = dict(zip(LEADS, recording.samples_uv.astype(int), strict=True))
    assert np.abs(lead["III"] - (lead["II"] - lead["I"])).max() <= 1
    assert np.abs(lead["aVR"] + (lead["I"] + lead["II"]) / 2).max() <= 1
    assert recording.median is not None
    assert recording.median.samples_uv.shape == (12, 600)
    # QOnset 219 and TOffset 383 at 500 Hz.
    assert dict(recording.median.fiducials_ms)["qrs-onset"] == 438
    assert dict(recording.median.fiducials_ms)["t-offset"] == 766


def test_measurements_and_reading_are_those_of_the_overreader(export: str) -> None:
    (report,) = of(export).reports
    values = {o.code.code: str(getattr(o.value, "value", "")) for o in report.observations}
    assert (values["8867-4"], values["8625-6"], values["8633-0"], values["8634-8"]) == ("97", "122", "74", "328")
    # The machine had said 416.
    assert (values["8636-3"], values["8632-2"]) == ("417", "63")
    assert {o.code.code: o.method for o in report.observations}["8636-3"] == "Bazett"
    assert report.status == "final"
    assert str(report.observed_at) == "2024-01-01 10:35:17+08:00"
    waiting = of(export.replace("<Status>CONFIRMED", "<Status>UNCONFIRMED")).reports[0]
    assert (waiting.status, waiting.performers, waiting.key) == ("preliminary", (), report.key)


def test_statements_that_nobody_edited_are_the_machines(export: str) -> None:
    without = re.sub(r"<Diagnosis>.*?</Diagnosis>", "", export, count=1, flags=re.DOTALL)
    assert of(without).reports[0].conclusion == STATEMENTS + "\n正常心电图"


def test_pieces_of_a_line_are_one_statement(export: str) -> None:
    cut = export.replace("<StmtFlag>ENDSLINE</StmtFlag>", "<StmtFlag>USERINSERT</StmtFlag>", 1)
    assert of(cut).reports[0].conclusion == STATEMENTS.replace("\n", " ")


def test_leads_recorded_one_after_another_stand_where_they_were_recorded(export: str) -> None:
    later = re.sub(
        r"<LeadTimeOffset>0(</LeadTimeOffset>(?:(?!</LeadData>).)*<LeadID>V[1-6]<)",
        r"<LeadTimeOffset>2500\1",
        export,
        flags=re.DOTALL,
    )
    reading = of(later)
    ((_, recording),) = reading.recordings
    assert recording.leads == LEADS
    assert recording.samples_uv.shape == (12, 5000 + 1250)
    assert {"groups-merged", "gaps"} <= set(reading.reports[0].flags)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("<LeadDataCRC32>3097469524<", "<LeadDataCRC32>3097469525<", "LeadDataCRC32"),
        ("<LeadSampleCountTotal>5000<", "<LeadSampleCountTotal>4999<", "Waveform[2]/LeadData[I]"),
        ("<LeadAmplitudeUnitsPerBit>4.88<", "<LeadAmplitudeUnitsPerBit>0<", "LeadAmplitudeUnitsPerBit"),
        ("<SampleBase>500<", "<SampleBase>0<", "SampleBase"),
        ("<PatientID>00000000<", "<PatientID><", "PatientDemographics/PatientID"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(export: str, old: str, new: str, where: str) -> None:
    assert old in export
    with pytest.raises(InvalidPayload) as caught:
        of(export.replace(old, new))
    assert where in caught.value.where


@pytest.mark.parametrize("flag", ["LeadOff", "FirstSampleBaseline"])
def test_what_a_cart_says_against_a_lead_is_flagged(export: str, flag: str) -> None:
    said = re.sub(rf"<{flag}>\w+<", f"<{flag}>TRUE<" if flag == "LeadOff" else f"<{flag}>12<", export, count=1)
    expected = {"LeadOff": "lead-off", "FirstSampleBaseline": "offset-not-applied"}[flag]
    assert expected in of(said).reports[0].flags


@pytest.mark.parametrize(
    "document_type",
    [
        '<!DOCTYPE RestingECG [<!ENTITY a "b">]>',
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd" [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd"><!DOCTYPE RestingECG SYSTEM "other.dtd">',
    ],
)
def test_a_document_type_with_entities_of_its_own_is_refused(export: str, document_type: str) -> None:
    with pytest.raises(InvalidPayload):
        of(export.replace('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', document_type))


def test_samples_of_four_bytes_in_millivolts(export: str) -> None:
    def wider(match: re.Match[str]) -> str:
        stored = np.frombuffer(base64.b64decode(match[1]), "<i2").astype("<i4")
        return f"<WaveFormData>{base64.b64encode(stored.tobytes()).decode()}</WaveFormData>"

    text = re.sub(r"<WaveFormData>([^<]*)</WaveFormData>", wider, export)
    text = re.sub(r"<LeadDataCRC32>\d+<", "<LeadDataCRC32>0<", text).replace("SampleSize>2<", "SampleSize>4<")
    text = text.replace(">4.88<", ">0.00488<").replace(">MICROVOLTS<", ">MILLIVOLTS<")
    assert np.array_equal(of(text).recordings[0][1].samples_uv, of(export).recordings[0][1].samples_uv)
