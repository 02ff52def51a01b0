"""Editing a message in a browser: what nobody touched keeps its very bytes."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.editing import EDITOR
from schemas.delivery import Channel, Origin
from schemas.faults import InvalidPayload
from schemas.organization import Source

HEAD = "MSH|^~\\&|LIS|CHC01|||20261121||ORU^R01|1|P|2.5.1||||||{charset}"


def origin(charset: str = "") -> Origin:
    return Origin(
        Source(1, "CHC01", "CHC01", "CHC01", charset), Channel.REPAIR, dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    )


def through_a_browser(text: str) -> str:
    """What a text field gives back: line ends as CRLF, nothing that HTML cannot hold."""
    assert not any(ord(c) < 0x20 and c not in "\n\t" for c in text)
    assert text.encode("utf-8").decode("utf-8") == text
    return text.replace("\n", "\r\n")


def edited(content: bytes, old: str, new: str, charset: str = "") -> bytes:
    shown = EDITOR.show(content, origin(charset))
    assert old in shown
    return EDITOR.write(content, origin(charset), through_a_browser(shown.replace(old, new, 1)))


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=120).map(lambda tail: b"MSH|^~\\&|" + tail)))
@example(b"MSH|^~\\&|\xff\xfe\r\xa4\xd6|\xe7\x8e\x8b\r")
@example("MSH|⟦0b⟧\r\x0b\x1c\r".encode())
def test_what_is_not_touched_comes_back_as_it_was(content: bytes) -> None:
    assert EDITOR.write(content, origin(), through_a_browser(EDITOR.show(content, origin()))) == content


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40).filter(lambda b: not {10, 13} & set(b)), min_size=1, max_size=8), st.data())
def test_a_change_of_one_line_leaves_the_bytes_of_the_others(lines: list[bytes], data: st.DataObject) -> None:
    content = b"\r".join([HEAD.format(charset="GB18030").encode(), *lines])
    shown = EDITOR.show(content, origin()).split("\n")
    if len(shown) != len(lines) + 1:
        return  # it was read as UTF-16, whose lines are others
    chosen = data.draw(st.integers(1, len(lines)))
    shown[chosen] = "NTE|1||repaired"
    written = EDITOR.write(content, origin(), through_a_browser("\n".join(shown))).split(b"\r")
    assert written[:chosen] == content.split(b"\r")[:chosen]
    assert written[chosen] == b"NTE|1||repaired"
    assert written[chosen + 1 :] == content.split(b"\r")[chosen + 1 :]


def test_gb18030_with_delimiters_in_its_trail_bytes_is_edited_byte_for_byte() -> None:
    content = (HEAD.format(charset="GB18030") + "\rPID|1||P1||王瑋^珅\rNTE|1||誠\r").encode("gb18030")
    assert b"|" in "瑋".encode("gb18030")
    changed = edited(content, "PID|1||P1|", "PID|1||P2|")
    assert changed == content.replace(b"||P1||", b"||P2||")
    assert edited(content, "誠", "𠮷").decode("gb18030").endswith("NTE|1||𠮷\r")


def test_every_line_keeps_its_own_terminator_and_character_set() -> None:
    content = b"MSH|^~\\&|LIS\r\nPID|1||P1||" + "王".encode("gb18030") + b"\nNTE|1||" + "芳草".encode() + b"\r"
    changed = edited(content, "P1", "P2")
    assert changed == content.replace(b"P1", b"P2")


def test_lines_are_added_and_taken_away_with_the_message_s_own_ends() -> None:
    content = b"MSH|^~\\&|LIS\rPID|1\rOBX|1\r"
    assert edited(content, "PID|1\n", "PID|1\nOBR|1\n") == b"MSH|^~\\&|LIS\rPID|1\rOBR|1\rOBX|1\r"
    assert edited(content, "PID|1\n", "") == b"MSH|^~\\&|LIS\rOBX|1\r"
    assert edited(b"MSH|^~\\&|LIS\rPID|1", "PID|1", "PID|1\nOBX|1") == b"MSH|^~\\&|LIS\rPID|1\rOBX|1"


def test_the_bytes_of_a_frame_can_be_seen_and_taken_away() -> None:
    content = b"\x0bMSH|^~\\&|LIS\r\x1c\r"
    assert "⟦0b⟧MSH" in EDITOR.show(content, origin())
    assert edited(content, "⟦0b⟧", "") == content[1:]
    assert edited(b"MSH|^~\\&|LIS\rNTE|1||\xff\r", "NTE|1||⟦ff⟧", "NTE|1||⟦ff⟧⟦e78e8b⟧") == (
        b"MSH|^~\\&|LIS\rNTE|1||\xff\xe7\x8e\x8b\r"
    )


@pytest.mark.parametrize(
    ("charset", "codec"), [("GB18030", "gb18030"), ("UNICODE UTF-8", "utf-8"), ("", "utf-8"), ("ASCII", "utf-8")]
)
def test_the_first_chinese_word_of_a_message_is_written_as_it_declares(charset: str, codec: str) -> None:
    content = (HEAD.format(charset=charset) + "\rPID|1||P1\r").encode()
    assert edited(content, "PID|1||P1", "PID|1||P1||王").endswith("||王\r".encode(codec))


def test_a_character_that_the_message_cannot_hold_is_refused_with_its_line() -> None:
    content = HEAD.format(charset="8859/1").encode() + b"\rPID|1||P1||M\xfcller\r"
    with pytest.raises(InvalidPayload) as refused:
        edited(content, "Müller", "王")
    assert refused.value.where == "line 2"


def test_utf_16_with_its_mark_is_edited_as_it_is() -> None:
    content = b"\xff\xfe" + "MSH|^~\\&|LIS\rPID|1||王\r".encode("utf-16-le")
    assert edited(content, "王", "芳") == content.replace("王".encode("utf-16-le"), "芳".encode("utf-16-le"))


def test_samples_come_back_as_they_were(samples: Path) -> None:
    for path in sorted(path for path in (samples / "hl7").rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert EDITOR.write(content, origin(), through_a_browser(EDITOR.show(content, origin()))) == content, path.name


def test_a_message_of_many_lines_is_compared_in_a_moment() -> None:
    content = b"MSH|^~\\&|LIS\r" + b"".join(b"OBX|%d|NM|A\r" % n for n in range(20_000))
    changed = EDITOR.show(content, origin()).replace("|A", "|B")
    assert EDITOR.write(content, origin(), changed) == content.replace(b"|A", b"|B")
