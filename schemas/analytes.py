"""The analytes that the hub knows by name, and which of them a sender may mean by a name of its own."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .codes import LOINC, Coding

_BRACKETED = re.compile(r"[(\[][^()\[\]]*[)\]]")
_NOISE = re.compile(r"[\s\-_.,:;·*'/]+")
# Left of a name when it is taken apart: what panels and devices put before or behind it.
_FILLERS = ("测定", "检测", "定量", "血清", "血浆", "全血", "(酶法)", "浓度", "含量")


@dataclass(frozen=True, slots=True)
class Analyte:
    """code: LOINC. unit: UCUM as usually reported, empty for words. short, also: other ways in which it is written."""

    code: str
    zh: str
    en: str
    unit: str = ""
    short: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def coding(self) -> Coding:
        """The concept to which a local code is mapped."""
        return Coding(self.code, self.zh, LOINC)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.zh, self.en, self.code, *self.short, *self.also)


@cache
def analytes() -> tuple[Analyte, ...]:
    """The list, in the order of its file: by panel."""
    data = tomllib.loads(resources.files("schemas").joinpath("analytes.toml").read_text(encoding="utf-8"))
    return tuple(
        Analyte(**{**each, "short": tuple(each.get("short", ())), "also": tuple(each.get("also", ()))})
        for each in data["analyte"]
    )


@cache
def analyte(code: str) -> Analyte | None:
    """The analyte of a LOINC code, where the hub knows it by name."""
    return next((each for each in analytes() if each.code == code), None)


def plain(text: str) -> str:
    """A name in the form in which two writings of it are compared: width, case and separators do not count."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def suggestions(*names: str, unit: str = "", limit: int = 8) -> tuple[Analyte, ...]:
    """The analytes that a sender may mean by these names of its own (code, name as sent), the likeliest first.

    unit: UCUM code in which it was reported, if known; the analyte usually reported in it is preferred.
    """
    asked = {form for name in names for form in _forms(name)}
    scored = [(_score(each, asked, unit), place, each) for place, each in enumerate(analytes())]
    found = sorted((-score, place, each) for score, place, each in scored if score)
    return tuple(each for _, _, each in found[:limit])


def search(text: str, limit: int = 20) -> tuple[Analyte, ...]:
    """The analytes whose code or any name holds all of what a person typed; those that begin with it first."""
    words = [plain(word) for word in text.split() if plain(word)]
    if not words:
        return ()
    found = []
    for place, each in enumerate(analytes()):
        names = _plain_names(each)
        if all(any(word in name for name in names) for word in words):
            exact = any(name == words[0] for name in names)
            begins = any(name.startswith(words[0]) for name in names)
            found.append((not exact, not begins, place, each))
    return tuple(each for *_, each in sorted(found)[:limit])


@cache
def _plain_names(analyte: Analyte) -> tuple[str, ...]:
    return tuple(plain(name) for name in analyte.names)


def _forms(name: str) -> set[str]:
    """A name whole, without what stands in brackets, what stands there, and without words that say little."""
    inside = [each[1:-1] for each in _BRACKETED.findall(unicodedata.normalize("NFKC", name))]
    outside = _BRACKETED.sub("", unicodedata.normalize("NFKC", name))
    forms = {plain(each) for each in (name, outside, *inside)}
    for filler in _FILLERS:
        forms |= {form.replace(filler, "") for form in forms}
    return {form for form in forms if form}


def _score(analyte: Analyte, asked: set[str], unit: str) -> int:
    names = _plain_names(analyte)
    best = 0
    for form in asked:
        for name in names:
            if form == name:
                best = max(best, 100)
            elif min(len(form), len(name)) >= 2 and not form.isascii() and (name in form or form in name):
                # Of two names one holds the other: the more they share, the likelier.
                best = max(best, 80 * min(len(form), len(name)) // max(len(form), len(name)))
    return best + 5 if best and unit and unit == analyte.unit else best
