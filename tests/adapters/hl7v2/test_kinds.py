"""Whatever segments stand in whatever sequence, each kind of message is read or refused with a reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2.kinds import KINDS
from schemas.faults import Fault
from tests.adapters.hl7v2.values import MSH, PID, message, read_bytes

SEGMENTS = [
    PID,
    "PID|1||P2||",
    "MRG|P9^^^CHC01~P8||||||王^芳",
    "MRG|P1^^^CHC01^MR",
    "MRG|",
    "ORC|NW|R1^CHC01|L1||SC||||20261122|||D1^周",
    "ORC|CA|R1",
    "ORC|RO|R2",
    "ORC",
    "OBR|1|R1|L1|58410-2^CBC^LN|||20261122||||||||||||||||LAB|F|K&钾^1^x|||R0^L0",
    "OBR|1||||||||||||||||||||||||||^",
    "OBX|1|NM|K^钾^L|1|4.1|mmol/L|||||F",
    "OBX|2|RP|D^图^L||http://x^^A^PDF~\\\\s\\a||||||F",
    "OBX|3|ED|D^图^L||^AP^PDF^Base64^JVBERi0xLjQK||||||F",
    "OBX|4|FT|T^文^L||一\\.br\\二||||||F",
    "OBX",
    "SPM|1|B1&X^B2&Y||SER^血清^L|||||||||||||20261122",
    "SAC|||C1",
    "TXA|1|DI|FT|20261122||||||||D1|D0||||LA|R|AV",
    "TXA|1",
    "IPC|A1|P1|1.2.3",
    "ZDS|1.2.3^100^A^DICOM",
    "TQ1|1",
    "NTE|1||注",
    "ZXX|~^&\\",
]


@pytest.mark.parametrize("kind", sorted({code for code, _ in KINDS} | {"ADT^A40", "MDM^T10"}))
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_sequence_of_segments_is_read_or_refused_and_accounted_for(kind: str, data: st.DataObject) -> None:
    triggers = sorted(trigger for code, trigger in KINDS if code == kind.partition("^")[0])
    named = kind if "^" in kind else f"{kind}^{data.draw(st.sampled_from(triggers))}"
    segments = data.draw(st.lists(st.sampled_from(SEGMENTS), max_size=12))
    try:
        reading = read_bytes(message(MSH.replace("ORU^R01^ORU_R01", named), *segments))
    except Fault as refused:
        said, reading = str(refused), None
    if reading is None:
        assert said
        assert "王" not in said
        return
    account = reading.accounting
    assert account.mapped + account.kept + account.flagged == account.total == len(segments) + 1
    # A value that was sent is read, or the place where it stands says why not.
    told = sum(segment.startswith("OBX|1|NM") for segment in segments)
    values = [o.value for report in reading.reports for o in report.observations]
    texts = sum(report.findings.count("钾: 4.1") for report in reading.reports)
    left = sum("OBX[" in note for note in account.notes)
    if reading.reports:
        assert len(values) + texts + left >= told
