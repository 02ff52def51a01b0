"""OBX-5 by the type that OBX-2 names. What is not what its type says is kept as the text that was sent.

Source: HL7 v2 chapter 2A; table 0125.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from schemas.codes import UCUM, Coding
from schemas.observation import Moment, Quantity, Value

from .coded import coding
from .context import LONGEST_TOKEN, Context
from .delimiters import Delimiters
from .er7 import NULL, Segment
from .escapes import unescape
from .numbers import quantity
from .structured import Unit, composite, interval, structured
from .times import iso_clock, iso_moment

Read = Callable[[str, Unit, Context], Value]
_TEN, _POWER = re.compile(r"[x×*]?\s*10", re.IGNORECASE), re.compile(r"\d{1,2}\s*/")
_LONG_NUMBER = 20
_TRIPLET = 3  # components of a code, its words, its system; further ones name its twin in another system
_TEXTS = frozenset({"ST", "TX", "FT", "IS", "ID", "SI", "CX", "EI", "HD", "XCN", "RP", "ED"})


def unit_of(obx: Segment, context: Context) -> Unit:
    """OBX-6: the unit as sent, and the URI of its system where that is UCUM."""
    raw = obx[6]
    if not raw:
        return "", ""
    read = _unit if len(raw) < LONGEST_TOKEN else _unit.__wrapped__
    return read(raw, context.message.delimiters, context.message.decoded.escape_codec)


@lru_cache(maxsize=1024)
def _unit(raw: str, delimiters: Delimiters, codec: str) -> Unit:
    parts = [unescape(part, delimiters, codec).strip() for part in delimiters.split(raw, delimiters.component)]
    code, words, system = [*parts, "", ""][:3]
    if _TEN.fullmatch(code) and _POWER.match(words):
        code, words = f"{code}^{words}", ""  # `10^9/L` unescaped, where the mark is the one between components
    return ("", "") if code == NULL else (code or words, UCUM if system == "UCUM" else "")


def value(obx: Segment, index: int, unit: Unit, context: Context) -> tuple[Value, str]:
    """The value of an OBX that is neither a document nor running text; and as sent, where that says it otherwise."""
    raw, kind = obx[5], obx[2]
    if not raw:
        return None, ""
    if raw == NULL:
        return None, NULL  # a value that was deleted is not one that was never told
    if kind == "NM":
        return _numeric(raw, index, unit, context)
    if kind in _TEXTS:
        return plain(raw, context) or None, ""
    if not kind:
        context.ledger.flagged(index, 2, "value type missing, value read by its looks")
        return quantity(context.text(raw), *unit) or plain(raw, context) or None, ""
    read = _READERS.get(kind)
    if read is None:
        context.ledger.flagged(index, 2, "value type of no meaning here, value kept as text")
        return plain(raw, context) or None, ""
    found = read(raw, unit, context)
    if found is None:
        context.ledger.flagged(index, 5, f"not a value of type {kind}, kept as text")
        return plain(raw, context) or None, ""
    return found, _sent(found, raw, context)


def plain(raw: str, context: Context) -> str:
    """A value as text: repetitions on lines of their own, components as sent."""
    repetition = context.message.delimiters.repetition
    if repetition and repetition in raw:
        return "\n".join(context.text(each) for each in raw.split(repetition)).strip()
    return context.text(raw).replace("\r\n", "\n").replace("\r", "\n")


def _numeric(raw: str, index: int, unit: Unit, context: Context) -> tuple[Value, str]:
    text = context.text(raw)
    read = _number if len(text) < _LONG_NUMBER else _number.__wrapped__
    found, sent = read(text, *unit)
    if found is None and text:
        context.ledger.flagged(index, 5, "not a number, kept as text")
        return plain(raw, context) or None, ""
    return found, sent


# Few results differ in all their digits from every other of the same analyte.
@lru_cache(maxsize=8192)
def _number(text: str, unit: str, unit_system: str) -> tuple[Quantity | None, str]:
    """The number, and as sent where writing it again would give something else."""
    found = quantity(text, unit, unit_system)
    return found, "" if found is None or f"{found.comparator}{found.value}" == text else text


def _moment(raw: str, unit: Unit, context: Context) -> Moment | None:
    del unit
    found = iso_moment(context.text(context.message.delimiters.first(raw)), context.origin.source.time_zone)
    return Moment(found) if found else None


def _clock(raw: str, unit: Unit, context: Context) -> Moment | None:
    del unit
    found = iso_clock(context.text(raw))
    return Moment(found) if found else None


def _coded(raw: str, unit: Unit, context: Context) -> Coding | str | None:
    del unit
    repetitions = context.repetitions(raw)
    found = [coding(each, context) for each in repetitions]
    parts = [*context.components(repetitions[0]), *[""] * 9] if repetitions else []
    if len(found) == 1 and (parts[0] or parts[3]):
        return found[0]
    # Several answers, or words without a code: what a reader of the report would see.
    words = "\n".join(word for each in found if (word := each.display or each.code))
    return words if len(found) > 1 and words else _words(words or (parts[8] if parts else ""))


def _words(text: str) -> Coding | None:
    return Coding("", text) if text else None


def _sent(found: Value, raw: str, context: Context) -> str:
    delimiters = context.message.delimiters
    alone = len(context.repetitions(raw)) == 1 and raw.count(delimiters.component) < _TRIPLET
    said_whole = isinstance(found, Quantity) or (isinstance(found, Coding) and alone)
    return "" if said_whole else context.text(raw)


_READERS: Mapping[str, Read] = {
    **dict.fromkeys(("CE", "CWE", "CNE", "CF"), _coded),
    **dict.fromkeys(("DT", "TS", "DTM"), _moment),
    "TM": _clock,
    "SN": structured,
    "NR": interval,
    "CQ": composite,
}
