"""Documents by MDM^T02 and in results: one report that goes on in versions, whatever number it goes by."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.report import ReportCategory, ReportRecord, ReportStatus
from tests.engines import Engines
from tests.hub.mllp import Laboratory, head, opened, pid

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 300 + b"\n%%EOF\n"


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    with opened(migrated_urls) as made:
        yield made


def document(
    trigger: str, number: str, *, parent: str = "", completion: str = "LA", availability: str = "AV", text: str = "甲"
) -> tuple[str, ...]:
    txa = f"TXA|1|DI^检查报告|FT|20261122080000||20261122081000||||||{number}|{parent}||||{completion}||{availability}"
    obx = () if trigger == "T11" else (f"OBX|1|FT|18748-4^检查报告^LN||{text}||||||F",)
    return (head(f"MDM^{trigger}"), "EVN|T02|20261122", pid("P1"), "PV1|1|O", txa, *obx)


def versions(laboratory: Laboratory, index: int = 0) -> list[ReportRecord]:
    kernel, record = laboratory.kernel, laboratory.reports()[index]
    return list(reversed(kernel.query.report_versions(kernel.ask(), record.id)))


def test_a_document_is_signed_edited_replaced_and_taken_back_as_one_report(laboratory: Laboratory) -> None:
    for said in (
        document("T02", "D1", completion="DO", text="初稿"),
        document("T04", "D1", text="签发"),
        document("T08", "D1", text="修订"),
        document("T10", "D2", parent="D1", text="替换"),
        document("T08", "D2", text="再修订"),
        document("T11", "D2"),
    ):
        assert laboratory.send(*said)[1] == "AA"
    assert len(laboratory.reports()) == 1
    told = versions(laboratory)
    assert [(each.report.status.value, each.report.findings) for each in told] == [
        ("preliminary", "初稿"),
        ("final", "签发"),
        ("amended", "修订"),
        ("corrected", "替换"),
        ("amended", "再修订"),
        ("cancelled", ""),
    ]
    assert told[0].report.category is ReportCategory.IMAGING


def test_a_late_draft_changes_nothing(laboratory: Laboratory) -> None:
    laboratory.send(*document("T02", "D1", text="签发"))
    assert laboratory.send(*document("T02", "D1", completion="IP", text="初稿"))[1] == "AA"
    (record,) = laboratory.reports()
    assert (record.report.findings, record.report.status) == ("签发", ReportStatus.FINAL)


def test_an_obsolete_document_is_withdrawn(laboratory: Laboratory) -> None:
    laboratory.send(*document("T02", "D1"))
    laboratory.send(*document("T04", "D1", availability="OB"))
    assert laboratory.reports()[0].report.status is ReportStatus.ENTERED_IN_ERROR


def test_an_addendum_stands_beside_the_document_that_it_adds_to(laboratory: Laboratory) -> None:
    laboratory.send(*document("T06", "D1-A", parent="D1", text="补充"))
    kernel = laboratory.kernel
    alone = kernel.query.related(kernel.ask(), laboratory.reports()[0])
    assert alone.parent is None  # it came before its document
    laboratory.send(*document("T02", "D1"))
    addendum, main = laboratory.reports()
    assert kernel.query.related(kernel.ask(), main).children == (addendum,)
    assert kernel.query.related(kernel.ask(), addendum).parent == main


def test_a_document_without_txa_is_refused_with_the_place(laboratory: Laboratory) -> None:
    assert laboratory.send(head("MDM^T02"), pid("P1"), "OBX|1|TX|1^x^L||y||||||F")[1:4:2] == [
        "AE",
        "expected a TXA segment, found none",
    ]


def test_a_notification_without_the_document_is_refused_and_kept(laboratory: Laboratory) -> None:
    assert laboratory.send(head("MDM^T01"), pid("P1"), "TXA|1|DI|||||||||||D1||||LA||AV")[1] == "AR"
    assert laboratory.reports() == ()


def test_a_pdf_cut_into_several_obx_is_one_document_again(laboratory: Laboratory) -> None:
    whole = base64.b64encode(PDF).decode()
    size = 32_000
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert len(pieces) > 2
    segments = [f"OBX|{n}|ED|PDF^报告单^L||^AP^PDF^Base64^{each}||||||F" for n, each in enumerate(pieces, 1)]
    obr = "OBR|1||LIS1|58410-2^血常规^LN|||20261122083000||||||||||||||||||F"
    assert laboratory.send(head("ORU^R01"), pid("P1"), obr, *segments)[1] == "AA"
    (record,) = laboratory.reports()
    (attached,) = record.report.attachments
    assert (attached.media_type, attached.size) == ("application/pdf", len(PDF))
    kernel = laboratory.kernel
    content = kernel.retrieve.attachment(kernel.ask(), record.id, attached.digest, None)
    assert b"".join(content.chunks) == PDF


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (r"\E\\E\server\E\share\E\a.pdf", r"\\server\share\a.pdf"),
        ("https://example.invalid/a.pdf", "https://example.invalid/a.pdf"),
        ("file:///etc/passwd", "file:///etc/passwd"),
    ],
)
def test_a_pointer_is_kept_as_one_and_flagged(laboratory: Laboratory, sent: str, address: str) -> None:
    obr = "OBR|1||LIS1|58410-2^血常规^LN|||20261122083000||||||||||||||||||F"
    obx = f"OBX|1|RP|PDF^报告单^L||{sent}^VIEWER^AP^PDF||||||F"
    assert laboratory.send(head("ORU^R01"), pid("P1"), obr, obx)[1] == "AA"
    (record,) = laboratory.reports()
    (pointer,) = record.report.pointers
    assert (pointer.address, pointer.title, pointer.media_type) == (address, "报告单", "application/pdf")
    assert "document-elsewhere" in record.report.flags
    kernel = laboratory.kernel
    delivery = kernel.query.delivery(kernel.ask(), record.delivery_id)
    assert any("never fetched" in note for note in delivery.accounting.notes)


def test_a_public_document_message_is_a_report(laboratory: Laboratory, samples: Path) -> None:
    content = (samples / "hl7" / "fhirconverter" / "MDM-T02-03.hl7").read_bytes().replace(b"SFAC", b"CHC01")
    assert laboratory.send_bytes(content)[1] == "CA"  # it asks for enhanced mode
    (record,) = laboratory.reports()
    assert record.report.status is ReportStatus.PRELIMINARY
    assert record.report.findings.startswith("Toilet cylinder")
    assert record.report.findings.count("\n") == 28
