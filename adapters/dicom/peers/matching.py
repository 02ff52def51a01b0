"""Whether a value is what a key asks for. Source: DICOM PS3.4 C.2.2.2."""

import datetime as dt
import fnmatch
import re
from collections.abc import Callable
from functools import lru_cache

from .attributes import Attribute, Matching
from .identifier import UNABLE, Refused

Test = Callable[[str], bool]

_TIME = re.compile(r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?")
_LATEST = "235959.999999"


def test(attribute: Attribute, values: tuple[str, ...]) -> Test | None:
    """What one value of the attribute has to pass; None where every match passes. Raises Refused.

    Names are matched by the index, which knows their pinyin. Several values of a key are alternatives.
    """
    wanted = tuple(each for each in values if each)
    if not wanted or attribute.matching in {Matching.NONE, Matching.NAME} or set(wanted) <= {"*"}:
        return None
    if attribute.matching is Matching.RANGE:
        if len(wanted) > 1:
            raise Refused(UNABLE, "expected one value or a range", attribute.tag)
        return _range(attribute, wanted[0])
    if attribute.matching is Matching.UIDS:
        return frozenset(wanted).__contains__
    if attribute.vr == "IS":
        return frozenset(wanted).__contains__
    fold = str.casefold if attribute.vr in {"LO", "PN", "SH"} else str
    tests = tuple(_text(attribute, fold(each)) for each in wanted)
    return lambda value: any(each(fold(value)) for each in tests)


def _text(attribute: Attribute, pattern: str) -> Test:
    if attribute.vr == "PN":
        pattern = pattern.replace("^", " ")
        compiled = _wild(f"*{pattern.strip()}*")
        return lambda value: compiled(value.replace("^", " "))
    if attribute.matching is Matching.WILD and {"*", "?"} & set(pattern):
        return _wild(pattern)
    return lambda value: value == pattern


@lru_cache(256)
def _wild(pattern: str) -> Test:
    # A hundred stars in a row would have a regular expression look at the same text for years.
    literal = re.sub(r"\*+", "*", pattern).replace("[", "[[]")
    if literal.count("*") > 16:
        raise Refused(UNABLE, "too many wild cards")
    compiled = re.compile(fnmatch.translate(literal))
    return lambda value: compiled.match(value) is not None


def bounds(attribute: Attribute, text: str) -> tuple[str, str]:
    """First and last value of a date or time, or of a range of them; open ends are empty. Raises Refused."""
    clean = text.replace(".", "") if attribute.vr == "DA" else text.replace(":", "")
    first, dash, last = (part.strip() for part in clean.partition("-"))
    check = _is_date if attribute.vr == "DA" else _is_time
    if not (first or last) or not all(check(part) for part in (first, last) if part):
        said = "expected YYYYMMDD or a range of such" if attribute.vr == "DA" else "expected HHMMSS or a range of such"
        raise Refused(UNABLE, said, attribute.tag)
    return first, last if dash else first


def _range(attribute: Attribute, text: str) -> Test:
    first, last = bounds(attribute, text)
    if attribute.vr == "TM":
        first, last = _filled(first, "000000.000000"), _filled(last, _LATEST)

    def within(value: str) -> bool:
        value = _filled(value.replace(":", ""), "000000.000000") if attribute.vr == "TM" else value.replace(".", "")
        return bool(value) and (not first or value >= first) and (not last or value <= last)

    return within


def _filled(text: str, pattern: str) -> str:
    return text + pattern[len(text) :] if text else ""


def _is_date(text: str) -> bool:
    try:
        return len(text) == 8 and text.isascii() and bool(dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None
