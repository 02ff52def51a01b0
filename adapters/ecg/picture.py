"""A picture (PNG, JPEG) of a recording on paper, as scanned, photographed or exported: a document, never samples.

Source: ISO/IEC 15948 (PNG), ITU-T T.81 (JPEG). Pillow looks at what is bounded first: neither a picture of a million
rows nor one that grows a thousandfold when it is unpacked is ever unpacked whole.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from schemas.delivery import Origin, Reading
from schemas.faults import InvalidPayload

from . import document
from .content import whole

_MAX_BYTES = 32 * 1024 * 1024
# A2 paper at 600 dots to the inch is 10,000 x 14,000; a browser shows no more.
_LONGEST_SIDE, _MOST_PIXELS = 20_000, 100_000_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_PIECE = 1 << 16
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BROKEN = (
    *(UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError),
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, EOFError, struct.error, zlib.error),
    *(MemoryError, RuntimeError, NotImplementedError),
)
_CUT = "the picture is damaged or cut short"


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a PNG or a JPEG."""
    return head.startswith((_PNG, _JPEG))


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with the picture. Raises InvalidPayload where it is damaged, too large, or nobody says whose it is."""
    data = whole(content, _MAX_BYTES)
    return document.reading(
        data, checked(data), origin, "PNG/JPEG", "a picture cannot say whose it is: the upload must name "
    )


def checked(data: bytes) -> str:
    """The media type of a picture that a browser can show without harm. Raises InvalidPayload."""
    if not looks_like(data):
        raise InvalidPayload("expected a PNG or a JPEG", where="byte 0")
    try:
        if data.startswith(_PNG):
            _check_png(data)
            return "image/png"
        _check_jpeg(data)
        return "image/jpeg"
    except _BROKEN as error:
        raise InvalidPayload(_CUT, where="picture") from error


def _check_size(width: int, height: int) -> None:
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE and width * height <= _MOST_PIXELS):
        raise InvalidPayload(
            f"expected a picture of at most {_LONGEST_SIDE} dots a side and {_MOST_PIXELS} in all", where="picture"
        )


def _check_png(data: bytes) -> None:
    """Every chunk whole by its checksum, up to the end mark; the rows as many as the header tells, and no more."""
    chunks = list(_chunks(data))
    if [kind for kind, _ in chunks[:1]] != [b"IHDR"] or chunks[-1][0] != b"IEND" or len(chunks[0][1]) != 13:
        raise InvalidPayload(_CUT, where="picture")
    width, height, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    _check_size(width, height)
    # A row has one byte more for its filter; interlaced rows begin anew seven times.
    most = height * ((width * depth * _CHANNELS[colour] + 7) // 8 + 1) + 8 * (width + height + 64)
    unpacking, unpacked = zlib.decompressobj(), 0
    for kind, body in chunks:
        waiting = body if kind == b"IDAT" else b""
        while waiting:
            unpacked += len(unpacking.decompress(waiting, _PIECE))
            waiting = unpacking.unconsumed_tail
            if unpacked > most:
                raise InvalidPayload("the picture unpacks to more than its size tells", where="picture")
    if not unpacking.eof:
        raise InvalidPayload(_CUT, where="picture")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + body) != checksum:
            raise InvalidPayload(_CUT, where="picture")
        yield kind, body
        if kind == b"IEND":
            return
        at += 12 + length


def _check_jpeg(data: bytes) -> None:
    """Decoded at an eighth of its size, which shows a cut as well as the whole would."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        _check_size(*picture.size)
        picture.draft("L", (picture.width // 8, picture.height // 8))
        picture.load()
