"""Character sets: what is declared, what is sent, and names that must survive both."""

import codecs

import pytest

from adapters.hl7v2.charset import decode
from adapters.hl7v2.er7 import parse
from tests.adapters.hl7v2.values import OBR, PID, read_bytes

# Each holds, in GB 18030, a byte that equals a delimiter: | ^ \ ~
_TREACHEROUS = "珅瑋弢玘璣昞誠魚珇"


def with_charset(declared: str, name: str = "王芳") -> str:
    head = f"MSH|^~\\&|LIS|CHC01|||20261121103000||ORU^R01|1|P|2.4||||||{declared}"
    return "\r".join([head, PID.replace("王芳", name), OBR, "OBX|1|NM|1^钾^L||4.1|mmol/L|||||F", ""])


def name_and_doubt(content: bytes, *, charset: str = "") -> tuple[str, str]:
    message = parse(content, charset=charset)
    assert message.encode() == content
    return message.segments[1][5], message.decoded.doubt


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("UNICODE", "utf-8"),
        ("utf-8", "utf-8"),
        ("", "utf-8"),
        ("GB 18030-2000", "gb18030"),
        ("GB18030", "gb18030"),
        ("GB2312", "gb18030"),
        ("GBK", "gb18030"),
        ("BIG-5", "big5hkscs"),
        ("GB 18030-2000~UNICODE UTF-8", "gb18030"),
    ],
)
def test_a_truthful_declaration_is_followed_without_a_doubt(declared: str, codec: str) -> None:
    name = "王芳" if codec != "big5hkscs" else "李華"
    text = with_charset(declared, name).replace("钾", "鉀" if codec == "big5hkscs" else "钾")
    assert name_and_doubt(text.encode(codec)) == (name, "")


@pytest.mark.parametrize(
    ("declared", "codec", "doubted"),
    [
        ("", "gb18030", "read as gb18030"),
        ("UNICODE UTF-8", "gb18030", "UNICODE UTF-8 declared, content reads as gb18030"),
        ("ASCII", "gb18030", "ASCII declared"),
        ("8859/1", "utf-8", "8859/1 declared, content reads as utf-8"),
        ("8859/1", "gb18030", "8859/1 declared, content reads as gb18030"),
        ("GB2312", "utf-8", "GB2312 declared, content reads as utf-8"),
        ("KLINGON", "gb18030", "KLINGON declared"),
    ],
)
def test_a_lying_declaration_is_seen_through_and_said(declared: str, codec: str, doubted: str) -> None:
    name, doubt = name_and_doubt(with_charset(declared).encode(codec))
    assert name == "王芳"
    assert doubted in doubt


def test_latin_text_is_latin() -> None:
    content = with_charset("8859/1", "Müller^José").replace("钾", "K").encode("latin-1")
    assert name_and_doubt(content) == ("Müller^José", "")


@pytest.mark.parametrize("declared", ["GB 18030-2000", ""])
def test_bytes_equal_to_delimiters_split_no_name(declared: str) -> None:
    for character in _TREACHEROUS:
        name, _ = name_and_doubt(with_charset(declared, "王" + character).encode("gb18030"))
        assert name == "王" + character


def test_a_facility_with_such_a_name_does_not_hide_the_declaration() -> None:
    text = with_charset("GB 18030-2000").replace("|CHC01|", "|弢昞医院|", 1)
    assert name_and_doubt(text.encode("gb18030")) == ("王芳", "")


@pytest.mark.parametrize(
    ("mark", "codec"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_a_byte_order_mark_counts_and_stays(mark: bytes, codec: str) -> None:
    content = mark + with_charset("").encode(codec)
    assert name_and_doubt(content)[0] == "王芳"
    assert read_bytes(content).reports[0].patient.name.text == "王芳"


def test_the_profile_of_the_source_overrides_the_declaration() -> None:
    content = with_charset("8859/1", "李華").replace("钾", "K").encode("big5hkscs")
    assert name_and_doubt(content, charset="big5hkscs")[0] == "李華"
    assert read_bytes(content, charset="big5hkscs").reports[0].patient.name.text == "李華"


def test_two_character_sets_in_one_message_are_read_line_by_line() -> None:
    lines = with_charset("UNICODE UTF-8", "王弢").split("\r")
    content = b"\r".join(line.encode("gb18030" if line.startswith("PID") else "utf-8") for line in lines)
    assert name_and_doubt(content)[0] == "王弢"
    reading = read_bytes(content)
    assert reading.reports[0].observations[0].code.display == "钾"
    assert any("MSH[1]-18" in note for note in reading.accounting.notes)


def test_damaged_bytes_are_shown_as_such_and_the_rest_is_read() -> None:
    content = with_charset("UNICODE UTF-8", "王@芳").encode().replace(b"@", b"\xff")
    reading = read_bytes(content)
    name = reading.reports[0].patient.name.text
    assert "\ufffd" in name
    name.encode()
    assert reading.accounting.flagged >= 1


def test_a_message_in_ascii_needs_no_guess() -> None:
    assert decode(b"MSH|^~\\&|A").doubt == ""
