"""MLLP framing, whatever pieces the line gives."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.batch import announces, messages
from adapters.hl7v2.frames import FrameDecoder, framed
from schemas.faults import InvalidPayload

_PAYLOAD = st.text(st.characters(codec="utf-8", exclude_characters="\x0b\x1c"), max_size=30).map(str.encode)


def frames(*chunks: bytes, limit: int = 1000) -> list[bytes]:
    decoder = FrameDecoder(limit)
    found = []
    for chunk in chunks:
        decoder.feed(chunk)
        while (frame := decoder.next_frame()) is not None:
            found.append(frame)
    return found


@given(st.lists(_PAYLOAD, max_size=5), st.lists(st.integers(0, 200), max_size=6))
def test_frames_come_out_as_sent_wherever_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"\x02\x10" + b"\r\n\x02".join(framed(payload) for payload in payloads) + b"\x02"
    bounds = [0, *sorted(cuts), len(stream)]
    chunks = [stream[begin:stop] for begin, stop in pairwise(bounds)]
    assert frames(*chunks) == payloads


def test_an_end_block_without_carriage_return_ends_the_frame() -> None:
    assert frames(b"\x0bone\x1c\x0btwo\x1c\x02\x0bthree\x1c\r") == [b"one", b"two", b"three"]


def test_an_end_block_that_comes_last_waits_until_told_that_nothing_follows() -> None:
    decoder = FrameDecoder(100)
    decoder.feed(b"\x0bone\x1c")
    assert decoder.next_frame() is None
    assert decoder.undecided
    assert decoder.next_frame(settle=True) == b"one"


def test_an_end_block_inside_a_text_does_not_cut_the_message_in_silence() -> None:
    assert frames(b"\x0bOBX|1|TX|A||left\x1cright\rOBX|2\x1c\r") == [b"OBX|1|TX|A||left\x1cright\rOBX|2"]


def test_a_frame_begun_again_is_the_later_one() -> None:
    decoder = FrameDecoder(1000)
    decoder.feed(b"\x0bMSH|^~\\&|half a mes\x0bMSH|^~\\&|whole\x1c\r")
    assert decoder.next_frame() == b"MSH|^~\\&|whole"
    assert decoder.abandoned == 1


@pytest.mark.parametrize("stream", [b"\x0b" + b"A" * 1001, b"\x0b" + b"A" * 1001 + b"\x1c\r"])
def test_a_frame_beyond_the_limit_is_refused(stream: bytes) -> None:
    with pytest.raises(InvalidPayload):
        frames(stream)


def test_noise_between_frames_is_not_hoarded() -> None:
    decoder = FrameDecoder(1000)
    for _ in range(100):
        decoder.feed(b"\x02" * 1000)
        assert decoder.next_frame() is None
    assert decoder.strays == 100_000
    assert not decoder.inside


BATCH = b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rPID|2\rBTS|2\rFTS|1\r"


@pytest.mark.parametrize("batch", [BATCH, BATCH.replace(b"\r", b"\r\n"), BATCH[: BATCH.index(b"BTS")], BATCH[22:]])
def test_a_batch_is_cut_into_its_messages_and_nothing_is_lost(batch: bytes) -> None:
    found = messages(batch)
    assert len(found) == 2
    assert b"".join(found) == batch
    assert [b"PID|1" in each for each in found] == [True, False]


@given(
    st.lists(st.sampled_from([b"MSH|^~\\&|", b"\r", b"\n", b"MSH", b"FHS|", b"A", b"\x0b"]), max_size=20).map(b"".join)
)
def test_any_content_is_the_sum_of_its_messages(content: bytes) -> None:
    assert b"".join(messages(content)) == content


@pytest.mark.parametrize(
    ("head", "is_hl7"),
    [
        (b"MSH|^~\\&|", True),
        (b"\xef\xbb\xbfMSH|^~\\&|", True),
        ("\ufeffMSH|^~\\&|".encode("utf-16-le"), True),
        (b"\x02\x02\x0bMSH|^~\\&|", True),
        (b"\r\nFHS|^~\\&|", True),
        (b"MSHA", False),
        (b"<?xml version", False),
        (b"\0" * 128 + b"DICM", False),
        (b"", False),
    ],
)
def test_hl7_is_told_by_its_first_bytes(head: bytes, is_hl7: bool) -> None:
    assert announces(head) is is_hl7
