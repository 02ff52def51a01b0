"""The list of analytes is sound, and a laboratory's own names lead to the right one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.demo.panels import PANELS
from schemas.analytes import analyte, analytes, search, suggestions


def luhn(number: str) -> int:
    """The check digit of a LOINC code: modulus 10 with weights 2 and 1 from the right."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number))]
    return -sum(sum(divmod(each, 10)) for each in doubled) % 10


def test_every_code_has_its_check_digit_and_stands_once() -> None:
    codes = [each.code for each in analytes()]
    assert len(codes) > 150
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if luhn(code.partition("-")[0]) != int(code.partition("-")[2])] == []


def test_every_analyte_is_named_in_both_languages() -> None:
    assert all(each.zh and each.en.isascii() and not each.zh.isascii() for each in analytes())
    assert len({each.zh for each in analytes()}) == len(analytes())


def test_what_the_demo_s_laboratories_report_is_known_under_the_same_unit() -> None:
    for panel in PANELS.values():
        for each in panel.analytes:
            known = analyte(each.code)
            assert known is not None, each.code
            assert known.unit == each.unit, each.code


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (("WBC", "白细胞"), "6690-2"),
        (("1001", "白细胞计数(WBC)"), "6690-2"),
        (("0012", "血清丙氨酸氨基转移酶测定"), "1742-6"),
        (("ALT", ""), "1742-6"),
        (("谷丙", "谷丙转氨酶（ALT）"), "1742-6"),
        (("hb", "HGB"), "718-7"),
        (("X9", "C反应蛋白"), "1988-5"),
        (("X9", "超敏Ｃ反应蛋白"), "30522-7"),
        (("TT4", "总甲状腺素"), "14921-1"),
        (("GLU", "葡萄糖"), "14749-6"),
    ],
)
def test_the_likeliest_stands_first(sent: tuple[str, str], code: str) -> None:
    assert suggestions(*sent)[0].code == code


def test_the_unit_decides_between_two_of_a_name() -> None:
    assert suggestions("CK-MB", "肌酸激酶同工酶", unit="U/L")[0].code == "32673-6"
    assert suggestions("尿糖")[0].code == "25428-4"


def test_what_nobody_knows_gets_no_suggestion() -> None:
    assert suggestions("Q77", "某某指标") == ()


@pytest.mark.parametrize(
    ("typed", "code"), [("6690-2", "6690-2"), ("白细", "6690-2"), ("leuk blood", "6690-2"), ("alt", "1742-6")]
)
def test_a_person_finds_it_by_code_name_or_abbreviation(typed: str, code: str) -> None:
    assert code in [each.code for each in search(typed)][:3]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_name_breaks_the_search(code: str, name: str) -> None:
    assert len(suggestions(code, name)) <= 8
    assert len(search(name)) <= 20
