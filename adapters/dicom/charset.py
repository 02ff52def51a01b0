"""How the text of a data set is to be read, whatever its label says. Source: DICOM PS3.3 C.12.1.1.2, PS3.5 6.1.2.

Devices in China write GBK or GB18030 and leave (0008,0005) empty, copy ISO_IR 100 from a template, or name GB18030
over UTF-8. The label is one witness, the bytes are the other. Decisions are made over all text of a data set at once,
because a single name of two characters is too little evidence. The bytes themselves are never changed.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.charset import decode_bytes, python_encoding
from pydicom.valuerep import TEXT_VR_DELIMS

UTF8, GB18030 = "utf-8", "gb18030"
TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})

# Registered in PS3.3 table C.12-2..5; all but these three are believed when the bytes fit.
_UNICODE = frozenset({"ISO_IR 192"})
_CHINESE = frozenset({"GB18030", "GBK", "ISO 2022 GBK", "ISO 2022 58", "ISO 2022 IR 58"})
_DOUBTED = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6", "ISO_IR 100", "ISO 2022 IR 100"})
_ESC = b"\x1b"
_GB2312_ESCAPE = b"\x1b$)A"
_ESCAPES = re.compile(rb"\x1b(?:\$\)A|\(B)")
# Common use: CJK and its punctuation, general punctuation, full-width forms.
_CJK = re.compile(
    "[\u2000-\u206f\u2460-\u24ff\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef\U00020000-\U0003ffff]"
)
_TERM = re.compile(r"^ISO[-_ ](2022[-_ ])?IR[-_ ](\d+)$")


@dataclass(frozen=True, slots=True)
class Charset:
    """How to read the text of one data set.

    encodings: what pydicom's decoder takes. codec: a Python codec instead, where we know better than the label.
    repaired: the label was missing or wrong.
    """

    encodings: tuple[str, ...] = ("iso8859",)
    codec: str = ""
    repaired: bool = False

    def decode(self, value: bytes) -> str:
        """The text of a value, padding removed. What cannot be read shows as U+FFFD; nothing is raised."""
        value = value.rstrip(b" \0")
        if value.isascii() and _ESC not in value:
            return value.decode("ascii")
        if self.codec:
            return _decode(value, self.codec)
        if _GB2312_ESCAPE in value:
            return _decode(value, GB18030)
        try:
            return _pydicom(value, self.encodings)
        except (UnicodeError, LookupError):
            return value.decode(
                self.encodings[0] if self.encodings[0] in {"latin_1", "iso8859"} else "utf-8", "replace"
            )


def terms(declared: bytes) -> tuple[str, ...]:
    """The defined terms of (0008,0005), misspelt ones (`ISO-IR 100`, `iso_ir_192`) put right."""
    return tuple(_term(term) for term in declared.decode("ascii", "replace").strip(" \0").split("\\"))


def choose(declared: tuple[str, ...], values: Iterable[bytes], override: str = "") -> Charset:
    """The charset of a data set that names `declared` and holds `values` as its text.

    override: the Python codec that the source is known to write; taken wherever the bytes allow it.
    """
    said = tuple(python_encoding[term] for term in declared if term in python_encoding) or ("iso8859",)
    high = [value for value in values if not value.isascii() or _ESC in value]
    if not high:
        return Charset(said)
    if override and all(_fits(value, override) for value in high):
        return Charset(said, override, repaired=override not in {_codec(term) for term in declared})
    if set(declared) & _UNICODE:
        return _unicode(said, high)
    if set(declared) & _CHINESE:
        return _chinese(said, high)
    if set(declared) <= _DOUBTED or not any(term in python_encoding for term in declared):
        return _doubted(said, high, latin="ISO_IR 100" in declared or "ISO 2022 IR 100" in declared)
    return Charset(said)


def _unicode(said: tuple[str, ...], values: list[bytes]) -> Charset:
    if all(_fits(value, UTF8) for value in values) or not all(_fits(value, GB18030) for value in values):
        return Charset(said, UTF8)
    return Charset(said, GB18030, repaired=True)


def _chinese(said: tuple[str, ...], values: list[bytes]) -> Charset:
    if _looks_utf8(values):
        return Charset(said, UTF8, repaired=True)
    # GB 18030 holds GBK and GB 2312, and decodes what a device calls by the smaller name.
    return Charset(said, GB18030)


def _doubted(said: tuple[str, ...], values: list[bytes], *, latin: bool) -> Charset:
    if _looks_utf8(values):
        return Charset(said, UTF8, repaired=True)
    if all(_fits(value, GB18030) for value in values) and (not latin or _more_chinese_than_latin(values)):
        return Charset(said, GB18030, repaired=True)
    if all(_fits(value, UTF8) for value in values):
        return Charset(said, UTF8, repaired=True)
    return Charset(said)


def _looks_utf8(values: list[bytes]) -> bool:
    """Whether the bytes are UTF-8 that says something Chinese, and says it better than GB 18030 would."""
    if not all(_fits(value, UTF8) for value in values):
        return False
    text = "".join(value.decode(UTF8, "ignore") for value in values)
    foreign = [character for character in text if not character.isascii()]
    if not foreign or not all(_CJK.match(character) for character in foreign):
        return False
    other = "".join(value.decode(GB18030, "replace") for value in values)
    return _everyday(text) >= _everyday(other)


def _more_chinese_than_latin(values: list[bytes]) -> bool:
    """Whether bytes that GB 18030 can read are more likely Chinese than accented letters of Latin-1.

    C1 controls are no letters. Accented letters stand alone between ASCII letters, or pair to rare characters.
    """
    joined = b"\n".join(values)
    if any(0x80 <= byte < 0xA0 for byte in joined):
        return True
    if re.search(rb"(?:^|[^\xa1-\xfe])(?:[\xa1-\xfe]{2})*[\xc0-\xff][A-Za-z]", joined):
        return False
    return _everyday(joined.decode(GB18030, "replace")) >= 0.5


def _everyday(text: str) -> float:
    """The share of everyday characters (level 1 of GB 2312) among the Chinese ones of `text`."""
    han = [character for character in text if not character.isascii()]
    return sum(_level_one(character) for character in han) / len(han) if han else 0.0


def _level_one(character: str) -> bool:
    try:
        return 0xB0 <= character.encode("gb2312")[0] <= 0xD7
    except UnicodeEncodeError:
        return False


def _fits(value: bytes, codec: str) -> bool:
    return "\ufffd" not in _decode(value, codec)


def _decode(value: bytes, codec: str) -> str:
    """Decode, group by group of a person's name.

    A group may have been cut in the middle of its last character by a limit counted in bytes: that character is
    dropped. `=` (0x3D) is no trail byte in any of these codecs, `^` and a backslash are.
    """
    groups = _ESCAPES.sub(b"", value).split(b"=")
    return "=".join(_cut(group.rstrip(b" "), codec) for group in groups)


def _cut(group: bytes, codec: str) -> str:
    try:
        text = codecs.getincrementaldecoder(codec)().decode(group)
    except (UnicodeError, LookupError):
        text = ""
    # One high byte at the end of plain ASCII is an accented letter, not half a character.
    cut = bool(text) and not text.isascii()
    return text if cut or group.isascii() else _replace(group, codec)


def _replace(group: bytes, codec: str) -> str:
    try:
        return group.decode(codec, "replace")
    except LookupError:
        return group.decode("utf-8" if codec == UTF8 else GB18030, "replace")


def _pydicom(value: bytes, encodings: tuple[str, ...]) -> str:
    # decode_bytes warns, with the text in the warning, where it has to replace; so it is asked only for what fits.
    if len(encodings) == 1 and _ESC not in value:
        return value.decode(encodings[0])
    return decode_bytes(value, encodings, TEXT_VR_DELIMS)


def _codec(term: str) -> str:
    return codecs.lookup(python_encoding[term]).name if term in python_encoding else ""


def _term(text: str) -> str:
    text = text.strip().upper()
    match = _TERM.match(text)
    if match is None:
        return text
    return f"ISO 2022 IR {match[2]}" if match[1] else f"ISO_IR {match[2]}"
