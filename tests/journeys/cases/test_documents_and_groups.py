"""Cases 27, 32, 33, 35 and 38: cultures, documents, batches, merges, and messages of two thousand results."""

import base64
import hashlib
import random
from pathlib import Path

import httpx
import pytest

from schemas.disclosure import Role
from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, message, msh, obr, obx, pid, result
from tests.journeys.cases.paper import line_of
from tests.portal.test_offered_documents import text_of

# A document whose bytes repeat nowhere: a part that is lost, doubled or misplaced shows.
PDF = b"%PDF-1.4\n" + random.Random(32).randbytes(150_000) + b"\n%%EOF\n"
ENCODED = base64.b64encode(PDF).decode()


def test_a_culture_is_read_with_the_susceptibilities_of_what_grew(desk: Desk) -> None:
    grew = "112283007^大肠埃希菌^SCT"
    culture = obr("F27", service="CULT^细菌培养^L", section="MB")
    child = obr("F27-1", service="SUSC^药敏^L", section="MB") + "|ORG&鉴定&L^1|||^F27"
    lines = (culture, obx("ORG^鉴定^L", grew, "CE", sub_id="1"), child)
    drugs = (
        obx("AMP^氨苄西林^L", ">=^32", "SN", unit="ug/mL", flag="R"),
        obx("CIP^环丙沙星^L", "<=^0.25", "SN", flag="S"),
    )
    desk.take(result("M27", pid("C27"), *lines, *drugs))
    page = desk.page(desk.report("F27"))
    assert "大肠埃希菌" in line_of(page, "鉴定")
    assert ">=32" in line_of(page, "氨苄西林")
    assert "耐药" in line_of(page, "氨苄西林")
    assert "敏感" in line_of(page, "环丙沙星")
    (first, _) = desk.results(desk.report("F27-1"))
    (organism,) = desk.results(desk.report("F27"))
    assert first["derivedFrom"] == [{"reference": f"Observation/{organism['id']}"}]


def test_an_order_that_names_itself_as_its_parent_is_nobodys_child(desk: Desk) -> None:
    order = obr("F27S", placer="REQ27S") + "||||REQ27S^F27S"
    desk.take(result("M27S", pid("C27S"), order, obx(HGB, "98")))
    page = desk.page(desk.report("F27S"))
    assert "98" in line_of(page, "血红蛋白")
    assert "本报告承接另一份报告" not in page


def document(desk: Desk, number: str, *parts: str) -> httpx.Response:
    """The one document of a report, sent in these parts, as a clinician opens it."""
    lines = [obx("PDF^检验报告单^L", f"^Application^PDF^Base64^{each}", "ED") for each in parts]
    desk.take(result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), *lines, obx(HGB, "98")))
    report = desk.report(f"F{number}")
    assert "98" in line_of(desk.page(report), "血红蛋白")
    (form,) = report["presentedForm"]
    assert (form["contentType"], form["title"]) == ("application/pdf", "检验报告单")
    digest = hashlib.sha256(PDF).hexdigest()
    return desk.browsers[Role.CLINICIAN].get(f"/reports/{report['id']}/attachments/{digest}")


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_document_of_any_length_in_any_number_of_parts_opens_whole(desk: Desk, pieces: int) -> None:
    length = -(-len(ENCODED) // pieces)
    parts = [ENCODED[start : start + length] for start in range(0, len(ENCODED), length)]
    opened = document(desk, f"32.{pieces}", *parts)
    assert opened.headers["content-type"] == "application/pdf"
    assert opened.content == PDF


def test_a_document_with_line_ends_inside_opens_whole(desk: Desk) -> None:
    wrapped = "\\X0D\\".join(ENCODED[start : start + 76] for start in range(0, len(ENCODED), 76))
    assert document(desk, "32W", wrapped).content == PDF


def test_a_damaged_document_costs_no_result_and_is_marked(desk: Desk, tmp_path: Path) -> None:
    damaged = obx("PDF^检验报告单^L", "^Application^PDF^Base64^JVBERi0xLjQK%%%", "ED")
    desk.take(result("M32D", pid("C32D"), obr("F32D"), damaged, obx(HGB, "98")))
    report = desk.report("F32D")
    # The hub's own page of the report, and nothing of what the source sent broken.
    (form,) = report["presentedForm"]
    assert "检验报告单" not in form.get("title", "")
    assert "98" in text_of(tmp_path, desk.programs[Role.CLINICIAN].get(form["url"]).content)
    assert "98" in line_of(desk.page(report), "血红蛋白")
    assert "需查看" in line_of(desk.page(report, "/segments"), "OBX-5 结果值 ^Application")


def one_of_a_batch(number: str) -> bytes:
    return result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), obx(HGB, "98"))


