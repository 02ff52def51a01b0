"""OBX-5 by the type that OBX-2 names. What is not what its type says is kept as the text that was sent.

Source: HL7 v2 chapter 2A; table 0125.
"""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from schemas.codes import UCUM, Coding
from schemas.observation import Quantity

from .coded import coding
from .context import LONGEST_TOKEN, Context
from .delimiters import Delimiters
from .er7 import NULL, Segment
from .escapes import unescape

Value = Quantity | Coding | str | None

_NUMBER = re.compile(r"(<=|>=|<|>)?\s*([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?)")
_COMPARATORS = str.maketrans({"≤": "<=", "≥": ">=", "﹤": "<", "﹥": ">"})

CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_TEXTS = frozenset({"ST", "TX", "FT", "IS", "ID", "DT", "TM", "TS", "DTM", "SI", "CX", "EI", "HD", "XCN", "RP", "ED"})


def quantity(text: str, unit: str, unit_system: str = "") -> Quantity | None:
    """The number that a text is, with its comparator; None where it is no number."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_COMPARATORS))
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    return Quantity(Decimal(found[2]), unit, found[1] or "", unit_system)


def unit_of(obx: Segment, context: Context) -> tuple[str, str]:
    """OBX-6: the unit as sent, and the URI of its system where that is UCUM."""
    raw = obx[6]
    if not raw:
        return "", ""
    read = _unit if len(raw) < LONGEST_TOKEN else _unit.__wrapped__
    return read(raw, context.message.delimiters, context.message.decoded.escape_codec)


@lru_cache(maxsize=1024)
def _unit(raw: str, delimiters: Delimiters, codec: str) -> tuple[str, str]:
    parts = [unescape(part, delimiters, codec).strip() for part in delimiters.split(raw, delimiters.component)]
    code, words, system = [*parts, "", ""][:3]
    return ("", "") if code == NULL else (code or words, UCUM if system == "UCUM" else "")


def value(obx: Segment, index: int, unit: tuple[str, str], context: Context) -> Value:
    """The value of an OBX that is neither a document nor running text."""
    raw, kind = obx[5], obx[2]
    if not raw:
        return None
    if kind == "NM":
        return _numeric(raw, index, unit, context)
    if kind == "SN":
        return _structured(raw, index, unit, context)
    if kind in CODED:
        return _coded(raw, context)
    if kind in _TEXTS:
        return plain(raw, context) or None
    if kind:
        context.ledger.flagged(index, 2, "value type of no meaning here, value kept as text")
    else:
        context.ledger.flagged(index, 2, "value type missing, value read by its looks")
        return quantity(context.text(raw), *unit) or plain(raw, context) or None
    return plain(raw, context) or None


def plain(raw: str, context: Context) -> str:
    """A value as text: repetitions on lines of their own, components as sent."""
    repetition = context.message.delimiters.repetition
    if repetition and repetition in raw:
        return "\n".join(context.text(each) for each in raw.split(repetition)).strip()
    return context.text(raw).replace("\r\n", "\n").replace("\r", "\n")


def _numeric(raw: str, index: int, unit: tuple[str, str], context: Context) -> Value:
    text = context.text(raw)
    found = quantity(text, *unit)
    if found is None and text:
        context.ledger.flagged(index, 5, "not a number, kept as text")
        return plain(raw, context) or None
    return found


def _structured(raw: str, index: int, unit: tuple[str, str], context: Context) -> Value:
    """SN: comparator, number, separator or suffix, number."""
    parts = [*context.components(context.repetitions(raw)[0] if context.repetitions(raw) else raw), "", "", "", ""]
    comparator, first, separator, second = (part.strip() for part in parts[:4])
    if first and not separator and not second:
        found = quantity(("" if comparator == "=" else comparator) + first, *unit)
        if found:
            return found
    text = f"{'' if comparator == '=' else comparator}{first}{separator}{second}"
    if not any(c.isdigit() for c in text):
        context.ledger.flagged(index, 5, "not a structured number, kept as text")
        return plain(raw, context) or None
    return text


def _coded(raw: str, context: Context) -> Value:
    repetitions = context.repetitions(raw)
    found = [coding(each, context) for each in repetitions]
    parts = [*context.components(repetitions[0]), *[""] * 6] if repetitions else []
    if len(found) == 1 and (parts[0] or parts[3]):
        return found[0]
    # Several answers, or words without a code: what a reader of the report would see.
    words = [each.display or each.code for each in found] or parts[8:9]
    return "\n".join(word for word in words if word) or None
