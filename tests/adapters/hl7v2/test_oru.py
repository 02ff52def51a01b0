"""Result messages: which reports come out, and what became of the rest."""

import base64
import datetime as dt
import hashlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2 import statuses
from schemas.codes import LOINC
from schemas.documents import to_json
from schemas.faults import Category, Fault, InvalidPayload, UnsupportedPayload
from schemas.observation import Quantity
from schemas.report import ReportCategory, ReportStatus
from tests.adapters.hl7v2.values import MSH, OBR, PID, message, read_bytes, results

K = "OBX|1|NM|2823-3^钾^LN||4.1|mmol/L|3.5-5.3|N|||F|||20261121100000"
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 30 + b"\n%%EOF"


def test_a_result_becomes_a_report_of_the_order() -> None:
    reading = results(K)
    (report,) = reading.reports
    assert (report.key, report.category, report.status) == (
        "FI1001|58410-2",
        ReportCategory.LABORATORY,
        ReportStatus.FINAL,
    )
    assert (report.code.code, report.code.system, report.organization) == ("58410-2", LOINC, "CHC01")
    assert (report.placer_order_number, report.filler_order_number) == ("PL1001", "FI1001")
    assert report.observed_at == dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC)
    assert report.issued_at == dt.datetime(2026, 11, 21, 2, 29, tzinfo=dt.UTC)
    assert report.observations[0].value == Quantity(Decimal("4.1"), "mmol/L")
    assert (reading.accounting.total, reading.accounting.mapped) == (4, 4)
    assert reading.accounting.notes == ()


def test_results_behind_a_specimen_are_not_dropped() -> None:
    """A rival dropped every OBX behind an SPM and reported success."""
    spm = "SPM|1|S1||BLD^静脉血^HL70487|||||||||||||20261121090000"
    report = results(spm, K, "OBX|2|NM|2951-2^钠^LN||140|mmol/L|||||F").reports[0]
    assert [each.code.display for each in report.observations] == ["钾", "钠"]
    assert report.specimen == "静脉血"


def test_each_order_is_a_report_of_its_own() -> None:
    second = OBR.replace("FI1001", "FI1002").replace("58410-2^CBC", "24323-8^CMP")
    reading = results(K, second, "OBX|1|NM|2951-2^钠^LN||140|mmol/L|||||F")
    assert [report.key for report in reading.reports] == ["FI1001|58410-2", "FI1002|24323-8"]
    assert [len(report.observations) for report in reading.reports] == [1, 1]


def test_two_orders_of_the_same_number_and_service_stay_two() -> None:
    reading = results(K, OBR, K)
    assert [report.key for report in reading.reports] == ["FI1001|58410-2", "FI1001|58410-2#2"]
    assert "order-number-repeated" in reading.reports[1].flags


def test_each_patient_of_a_message_gets_their_own_results() -> None:
    other = PID.replace("P1^", "P2^").replace("王芳", "李雷")
    reading = results(K, other, OBR.replace("FI1001", "FI1002"), K)
    assert [report.patient.name.text for report in reading.reports] == ["王芳", "李雷"]


@pytest.mark.parametrize(
    ("obr", "orc", "key", "flag"),
    [
        (OBR.replace("FI1001", ""), "", "placer:PL1001|58410-2", ""),
        (OBR.replace("PL1001|FI1001", "|"), "ORC|RE|PL7|FI7", "FI7|58410-2", ""),
        (OBR.replace("PL1001|FI1001", "|"), "", "message:M1@20261121103000|58410-2", "order-number-missing"),
        (OBR.replace("FI1001", "2"), "", "2/PL1001/20261121|58410-2", "order-number-weak"),
    ],
)
def test_without_a_filler_order_number_the_next_best_identity_serves(obr: str, orc: str, key: str, flag: str) -> None:
    segments = [MSH, PID, *([orc] if orc else []), obr, K]
    report = read_bytes(message(*segments)).reports[0]
    assert report.key == key
    assert report.flags == ((flag,) if flag else ())


