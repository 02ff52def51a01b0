"""Cases 16 to 23 and 26: values that are not what their type says, and texts that are more than one field."""

import pytest

from tests.journeys.cases.desk import Desk, value_of
from tests.journeys.cases.er7 import HGB, message, msh, obr, obx, pid, result
from tests.journeys.cases.paper import line_of

ITEM = "AFP^甲胎蛋白^L"

# OBX-2, OBX-5, what FHIR says in the unit ng/mL, what the page shows.
VALUES = [
    # 16: no type, or one that means nothing here
    ("", "7.1", "7.1 ng/mL", "7.1"),
    ("", "阴性", "阴性", "阴性"),
    ("XX", "7.1", "7.1", "7.1"),
    ("PN", "王^检验", "王^检验", "王^检验"),
    # 17: a number that is none
    ("NM", "<0.1", "<0.1 ng/mL", "<0.1"),
    ("NM", "＞100", ">100 ng/mL", ">100"),
    ("NM", "≤0.61", "<=0.61 ng/mL", "<=0.61"),
    ("NM", "阴性(-)", "阴性(-)", "阴性(-)"),
    ("NM", "***.*", "***.*", "***.*"),
    ("NM", "1:160", "1:160", "1:160"),
    ("NM", "15.", "15 ng/mL", "15"),
    # 18: a structured number
    ("SN", ">^100", ">100 ng/mL", ">100"),
    ("SN", "^182", "182 ng/mL", "182"),
    ("SN", "^1^-^5", "1 ng/mL - 5 ng/mL", "1–5"),
    ("SN", "^2^+", "2+", "2+"),
    ("SN", ">=^32", ">=32 ng/mL", ">=32"),
    # 19: several answers
    ("ST", "大肠埃希菌~肺炎克雷伯菌", "大肠埃希菌\n肺炎克雷伯菌", "大肠埃希菌 肺炎克雷伯菌"),
    ("NM", "27~25", "27\n25", "27 25"),
    ("CWE", "A^甲型^L~B^乙型^L", "甲型\n乙型", "甲型 乙型"),
    # 21: escape sequences
    ("FT", "第一行\\.br\\第二行", "第一行\n第二行", "第一行 第二行"),
    ("ST", "10\\S\\9/L \\T\\ \\F\\ \\R\\ \\E\\", "10^9/L & | ~ \\", "10^9/L & | ~ \\"),
    ("TX", "甲\\X0D\\乙", "甲\n乙", "甲 乙"),
    ("ST", "\\H\\危急\\N\\值", "危急值", "危急值"),
    ("ST", "\\Zred\\偏高", "\\Zred\\偏高", "\\Zred\\偏高"),
    # 22: a lone backslash
    ("ST", "C:\\temp 3", "C:\\temp 3", "C:\\temp 3"),
    ("ST", "阳性\\", "阳性\\", "阳性\\"),
    # 23: an ampersand that was not escaped
    ("ST", "H&E 染色 & PAS", "H&E 染色 & PAS", "H&E 染色 & PAS"),
    ("CWE", "1^H&E 染色^L", "H&E 染色", "H&E 染色"),
]


def test_every_value_is_shown_as_its_laboratory_meant_it(desk: Desk) -> None:
    lines = [obx(f"V{n}^项目{n}^L", sent, kind, unit="ng/mL") for n, (kind, sent, _, _) in enumerate(VALUES)]
    desk.take(result("M16", pid("C16"), obr("F16"), *lines, obx(HGB, "98", unit="g/L")))
    report = desk.report("F16")
    assert [value_of(each) for each in desk.results(report)] == [*(said for _, _, said, _ in VALUES), "98 g/L"]
    page = desk.page(report)
    for n, (_, sent, _, shown) in enumerate(VALUES):
        assert line_of(page, f"项目{n} ").startswith(f"项目{n} V{n} {shown} ng/mL"), sent
    assert "98" in line_of(page, "血红蛋白")


