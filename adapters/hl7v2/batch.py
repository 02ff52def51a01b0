"""Several messages in one piece: batches (FHS, BHS), files of MLLP frames, messages one after another.

Source: HL7 v2 chapter 2.10.3. A missing trailer is no error; neither is a missing header.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import pairwise

START, END, CARRIAGE_RETURN = b"\x0b", b"\x1c", b"\r"

# Behind a terminator these four bytes can only begin a segment: neither UTF-8 nor GB 18030 has them inside a character.
_HEADER = re.compile(rb"(?:\A|(?<=[\r\n]))[ \t]*(?:\xef\xbb\xbf)?MSH[^\w\s]")
# Heartbeats of a recorded stream stand before its first frame.
_ANNOUNCED = re.compile(rb"[\x00-\x20]*(?:MSH|FHS|BHS)[^\w\s]")
_FRAME = re.compile(rb"\x0b([^\x0b\x1c]*)(?:\x1c\r?|\Z|(?=\x0b))")


def pieces(content: bytes) -> list[bytes]:
    """Every message of a file, whatever it is wrapped in."""
    return [message for piece in unframed(content) for message in messages(piece)]


def messages(content: bytes) -> list[bytes]:
    """The messages of a batch; joined again they give `content`: headers of the batch go with its first message,
    trailers with the one before them."""
    if content.count(b"MSH") < 2:
        return [content]
    starts = [found.start() for found in _HEADER.finditer(content)]
    if len(starts) < 2:
        return [content]
    bounds = [0, *starts[1:], len(content)]
    return [content[begin:stop] for begin, stop in pairwise(bounds)]


def unframed(content: bytes) -> Iterator[bytes]:
    """What a file holds: the payload of each MLLP frame where it is a recorded stream, else the whole of it."""
    if START not in content[:64]:
        yield content
        return
    for frame in _FRAME.finditer(content):
        if not frame[1].isspace() and frame[1]:
            yield frame[1]


def announces(head: bytes) -> bool:
    """Whether a content's first bytes are those of HL7 v2: a header segment, perhaps framed, perhaps behind a mark."""
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            head = head[2:].decode(codec, "ignore").encode("utf-8", "replace")
    return _ANNOUNCED.match(head.removeprefix(codecs.BOM_UTF8)) is not None
