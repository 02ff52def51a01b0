"""Search parameters as FHIR writes them, into the values that criteria hold. Source: https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.faults import InvalidPayload, NotFound
from schemas.fhir.elements import read_uri
from schemas.identifiers import Identifier

_KEY = re.compile(r"[1-9][0-9]{0,17}")
_COMMA = re.compile(r"(?<!\\),")
_BAR = re.compile(r"(?<!\\)\|")


class NoMatch(Exception):
    """What was asked cannot match anything; no error: the answer is an empty page."""


@dataclass(frozen=True, slots=True)
class Given:
    """One value of a parameter, as written."""

    name: str
    modifier: str
    value: str

    @property
    def where(self) -> str:
        """The place of the parameter in the request, for an issue."""
        return f"http.{self.name}"


class Parameters:
    """What was asked. An empty value asks nothing."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._given = [Given(*_split(name), value) for name, value in pairs if value != ""]

    def __iter__(self) -> Iterator[Given]:
        return iter(self._given)

    def all(self, name: str, *modifiers: str) -> list[Given]:
        """Every value of the parameter. Raises InvalidPayload for a modifier that is not among those."""
        found = [given for given in self._given if given.name == name]
        for given in found:
            if given.modifier not in ("", *modifiers):
                raise InvalidPayload("this modifier is not supported here", where=f"{given.where}:{given.modifier}")
        return found

    def one(self, name: str, *modifiers: str) -> Given | None:
        """The parameter's only value. Raises InvalidPayload where several are given."""
        found = self.all(name, *modifiers)
        if len(found) > 1 or (found and _COMMA.search(found[0].value)):
            raise InvalidPayload("expected one value of this parameter", where=found[0].where)
        return found[0] if found else None

    def text(self, name: str, *modifiers: str) -> str:
        """The parameter's only value, unescaped; empty where it is not given."""
        given = self.one(name, *modifiers)
        return unescape(given.value) if given else ""

    def any_of(self, name: str) -> tuple[str, ...]:
        """The alternatives (`final,amended`); of a parameter given twice, those that satisfy both."""
        sets = [[unescape(each) for each in _COMMA.split(given.value)] for given in self.all(name)]
        if not sets:
            return ()
        common = tuple(each for each in dict.fromkeys(sets[0]) if all(each in other for other in sets[1:]))
        if not common:
            raise NoMatch
        return common

    def ids(self) -> tuple[int, ...]:
        """The ids that `_id` names. Raises NoMatch where none of them can exist."""
        named = self.any_of("_id")
        keys = tuple(int(each) for each in named if _KEY.fullmatch(each))
        if named and not keys:
            raise NoMatch
        return keys

    def number(self, name: str, default: int, most: int) -> int:
        """A number that is not negative, at most `most`."""
        given = self.one(name)
        if given is None:
            return default
        if not (given.value.isascii() and given.value.isdecimal() and len(given.value) < 10):
            raise InvalidPayload("expected a number that is not negative", where=given.where)
        return min(int(given.value), most)


def _split(name: str) -> tuple[str, str]:
    head, _, modifier = name.partition(":")
    # `patient:Patient.identifier`: the type of a chain, which is its only one anyway.
    kind, dot, chained = modifier.partition(".")
    return (f"{head}.{chained}", "") if dot and kind[:1].isupper() else (head, modifier)


def unescape(value: str) -> str:
    r"""What `\,` `\|` `\$` and `\\` stand for."""
    return re.sub(r"\\([,|$\\])", r"\1", value)


def token(given: Given) -> tuple[str | None, str]:
    """System and code of a token: (None, x) for `x`, ("", x) for `|x`. Raises InvalidPayload where there is no code."""
    parts = [unescape(part) for part in _BAR.split(given.value, maxsplit=1)]
    system, code = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if not code:
        raise InvalidPayload("expected a code", where=given.where)
    return None if system is None else read_uri(system), code


def code_of(asked: Parameters) -> tuple[str, str]:
    """System (empty for any) and code of the parameter `code`; both empty where it is not asked."""
    given = asked.one("code")
    if given is None:
        return "", ""
    system, code = token(given)
    return system or "", code


def identifier(given: Given, *, always_in_system: bool) -> Identifier:
    """The identifier of a token; without a system, of any. always_in_system: none of those served is without one."""
    system, value = token(given)
    if system == "" and always_in_system:
        raise NoMatch
    return Identifier(system or "", value)


def key(text: str, kind: str) -> int:
    """The number of a logical id. Raises NotFound for text that is none: nothing can have it."""
    if not _KEY.fullmatch(text):
        raise NotFound(f"no {kind} has this id", where=kind)
    return int(text)


def reference(given: Given, kind: str, base: str) -> tuple[int, int | None]:
    """Id and version that `12`, `Kind/12`, `Kind/12/_history/3` or the full address of one names."""
    value = unescape(given.value).removeprefix(f"{base}/")
    match = re.fullmatch(rf"(?:{kind}/)?([^/]+)(?:/_history/([1-9][0-9]{{0,8}}))?", value)
    if match is None:
        raise InvalidPayload(f"expected a reference to {kind}", where=given.where)
    if not _KEY.fullmatch(match[1]):
        raise NoMatch
    return int(match[1]), int(match[2]) if match[2] else None