def test_a_titre_is_shown_as_a_titre(desk: Desk) -> None:
    desk.take(result("M18T", pid("C18T"), obr("F18T"), obx("RF^类风湿因子^L", "^1^:^128", "SN")))
    assert desk.said("F18T") == [("RF", "1:128")]
    assert "1:128" in line_of(desk.page(desk.report("F18T")), "类风湿因子")


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("", "阴性", "OBX-2 值类型 ∅ 需查看 缺少值类型"),
        ("XX", "7.1", "OBX-2 值类型 XX 需查看"),
        ("NM", "***.*", "OBX-5 结果值 ***.* 需查看"),
    ],
)
def test_a_value_that_was_doubted_is_marked_where_it_stands(desk: Desk, kind: str, value: str, told: str) -> None:
    number = f"16{kind}D"
    desk.take(result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), obx(ITEM, value, kind)))
    account = desk.page(desk.report(f"F{number}"), "/segments")
    assert "需查看 1" in account
    assert line_of(account, told)


@pytest.mark.parametrize(("number", "named_again"), [("20A", True), ("20B", False)])
def test_one_text_over_many_segments_is_read_as_one(desk: Desk, number: str, *, named_again: bool) -> None:
    words, name = ["镜下见红细胞", "大小不等", "中央淡染区扩大"], "MORPH^红细胞形态^L"
    following = [obx(name if named_again else "", each, "TX") for each in words[1:]]
    lines = (obx(name, words[0], "TX"), *following, obx(HGB, "98", unit="g/L"))
    desk.take(result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), *lines))
    assert desk.said(f"F{number}") == [("MORPH", "\n".join(words)), ("718-7", "98 g/L")]
    assert " ".join(words) in line_of(desk.page(desk.report(f"F{number}")), "红细胞形态")


def test_the_numbered_lines_of_a_text_all_stay_in_their_order(desk: Desk) -> None:
    words = ["镜下见红细胞", "大小不等", "中央淡染区扩大"]
    lines = [obx("MORPH^红细胞形态^L", each, "TX", sub_id=str(n)) for n, each in enumerate(words, 1)]
    desk.take(result("M20C", pid("C20C"), obr("F20C"), *lines))
    rows = [line for line in desk.page(desk.report("F20C")).splitlines() if line.startswith("红细胞形态")]
    assert [row.split()[-1] for row in rows] == words


def test_an_ampersand_in_a_note_and_in_a_name_is_a_letter(desk: Desk) -> None:
    lines = (pid("C23", "O&Neil^A"), obr("F23"), obx(HGB, "98"), "NTE|1|L|标本溶血 & 脂血")
    desk.take(result("M23", *lines))
    report = desk.report("F23")
    assert "标本溶血 & 脂血" in line_of(desk.page(report), "血红蛋白")
    assert "O" in desk.patients("C23")[0]["name"][0]["text"]


@pytest.mark.parametrize(("number", "sub_ids"), [("26A", ("1", "1")), ("26B", ("1", "2")), ("26C", ("", ""))])
def test_the_same_item_twice_is_two_results(desk: Desk, number: str, sub_ids: tuple[str, str]) -> None:
    sent = zip(("5.1", "7.8"), sub_ids, strict=True)
    lines = [obx("GLU^葡萄糖^L", value, unit="mmol/L", sub_id=sub_id) for value, sub_id in sent]
    desk.take(result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), *lines))
    assert desk.said(f"F{number}") == [("GLU", "5.1 mmol/L"), ("GLU", "7.8 mmol/L")]
    rows = [line for line in desk.page(desk.report(f"F{number}")).splitlines() if line.startswith("葡萄糖")]
    assert [row.split()[2] for row in rows] == ["5.1", "7.8"]
    # Corrected under the same keys: the same two, and what was not corrected stays.
    corrected = [each.replace("|7.8|", "|7.9|") for each in lines]
    desk.take(message(msh(f"M{number}2"), pid(f"C{number}"), obr(f"F{number}", "C"), *corrected))
    assert desk.said(f"F{number}") == [("GLU", "5.1 mmol/L"), ("GLU", "7.9 mmol/L")]