def test_a_constant_message_id_without_a_time_does_not_make_one_report_of_two() -> None:
    head = MSH.replace("20261121103000", "").replace("|M1|", "|1|")
    bare = OBR.replace("PL1001|FI1001", "|")
    keys = {read_bytes(message(head, PID.replace("P1", who), bare, K)).reports[0].key for who in ("P1", "P2")}
    assert len(keys) == 2


def test_results_without_an_order_are_kept_and_say_so() -> None:
    report = read_bytes(message(MSH, PID, K)).reports[0]
    assert report.code.display == "钾"
    assert "order-number-missing" in report.flags
    assert "observed-at-missing" not in report.flags


@pytest.mark.parametrize(("code", "status"), [*statuses.REPORT.items()])
def test_every_status_of_table_0123_is_mapped(code: str, status: ReportStatus) -> None:
    assert results(K, obr=OBR.removesuffix("F") + code).reports[0].status == status


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ("FF", ReportStatus.FINAL),
        ("FC", ReportStatus.CORRECTED),
        ("FP", ReportStatus.PARTIAL),
        ("PP", ReportStatus.PRELIMINARY),
        ("XX", ReportStatus.CANCELLED),
        ("WW", ReportStatus.ENTERED_IN_ERROR),
        ("FX", ReportStatus.FINAL),
        ("  ", ReportStatus.PRELIMINARY),
    ],
)
def test_a_report_without_a_status_has_that_of_its_results(codes: str, status: ReportStatus) -> None:
    obx = [f"OBX|{n}|NM|{n}^K^L||4.1||||||{code.strip()}" for n, code in enumerate(codes, 1)]
    report = results(*obx, obr=OBR.removesuffix("F")).reports[0]
    assert report.status == status
    assert ("status-missing" in report.flags) == (codes == "  ")


@pytest.mark.parametrize(
    ("code", "status"), [*statuses.OBSERVATION.items(), ("", "final"), ("?", "unknown"), ("f", "final")]
)
def test_every_status_of_table_0085_is_mapped(code: str, status: str) -> None:
    assert results(f"OBX|1|NM|1^K^L||4.1||||||{code}").reports[0].observations[0].status == status


def test_a_cancelled_order_without_results_is_a_report_that_withdraws() -> None:
    report = read_bytes(message(MSH, PID, OBR.removesuffix("F") + "X")).reports[0]
    assert report.status == ReportStatus.CANCELLED
    assert "no-results" in report.flags


def test_notes_belong_to_what_stands_before_them() -> None:
    reading = read_bytes(
        message(
            MSH, PID, "NTE|1||about the patient", OBR, "NTE|1||about the order", K, "NTE|1||溶血", "NTE|1||second", K
        )
    )
    report = reading.reports[0]
    assert report.findings == "about the order"
    assert [each.notes for each in report.observations] == [("溶血", "second"), ()]
    assert "NTE[1]: kept as sent" in reading.accounting.notes


def test_a_text_spread_over_many_results_is_one() -> None:
    lines = [f"OBX|{n}|TX|PATH^病理^L||line {n}||||||F" for n in range(1, 4)]
    (found,) = results(*lines).reports[0].observations
    assert found.value == "line 1\nline 2\nline 3"


def test_texts_of_different_sub_ids_and_repeated_numbers_stay_apart() -> None:
    obx = [f"OBX|{n}|ST|PATH^病理^L|{n}|line {n}||||||F" for n in (1, 2)] + [K, K]
    assert len(results(*obx).reports[0].observations) == 4


def test_the_analysers_clock_is_not_the_patients() -> None:
    obr = OBR.replace("|||||||||||||||20261121102900", "|||||||20261121101000||||||||20261121102900")
    late, early = (K[:-14] + when for when in ("20261121101500", "20261121095900"))
    observations = results(late, early, obr=obr).reports[0].observations
    assert observations[0].observed_at is None
    assert observations[1].observed_at == dt.datetime(2026, 11, 21, 1, 59, tzinfo=dt.UTC)


