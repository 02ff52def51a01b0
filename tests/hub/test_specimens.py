"""Results under their specimens (OUL^R22): every value is kept, with the order or the specimen that it belongs to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import Engines
from tests.hub.mllp import Laboratory, head, opened, pid


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    with opened(migrated_urls) as made:
        yield made


def shown(laboratory: Laboratory) -> list[tuple[str, str, list[str]]]:
    """Of each report: its number, its specimen, and the codes of its results."""
    return [
        (record.report.filler_order_number, record.report.specimen, [o.code.code for o in record.report.observations])
        for record in laboratory.reports()
    ]


def obr(number: str) -> str:
    return f"OBR||P-{number}|{number}|58410-2^血常规^LN|||20261122083000||||||||||||||||||F"


def obx(code: str, value: str = "5.2") -> str:
    return f"OBX||NM|{code}^某项^L||{value}|mmol/L|||||F"


@pytest.mark.parametrize("kind", ["OUL^R22^OUL_R22", "OUL^R23"])
def test_each_order_has_the_results_behind_it_and_the_specimen_above_it(laboratory: Laboratory, kind: str) -> None:
    said = laboratory.send(
        head(kind),
        pid("P1"),
        *("SPM|1|B1||SER^血清^L|||||||||||||20261122080000", "SAC|||C1", obr("F1"), "ORC|SC", obx("K"), obx("NA")),
        *(obr("F2"), obx("GLU")),
        *("SPM|2|B2||UR^尿液^L", obr("F3"), obx("PRO")),
    )
    assert said[1] == "AA"
    assert shown(laboratory) == [
        ("F1", "血清", ["K", "NA"]),
        ("F2", "血清", ["GLU"]),
        ("F3", "尿液", ["PRO"]),
    ]


def test_what_is_said_of_the_specimen_is_told_but_is_no_result_of_the_patient(laboratory: Laboratory) -> None:
    laboratory.send(
        head("OUL^R22"), pid("P1"), "SPM|1|B1||SER^血清^L", "OBX||NM|VOL^体积^L||4.5|mL|||||F", obr("F1"), obx("K")
    )
    (record,) = laboratory.reports()
    assert [o.code.code for o in record.report.observations] == ["K"]
    assert record.report.findings == "SPM · 体积: 4.5 mL"


def test_results_of_a_specimen_without_an_order_are_a_report(laboratory: Laboratory) -> None:
    said = laboratory.send(head("OUL^R22"), pid("P1"), "SPM|1|^B77||SER^血清^L", obx("K"), obx("NA"))
    assert said[1] == "AA"
    (record,) = laboratory.reports()
    assert record.report.key.startswith("specimen:B77")
    assert [o.code.code for o in record.report.observations] == ["K", "NA"]


def test_a_sender_that_keeps_to_the_sequence_of_oru_loses_nothing(laboratory: Laboratory) -> None:
    laboratory.send(head("OUL^R22"), pid("P1"), "ORC|RE", obr("F1"), obx("K"), "SPM|1|B1||SER^血清^L", obx("NA"))
    assert shown(laboratory) == [("F1", "血清", ["K", "NA"])]


def test_a_common_order_before_its_obr_is_that_ones(laboratory: Laboratory) -> None:
    laboratory.send(
        head("OUL^R22"),
        pid("P1"),
        "SPM|1|B1||SER^血清^L",
        *("ORC|RE|A-1", obr("F1").replace("P-F1", ""), obx("K")),
        *("ORC|RE|A-2", obr("F2").replace("P-F2", ""), obx("NA")),
    )
    assert [record.report.placer_order_number for record in laboratory.reports()] == ["A-1", "A-2"]


@pytest.mark.parametrize("kind", ["ORU^R30^ORU_R30", "ORU^R31", "ORU^R32"])
def test_results_from_the_point_of_care(laboratory: Laboratory, kind: str) -> None:
    assert laboratory.send(head(kind), pid("P1"), "ORC|NW", obr("F1"), obx("GLU"))[1] == "AA"
    assert shown(laboratory) == [("F1", "", ["GLU"])]


def test_an_analysers_control_is_nobodys_result(laboratory: Laboratory) -> None:
    assert laboratory.send(head("OUL^R22"), "SPM|1|QC1||QC^质控^L", obr("F1"), obx("K"))[1] == "AR"
    assert laboratory.reports() == ()


def test_the_slide_scanners_sample_is_read(laboratory: Laboratory, samples: Path) -> None:
    content = (samples / "hl7" / "fhirconverter" / "OUL-R22-01.hl7").read_bytes()
    assert laboratory.send_bytes(content.replace(b"CASECENTER FACILITY", b"CHC01"))[1] == "AA"
    _, slide = laboratory.reports()
    assert slide.report.specimen == "Biopsy, Skin"
    assert [pointer.title for pointer in slide.report.pointers] == ["3DHISTECH Digital Slide"]
    assert len(slide.report.attachments) == 3
