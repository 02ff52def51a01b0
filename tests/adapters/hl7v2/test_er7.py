"""The tokenizer: nothing that arrives is lost, whatever it looks like."""

import codecs
from pathlib import Path

import hl7
import pytest
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.batch import messages, unframed
from adapters.hl7v2.delimiters import Delimiters
from adapters.hl7v2.er7 import Message, parse
from adapters.hl7v2.escapes import escape, unescape
from schemas.faults import Fault, InvalidPayload

HEAD = "MSH|^~\\&|LIS|CHC01|||20261121||ORU^R01|1|P|2.5.1"
D = Delimiters()


def names(message: Message) -> list[str]:
    return [segment.name for segment in message.segments]


def sample_messages(samples: Path) -> list[bytes]:
    files = sorted(path for path in (samples / "hl7").rglob("*") if path.is_file())
    assert len(files) > 30
    return [each for path in files for piece in unframed(path.read_bytes()) for each in messages(piece)]


_PIECES = st.sampled_from(
    ["MSH|^~\\&|", "\r", "\n", "\r\n", "OBX|1|NM|", "|", "^", "~", "\\", "&", "王弢", '""', "\\X0D\\", "FHS|", "é"]
)
_LIKELY = st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=30).map("".join)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(lambda tail: b"MSH|^~\\&|" + tail)))
@example(codecs.BOM_UTF16_LE + "MSH|^~\\&|王".encode("utf-16-le") + b"\x00")
@example(b"MSH|^~\\&|\xff\xfe\r\xa4\xd6|\xe7\x8e\x8b\r")
def test_any_bytes_are_a_message_that_writes_back_the_same_or_a_fault(content: bytes) -> None:
    try:
        message = parse(content)
    except Fault:
        return
    assert message.encode() == content


@settings(max_examples=300)
@given(_LIKELY, st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_anything_behind_a_header_writes_back_the_same(tail: str, codec: str) -> None:
    content = (HEAD + tail).encode(codec, "replace")
    assert parse(content).encode() == content


@given(_LIKELY)
def test_what_stands_behind_the_last_terminator_changes_no_segment(tail: str) -> None:
    # A message of carriage returns alone takes a shorter way through the tokenizer.
    plain, other = (parse((HEAD + tail + end).encode()) for end in ("\r", "\r\n"))
    assert [each.fields for each in plain.segments] == [each.fields for each in other.segments]


@given(st.text(), st.sampled_from(["^~\\&", "^~\\&#", "^~\\", "^~", "@*%$", "^~&"]))
def test_escaped_text_reads_back_the_same(text: str, characters: str) -> None:
    delimiters = parse(f"MSH|{characters}|A\r".encode()).delimiters
    written = escape(text, delimiters)
    if delimiters.escape:
        assert "\r" not in written
        assert "|" not in written
    assert unescape(written, delimiters) == text


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n"])
def test_every_terminator_ends_a_segment(terminator: str) -> None:
    content = (HEAD + terminator + "PID|1||P1" + terminator).encode()
    message = parse(content)
    assert names(message) == ["MSH", "PID"]
    assert message.segments[1][3] == "P1"
    assert message.encode() == content


def test_a_line_feed_inside_a_value_is_part_of_it() -> None:
    message = parse(f"{HEAD}\rOBX|1|TX|A||first\nsecond line|u\rNTE|1\r".encode())
    assert names(message) == ["MSH", "OBX", "NTE"]
    assert message.segments[1][5] == "first\nsecond line"
    assert message.segments[1][6] == "u"
    assert message.segments[1].continued


def test_blank_lines_are_no_segments() -> None:
    content = f"\r\n{HEAD}\r\r\rPID|1\r \r\n".encode()
    message = parse(content)
    assert names(message) == ["MSH", "PID"]
    assert message.encode() == content


def test_a_word_of_three_letters_on_its_own_line_is_text() -> None:
    message = parse(f"{HEAD}\rOBX|1|TX|A||see\nCBC\nbelow\r".encode())
    assert message.segments[1][5] == "see\nCBC\nbelow"


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("^~\\&", Delimiters()),
        ("^~\\&#", Delimiters(truncation="#")),
        ("^~\\", Delimiters(subcomponent="")),
        ("^~&", Delimiters(escape="")),
        ("^", Delimiters(repetition="", escape="", subcomponent="")),
        ("$%*@", Delimiters("|", "$", "%", "*", "@")),
    ],
)
def test_delimiters_are_those_that_the_message_declares(characters: str, expected: Delimiters) -> None:
    assert parse(f"MSH|{characters}|LIS\r".encode()).delimiters == expected


