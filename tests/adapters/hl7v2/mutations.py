"""Messages gone wrong in the ways in which they go wrong out there: on the wire, in interfaces, in people's hands."""

import random
import re
from collections.abc import Callable
from pathlib import Path

from adapters.hl7v2.batch import pieces

_NASTY = (
    b'""',
    b"\\",
    b"\\X0\\",
    b"\\X00\\",
    b"^^^^",
    b"~~~",
    b"&&",
    b"00000000",
    b"20260231",
    b"99999999999999999999",
    b"1e308",
    b"-",
    b"NaN",
    b">^100",
    b"^1^:^128",
    b"***.*",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "瑋珅魚".encode("gb18030"),
    "王　芳".encode(),
    b"A" * 5000,
    b"<script>alert(1)</script>",
    b"=HYPERLINK(1)",
    b"..\\..\\windows",
)
_TERMINATORS = (b"\r", b"\n", b"\r\n", b"\r\r", b"", b"\x0b", b"\x1c\r")
_SEGMENTS = (
    b"OBX|1|NM",
    b"OBX",
    b"NTE|1||note",
    b"ZZZ|1",
    b"SPM|1",
    b"ORC|RE",
    b"MSH|^~\\&|",
    b"PID|1",
    b"BTS|1",
    b"CBC",
)
_KINDS = ("ORU^R01", "OUL^R22", "MDM^T02", "ORM^O01", "OML^O21", "OMI^O23", "OMG^O19", "ADT^A08", "ADT^A40")
_VALUES = (
    *(("NM", "4.1"), ("SN", ">^100"), ("ST", "阳性"), ("CE", "A^甲^L"), ("TX", "文字")),
    *(("DT", "20261121"), ("ED", "^^PDF^Base64^JVBERi0=")),
)
_CODECS = ("gb18030", "utf-16", "utf-8-sig", "latin-1", "big5")

_LONG = 10_000

Mutation = Callable[[bytes, random.Random], bytes]


def _lines(content: bytes) -> list[bytes]:
    return re.split(rb"(?<=[\r\n])", content)


def _byte(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _hole(content: bytes, chance: random.Random) -> bytes:
    at, width = chance.randrange(len(content)), chance.randint(1, 40)
    return content[:at] + content[at + width :]


def _nasty(content: bytes, chance: random.Random) -> bytes:
    """Something else instead of a field, a component or a repetition."""
    found = list(re.finditer(rb"[^|^~&\r\n]+", content))
    if not found:
        return content
    part = chance.choice(found)
    return content[: part.start()] + chance.choice(_NASTY) + content[part.end() :]


def _emptied(content: bytes, chance: random.Random) -> bytes:
    found = list(re.finditer(rb"[^|\r\n]+", content))
    part = chance.choice(found) if found else None
    return content[: part.start()] + content[part.end() :] if part else content


def _dropped(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _repeated(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    at = chance.randrange(len(lines))
    # A document of its own repeated fifty times would be a test of patience.
    times = chance.choice((2, 3, 50)) if len(lines[at]) < _LONG else 2
    return b"".join([*lines[:at], lines[at] * times, *lines[at:]])


def _shuffled(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _inserted(content: bytes, chance: random.Random) -> bytes:
    lines = _lines(content)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(_SEGMENTS) + chance.choice(_TERMINATORS))
    return b"".join(lines)


def _terminated(content: bytes, chance: random.Random) -> bytes:
    return re.sub(rb"\r\n?|\n", lambda _: chance.choice(_TERMINATORS), content)


def _delimited(content: bytes, chance: random.Random) -> bytes:
    return content.replace(chance.choice((b"|", b"^", b"~", b"\\", b"&")), chance.choice((b"|", b"#", b"", b"^", b"a")))


def _recoded(content: bytes, chance: random.Random) -> bytes:
    return content.decode("utf-8", "replace").encode(chance.choice(_CODECS), "replace")


def _doubled(content: bytes, chance: random.Random) -> bytes:
    return content + chance.choice((b"", b"\r", b"\x0b")) + content[: chance.randrange(len(content)) + 1]


MUTATIONS: tuple[Mutation, ...] = (
    *(_byte, _cut, _hole, _nasty, _emptied, _dropped, _repeated),
    *(_shuffled, _inserted, _terminated, _delimited, _recoded, _doubled),
)
_LIKELY = (_nasty, _emptied, _nasty, _inserted)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content after one to six accidents."""
    for _ in range(chance.randint(1, 6)):
        if not content:
            return content
        content = chance.choice((*MUTATIONS, *_LIKELY))(content, chance)
    return content


def generated(chance: random.Random) -> bytes:
    """A message of our own, of any of the kinds, sound before anything happens to it."""
    kind = chance.choice(_KINDS)
    serial = chance.randrange(10**6)
    segments = [
        f"MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000+0800||{kind}|{serial}|P|2.5.1|||||CHN|UNICODE UTF-8",
        f"PID|1||P{serial}^^^CHC01^MR||王^芳||19680412|F",
    ]
    if kind == "ADT^A40":
        segments.append(f"MRG|P{serial + 1}^^^CHC01^MR")
    if kind == "MDM^T02":
        segments.append(f"TXA|1|CN|TX|20261121|||||||||D{serial}|||||AU")
    if not kind.startswith("ADT"):
        for order in range(chance.randint(1, 3)):
            segments.append(f"ORC|{chance.choice(('NW', 'RE', 'SC', ''))}|O{serial}{order}|F{serial}{order}")
            segments.append(
                f"OBR|{order}|O{serial}{order}|F{serial}{order}|58410-2^血常规^LN|||20261121081500|||||||||||||||||LAB|F"
            )
            segments += [_result(number, chance) for number in range(chance.randint(0, 8))]
    return ("\r".join(segments) + "\r").encode()


def _result(number: int, chance: random.Random) -> str:
    kind, value = chance.choice(_VALUES)
    return f"OBX|{number}|{kind}|{2000 + number}-1^钾^LN||{value}|mmol/L|3.5-5.3|{chance.choice('HLN')}|||F"


def sound(samples: Path | None, chance: random.Random) -> bytes:
    """What accidents happen to: a sample's file, one of its messages, or a generated message."""
    if samples is None or chance.random() < 0.3:
        return generated(chance)
    files = sorted(path for path in (samples / "hl7").rglob("*") if path.is_file())
    content = chance.choice(files).read_bytes()
    return content if chance.random() < 0.2 else chance.choice(pieces(content) or [content])
