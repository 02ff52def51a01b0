"""The values of a data set: decoded one by one, when they are asked for. Source: DICOM PS3.5 section 6.2."""

import math
from collections.abc import Iterator
from struct import Struct, error

from .charset import TEXT_VRS, Charset, choose, terms
from .structure import SIGNED_OR_NOT, DataSet, Element

SPECIFIC_CHARACTER_SET = 0x00080005
PIXEL_REPRESENTATION = 0x00280103

Value = str | int | float | None

_NUMBERS = {"FL": "f", "FD": "d", "SL": "l", "SS": "h", "SV": "q", "UL": "L", "US": "H", "UV": "Q"}
_STRUCTS = {
    (vr, little): Struct(("<" if little else ">") + code) for vr, code in _NUMBERS.items() for little in (True, False)
}
_TAGS = {True: Struct("<HH"), False: Struct(">HH")}
_SINGLE = frozenset({"LT", "ST", "UT", "UR"})
# Leading spaces are part of a text, of everything else they are padding.
_KEEP_LEADING = frozenset({"LT", "ST", "UC", "UT"})


class Unreadable(Exception):
    """The bytes of a value do not fit its VR."""


class Header:
    """A data set, or an item, together with how its text and numbers are read."""

    def __init__(self, dataset: DataSet, charset: Charset, *, signed: bool, override: str = "") -> None:
        self.dataset = dataset
        self.charset = charset
        self._signed = signed
        self._override = override

    @classmethod
    def of(cls, dataset: DataSet, override: str = "") -> "Header":
        """The header of a whole data set. `override`: the Python codec that its source is known to write."""
        header = cls(dataset, _charset(dataset, override), signed=False, override=override)
        header._signed = header.integer(PIXEL_REPRESENTATION) == 1
        return header

    def values(self, element: Element) -> list[Value]:
        """All values of an element that is neither a sequence nor binary; an empty one among several is None.

        Raises Unreadable.
        """
        raw = element.value
        if not raw:
            return []
        vr = element.vr if element.vr != SIGNED_OR_NOT else ("SS" if self._signed else "US")
        if vr in _NUMBERS:
            return _numbers(_STRUCTS[vr, element.little], raw)
        if vr == "AT":
            return [f"{group:04X}{number:04X}" for group, number in _unpack(_TAGS[element.little], raw)]
        text = self.charset.decode(raw) if vr in TEXT_VRS else raw.decode("ascii", "replace")
        text = text.rstrip(" \0")
        parts = [text] if vr in _SINGLE else text.split("\\")
        parts = [part.rstrip(" \0") if vr in _KEEP_LEADING else part.strip(" \0") for part in parts]
        if parts == [""]:
            return []
        return [_value(vr, part) if part else None for part in parts]

    def texts(self, tag: int) -> tuple[str, ...]:
        """The values of an element as text; none where it is absent, empty or unreadable."""
        element = self.dataset.elements.get(tag)
        if element is None or element.value is None:
            return ()
        try:
            return tuple("" if value is None else str(value) for value in self.values(element))
        except Unreadable:
            return ()

    def text(self, tag: int) -> str:
        """The first value as text, or the empty text."""
        return next(iter(self.texts(tag)), "")

    def integer(self, tag: int) -> int | None:
        """The first value as a whole number; None where there is none."""
        try:
            return int(self.text(tag))
        except ValueError:
            return None

    def items(self, tag: int) -> Iterator["Header"]:
        """The items of a sequence, each read in its own character set where it names one."""
        for item in self.dataset.items(tag):
            yield self.item(item)

    def item(self, dataset: DataSet) -> "Header":
        """One item of this data set."""
        own = SPECIFIC_CHARACTER_SET in dataset.elements
        charset = _charset(dataset, self._override) if own else self.charset
        return Header(dataset, charset, signed=self._signed, override=self._override)


def _charset(dataset: DataSet, override: str) -> Charset:
    element = dataset.elements.get(SPECIFIC_CHARACTER_SET)
    declared = terms(element.value or b"") if element else ("",)
    return choose(declared, _scope(dataset), override)


def _scope(dataset: DataSet) -> Iterator[bytes]:
    """The text of a data set and of the items that do not name a character set of their own."""
    waiting = [dataset]
    while waiting:
        for element in waiting.pop().elements.values():
            if element.items:
                waiting.extend(item for item in element.items if SPECIFIC_CHARACTER_SET not in item.elements)
            elif element.vr in TEXT_VRS and element.value:
                yield element.value


def _numbers(layout: Struct, raw: bytes) -> list[Value]:
    numbers: list[Value] = [number for (number,) in _unpack(layout, raw)]
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise Unreadable("not a finite number")
    return numbers


def _unpack(layout: Struct, raw: bytes) -> list[tuple[int | float, ...]]:
    try:
        return list(layout.iter_unpack(raw))
    except error as fault:
        raise Unreadable(f"expected a multiple of {layout.size} bytes, found {len(raw)}") from fault


def _value(vr: str, text: str) -> Value:
    if vr not in {"DS", "IS"}:
        return text
    try:
        number = float(text)
    except ValueError as fault:
        raise Unreadable("not a number") from fault
    if not math.isfinite(number):
        raise Unreadable("not a finite number")
    # `1E2` and `12.0` stand in integer strings of real devices.
    return int(number) if vr == "IS" and number.is_integer() else number