@pytest.mark.parametrize(("number", "trailer"), [("33A", b"BTS|2\rFTS|1\r"), ("33B", b"")])
def test_each_message_of_a_batch_is_answered_and_read(desk: Desk, number: str, trailer: bytes) -> None:
    head = b"FHS|^~\\&|LIS|CHC01\rBHS|^~\\&|LIS|CHC01\r"
    batch = head + one_of_a_batch(f"{number}1") + one_of_a_batch(f"{number}2") + trailer
    answers = desk.stream(b"\x0b" + batch + b"\x1c\r", 2)
    assert [(each.code, each.control_id) for each in answers] == [("AA", f"M{number}1"), ("AA", f"M{number}2")]
    assert [desk.said(f"F{number}{n}") for n in (1, 2)] == [[("718-7", "98")]] * 2


def test_a_bad_message_of_a_batch_waits_and_the_others_are_read(desk: Desk) -> None:
    bad = message(msh("M33X2"), pid(""), obr("F33X2"), obx(HGB, "98"))
    batch = b"BHS|^~\\&|LIS|CHC01\r" + one_of_a_batch("33X1") + bad + one_of_a_batch("33X3")
    answers = desk.stream(b"\x0b" + batch + b"\x1c\r", 3)
    assert [(each.code, each.place) for each in answers] == [("AA", ""), ("AE", "PID-3"), ("AA", "")]
    assert [len(desk.reports(f"F33X{n}")) for n in (1, 2, 3)] == [1, 0, 1]
    assert "没有可用的患者标识" in desk.waiting("M33X2")


def test_a_message_of_a_header_alone_costs_the_batch_nothing(desk: Desk) -> None:
    batch = one_of_a_batch("33H1") + b"MSH|^~\\&|\r" + one_of_a_batch("33H2")
    answers = desk.stream(b"\x0b" + batch + b"\x1c\r", 3)
    assert [(each.code, each.place) for each in answers] == [("AA", ""), ("AE", "MSH-9"), ("AA", "")]
    assert [len(desk.reports(f"F33H{n}")) for n in (1, 2)] == [1, 1]


def test_phantom_messages_and_heartbeats_are_passed_over(desk: Desk) -> None:
    phantom = b"\x0b\x1c\r\x0b\r\x1c\r\x02\x10\x0b \r\n\x1c\r"
    (answer,) = desk.stream(phantom + b"\x0b" + one_of_a_batch("33P") + b"\x1c\r" + phantom, 1)
    assert (answer.code, answer.control_id) == ("AA", "M33P")
    assert desk.said("F33P") == [("718-7", "98")]


def merge(control_id: str, prior: str, surviving: str, name: str = "孙^七") -> bytes:
    mrg = f"MRG|{prior}^^^CHC01^MR||||||{name}"
    return message(msh(control_id, kind="ADT^A40^ADT_A39"), "EVN|A40|2026", pid(surviving, name), mrg)


def test_two_numbers_that_are_merged_are_one_person_and_the_other_way_round_is_refused(desk: Desk) -> None:
    for number, value in (("C35A", "98"), ("C35B", "101")):
        desk.take(result(f"M{number}", pid(number, "孙^七"), obr(f"F{number}"), obx(HGB, value)))
    one, two = (desk.report(f"F{number}")["subject"]["reference"] for number in ("C35A", "C35B"))
    assert one != two
    desk.take(merge("M35A", "C35B", "C35A"))
    one, two = (desk.report(f"F{number}")["subject"]["reference"] for number in ("C35A", "C35B"))
    assert one == two
    assert "共 2 份报告" in desk.browse(f"/patients/{one.rpartition('/')[2]}", Role.CLINICIAN)
    ack = desk.refuse(merge("M35B", "C35A", "C35B"))
    assert (ack.code, ack.place) == ("AE", "MRG-1")
    assert "位置\nMRG-1" in desk.waiting("M35B")


def test_a_number_merged_into_itself_is_refused(desk: Desk) -> None:
    ack = desk.refuse(merge("M35C", "C35C", "C35C"))
    assert (ack.code, ack.place, ack.text) == ("AE", "MRG-1", "the prior identifier is the surviving one")
    assert desk.patients("C35C") == []


def test_two_thousand_results_are_all_there(desk: Desk) -> None:
    lines = [obx(f"{10000 + n}-0^项目{n}^LN", str(n), sub_id=str(n), unit="U") for n in range(2000)]
    desk.take(result("M38", pid("C38"), obr("F38"), *lines))
    (report,) = desk.all("DiagnosticReport?identifier=F38")
    assert len(report["result"]) == 2000
    page = desk.page(report)
    rows = [
        line for line in page.splitlines() if line.startswith("项目") and line != "项目 结果 标志 单位 参考区间 趋势"
    ]
    assert rows == [f"项目{n} {10000 + n}-0 {n} U" for n in range(2000)]
    (last,) = desk.all(f"Observation?_id={report['result'][-1]['reference'].rpartition('/')[2]}")
    assert last["valueQuantity"]["value"] == 1999
