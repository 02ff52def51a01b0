"""MFER records. Source: ISO 22077-1, ISO/TS 22077-2 (twelve leads)."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO
from zoneinfo import ZoneInfo

from schemas.delivery import Origin, Reading

from . import findings, groups, identity
from . import mfer_definitions as tags
from .content import whole
from .mfer_frames import Frames

_MAX_BYTES = 8 * 1024 * 1024
_SEXES = {1: "M", 2: "F"}
# Table of character codes; what is not among them is UTF-8 or, from carts made for China, GB 18030.
_CODECS = {"JIS X 0201": "shift_jis", "JIS X 0208": "iso2022_jp", "RFC 1468": "iso2022_jp", "ISO 8859-1": "latin-1"}
_PERSONAL = frozenset({tags.NAME, tags.NUMBER, tags.BORN, tags.SEX, tags.TIME, tags.TEXT_CODE, tags.PREAMBLE})
# Byte order, and what may follow it: version, character code, block, channels, sequences, interval, sensitivity.
_AFTER_BYTE_ORDER = frozenset({0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0A, 0x0B, 0x0C, 0x17})

Decode = Callable[[bytes], str]


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an MFER record: its preamble, or a byte order and what follows."""
    if head[:1] == b"\x40" and head[2:6] == b"MFR ":
        return True
    return len(head) > 16 and head[:3] in (b"\1\1\0", b"\1\1\1") and head[3] in _AFTER_BYTE_ORDER and head[4] < 0x80


def read(content: BinaryIO, origin: Origin) -> Reading:
    """One report with its recording. Raises InvalidPayload, UnsupportedPayload or IdentityConflict."""
    data = whole(content, _MAX_BYTES)
    frames = Frames()
    told: dict[int, bytes] = {}
    order = {}
    kept: Counter[str] = Counter()
    for definition in tags.definitions(data):
        if frames.follow(definition):
            continue
        if definition.tag in _PERSONAL:
            told.setdefault(definition.tag, definition.value)
            order[definition.tag] = frames.big_endian
        else:
            kept[tags.NAMES.get(definition.tag, f"tag {definition.tag:02X}")] += 1
    recording, flags = groups.recording(frames.groups)
    started = _numbers(told.get(tags.TIME, b""), big_endian=order.get(tags.TIME, True))
    found = findings.Findings(
        told=_told(told, order, decoder(told.get(tags.TEXT_CODE, b""), origin.source.charset)),
        recording=recording,
        flags=flags,
        started_at=_moment(started, ZoneInfo(origin.source.time_zone)),
        kept=tuple(f"{name}: kept in the original ({times})" for name, times in sorted(kept.items())),
    )
    return findings.reading(found, data, origin)


def _told(told: dict[int, bytes], order: dict[int, bool], decode: Decode) -> identity.Told:
    # Family name, how it sounds, given name, how that sounds (ISO 22077-1, 5.6).
    name = [*decode(told.get(tags.NAME, b"")).split("^"), "", ""]
    born = told.get(tags.BORN, b"")[3:]
    sex = told.get(tags.SEX, b"")
    return identity.Told(
        number=decode(told.get(tags.NUMBER, b"")).split("^")[0].strip(),
        name=identity.full_name(name[0], name[2]),
        birth_date=_day(_numbers(born, big_endian=order.get(tags.BORN, True))),
        sex=_SEXES.get(sex[0], "") if sex else "",
        where="tag 82 (patient identifier)",
    )


def decoder(declared: bytes, charset: str) -> Decode:
    """How this record's texts read: by what is known of the source, else as declared, else by what they can be."""
    name = declared.decode("ascii", "replace").strip("\0 ").upper()
    codec = next((known for prefix, known in _CODECS.items() if name.startswith(prefix)), "")

    def decode(value: bytes) -> str:
        for each in filter(None, (charset, codec, "utf-8", "gb18030")):
            try:
                return value.decode(each).strip("\0 ")
            except (UnicodeDecodeError, LookupError):
                continue
        return value.decode("latin-1").strip("\0 ")

    return decode


def _numbers(value: bytes, *, big_endian: bool) -> list[int]:
    """A year of two bytes, then month, day, hour, minute, second; thousandths and millionths of two bytes each."""
    order = "big" if big_endian else "little"
    if len(value) < 4:
        return []
    fractions = [value[at : at + 2] for at in (7, 9) if len(value) >= at + 2]
    return [
        int.from_bytes(value[:2], order),  # type: ignore[arg-type]
        *value[2:7],
        *(int.from_bytes(each, order) for each in fractions),  # type: ignore[arg-type]
    ]


def _day(numbers: list[int]) -> dt.date | None:
    try:
        return dt.date(*numbers[:3]) if len(numbers) >= 3 else None
    except ValueError:
        return None


def _moment(numbers: list[int], zone: ZoneInfo) -> dt.datetime | None:
    if len(numbers) < 6:
        return None
    milli, micro = [*numbers[6:8], 0, 0][:2]
    try:
        return dt.datetime(*numbers[:6], min(milli * 1000 + micro, 999_999), tzinfo=zone)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