@pytest.mark.parametrize(
    "head",
    [
        "",
        "PID|1",
        "MSH",
        "MSHA^~\\&A",
        "MSH||",
        "MSH|^^^^|",
        "MSH|abcd|",
        "MSH\r|^~\\&|",
        "FHS|^~\\&|\r\x1c\x0bMSH|^~\\&|",
    ],
)
def test_without_a_usable_header_there_is_no_message(head: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        parse(head.encode())
    assert refused.value.where.startswith("MSH")


def test_a_delete_is_not_an_empty_field() -> None:
    segment = parse(f'{HEAD}\rPID|1|""||\r'.encode()).segments[1]
    assert (segment[2], segment[3], segment[99]) == ('""', "", "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"10\S\9/L", "10^9/L"),
        (r"a\F\b\R\c\T\d\E\e", "a|b~c&d\\e"),
        (r"one\.br\two", "one\ntwo"),
        (r"one\X0D0A\two", "one\r\ntwo"),
        (r"\XE78E8B\芳", "王芳"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"C:\temp", r"C:\temp"),
        ("\\", "\\"),
        (r"\\S\\", "\\^\\"),
        (r"\Z1234\vendor", r"\Z1234\vendor"),
        (r"\XZZ\ and \.xx\ ", r"\XZZ\ and \.xx\ "),
        (r"half\X0\done", r"half\X0\done"),
        (r"no \X00\ NUL", "no  NUL"),
        (r"\.sp2\x\.in+5\y", "\nxy"),
    ],
)
def test_escapes_say_what_the_standard_means_and_others_stay(written: str, meant: str) -> None:
    assert unescape(written, D) == meant


def test_too_many_segments_are_refused_not_suffered() -> None:
    with pytest.raises(InvalidPayload):
        parse((HEAD + "\r" + "ZZZ|\r" * 100_001).encode())
    with pytest.raises(InvalidPayload):
        parse((HEAD + "|" * 2_000_001).encode())


def test_long_text_of_many_lines_is_read_in_a_moment() -> None:
    text = "a line of text\n" * 200_000
    message = parse(f"{HEAD}\rOBX|1|TX|A||{text}\r".encode())
    assert len(message.segments) == 2
    assert message.segments[1][5].count("\n") > 199_000


def test_samples_write_back_the_same(samples: Path) -> None:
    for content in sample_messages(samples):
        assert parse(content).encode() == content


def test_python_hl7_finds_the_same_fields(samples: Path) -> None:
    compared = 0
    for content in sample_messages(samples):
        message = parse(content)
        if content.startswith((b"FHS", codecs.BOM_UTF8)) or any(segment.continued for segment in message.segments):
            continue
        text = str(message).strip().replace("\r\n", "\r").replace("\n", "\r")
        theirs = [segment for segment in hl7.parse(text) if str(segment)]
        ours = [segment for segment in message.segments if segment.name not in ("BTS", "FTS")]
        assert len(theirs) >= len(ours)
        for mine, other in zip(ours, theirs, strict=False):
            assert [str(field) for field in other] == mine.fields, mine.name
            compared += 1
    assert compared > 300


def test_hl7apy_finds_the_same_fields_where_it_can_read_the_message(samples: Path) -> None:
    compared = 0
    for content in sample_messages(samples):
        if len(content) > 4000:
            continue  # it needs a second for a long one
        message = parse(content)
        try:
            theirs = parse_message(str(message).strip().replace("\n", "\r"), find_groups=False)
        except (HL7apyException, ValueError, AttributeError, KeyError, IndexError):
            continue  # it raises on half of what is out there
        found = [segment.to_er7() for segment in theirs.children]
        for segment in message.segments:
            written = segment.write(message.delimiters.field).rstrip("|")
            compared += any(each.rstrip("|") == written for each in found)
    assert compared > 40
