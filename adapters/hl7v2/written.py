"""Fields as they are written: escaped, in the standard's data types. The inverse of what the readers do.

Source: HL7 v2.5.1 chapter 2A (data types), 2.7 (escapes).
"""

import datetime as dt
import re
from decimal import Decimal

from schemas.codes import Coding, system_name
from schemas.identifiers import AUTHORITY, HEALTH_CARD, RESIDENT_ID, Identifier
from schemas.observation import Interval, Moment, Quantity, Ratio, Value
from schemas.patient import PersonName
from schemas.report import Parent

from .delimiters import Delimiters
from .er7 import NULL
from .escapes import escape

DELIMITERS = Delimiters()
# Frames, segments and databases of receivers trip over these; an escape carries each of them through.
_CONTROL = {code: f"\\X{code:02X}\\" for code in range(0x20) if code not in (0x0A, 0x0D)}
_IDENTIFIER_TYPES = {RESIDENT_ID: "NNCHN", HEALTH_CARD: "HC"}
_OID = "urn:oid:"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def text(value: str) -> str:
    """A text as a field's content: reading it back gives the same text."""
    # Two quotes alone would tell the receiver to delete what it knows.
    raw = escape(value, DELIMITERS).translate(_CONTROL)
    return '\\X22\\"' if raw == NULL else raw


def components(*parts: str) -> str:
    """Parts that are written already, as one field without empty ones at its end."""
    return "^".join(parts).rstrip("^")


def coded(coding: Coding) -> str:
    """CWE."""
    return components(text(coding.code), text(coding.display), text(system_name(coding.system)))


def moment(at: dt.datetime | None) -> str:
    """DTM with the zone in which it was told; to a ten-thousandth of a second where it is as exact."""
    if at is None:
        return ""
    fraction = f".{at.microsecond // 100:04d}" if at.microsecond else ""
    return f"{at:%Y%m%d%H%M%S}{fraction}{at:%z}"[:24]


def identifier(found: Identifier) -> str:
    """CX: the number, the authority that gave it out, its type."""
    kind = _IDENTIFIER_TYPES.get(found.system, "MR")
    if found.system.startswith(_OID):
        authority = f"&{text(found.system.removeprefix(_OID))}&ISO"
    else:
        authority = text(found.system.removeprefix(AUTHORITY))
    return components(text(found.value), "", "", authority, kind)


def person_name(name: PersonName) -> str:
    """XPN: the name as people write it, and beside it the alphabetic form."""
    written = components(text(name.text), *[""] * 5, "L")
    if not name.latin or name.latin == name.text:
        return written
    return f"{written}^I~{components(text(name.latin), *[''] * 5, 'L', 'A')}"


def parent_result(parent: Parent) -> str:
    """PRL (OBR-26): the result that this goes on from; its code's parts are subcomponents."""
    code = "&".join((text(parent.code.code), text(parent.code.display), text(system_name(parent.code.system))))
    return components(code if parent.code.code else "", text(parent.sub_id), text(parent.value))


def parent_numbers(parent: Parent) -> str:
    """EIP (OBR-29)."""
    return components(text(parent.placer_order_number), text(parent.filler_order_number))


def value(found: Value, sent: str = "") -> tuple[str, str]:
    """OBX-2 and OBX-5. `sent`: the number in the source's own characters, as 5.30 where 5.3 is meant."""
    if found is None:
        return "", ""
    if isinstance(found, Quantity):
        number = sent if _NUMBER.fullmatch(sent) else _number(found.value)
        return ("SN", f"{text(found.comparator)}^{number}") if found.comparator else ("NM", number)
    if isinstance(found, Coding):
        return "CWE", coded(found)
    if isinstance(found, Interval):
        return "SN", _interval(found)
    if isinstance(found, Ratio):
        return "SN", f"{text(found.comparator)}^{_number(found.numerator)}^:^{_number(found.denominator)}"
    if isinstance(found, Moment):
        return _moment(found.iso)
    return ("TX" if "\n" in found else "ST"), text(found)


def _number(found: Decimal) -> str:
    return format(found, "f")


def _interval(found: Interval) -> str:
    if found.low is None:
        return f"<=^{_number(found.high)}" if found.high is not None else ""
    return f">=^{_number(found.low)}" if found.high is None else f"^{_number(found.low)}^-^{_number(found.high)}"


def _moment(iso: str) -> tuple[str, str]:
    day, _, clock = iso.partition("T")
    if ":" in day:
        return "TM", day.replace(":", "")
    # The hyphens of a date go, the sign of a zone stays.
    return ("TS" if clock else "DT"), day.replace("-", "") + clock.replace(":", "")