def test_collection_of_the_specimen_stands_in_for_a_missing_observation_time() -> None:
    spm = "SPM|1|||BLD|||||||||||||20261121090000^20261121090500"
    report = results(spm, K, obr=OBR.replace("20261121100000", "")).reports[0]
    assert report.observed_at == dt.datetime(2026, 11, 21, 1, tzinfo=dt.UTC)


def pieces(*chunks: str) -> list[str]:
    return [f"OBX|{n}|ED|PDF^报告^L||LIS^Application^PDF^Base64^{chunk}||||||F" for n, chunk in enumerate(chunks, 1)]


@pytest.mark.parametrize("cut", [10_000_000, 4000, 3333, 17])
def test_a_document_over_several_results_is_put_together(cut: int) -> None:
    text = base64.b64encode(PDF).decode()
    reading = results(K, *pieces(*[text[at : at + cut] for at in range(0, len(text), cut)]))
    (attachment,) = reading.reports[0].attachments
    assert (attachment.media_type, attachment.title, attachment.size) == ("application/pdf", "报告", len(PDF))
    assert attachment.digest == hashlib.sha256(PDF).hexdigest()
    assert reading.parts == (PDF,)


def test_two_documents_of_the_same_code_stay_two() -> None:
    text = base64.b64encode(PDF).decode()
    assert len(results(*pieces(text, text[:-4] + "AAAA")).reports[0].attachments) == 2


def test_a_document_with_escaped_line_ends_is_read() -> None:
    text = base64.b64encode(PDF).decode()
    assert results(*pieces(text[:76] + r"\X0D0A\\X0d0a\\.br\ " + text[76:])).parts == (PDF,)


def test_a_damaged_document_is_flagged_and_the_values_are_read() -> None:
    reading = results(K, *pieces("JVBERi0xLjQ*not base64*"))
    assert reading.reports[0].attachments == ()
    assert len(reading.reports[0].observations) == 1
    assert reading.accounting.notes == ("OBX[2]-5: document damaged: not in the encoding it names",)


def test_a_page_is_never_taken_for_what_a_browser_would_run() -> None:
    page = base64.b64encode(b"<html><script>alert(1)</script></html>").decode()
    (attachment,) = results(*pieces(page)).reports[0].attachments
    assert attachment.media_type == "text/plain"


def test_an_imaging_report_names_its_study_and_splits_findings_from_impression() -> None:
    obr = OBR.replace("58410-2^CBC^LN", "CTCHEST^胸部CT平扫^L").replace("||LAB|F", "||CT|F")
    obr = "|".join(["ACC77" if n == 18 else field for n, field in enumerate(obr.split("|"))])
    report = results(
        "OBX|1|ST|113014^DICOM Study^DCM||1.2.840.1.99||||||F",
        "OBX|2|FT|CTCHEST^影像所见^L||双肺纹理清晰。||||||F",
        "OBX|3|FT|CTCHEST^诊断意见^L||未见明显异常。||||||F",
        obr=obr,
    ).reports[0]
    assert report.category == ReportCategory.IMAGING
    assert (report.study_instance_uid, report.accession_number) == ("1.2.840.1.99", "ACC77")
    assert (report.findings, report.conclusion) == ("双肺纹理清晰。", "未见明显异常。")
    assert report.observations == ()


def test_an_ecg_result_has_measurements_a_conclusion_and_no_waveform() -> None:
    report = results(
        "OBX|1|NM|8867-4^心率^LN||97|/min|||||F",
        r"OBX|2|TX|18844-1^心电图诊断^LN||窦性心律\.br\正常心电图||||||F",
        obr=OBR.replace("||LAB|F", "||EC|F"),
    ).reports[0]
    assert report.category == ReportCategory.ECG
    assert [each.code.display for each in report.observations] == ["心率"]
    assert report.conclusion == "窦性心律\n正常心电图"
    assert "no-waveform" in report.flags


