"""Text is read right whatever its label says, and honest labels are believed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dicom.charset import choose, terms
from adapters.dicom.description import describe
from adapters.dicom.header import Header
from adapters.dicom.structure import DataSet, Element
from adapters.dicom.subject import person_name

# The commonest characters of names, by frequency lists: surnames first.
COMMON = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁"
    "于余叶蒋杜苏魏程吕丁芳伟秀英娜敏静丽强磊军洋勇艳杰涛明超霞平刚桂华"
)
names = st.text(st.sampled_from(COMMON), min_size=2, max_size=4)


@given(names, st.sampled_from(["", "ISO_IR 100", "ISO_IR 6", "GB18030", "GBK", "ISO-IR 100", "whatever"]))
def test_common_names_in_gbk_are_read_under_every_label(name: str, label: str) -> None:
    value = f"Zhang^San={name}".encode("gbk")
    assert choose(terms(label.encode()), [value]).decode(value) == f"Zhang^San={name}"


@given(names, st.sampled_from(["", "ISO_IR 100", "ISO_IR 192", "GB18030", "ISO_IR 6"]))
def test_names_in_utf8_are_read_under_every_label(name: str, label: str) -> None:
    values = [f"Zhang^San={name}".encode(), "胸部CT平扫".encode()]
    assert choose(terms(label.encode()), values).decode(values[0]) == f"Zhang^San={name}"


@pytest.mark.parametrize(
    "name", ["Müller^Jürgen", "José", "Françoise^Noël", "Ærøskøbing^Åse", "PÄÄKKÖNEN^ÄÄ", "Groß", "Citroën^Aïda"]
)
def test_honest_latin_label_is_believed(name: str) -> None:
    value = name.encode("latin-1")
    charset = choose(("ISO_IR 100",), [value])
    assert charset.decode(value) == name
    assert not charset.repaired


@pytest.mark.parametrize("name", ["王弢", "李昞", "赵喆", "陈堃", "犇", "𠮷田"])
def test_rare_characters_and_trail_bytes_that_look_like_delimiters(name: str) -> None:
    value = f"Li^Bing={name[0]}^{name[1:]}".encode("gb18030")
    assert choose(("GB18030",), [value]).decode(value) == f"Li^Bing={name[0]}^{name[1:]}"


def test_group_cut_in_the_middle_of_a_character_loses_that_character_alone() -> None:
    value = b"Zhang^San=" + "张^三".encode("gb18030")[:-1] + b"=" + "ㄓㄤ".encode("gb18030")
    assert choose(("GB18030",), [value]).decode(value) == "Zhang^San=张^=ㄓㄤ"


def test_gb2312_escapes_leave_no_trace() -> None:
    value = b"Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd"
    for label in (b"\\ISO 2022 IR 58", b"", b"ISO_IR 100"):
        assert choose(terms(label), [value]).decode(value) == "Zhang^San=张^三"


def test_source_that_is_known_to_write_gbk_overrides_what_would_be_doubtful() -> None:
    rare = "璟玥".encode("gbk")
    assert choose(("ISO_IR 100",), [rare], "gb18030").decode(rare) == "璟玥"
    assert choose(("ISO_IR 100",), [rare], "no-such-codec").decode(rare)


def test_unreadable_bytes_are_shown_as_such_and_nothing_is_raised() -> None:
    charset = choose(("ISO_IR 192",), [b"\xff\xfe\xfd\xff"])
    assert "\ufffd" in charset.decode(b"\xff\xfe\xfd\xff")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chrH32.dcm", {"Alphabetic": "ﾔﾏﾀﾞ^ﾀﾛｳ", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}),
        ("chrI2.dcm", {"Alphabetic": "Hong^Gildong", "Ideographic": "洪^吉洞", "Phonetic": "홍^길동"}),
        ("chrRuss.dcm", {"Alphabetic": "Люкceмбypг"}),
        ("chrX1.dcm", {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東"}),
        ("chrX2.dcm", {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}),
    ],
)
def test_other_scripts_of_the_standard(samples: Path, name: str, expected: dict[str, str]) -> None:
    with (samples / "dicom/charset" / name).open("rb") as content:
        metadata = json.loads(describe(content).document)
    assert metadata["00100010"]["Value"] == [expected]


def test_items_may_change_the_charset() -> None:
    def text(value: bytes) -> Element:
        return Element(0x00100010, "PN", len(value), 0, True, value)

    def charset(value: bytes) -> Element:
        return Element(0x00080005, "CS", len(value), 0, True, value)

    utf8 = DataSet({0x00080005: charset(b"ISO_IR 192"), 0x00100010: text("王^芳".encode())})
    inherits = DataSet({0x00100010: text("张^三".encode("gb18030"))})
    sequence = Element(0x00081115, "SQ", 0, 0, True, None, [utf8, inherits])
    root = DataSet({0x00080005: charset(b"GB18030"), 0x00100010: text("李^四".encode("gb18030")), 0x00081115: sequence})
    header = Header.of(root)
    assert [header.text(0x00100010)] + [item.text(0x00100010) for item in header.items(0x00081115)] == [
        "李^四",
        "王^芳",
        "张^三",
    ]


@pytest.mark.parametrize(
    ("value", "text", "latin"),
    [
        ("Zhang^San=张^三", "张三", "Zhang San"),
        ("王^芳", "王芳", ""),
        ("王芳", "王芳", ""),
        ("Doe^Archibald^^Dr", "Doe Archibald Dr", "Doe Archibald Dr"),
        ("=张^三", "张三", ""),
        ("Zhang^San=^", "Zhang San", "Zhang San"),
        ("", "", ""),
    ],
)
def test_names_as_people_write_them(value: str, text: str, latin: str) -> None:
    name = person_name(value)
    assert (name.text, name.latin) == (text, latin)
