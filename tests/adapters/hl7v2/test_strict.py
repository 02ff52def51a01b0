"""What a vendor is told of a message that departs from the standard: where, what was expected, what was found."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2 import strict
from adapters.hl7v2.strict import conformance
from schemas.conformance import Finding, Severity

GOOD = (
    "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000||ORU^R01^ORU_R01|1|P|2.5.1\r"
    "PID|1||P1^^^CHC01^MR||王^芳||19680412|F\r"
    "OBR|1||F1|58410-2^血常规^LN|||20261121081500|||||||||||||||20261121083000||LAB|F\r"
    "OBX|1|NM|6690-2^白细胞^LN||7.2|10*9/L|3.5-9.5|N|||F\r"
)


def found(text: str, where: str) -> Finding:
    """The one finding at a place."""
    (finding,) = (each for each in conformance(text.encode()).findings if each.where == where)
    return finding


def test_a_message_of_the_standard_is_conformant() -> None:
    said = conformance(GOOD.encode())
    assert (said.findings, said.conformant, said.complete, said.version) == ((), True, True, "2.5.1")


@pytest.mark.parametrize(
    ("before", "after", "where", "expected", "what"),
    [
        ("P1^^^CHC01^MR", "", "PID[1]-3", "patient identifier list is required", "nothing"),
        ("|7.2|", "|见报告|", "OBX[1]-5", "data type NM", "no valid NM"),
        ("|19680412|", "|1968-4-12|", "PID[1]-7", "data type TS", "no valid date"),
        ("|2.5.1", "|2.9", "MSH[1]-12", "a version of the standard", "2.9"),
        ("6690-2^白细胞^LN", "6690-2^白^LN^a^b^c^d^e", "OBX[1]-3", "data type CE", "more components than CE"),
        ("|N|||F", "|N|||Q", "OBX[1]-11", "table 0085", "Q"),
        ("|LAB|F", "|LAB|F" + "|x" * 30, "OBR[1]", "at most 50 fields", "55"),
        ("|NM|", "||", "OBX[1]-2", "the data type of the value in OBX-5", "nothing"),
        ("OBX|1", "ABC|1", "ABC[1]", "a segment of version 2.5.1", "another segment"),
        ("ORU^R01^ORU_R01", "ORU^R99^ORU_R99", "MSH[1]-9", "a message structure of version 2.5.1", "ORU_R99"),
        ("OBR|1||F1", "ZBR|1||F1", "OBR", "segment OBR in ORU_R01_ORDER_OBSERVATION", "none"),
        ("|N|||F\r", "|N|||F\rcontinued here\r", "OBX[1]", "separated by a carriage return", "no segment"),
    ],
)
def test_each_departure_is_named(before: str, after: str, where: str, expected: str, what: str) -> None:
    assert before in GOOD
    finding = found(GOOD.replace(before, after, 1), where)
    assert expected in finding.expected
    assert what in finding.found


def test_a_table_that_a_site_may_extend_is_a_warning_only() -> None:
    said = conformance(GOOD.replace("|N|||F", "|N|||Q").encode())
    assert said.conformant
    assert [each.severity for each in said.findings] == [Severity.WARNING]


def test_the_thirtieth_result_breaks_the_same_rule_as_the_first() -> None:
    obx = "OBX|2|NM|1^x||7.x||||||F\r"
    said = found(GOOD + obx * 30, "OBX[2]-5")
    assert said.times == 30


def test_nobody_s_name_is_told() -> None:
    broken = (
        GOOD.replace("|F\r", "|王芳女\r")
        .replace("19680412", "王芳生日")
        .replace("P1^^^CHC01^MR", "^^^^^^王芳证^^^^^^^^")
    )
    assert "王芳" not in str(conformance(broken.encode()))


def test_what_is_no_message_at_all_is_a_finding_too() -> None:
    said = conformance(b"hello")
    assert not said.conformant
    assert said.findings[0].where == "MSH"


def test_size_and_time_have_an_end_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    long = GOOD + "OBX|2|NM|1^x||7.2||||||F\r" * 3000
    began = time.monotonic()
    said = conformance(long.encode())
    assert time.monotonic() - began < strict.PATIENCE_S
    assert not said.complete
    assert not said.conformant
    monkeypatch.setattr(strict, "PATIENCE_S", -1)
    assert not conformance(GOOD.encode()).complete


def test_a_huge_field_and_a_huge_segment_do_not_hold_anybody_up() -> None:
    began = time.monotonic()
    conformance(GOOD.replace("|7.2|", "|" + "7" * 3_000_000 + "|").encode())
    conformance((GOOD + "OBX" + "|" * 500_000 + "\r").encode())
    assert time.monotonic() - began < 5


def test_every_sample_gets_findings_that_name_a_place(samples: Path) -> None:
    for path in sorted((samples / "hl7").rglob("*.*")):
        said = conformance(path.read_bytes())
        assert all(each.where and each.expected and each.found for each in said.findings), path.name


@settings(max_examples=60, deadline=None)
@given(st.text("MSHPIDOBXR|^~\\&\r123.7abc王 ", max_size=400), st.integers(0, len(GOOD)))
def test_no_message_breaks_the_strict_check(noise: str, at: int) -> None:
    conformance((GOOD[:at] + noise + GOOD[at:]).encode())
    conformance(("MSH|^~\\&|" + noise).encode())
