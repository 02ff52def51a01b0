"""Bytes to text: what MSH-18 declares, what the bytes say, and what the source's profile knows better.

Decoding comes before splitting: in GB 18030 the second byte of a character may equal a delimiter (王弢 holds `|`).
Source: HL7 v2 table 0211.
"""

import codecs
import re
from dataclasses import dataclass
from typing import AnyStr

# Table 0211, with the spellings that senders use. GB 18030 contains GBK, which contains GB 2312.
_CODECS = {
    "ASCII": "ascii",
    "UNICODE": "utf-8",  # deprecated in the table; the analysers which send it mean UTF-8
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "GB 18030-2000": "gb18030",
    "GB18030-2000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GB 2312": "gb18030",
    "GB2312-80": "gb18030",
    "GBK": "gb18030",
    "CP936": "gb18030",
    "BIG-5": "big5hkscs",
    "BIG5": "big5hkscs",
    "KS X 1001": "euc_kr",
} | {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BEYOND_LATIN = re.compile("[\u0800-\U0010ffff]")
_HIGH = re.compile(rb"[\x80-\xff]+")
# Hanzi of GB 2312, levels 1 and 2, and its punctuation: what Chinese text consists of but for rare names.
_GB2312_RUN = re.compile(rb"(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe])+")
_OTHER_ALPHABETS = frozenset(f"iso8859-{part}" for part in (5, 6, 7, 8))
_TERMINATOR = re.compile(rb"\r\n?|\n")
_TEXT_TERMINATOR = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text, and all that is needed to write it back.

    codec: the Python codec; `codecs_by_line` where lines differ. mark: the byte order mark. doubt: why the declaration
    was not followed, empty where it was. clean: no byte defied decoding (lone surrogates stand for those that did).
    """

    text: str
    codec: str
    mark: bytes = b""
    codecs_by_line: tuple[str, ...] = ()
    doubt: str = ""
    clean: bool = True

    def encode(self, text: str) -> bytes:
        """`text`, which has as many lines as the message where its lines differ in their codec, as bytes."""
        if not self.codecs_by_line:
            return self.mark + text.encode(self.codec, "surrogateescape")
        lines = _lines(text, _TEXT_TERMINATOR)
        return b"".join(
            line.encode(codec, "surrogateescape") for line, codec in zip(lines, self.codecs_by_line, strict=True)
        )

    @property
    def escape_codec(self) -> str:
        """In which `\\X..\\` bytes are to be read."""
        return "utf-8" if self.codec.startswith("utf-16") else self.codec


def decode(content: bytes, *, charset: str = "") -> Decoded:
    """The text of a message. `charset`: a Python codec that the source's profile sets against the declaration."""
    if content.isascii() and content[1:2] != b"\0" and content[:1] != b"\0":
        return Decoded(content.decode("ascii"), charset or "utf-8")
    for mark, codec in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _marked(content, mark, codec)
    if content[:2] in (b"M\0", b"\0M"):
        return _marked(content, b"", "utf-16-le" if content[:1] == b"M" else "utf-16-be")
    declaration = declared_charset(content)
    return _unmarked(content, charset, codec_of(declaration), declaration)


def _marked(content: bytes, mark: bytes, codec: str) -> Decoded:
    body = content[len(mark) :]
    text = _exact(body, codec)
    if text is None:
        # The mark lies, or a byte is missing: read it as if there were no mark and let every line speak for itself.
        return _line_by_line(content, "", "content is not in the character set of its byte order mark")
    return Decoded(text, codec, mark)


def codec_of(declaration: str) -> str:
    """The Python codec of a name of table 0211; empty for a name that nobody knows."""
    return _CODECS.get(declaration.upper(), "")


def declared_charset(content: bytes) -> str:
    """MSH-18, first repetition, as sent; empty where there is none. Never raises."""
    start = content.find(b"MSH")
    if start < 0:
        return ""
    line = _TERMINATOR.split(content[start : start + 4096], maxsplit=1)[0]
    # A facility's name in GB 18030 may hold the separator's byte, so the line is decoded before it is split.
    text = line.decode("utf-8") if _is(line, "utf-8") else line.decode("gb18030", "replace")
    fields = text[4:].split(text[3:4]) if text[3:4] else []
    declaration = fields[16] if len(fields) > 16 else ""
    repetition = fields[0][1:2] if fields else ""
    return (declaration.split(repetition)[0] if repetition else declaration).strip()


def _unmarked(content: bytes, profile: str, declared: str, declaration: str) -> Decoded:
    if profile:
        return _exactly(content, profile) or _line_by_line(content, profile, "content is not in the source's charset")
    guess = _guess(content, declared)
    if guess:
        found = _exactly(content, guess)
        if found:
            doubt = _doubt(declaration, declared, guess)
            return Decoded(found.text, guess, doubt=doubt)
    return _line_by_line(content, declared, f"{declaration or 'nothing'} declared, content mixes character sets")


def _guess(content: bytes, declared: str) -> str:
    """The codec that explains the bytes best; empty where none explains all of them.

    Valid UTF-8 beyond Latin is proof: text in another character set hardly ever passes for it.
    """
    text = _exact(content, "utf-8")
    if text is not None and (
        declared in ("", "ascii", "utf-8") or declared.startswith("iso") or _BEYOND_LATIN.search(text)
    ):
        return "utf-8"
    if text is None and any(_surely_utf8(line) for line in content.splitlines()):
        return ""
    if declared.startswith("iso8859"):
        return "gb18030" if _hanzi(content, declared) else declared
    if declared not in ("", "ascii", "utf-8", "utf-16") and _exact(content, declared) is not None:
        return declared
    return "gb18030" if _exact(content, "gb18030") is not None else ""


def _surely_utf8(line: bytes) -> bool:
    text = None if line.isascii() else _exact(line, "utf-8")
    return text is not None and _BEYOND_LATIN.search(text) is not None


def _doubt(declaration: str, declared: str, found: str) -> str:
    if not declaration:
        # Most senders declare nothing. Valid UTF-8 is proof of itself, anything else a guess worth telling.
        return "" if found == "utf-8" else f"no character set declared, read as {found}"
    return "" if declared == found else f"{declaration[:20]} declared, content reads as {found}"


def _hanzi(content: bytes, declared: str) -> bool:
    """Whether the high bytes are Chinese in GB 2312: accented Latin letters hardly ever come in such pairs.

    A rare name beside them may lie in GB 18030 alone. Letters of other alphabets do come in pairs, so every run counts.
    """
    if all(_GB2312_RUN.fullmatch(run) for run in _HIGH.findall(content)):
        return True
    if declared in _OTHER_ALPHABETS or _exact(content, "gb18030") is None:
        return False
    paired = sum(map(len, _GB2312_RUN.findall(content)))
    return 2 * paired > sum(map(len, _HIGH.findall(content)))


def _is(content: bytes, codec: str) -> bool:
    return _exact(content, codec) is not None


def _exact(content: bytes, codec: str) -> str | None:
    """The text, where decoding succeeds and encoding it gives the same bytes."""
    try:
        text = content.decode(codec)
        return text if codec == "utf-8" or text.encode(codec) == content else None
    except (UnicodeError, LookupError):
        return None


def _exactly(content: bytes, codec: str) -> Decoded | None:
    text = _exact(content, codec)
    return None if text is None else Decoded(text, codec)


def _line_by_line(content: bytes, preferred: str, doubt: str) -> Decoded:
    """For two character sets in one message, and for damaged bytes: each line in what explains it."""
    texts: list[str] = []
    used: list[str] = []
    clean = True
    for line in _lines(content, _TERMINATOR):
        codec = next((c for c in (preferred, "utf-8", "gb18030") if c and _is(line, c)), "")
        clean = clean and bool(codec)
        used.append(codec or "utf-8")
        texts.append(line.decode(codec or "utf-8", "surrogateescape"))
    return Decoded("".join(texts), preferred or "utf-8", b"", tuple(used), doubt, clean)


def _lines(content: AnyStr, terminator: "re.Pattern[AnyStr]") -> list[AnyStr]:
    """The lines with their terminators."""
    lines: list[AnyStr] = []
    start = 0
    for match in terminator.finditer(content):
        lines.append(content[start : match.end()])
        start = match.end()
    lines.append(content[start:])
    return lines
