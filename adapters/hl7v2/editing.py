"""A message as text for a browser's text field, and back: lines that nobody touched keep their very bytes.

A text field of a browser changes what it is given: line ends become CRLF, control characters are lost, bytes that are
no characters cannot be shown at all. So each line is edited without its terminator, and what a browser would not give
back is written as its bytes in hexadecimal between white brackets: \u27e60b\u27e7 is the start of an MLLP frame.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from schemas.delivery import Origin
from schemas.editing import Editor
from schemas.faults import InvalidPayload

from .charset import Decoded, codec_of, declared_charset, decode

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\u27e6]")
_BYTES = re.compile("\u27e6((?:[0-9a-fA-F]{2}){1,8})\u27e7")
# Comparing is quadratic: where more than this was changed at once, lines are paired as they stand.
_MOST_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class _Line:
    text: str  # without its terminator
    end: str
    codec: str

    @property
    def shown(self) -> str:
        return _UNSAFE.sub(self._in_brackets, self.text)

    def _in_brackets(self, found: "re.Match[str]") -> str:
        return f"\u27e6{found[0].encode(self.codec, 'surrogateescape').hex()}\u27e7"

    def encode(self) -> bytes:
        return (self.text + self.end).encode(self.codec, "surrogateescape")


def _show(content: bytes, origin: Origin) -> str:
    return "\n".join(line.shown for line in _lines(decode(content, charset=origin.source.charset)))


def _write(content: bytes, origin: Origin, text: str) -> bytes:
    decoded = decode(content, charset=origin.source.charset)
    old = list(_lines(decoded))
    new = [found[1] for found in _LINE.finditer(text)]
    new = new[: _count(text)]
    spare = _codec(content, origin, decoded, text)
    lines = list(_merged(old, new, spare))
    end = next((line.end for line in old if line.end), "\r")
    last = len(lines) - 1
    return decoded.mark + b"".join(
        _Line(line.text, ("" if number == last else line.end or end), line.codec).encode()
        for number, line in enumerate(lines)
    )


EDITOR = Editor(_show, _write)


def _lines(decoded: Decoded) -> Iterator[_Line]:
    """The lines; behind the last terminator stands one more, perhaps empty, without any."""
    found = _LINE.finditer(decoded.text)
    codecs = decoded.codecs_by_line
    for number in range(_count(decoded.text)):
        line = next(found)
        yield _Line(line[1], line[2], codecs[number] if number < len(codecs) else decoded.codec)


def _count(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text)) + 1


def _codec(content: bytes, origin: Origin, decoded: Decoded, text: str) -> str:
    """In what new characters are written: where there were none yet, as the changed message declares."""
    if not content.isascii():
        return decoded.codec
    declared = origin.source.charset or codec_of(declared_charset(text.encode("utf-8", "replace")))
    # A message that declares ASCII and says more reads as UTF-8, and is flagged: better than not to be written at all.
    return declared if declared not in ("", "ascii") else decoded.codec


def _merged(old: list[_Line], new: list[str], codec: str) -> Iterator[_Line]:
    shown = [line.shown for line in old]
    for start, stop, begin, end in _changes(shown, new):
        if start - stop == begin - end and shown[start:stop] == new[begin:end]:
            yield from old[start:stop]
            continue
        for number, text in enumerate(new[begin:end]):
            beside = old[start + number] if start + number < stop else None
            written = beside.codec if beside and not beside.text.isascii() else codec
            yield _Line(_read(text, written, begin + number + 1), beside.end if beside else "", written)


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of both that belong together, as (start, stop) of the old and of the new lines."""
    least = min(len(old), len(new))
    head = next((at for at in range(least) if old[at] != new[at]), least)
    tail = next((at for at in range(least - head) if old[-1 - at] != new[-1 - at]), least - head)
    yield 0, head, 0, head
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(middle) > _MOST_COMPARED or len(other) > _MOST_COMPARED:
        yield head, head + len(middle), head, head + len(other)
    else:
        for _, start, stop, begin, end in SequenceMatcher(None, middle, other, autojunk=False).get_opcodes():
            yield head + start, head + stop, head + begin, head + end
    yield len(old) - tail, len(old), len(new) - tail, len(new)


def _read(text: str, codec: str, number: int) -> str:
    """A line as a person left it, in characters that the message can hold."""
    read = _BYTES.sub(lambda found: bytes.fromhex(found[1]).decode(codec, "surrogateescape"), text)
    try:
        read.encode(codec, "surrogateescape")
    except UnicodeEncodeError as error:
        said = f"expected characters of the message's character set, {codec}"
        raise InvalidPayload(said, where=f"line {number}") from error
    return read
