"""Cases 12 to 15, 24, 25, 34 and 39: segments where nobody expects them, and those that are missing."""

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, WBC, message, msh, obr, obx, pid, result
from tests.journeys.cases.paper import line_of

ONE, TWO = obx(HGB, "98", unit="g/L"), obx(WBC, "12.8", unit="10*9/L")
BOTH = [("718-7", "98 g/L"), ("6690-2", "12.8 10*9/L")]
SPM = "SPM|1|S77||119297000^全血^SCT|||||||||||||20261121095500+0800"


def test_segments_of_a_vendor_are_kept_and_hide_nothing(desk: Desk) -> None:
    desk.take(result("M12", pid("C12"), "ZPD|1|A", obr("F12"), "ZBR|甲", ONE, "ZBX|乙", TWO, "ZZZ|丙"))
    assert desk.said("F12") == BOTH
    account = desk.page(desk.report("F12"), "/segments")
    assert "已映射 5 原样保留 4 需查看 0" in account
    for name in ("ZPD", "ZBR", "ZBX", "ZZZ"):
        assert line_of(account, f"{name}[1]").startswith(f"{name}[1] {name}|")
        assert f"\n{name}[1] 原样保留" in account


def test_more_fields_than_the_standard_defines_are_kept_as_sent(desk: Desk) -> None:
    longer = f"{ONE}{'|' * 40}室内质控在控"
    desk.take(result("M13", pid("C13") + "|" * 60 + "备用", obr("F13") + "|" * 60 + "备用", longer, TWO))
    assert desk.said("F13") == BOTH
    account = desk.page(desk.report("F13"), "/segments")
    assert "室内质控在控 原样保留" in account


def test_results_behind_a_specimen_are_results_of_the_report(desk: Desk) -> None:
    # The message of which a rival dropped every OBX and reported success.
    desk.take(result("M14", pid("C14"), obr("F14"), SPM, ONE, TWO))
    assert desk.said("F14") == BOTH
    page = desk.page(desk.report("F14"))
    assert "标本\n全血" in page
    assert "98" in line_of(page, "血红蛋白")
    assert "12.8" in line_of(page, "白细胞计数")


def test_results_before_their_order_are_shown_beside_it(desk: Desk) -> None:
    ack = desk.take(result("M15", pid("C15"), ONE, obr("F15"), TWO))
    assert desk.said("F15") == BOTH[1:]
    alone, ordered = desk.of_delivery(ack.delivery)
    assert [desk.results(each)[0]["valueQuantity"]["value"] for each in (alone, ordered)] == [98, 12.8]
    assert "98" in line_of(desk.page(alone), "血红蛋白 718-7")


def test_results_without_any_order_are_a_report(desk: Desk) -> None:
    ack = desk.take(result("M15B", pid("C15B", "赵^六"), ONE, TWO))
    (report,) = desk.of_delivery(ack.delivery)
    assert len(desk.results(report)) == 2
    assert report["meta"]["tag"]
    page = desk.page(report)
    assert "赵六" in page
    assert "98" in line_of(page, "血红蛋白 718-7")


def test_an_empty_document_before_the_order_is_no_report(desk: Desk) -> None:
    empty = "OBX||ED|||App5^NS^Octet-stream^Base64|"
    ack = desk.take(result("M15C", pid("C15C"), empty, obr("F15C"), ONE, TWO))
    (report,) = desk.of_delivery(ack.delivery)
    assert len(desk.results(report)) == 2
    assert "OBX[1] 检验检查结果 需查看" in desk.page(report, "/segments")


def test_a_note_belongs_to_what_stands_before_it(desk: Desk) -> None:
    notes = [f"NTE|1|L|{words}" for words in ("患者备注", "医嘱备注", "血红蛋白备注", "白细胞备注")]
    desk.take(result("M24", pid("C24"), notes[0], obr("F24"), notes[1], ONE, notes[2], TWO, notes[3]))
    report = desk.report("F24")
    hgb, wbc = desk.results(report)
    assert [hgb["note"], wbc["note"]] == [[{"text": "血红蛋白备注"}], [{"text": "白细胞备注"}]]
    page = desk.page(report)
    assert "血红蛋白备注" in line_of(page, "血红蛋白")
    assert "所见\n医嘱备注" in page
    assert "患者备注" not in page
    assert "NTE-3 备注 患者备注 原样保留" in desk.page(report, "/segments")


def test_notes_whose_numbers_start_again_all_stay_in_their_order(desk: Desk) -> None:
    notes = [f"NTE|{number}|L|{words}" for number, words in ((1, "甲"), (2, "乙"), (1, "丙"), (1, "丁"))]
    desk.take(result("M25", pid("C25"), obr("F25"), ONE, *notes, TWO))
    report = desk.report("F25")
    hgb, wbc = desk.results(report)
    assert [note["text"] for note in hgb["note"]] == ["甲", "乙", "丙", "丁"]
    assert "note" not in wbc
    assert "甲 乙 丙 丁" in line_of(desk.page(report), "血红蛋白")


def test_an_event_segment_where_none_belongs_changes_nothing(desk: Desk) -> None:
    event = "EVN|R01|20261121103000"
    desk.take(message(msh("M34"), event, pid("C34"), obr("F34"), event, ONE, TWO))
    assert desk.said("F34") == BOTH
    assert "原样保留" in desk.page(desk.report("F34"), "/segments").partition("\nEVN[2] 事件")[2].partition("\n")[0]


@pytest.mark.parametrize("results", [(), (ONE,)])
def test_a_control_without_a_patient_becomes_nobodys_result(desk: Desk, results: tuple[str, ...]) -> None:
    number = f"39{len(results)}"
    control = f"OBR|1|{number}|F{number}|Mindray^BS-480||20261121060015|||||||CTRL-Normal|LOT-2025-001"
    ack = desk.refuse(result(f"M{number}", control, *results))
    assert (ack.code, ack.place, ack.text) == ("AR", "PID", "no patient: quality control results are not taken")
    assert desk.reports(f"F{number}") == []
    page = desk.waiting(f"M{number}")
    assert "无患者信息：不接收质控结果" in page
    assert "位置\nPID" in page
