"""The delimiters that a message declares for itself in MSH-1 and MSH-2. Source: HL7 v2 chapter 2.5.4."""

from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from schemas.faults import InvalidPayload

_LETTERS = {"field": "F", "component": "S", "repetition": "R", "escape": "E", "subcomponent": "T", "truncation": "P"}


class Delimiters(NamedTuple):
    """A delimiter that the message does not declare is empty: nothing is split by it."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation

    @property
    def meanings(self) -> MappingProxyType[str, str]:
        """One-letter escapes and what they stand for; highlighting stands for nothing in plain text."""
        return _meanings(self)

    @property
    def escapes(self) -> MappingProxyType[int, str]:
        """Characters that must not stand for themselves in a field, by code point."""
        return _escapes(self)

    def split(self, text: str, delimiter: str) -> list[str]:
        """`text` split by a delimiter that may not be declared."""
        return text.split(delimiter) if delimiter else [text]

    def first(self, field: str, number: int = 1) -> str:
        """Component `number` (from 1) of the field's first repetition, as sent; empty where there is none."""
        if self.repetition and self.repetition in field:
            field = field[: field.index(self.repetition)]
        if number == 1 and self.component not in field:
            return field
        parts = self.split(field, self.component)
        return parts[number - 1] if number <= len(parts) else ""


@lru_cache(maxsize=64)
def _meanings(delimiters: Delimiters) -> MappingProxyType[str, str]:
    found = {letter: getattr(delimiters, name) for name, letter in _LETTERS.items() if getattr(delimiters, name)}
    return MappingProxyType(found | {"H": "", "N": ""})


@lru_cache(maxsize=64)
def _escapes(delimiters: Delimiters) -> MappingProxyType[int, str]:
    mark = delimiters.escape
    found = {ord(meaning): f"{mark}{letter}{mark}" for letter, meaning in delimiters.meanings.items() if meaning}
    return MappingProxyType(found | {0x0A: f"{mark}.br{mark}", 0x0D: f"{mark}X0D{mark}"})


def declared(line: str) -> Delimiters:
    """The delimiters that a header line declares. Raises InvalidPayload where it declares none usable."""
    field = line[3:4]
    if not _usable(field):
        raise InvalidPayload("expected a field separator behind the segment name", where=f"{line[:3]}-1")
    characters = line[4:].partition(field)[0]
    if not all(map(_usable, characters)) or not characters:
        raise InvalidPayload(
            "expected encoding characters, neither letters nor digits nor blanks", where=f"{line[:3]}-2"
        )
    return _distinct(field, characters)


def _usable(character: str) -> bool:
    return character.isprintable() and not character.isspace() and not character.isalnum() and character != ""


@lru_cache(maxsize=64)
def _distinct(field: str, characters: str) -> Delimiters:
    if characters[2:] == "&":
        # Three characters: the standard lets a sender leave out the escape or the subcomponent; & is never an escape.
        characters = characters[:2] + "\0&"
    component, repetition, mark, subcomponent, truncation = list(characters[:5].ljust(5, "\0"))
    used = [c for c in (field, component, repetition, mark, subcomponent, truncation) if c != "\0"]
    if len(set(used)) != len(used):
        raise InvalidPayload("encoding characters must differ from each other and from the separator", where="MSH-2")
    return Delimiters(field, *(c.strip("\0") for c in (component, repetition, mark, subcomponent, truncation)))
