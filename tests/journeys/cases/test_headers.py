"""Cases 9 to 11: message types, control ids that tell nothing, and results that come once more."""

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, message, msh, obr, obx, pid


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU", "ORU^R01^ORU_R30", "ORU^R01^ADT_A01"])
def test_a_result_is_known_by_its_code_and_trigger_whatever_structure_it_names(desk: Desk, kind: str) -> None:
    number = f"9{kind.replace('^', '.')}"
    desk.take(message(msh(f"M{number}", kind=kind), pid(f"C{number}"), obr(f"F{number}"), obx(HGB, "98", unit="g/L")))
    assert desk.said(f"F{number}") == [("718-7", "98 g/L")]


@pytest.mark.parametrize(
    ("number", "kind", "code", "text"),
    [
        ("9A", "ERP^Z99", "AR", "messages of type ERP^Z99 are not taken"),
        ("9B", "", "AE", "expected a message type, found none"),
    ],
)
def test_another_message_waits_with_its_type_told(desk: Desk, number: str, kind: str, code: str, text: str) -> None:
    ack = desk.refuse(message(msh(f"M{number}", kind=kind), pid(f"C{number}"), obr(f"F{number}"), obx(HGB, "98")))
    assert (ack.code, ack.place, ack.text) == (code, "MSH-9", text)
    page = desk.waiting(f"M{number}")
    assert "隔离" in page
    assert "位置\nMSH-9" in page
    assert desk.reports(f"F{number}") == []


@pytest.mark.parametrize("control_id", ["", "1"])
def test_a_control_id_that_tells_nothing_loses_no_message(desk: Desk, control_id: str) -> None:
    one, two, three = (f"10{control_id}{letter}" for letter in "ABC")
    for number, value in ((one, "98"), (two, "101"), (three, "104")):
        ack = desk.take(message(msh(control_id), pid(f"C{number}"), obr(f"F{number}"), obx(HGB, value)))
        assert ack.control_id == control_id
    assert [desk.said(f"F{number}") for number in (one, two, three)] == [
        [("718-7", "98")],
        [("718-7", "101")],
        [("718-7", "104")],
    ]
    assert [patient["name"][0]["text"] for patient in desk.patients(f"C{two}")] == ["测试甲"]


def test_a_control_id_used_again_for_another_patient_is_another_message(desk: Desk) -> None:
    first = message(msh("M10R"), pid("C10R1", "张^三"), obr("F10R1"), obx(HGB, "98"))
    other = message(msh("M10R"), pid("C10R2", "李^四"), obr("F10R2"), obx(HGB, "140"))
    one, two, again = (desk.take(each) for each in (first, other, first))
    assert one.delivery != two.delivery
    # The same bytes once more earn the same answer.
    assert again.raw == one.raw
    assert "张三" in desk.page(desk.report("F10R1"))
    assert "李四" in desk.page(desk.report("F10R2"))
    assert desk.history(desk.report("F10R1")) == ["final"]


def test_a_result_sent_again_under_a_new_control_id_is_no_new_version(desk: Desk) -> None:
    lines = (pid("C11"), obr("F11"), obx(HGB, "98", unit="g/L"))
    for control_id in ("M11A", "M11B", "M11C"):
        desk.take(message(msh(control_id, at=f"2026112110300{control_id[-1] > 'A':d}+0800"), *lines))
    report = desk.report("F11")
    assert desk.history(report) == ["final"]
    assert desk.page(report).count("v1 已审核") == 1
