"""Texts that are numbers, however they are written."""

import re
import unicodedata
from decimal import Decimal

from schemas.observation import Quantity

_DIGITS = r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
_NUMBER = re.compile(rf"(<=|>=|<|>)?\s*({_DIGITS})")
_COMPARATORS = str.maketrans({"≤": "<=", "≥": ">=", "﹤": "<", "﹥": ">"})


def quantity(text: str, unit: str, unit_system: str = "") -> Quantity | None:
    """The number that a text is, with its comparator; None where it is no number."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_COMPARATORS))
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    return Quantity(Decimal(found[2]), unit, found[1] or "", unit_system)


def decimal(text: str) -> Decimal | None:
    """The number that a text is, without anything before it."""
    found = quantity(text, "")
    return found.value if found and not found.comparator else None