def test_quality_control_is_nobodys_result() -> None:
    with pytest.raises(UnsupportedPayload) as refused:
        read_bytes(message(MSH, OBR, K))
    assert refused.value.where == "PID"


@pytest.mark.parametrize(
    "pid", ["PID|1", "PID|1||-||王芳", "PID|1||不详||王芳", "PID|1||0000||王芳", 'PID|1||""||王芳']
)
def test_a_patient_without_a_usable_identifier_is_refused(pid: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        results(K, pid=pid)
    assert refused.value.where == "PID-3"


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("SIU^S12", Category.UNSUPPORTED),
        ("ADT^A05", Category.UNSUPPORTED),
        ("", Category.INVALID),
        ("王^芳", Category.UNSUPPORTED),
    ],
)
def test_other_messages_are_refused_with_their_type(kind: str, category: Category) -> None:
    with pytest.raises(Fault) as refused:
        read_bytes(message(MSH.replace("ORU^R01^ORU_R01", kind), PID))
    assert (refused.value.category, refused.value.where) == (category, "MSH-9")
    assert "王" not in refused.value.text


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU", "ORU^R01^ORU_R30"])
@pytest.mark.parametrize("version", ["", "2.1", "2.3.z", "2.9"])
def test_message_structure_and_version_are_taken_as_they_come(kind: str, version: str) -> None:
    head = MSH.replace("ORU^R01^ORU_R01", kind).replace("|2.5.1|", f"|{version}|")
    assert len(read_bytes(message(head, PID, OBR, K)).reports) == 1


def test_surplus_fields_and_z_segments_are_kept_and_counted() -> None:
    reading = results("ZDX|vendor", K + "|" * 30 + "more", "ZZZ|1")
    assert len(reading.reports[0].observations) == 1
    assert (reading.accounting.total, reading.accounting.mapped, reading.accounting.kept) == (6, 4, 2)
    assert reading.accounting.notes == ("ZDX[1]: kept as sent", "ZZZ[1]: kept as sent")


def test_two_thousand_results() -> None:
    reading = results(*[f"OBX|{n}|NM|{n}^K^L||{n}||||||F" for n in range(2000)])
    assert len(reading.reports[0].observations) == 2000


def test_oversize_codes_and_numbers_do_not_reach_an_index() -> None:
    long = "9" * 5000
    report = results(K.replace("2823-3", long), obr=OBR.replace("FI1001", long)).reports[0]
    assert len(report.key) <= 400
    assert len(report.observations[0].code.code) <= 200


_FIELD = st.one_of(
    st.sampled_from(
        ["", '""', "1", "F", "NM", "ED", "CE", "王芳", "P1^^^A^MR", "1^K^L", "20261121", "^^^^=", "~", "\\"]
    ),
    st.text(max_size=12),
)
_SEGMENT = st.builds(
    lambda name, fields: "|".join([name, *fields]),
    st.sampled_from(["PID", "OBR", "OBX", "NTE", "SPM", "ORC", "PV1", "ZZZ", "FHS", "ZDS", "MSH", "OBX"]),
    st.lists(_FIELD, max_size=26),
)


@settings(max_examples=400)
@given(st.lists(_SEGMENT, max_size=12), st.sampled_from(["utf-8", "gb18030"]), st.booleans())
def test_the_accounting_adds_up_for_any_message(segments: list[str], codec: str, known: bool) -> None:
    content = "\r".join([MSH, *([PID] if known else []), *segments]).encode(codec, "replace")
    try:
        reading = read_bytes(content)
    except Fault:
        return
    accounting = reading.accounting
    assert accounting.mapped + accounting.kept + accounting.flagged == accounting.total
    for report in reading.reports:
        assert report.patient.identifiers
        # It becomes a document, which must be encodable, in databases that hold no NUL.
        assert b"\\u0000" not in to_json(report)
