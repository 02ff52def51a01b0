"""Patient and acquisition of an SCP-ECG record: section 1. Source: EN 1064, 5.4."""

import datetime as dt
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.faults import InvalidPayload

from .identity import Told, full_name

# Language support code (tag 14, byte 17). GB 18030 contains GB 2312, and carts write characters beyond the latter.
_CODECS = {0x27: "gb18030", 0x37: "utf-8", 0x07: "utf-16-le", 0x0F: "shift_jis", 0x17: "euc_jp", 0x2F: "cp949"}
_SEXES = {1: "M", 2: "F"}
_NAME, _FIRST_NAME, _ID, _BIRTH, _SEX, _MACHINE, _CONFIRMING, _DATE, _TIME, _ZONE = 0, 1, 2, 5, 8, 14, 21, 25, 26, 34
MAPPED = frozenset({_NAME, _FIRST_NAME, _ID, _BIRTH, _SEX, _MACHINE, _CONFIRMING, _DATE, _TIME, _ZONE})

Decode = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Header:
    """decode: turns the record's other texts into words. tags: every tag found, in order."""

    told: Told
    started_at: dt.datetime | None
    confirming_physician: str
    decode: Decode
    tags: tuple[int, ...]


def header(body: bytes, zone: str, charset: str) -> Header:
    """zone: of times without an offset. charset: a codec known for the source, else empty. Raises InvalidPayload."""
    pairs = list(_tags(body))
    tags = dict(reversed(pairs))
    machine = tags.get(_MACHINE, b"")
    decode = decoder(machine[16] if len(machine) > 16 else 0, charset)
    told = Told(
        number=decode(tags.get(_ID, b"")),
        name=full_name(decode(tags.get(_NAME, b"")), decode(tags.get(_FIRST_NAME, b""))),
        birth_date=_date(tags.get(_BIRTH, b"")),
        sex=_SEXES.get(tags.get(_SEX, b"\0")[:1].ljust(1, b"\0")[0], ""),
        where="section 1, tag 2",
    )
    physician = decode(tags.get(_CONFIRMING, b""))
    return Header(told, _started_at(tags, zone), physician, decode, tuple(tag for tag, _ in pairs))


def decoder(language: int, charset: str) -> Decode:
    """How this record's texts read: by what is known of the source, else as declared, else by what they can be."""
    declared = _CODECS.get(language, "")

    def decode(value: bytes) -> str:
        if not charset and declared == "utf-16-le":
            return value[: len(value) // 2 * 2].decode("utf-16-le", "replace").split("\0")[0].strip()
        value = value.split(b"\0")[0]
        # Carts made for China write GBK and declare nothing, which by the standard would be Latin-1.
        for codec in filter(None, (charset, declared, "utf-8", "gb18030")):
            try:
                return value.decode(codec).strip()
            except (UnicodeDecodeError, LookupError):
                continue
        return value.decode("latin-1").strip()

    return decode


def _tags(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(body):
        tag, length = struct.unpack_from("<BH", body, at)
        if tag == 255:
            return
        value = body[at + 3 : at + 3 + length]
        if len(value) < length:
            raise InvalidPayload("tag is longer than its section", where=f"section 1, tag {tag}")
        yield tag, value
        at += 3 + length


def _date(value: bytes) -> dt.date | None:
    if len(value) < 4:
        return None
    try:
        return dt.date(*struct.unpack_from("<HBB", value))
    except ValueError:
        return None


def _started_at(tags: dict[int, bytes], zone: str) -> dt.datetime | None:
    day, clock = _date(tags.get(_DATE, b"")), tags.get(_TIME, b"")
    if day is None:
        return None
    hour, minute, second = clock[:3] if len(clock) >= 3 else (0, 0, 0)
    try:
        return dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=_zone(tags, zone))
    except ValueError:
        return None


def _zone(tags: dict[int, bytes], zone: str) -> dt.tzinfo:
    value = tags.get(_ZONE, b"")
    minutes = struct.unpack_from("<h", value)[0] if len(value) >= 2 else 0x7FFF
    return dt.timezone(dt.timedelta(minutes=minutes)) if abs(minutes) <= 14 * 60 else ZoneInfo(zone)
