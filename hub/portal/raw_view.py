"""The first bytes of a delivery for a person's eyes: as lines of text where it is text, else in hexadecimal."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.retrieve.content import Content

TEXT_LIMIT_BYTES = 64 * 1024
HEX_LIMIT_BYTES = 1024
_HEX_WIDTH = 16
# NUL and most control characters do not occur in text; CR, LF, TAB, FF, ESC and HL7's framing do.
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b\x1c")


@dataclass(frozen=True, slots=True)
class RawLine:
    """A numbered line; `marked`: the fault stands here."""

    number: str
    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class RawView:
    """`kind`: `text` or `hex`. `cut`: there is more than is shown."""

    kind: str
    encoding: str
    lines: tuple[RawLine, ...]
    cut: bool


def head(chunks: Iterable[bytes], limit: int) -> bytes:
    """The first `limit` bytes; the rest is not read."""
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) >= limit:
            break
    return bytes(found[:limit])


def raw_view(content: Content, where: str = "") -> RawView:
    """What was sent, with the line marked at which the fault stands where the place names one."""
    first = head(content.chunks, TEXT_LIMIT_BYTES)
    encoding = _encoding(first)
    if not encoding:
        return RawView("hex", "", _hex(first[:HEX_LIMIT_BYTES]), content.size > HEX_LIMIT_BYTES)
    # A cut may fall within a character: what is left of it is shown as such, nothing is refused here.
    lines = first.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    segment = where.partition("-")[0].partition("[")[0]
    marked = tuple(
        RawLine(str(n), line, bool(segment) and line.lstrip("\x0b").startswith(segment))
        for n, line in enumerate(lines, 1)
    )
    return RawView("text", encoding, marked, content.size > TEXT_LIMIT_BYTES)


def _encoding(data: bytes) -> str:
    """`utf-8` or `gb18030` for what reads as text, empty for what does not."""
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in data[:4096]):
        return ""
    for name in ("utf-8", "gb18030"):
        # The last few bytes may be half a character.
        try:
            data[: max(0, len(data) - 4)].decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 8:
                continue
        return name
    return "latin-1"


def _hex(data: bytes) -> tuple[RawLine, ...]:
    return tuple(_hex_line(at, data[at : at + _HEX_WIDTH]) for at in range(0, len(data), _HEX_WIDTH))


def _hex_line(at: int, row: bytes) -> RawLine:
    codes = " ".join(f"{byte:02x}" for byte in row).ljust(_HEX_WIDTH * 3 - 1)
    signs = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
    return RawLine(f"{at:08x}", f"{codes}  {signs}")
