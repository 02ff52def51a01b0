"""Cases 36 and 37: what MSH-18 says, what the bytes are, and characters whose bytes look like delimiters."""

import itertools

import pytest

from tests.journeys.cases.desk import Desk
from tests.journeys.cases.er7 import message, msh, obr, obx, pid
from tests.journeys.cases.paper import line_of

NAME = "欧阳^娜娜"

# MSH-18, what the bytes are, whether a person is told that the declaration was not followed.
DECLARED = [
    ("UNICODE UTF-8", "utf-8", False),
    ("UNICODE", "utf-8", False),
    ("", "utf-8", False),
    ("GB 18030-2000", "gb18030", False),
    ("GB2312", "gb18030", False),
    ("GBK", "gb18030", False),
    ("", "gb18030", True),
    ("UNICODE UTF-8", "gb18030", True),
    ("8859/1", "gb18030", True),
    ("ASCII", "utf-8", True),
    ("8859/1", "utf-8", True),
    ("BIG-5", "big5", False),
    ("KLINGON", "utf-8", True),
]


@pytest.mark.parametrize(("declared", "codec", "doubted"), DECLARED)
def test_a_name_is_read_by_its_bytes_whatever_is_declared(
    desk: Desk, declared: str, codec: str, *, doubted: bool
) -> None:
    number = f"36.{DECLARED.index((declared, codec, doubted))}"
    name = "歐陽^娜娜" if codec == "big5" else NAME
    order = obr(f"F{number}", service="58410-2^CBC^LN")
    lines = (pid(f"C{number}", name), order, obx("COLOR^顏色^L", "黄色" if codec != "big5" else "黃色", "ST"))
    desk.take(message(msh(f"M{number}", charset=declared), *lines, codec=codec))
    report = desk.report(f"F{number}")
    page = desk.page(report)
    assert name.replace("^", "") in page
    assert line_of(page, "顏色").endswith("黄色" if codec != "big5" else "黃色")
    account = desk.page(report, "/segments")
    assert ("需查看 1" in account) == doubted
    if doubted:
        assert "需查看" in account.partition("\nMSH-18 ")[2].partition("\n")[0]


@pytest.mark.parametrize("codec", ["iso8859-1", "utf-8"])
def test_a_western_name_keeps_its_accents(desk: Desk, codec: str) -> None:
    number = f"36{codec}"
    order = obr(f"F{number}", service="58410-2^CBC^LN")
    lines = (pid(f"C{number}", "Müller^José"), order, obx("NOTE^Note^L", "Käse", "ST"))
    desk.take(message(msh(f"M{number}", charset="8859/1" if codec != "utf-8" else ""), *lines, codec=codec))
    page = desk.page(desk.report(f"F{number}"))
    assert "Müller" in page
    assert "José" in page
    assert line_of(page, "Note").endswith("Käse")


def test_two_encodings_in_one_message_are_each_read_as_they_are(desk: Desk) -> None:
    head = message(msh("M36T"), pid("C36T", NAME), obr("F36T"))
    utf8, gbk = obx("SITE^部位^L", "左侧腋窝淋巴结", "ST"), obx("COLOR^颜色^L", "淡黄色", "ST")
    desk.take(head + message(utf8) + message(gbk, codec="gb18030"))
    page = desk.page(desk.report("F36T"))
    assert "欧阳娜娜" in page
    assert line_of(page, "部位").endswith("左侧腋窝淋巴结")
    assert line_of(page, "颜色").endswith("淡黄色")


@pytest.mark.parametrize(
    ("name", "declared"), [*zip("珅瑋玘璣昞誠魚珇弢", itertools.cycle(["GB 18030-2000", ""]), strict=False)]
)
def test_a_name_whose_bytes_hold_a_delimiter_is_one_name(desk: Desk, name: str, declared: str) -> None:
    number = f"37{ord(name):x}{declared[:2]}"
    assert name.encode("gb18030")[1:2] in (b"|", b"^", b"\\", b"~")
    lines = (pid(f"C{number}", f"王{name}"), obr(f"F{number}"), obx("SITE^部位^L", f"{name}左", "ST"), "NTE|1|L|复查")
    desk.take(message(msh(f"M{number}", charset=declared), *lines, codec="gb18030"))
    (patient,) = desk.patients(f"C{number}")
    assert patient["name"][0]["text"] == f"王{name}"
    assert (patient["gender"], patient["birthDate"]) == ("male", "1980-01-01")
    assert desk.said(f"F{number}") == [("SITE", f"{name}左")]
    assert "复查" in line_of(desk.page(desk.report(f"F{number}")), "部位")
