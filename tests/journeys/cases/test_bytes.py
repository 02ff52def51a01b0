"""Cases 1 to 8: terminators, byte order marks, broken lines, delimiters and versions that senders get wrong."""

import codecs

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import HGB, WBC, message, msh, obr, obx, pid, result
from tests.journeys.cases.paper import line_of

COUNT = (obx(HGB, "98", unit="g/L", reference="130-175", flag="L"), obx(WBC, "12.8", unit="10*9/L"))
BOTH = [("718-7", "98 g/L"), ("6690-2", "12.8 10*9/L")]


@pytest.mark.parametrize(("number", "end"), [("1", "\n"), ("2", "\r\n"), ("2B", "\n\r")])
def test_lines_that_end_as_in_a_text_file_lose_no_result(desk: Desk, number: str, end: str) -> None:
    desk.take(message(msh(f"M{number}"), pid(f"C{number}", "王^芳"), obr(f"F{number}"), *COUNT, end=end))
    assert desk.said(f"F{number}") == BOTH
    page = desk.page(desk.report(f"F{number}"))
    assert "王芳" in page
    assert line_of(page, "血红蛋白").endswith("98 ↓ 偏低 g/L 130-175")


@pytest.mark.parametrize(
    ("number", "mark", "codec"),
    [
        ("3A", codecs.BOM_UTF8, "utf-8"),
        ("3B", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("3C", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("3D", b"", "utf-16-le"),
    ],
)
def test_a_byte_order_mark_does_not_hide_the_header(desk: Desk, number: str, mark: bytes, codec: str) -> None:
    sent = mark + message(msh(f"M{number}"), pid(f"C{number}", "王^芳"), obr(f"F{number}"), *COUNT, codec=codec)
    (ack,) = desk.send(sent)
    assert (ack.code, ack.control_id) == ("AA", f"M{number}")
    assert desk.said(f"F{number}") == BOTH
    assert "王芳" in desk.page(desk.report(f"F{number}"))


@pytest.mark.parametrize("broken", ["\n", "\r", "\r\n"])
def test_a_text_broken_over_lines_is_read_to_its_end(desk: Desk, broken: str) -> None:
    number = f"4-{broken.encode().hex()}"
    text = f"镜检：{broken}白细胞 3-5/HP{broken}|红细胞 0-1/HP"
    desk.take(result(f"M{number}", pid(f"C{number}"), obr(f"F{number}"), obx("MICRO^镜检^L", text, "TX"), COUNT[0]))
    (code, value), hgb = desk.said(f"F{number}")
    assert (code, hgb) == ("MICRO", BOTH[0])
    assert value.split("\n")[:2] == ["镜检：", "白细胞 3-5/HP"]
    page = desk.page(desk.report(f"F{number}"))
    assert "白细胞 3-5/HP" in page
    assert "红细胞 0-1/HP" in page + desk.page(desk.report(f"F{number}"), "/segments")


def test_blank_lines_and_bare_segments_are_passed_over(desk: Desk) -> None:
    segments = ("", pid("C5"), "PV1", "", obr("F5"), "   ", *COUNT, "NTE", "", "")
    ack = desk.take(message(msh("M5"), *segments))
    assert ack.control_id == "M5"
    assert desk.said("F5") == BOTH


def test_a_truncation_character_is_an_encoding_character_and_not_a_text(desk: Desk) -> None:
    lines = (pid("C6"), obr("F6"), obx("BED^床号^L", "A#3 \\P\\ 5\\S\\6", "ST"), *COUNT)
    ack = desk.take(message(msh("M6", marks="^~\\&#"), *lines))
    assert ack.raw.startswith("MSH|^~\\&#|")
    assert desk.said("F6") == [("BED", "A#3 # 5^6"), *BOTH]


@pytest.mark.parametrize(("number", "marks", "shown"), [("7A", "^~\\", "A&B ^"), ("7B", "^~&", "A&B \\S\\")])
def test_three_encoding_characters_are_enough(desk: Desk, number: str, marks: str, shown: str) -> None:
    text = obx("NOTE^说明^L", "A&B \\S\\", "ST")
    ack = desk.take(
        message(msh(f"M{number}", marks=marks), pid(f"C{number}", "王^芳"), obr(f"F{number}"), text, *COUNT)
    )
    assert ack.raw.startswith(f"MSH|{marks}|")
    assert desk.said(f"F{number}") == [("NOTE", shown), *BOTH]
    assert "王芳" in desk.page(desk.report(f"F{number}"))


@pytest.mark.parametrize(
    ("number", "separator", "marks"), [("7C", "#", "^~\\&"), ("7D", "|", "$%?!"), ("7E", "*", ":;/&")]
)
def test_delimiters_are_those_that_the_message_declares(desk: Desk, number: str, separator: str, marks: str) -> None:
    own = str.maketrans(dict(zip("|^~\\&", separator + marks, strict=True)))
    text = obx("SITE^部位^L", "左侧~右侧 \\T\\ 5", "ST")
    lines = (msh(f"M{number}"), pid(f"C{number}", "王^芳"), obr(f"F{number}"), text, obx(HGB, "98", unit="g/L"))
    ack = desk.take(message(*(line.translate(own) for line in lines)))
    assert ack.raw.startswith(f"MSH{separator}{marks}{separator}")
    assert desk.said(f"F{number}") == [("SITE", f"左侧\n右侧 {marks[3]} 5"), BOTH[0]]
    assert "王芳" in desk.page(desk.report(f"F{number}"))


@pytest.mark.parametrize("version", ["", "2.1", "2.3.z", "2.8", "2.9", "V2.4"])
def test_a_version_that_nobody_knows_is_read_as_any_other(desk: Desk, version: str) -> None:
    number = f"8{version}"
    desk.take(message(msh(f"M{number}", version=version), pid(f"C{number}"), obr(f"F{number}"), *COUNT))
    assert desk.said(f"F{number}") == BOTH
