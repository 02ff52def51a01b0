"""Cases 28, 29 and 40: results that change, come late, are taken back, or come under somebody else's number."""

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, WBC, message, msh, obr, obx, pid
from tests.journeys.cases.paper import line_of

SAID = {
    # OBR-25, OBX-11: status of the report, of the result, and what the page says above it
    ("F", "F"): ("final", "final", "已审核"),
    ("P", "P"): ("preliminary", "preliminary", "初步报告。"),
    ("P", "F"): ("preliminary", "final", "初步报告。"),
    ("A", "F"): ("partial", "final", ""),
    ("C", "C"): ("corrected", "corrected", "已更正"),
    ("X", "X"): ("cancelled", "cancelled", "出具机构已撤回本报告"),
    ("F", "X"): ("final", "cancelled", "已审核"),
    ("F", "W"): ("final", "entered-in-error", "已审核"),
    ("W", "W"): ("entered-in-error", "entered-in-error", "出具机构已撤回本报告"),
    ("F", "D"): ("final", "entered-in-error", "已审核"),
    ("F", "N"): ("final", "cancelled", "已审核"),
    ("F", "I"): ("final", "registered", "已审核"),
    ("F", "Z"): ("final", "unknown", "已审核"),
    ("F", ""): ("final", "final", "已审核"),
    ("Z", "F"): ("final", "final", "已审核"),
    ("", "F"): ("final", "final", "已审核"),
    ("", "P"): ("preliminary", "preliminary", "初步报告。"),
    ("", "C"): ("corrected", "corrected", "已更正"),
    ("", "X"): ("cancelled", "cancelled", "出具机构已撤回本报告"),
    ("", "W"): ("entered-in-error", "entered-in-error", "出具机构已撤回本报告"),
    ("", ""): ("preliminary", "preliminary", "初步报告。"),
}


@pytest.mark.parametrize(("order", "result"), SAID)
def test_nobody_is_told_more_than_the_laboratory_has_said(desk: Desk, order: str, result: str) -> None:
    number = f"28{order or '0'}{result or '0'}"
    desk.take(message(msh(f"M{number}"), pid(f"C{number}"), obr(f"F{number}", order), obx(HGB, "98", status=result)))
    report_status, result_status, words = SAID[order, result]
    report = desk.report(f"F{number}")
    assert report["status"] == report_status
    assert [each["status"] for each in desk.results(report)] == [result_status]
    page = desk.page(report)
    assert words in page
    assert ("请勿据此诊疗" in page) == ("撤回" in words)


@pytest.mark.parametrize(("order", "result", "place"), [("Z", "F", "OBR[1]"), ("F", "Z", "OBX[1]")])
def test_a_status_of_no_table_is_marked_where_it_stands(desk: Desk, order: str, result: str, place: str) -> None:
    number = f"28{order}{result}Z"
    desk.take(message(msh(f"M{number}"), pid(f"C{number}"), obr(f"F{number}", order), obx(HGB, "98", status=result)))
    account = desk.page(desk.report(f"F{number}"), "/segments")
    assert "需查看" in account.partition("每个段的去向 ")[2].partition(f"\n{place} ")[2].partition("\n")[0]


def said(desk: Desk, number: str, step: int, status: str, value: str, *, filler: str = "", placer: str = "") -> None:
    """The next message about one report, a minute later by the laboratory's clock."""
    at = f"202611211{step // 60}{step % 60:02}00+0800"
    order = obr(filler or f"F{number}", status, issued=at, placer=placer)
    desk.take(message(msh(f"M{number}.{step}", at=at), pid(f"C{number}"), order, obx(HGB, value, status=status)))


def test_a_final_that_follows_its_correction_is_an_amendment_and_not_the_first_value(desk: Desk) -> None:
    for step, (status, value) in enumerate([("F", "98"), ("C", "128"), ("F", "129")]):
        said(desk, "29A", step, status, value)
    report = desk.report("F29A")
    assert desk.history(report) == ["final", "corrected", "amended"]
    page = desk.page(report)
    assert "129" in line_of(page, "血红蛋白")
    assert "128" in line_of(desk.browse_version(report, 2), "血红蛋白")


def test_a_preliminary_that_comes_after_its_final_stays_behind_it(desk: Desk) -> None:
    said(desk, "29B", 5, "F", "98")
    said(desk, "29B", 2, "P", "97")
    report = desk.report("F29B")
    assert report["status"] == "final"
    assert desk.said("F29B") == [("718-7", "98")]
    assert sorted(desk.history(report)) == ["final", "preliminary"]
    page = desk.page(report)
    assert "98" in line_of(page, "血红蛋白")
    assert "97" not in line_of(page, "血红蛋白")


def test_a_correction_under_a_new_filler_number_replaces_what_it_corrects(desk: Desk) -> None:
    said(desk, "29C", 1, "F", "98", placer="REQ29C")
    said(desk, "29C", 2, "C", "128", filler="F29C-2", placer="REQ29C")
    (report,) = desk.all("DiagnosticReport?identifier=REQ29C")
    assert desk.history(report) == ["final", "corrected"]
    assert "128" in line_of(desk.page(report), "血红蛋白")


def test_a_withdrawal_after_a_final_takes_the_value_from_everybodys_sight(desk: Desk) -> None:
    said(desk, "29D", 1, "F", "98")
    said(desk, "29D", 2, "X", "98")
    report = desk.report("F29D")
    assert desk.history(report) == ["final", "cancelled"]
    assert [each["status"] for each in desk.results(report)] == ["cancelled"]
    page = desk.page(report)
    assert "出具机构已撤回本报告" in page
    assert "请勿据此诊疗" in page


def test_one_result_that_is_taken_back_leaves_the_others_standing(desk: Desk) -> None:
    first = (obx(HGB, "98"), obx(WBC, "12.8"))
    desk.take(message(msh("M28E1"), pid("C28E"), obr("F28E"), *first))
    late = obr("F28E", "C", issued="20261121110000+0800")
    desk.take(message(msh("M28E2", at="20261121110000+0800"), pid("C28E"), late, obx(HGB, "98", status="W")))
    report = desk.report("F28E")
    hgb, wbc = desk.results(report)
    assert (hgb["status"], wbc["status"]) == ("entered-in-error", "final")
    assert "12.8" in line_of(desk.page(report), "白细胞计数")


def test_the_filler_number_of_somebody_else_is_held_and_never_merged(desk: Desk) -> None:
    desk.take(message(msh("M40A"), pid("C40A", "张^三"), obr("F40"), obx(HGB, "98")))
    ack = desk.refuse(message(msh("M40B"), pid("C40B", "李^四", "19700101", "F"), obr("F40", "C"), obx(HGB, "140")))
    assert (ack.code, ack.text) == ("AE", "this report is already bound to another patient")
    report = desk.report("F40")
    assert desk.history(report) == ["final"]
    page = desk.page(report)
    assert "张三" in page
    assert "98" in line_of(page, "血红蛋白")
    waits = desk.waiting("M40B")
    assert "待人工处理" in waits
    assert "该报告已归属另一位患者" in waits


def test_a_patient_described_otherwise_is_held(desk: Desk) -> None:
    desk.take(message(msh("M40C"), pid("C40C", "张^三"), obr("F40C"), obx(HGB, "98")))
    ack = desk.refuse(message(msh("M40D"), pid("C40C", "李^四", "19700101", "F"), obr("F40D"), obx(HGB, "140")))
    assert (ack.code, ack.where) == ("AE", "patient identifier")
    assert desk.reports("F40D") == []
    assert "该标识下的患者信息与已知记录不符" in desk.waiting("M40D")
