"""The statements that a reader of ECGs chooses from, and what makes one pressing. Data: ecg_statements.toml."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from .codes import Coding

STATEMENTS = "urn:dxhub:codes:ecg-statement"
_NOISE = re.compile(r"[\s\-_.,:;*'\"!()（）。，：；]+")
_PARTS = re.compile(r"[;；,，、\n]+")


class Severity(StrEnum):
    """How soon somebody must look, the most pressing first."""

    CRITICAL = "critical"
    URGENT = "urgent"
    ABNORMAL = "abnormal"
    BORDERLINE = "borderline"
    NORMAL = "normal"

    @property
    def rank(self) -> int:
        """0 for the most pressing."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Statement:
    """acronym: as readers type it. scp: acronym of EN 1064 where it says the same. also: other wordings of it."""

    code: str
    acronym: str
    zh: str
    en: str
    category: str
    severity: Severity
    scp: str = ""
    also: tuple[str, ...] = ()

    @property
    def coding(self) -> Coding:
        return Coding(self.code, self.zh, STATEMENTS)


@dataclass(frozen=True, slots=True)
class Rule:
    """A bound of one measurement (LOINC) beyond which it is pressing; `least` belongs to what is pressing."""

    measure: str
    severity: Severity
    source: str
    below: Decimal | None = None
    above: Decimal | None = None
    least: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        return bool(
            (self.below is not None and value < self.below)
            or (self.above is not None and value > self.above)
            or (self.least is not None and value >= self.least)
        )


@cache
def _data() -> dict[str, Any]:
    text = resources.files("schemas").joinpath("ecg_statements.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


@cache
def statements() -> tuple[Statement, ...]:
    """In the order of the file: by category."""
    return tuple(
        Statement(**{**each, "severity": Severity(each["severity"]), "also": tuple(each.get("also", ()))})
        for each in _data()["statement"]
    )


@cache
def rules() -> tuple[Rule, ...]:
    """Bounds of measurements."""
    bounds = ("below", "above", "least")
    return tuple(
        Rule(
            each["measure"],
            Severity(each["severity"]),
            each["source"],
            **{name: Decimal(each[name]) for name in bounds if name in each},
        )
        for each in _data()["rule"]
    )


@cache
def _by_code() -> dict[str, Statement]:
    return {each.code: each for each in statements()}


def statement(code: str) -> Statement | None:
    """The statement of this code."""
    return _by_code().get(code)


def plain(text: str) -> str:
    """A wording as two are compared: width, case, spaces and punctuation do not count."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


@cache
def _by_wording() -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for each in statements():
        for wording in (each.zh, each.en, *each.also):
            found.setdefault(plain(wording), each)
    return found


def recognised(conclusion: str) -> tuple[tuple[Statement, ...], str]:
    """The statements that a cart's text makes, and what of it stays text, a line each.

    A line counts only where every part of it is, as a whole, a wording that we know: "no ST elevation" is none.
    """
    found: list[Statement] = []
    rest: list[str] = []
    for line in filter(None, map(str.strip, conclusion.split("\n"))):
        whole = _by_wording().get(plain(line))
        parts = [whole] if whole else [_by_wording().get(plain(part)) for part in _PARTS.split(line) if part.strip()]
        known = [each for each in parts if each]
        if known and len(known) == len(parts):
            found.extend(known)
        else:
            rest.append(line)
    return tuple(dict.fromkeys(found)), "\n".join(rest)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words inside a sentence, folded as `folded` does, and how pressing a sentence is that says them."""

    severity: Severity
    words: tuple[str, ...]


def folded(text: str) -> str:
    """A text as phrases are looked for in it: width and case do not count."""
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def phrases() -> tuple[Phrase, ...]:
    """The most pressing first."""
    return tuple(Phrase(Severity(each["severity"]), tuple(each["words"])) for each in _data()["phrase"])
