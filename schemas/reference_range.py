"""Reference ranges as laboratories write them: `3.5-9.5`, `<5.2`, `男:3.5-9.5 女:3.0-9.0`, `0-14岁 5-15；15岁以上 3-9`.

The text as sent is what counts; what is read here helps to show it. A text of which any part is not understood is left
whole.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from .patient import Sex

_LONGEST = 400
_NUMBER = r"[-+]?\d{1,12}(?:\.\d{1,12})?"
_RANGE = re.compile(rf"(?:({_NUMBER})\s*(?:-{{1,2}}|–|—|~|～|至)\s*({_NUMBER})|(<=?|>=?|≤|≥|＜|＞)\s*({_NUMBER}))")
_AGE = re.compile(
    r"(?:(\d{1,3})\s*(?:-|–|—|~|～|至)\s*(\d{1,3})\s*(岁|月|天)|(<=?|>=?|≤|≥|＜|＞)\s*(\d{1,3})\s*(岁|月|天)"
    r"|(\d{1,3})\s*(岁|月|天)\s*(以上|以下))"
)
_SEXES = {"男": Sex.MALE, "男性": Sex.MALE, "m": Sex.MALE, "male": Sex.MALE} | {
    "女": Sex.FEMALE,
    "女性": Sex.FEMALE,
    "f": Sex.FEMALE,
    "female": Sex.FEMALE,
}
# Between parts: a mark, or space before a sex or an age.
_BETWEEN = re.compile(
    r"[;；\n]|[,，、/\s]+(?=(?:[男女]|[MF][a-z]*\s*[:：]|\d{1,3}\s*(?:[-–—~～至]\s*\d{1,3}\s*)?[岁月天]))"
)
_AGE_UNITS = {"岁": "a", "月": "mo", "天": "d"}
_PUNCTUATION = " :：()（）,，"


@dataclass(frozen=True, slots=True)
class Age:
    """Completed years (`a`), months (`mo`) or days (`d`), both ends included; None where an end is open."""

    low: int | None
    high: int | None
    unit: str

    def holds(self, born: dt.date, on: dt.date) -> bool:
        """Whether somebody born then is of that age on that day."""
        age = _completed(born, on, self.unit)
        return (self.low is None or age >= self.low) and (self.high is None or age <= self.high)


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """One part of a reference range. low, high: None where an end is open, both None where it is no numbers.

    sex, age: of whom it holds; None where it does not say. condition: another restriction (a phase, a diet), in words.
    """

    text: str
    low: Decimal | None = None
    high: Decimal | None = None
    sex: Sex | None = None
    age: Age | None = None
    condition: str = ""


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[ReferenceRange, ...]:
    """The parts of a range, in their order; one part with the whole text where any of it is not understood."""
    if not text.strip():
        return ()
    found = [_part(piece.strip()) for piece in _BETWEEN.split(text[:_LONGEST]) if piece.strip()]
    known = [each for each in found if each is not None]
    if len(known) < len(found) or len(text) > _LONGEST:
        return (ReferenceRange(text),)
    return tuple(known) or (ReferenceRange(text),)


def applicable(ranges: Iterable[ReferenceRange], sex: Sex, born: dt.date | None, on: dt.date) -> ReferenceRange | None:
    """The part that holds for a patient; None where several may, or where it depends on what nobody told."""
    fitting = [each for each in ranges if _may_hold(each, sex, born, on)]
    if len(fitting) != 1 or fitting[0].condition:
        return None
    only = fitting[0]
    undecided = (only.sex and sex is not only.sex) or (only.age and born is None)
    return None if undecided else only


def _may_hold(each: ReferenceRange, sex: Sex, born: dt.date | None, on: dt.date) -> bool:
    told = sex in (Sex.MALE, Sex.FEMALE)
    of_sex = each.sex is None or not told or each.sex is sex
    return of_sex and (each.age is None or born is None or each.age.holds(born, on))


def _part(piece: str) -> ReferenceRange | None:
    rest, age = piece, None
    if found := _AGE.search(piece):
        age, rest = _age(found), piece[: found.start()] + " " + piece[found.end() :]
    number = _RANGE.search(rest)
    if number is None or any(c.isdigit() for c in rest[: number.start()] + rest[number.end() :]):
        return None
    words = [word for word in re.split(rf"[{_PUNCTUATION}]+", rest[: number.start()]) if word]
    sexes = [_SEXES[word.lower()] for word in words if word.lower() in _SEXES]
    others = " ".join(word for word in words if word.lower() not in _SEXES)
    low, high = _bounds(number)
    return ReferenceRange(piece, low, high, sexes[0] if len(sexes) == 1 else None, age, others)


def _bounds(found: re.Match[str]) -> tuple[Decimal | None, Decimal | None]:
    first, second, sign, bound = found.groups()
    if sign is None:
        return Decimal(first), Decimal(second)
    return (None, Decimal(bound)) if sign[0] in "<≤＜" else (Decimal(bound), None)


def _age(found: re.Match[str]) -> Age:
    first, second, unit, sign, bound, bound_unit, end, end_unit, side = found.groups()
    if unit:
        return Age(int(first), int(second), _AGE_UNITS[unit])
    if side:
        return (
            Age(int(end), None, _AGE_UNITS[end_unit]) if side == "以上" else Age(None, int(end), _AGE_UNITS[end_unit])
        )
    year, exclusive = int(bound), sign in ("<", ">", "＜", "＞")
    if sign[0] in "<≤＜":
        return Age(None, year - exclusive, _AGE_UNITS[bound_unit])
    return Age(year + exclusive, None, _AGE_UNITS[bound_unit])


def _completed(born: dt.date, on: dt.date, unit: str) -> int:
    if unit == "d":
        return (on - born).days
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    return months if unit == "mo" else months // 12
