"""The structure of a data set: which elements stand where. Source: DICOM PS3.5 section 7.

A walk with a stack of its own comes before any decoding. Depth, number of elements and every declared length are
checked against limits and against the bytes that are there, so that what follows may recurse, index and slice
without fear; nothing is allocated because a length says so.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import BinaryIO

from pydicom.datadict import dictionary_VR

from schemas.faults import InvalidPayload

# Far beyond the content trees of real structured reports (about 15), far below what recursion bears.
MAX_DEPTH = 48
# The functional groups of a slide with 100,000 frames still fit.
MAX_ELEMENTS = 2_000_000
# Values up to this are read, longer ones only located; a header altogether stays below the second.
MAX_VALUE = 1 << 20
MAX_HEADER = 64 << 20

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
# Known by their place, never by their content: float and double float pixel data, pixel data.
PIXELS = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})
SIGNED_OR_NOT = "US or SS"
BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


def place(tag: int) -> str:
    """A tag as the standard prints it: `(0010,0020)`."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@dataclass(slots=True)
class Element:
    """One element. `offset`: of its value in the source. `length`: as declared; UNDEFINED where a delimiter ends it.

    value: None for a sequence, for pixel data and for what is longer than MAX_VALUE. items: of a sequence.
    fragments: of encapsulated pixel data, the offset table's item first: offset and length of each, by turns.
    """

    tag: int
    vr: str
    length: int
    offset: int
    little: bool
    value: bytes | None = None
    items: list["DataSet"] | None = None
    fragments: "array[int] | None" = None


@dataclass(slots=True)
class DataSet:
    """The elements of a data set or of an item, by tag, in the order in which they stand."""

    elements: dict[int, Element] = field(default_factory=dict)

    def items(self, tag: int) -> list["DataSet"]:
        """The items of a sequence; none where it is absent or no sequence."""
        element = self.elements.get(tag)
        return (element.items or []) if element else []

    def walk(self) -> Iterator["DataSet"]:
        """This data set and every item within it, outer before inner."""
        waiting = [self]
        while waiting:
            dataset = waiting.pop()
            yield dataset
            for element in dataset.elements.values():
                waiting.extend(reversed(element.items or ()))


@dataclass(slots=True)
class _Open:
    """A data set (`sequence` is None) or a sequence that is being read. `end`: None until a delimiter is met."""

    dataset: DataSet
    explicit: bool
    end: int | None
    sequence: Element | None = None


class _Formats:
    """How numbers are laid out in one byte order."""

    def __init__(self, little: bool) -> None:
        order = "<" if little else ">"
        self.implicit = Struct(f"{order}HHL")
        self.explicit = Struct(f"{order}HH2sH")
        self.long = Struct(f"{order}L")


def scan(source: BinaryIO, start: int, end: int, *, explicit: bool, little: bool = True) -> DataSet:
    """The elements between `start` and `end` of `source`, which is left anywhere.

    Raises InvalidPayload, with the tag as its place, for a length beyond the end, broken nesting, a tag that stands
    twice with different values, and for more depth, elements or header than the limits allow.
    """
    return _Scan(source, start, end, little).run(explicit)


class _Scan:
    def __init__(self, source: BinaryIO, start: int, end: int, little: bool) -> None:
        self.source, self.position, self.end, self.little = source, start, end, little
        self.formats = _Formats(little)
        self.count = self.kept = 0
        self.root = DataSet()
        self.tag = 0

    def run(self, explicit: bool) -> DataSet:
        self.source.seek(self.position)
        stack = [_Open(self.root, explicit, self.end)]
        while stack:
            top = stack[-1]
            if top.end is not None and self.position >= top.end:
                if self.position > top.end:
                    raise InvalidPayload(
                        "an element reaches beyond the item or sequence around it", where=place(self.tag)
                    )
                stack.pop()
            elif top.sequence is not None:
                self._item(stack, top, top.sequence)
            else:
                self._element(stack, top)
            if len(stack) > 2 * MAX_DEPTH + 1:
                raise InvalidPayload(f"sequences nested deeper than {MAX_DEPTH} levels", where=place(self.tag))
        return self.root

    def _take(self, count: int) -> bytes:
        if self.position + count > self.end:
            raise InvalidPayload("the data set ends in the middle of an element", where=place(self.tag))
        self.position += count
        return self.source.read(count)

    def _skip(self, count: int) -> None:
        if self.position + count > self.end:
            left = self.end - self.position
            raise InvalidPayload(f"declares {count} bytes where {left} are left", where=place(self.tag))
        self.position += count
        self.source.seek(self.position)

    def _item(self, stack: list[_Open], top: _Open, sequence: Element) -> None:
        group, number, length = self.formats.implicit.unpack(self._take(8))
        tag = group << 16 | number
        if tag == SEQUENCE_END:
            if top.end is not None and self.position != top.end:
                raise InvalidPayload("a sequence is delimited before its declared end", where=place(sequence.tag))
            stack.pop()
            return
        if tag != ITEM or sequence.items is None:
            raise InvalidPayload(f"expected an item, found {place(tag)}", where=place(sequence.tag))
        self._check_count()
        item = DataSet()
        sequence.items.append(item)
        end = None if length == UNDEFINED else self.position + length
        if end is not None and end > self.end:
            raise InvalidPayload(f"an item declares {length} bytes, which are not there", where=place(sequence.tag))
        if length:
            stack.append(_Open(item, self._item_is_explicit(top, sequence), end))

    def _item_is_explicit(self, top: _Open, sequence: Element) -> bool:
        # UN of undefined length holds implicit VR (PS3.5 6.2.2), and some writers forget to say UN (or to obey it).
        if not top.explicit and sequence.vr != "UN":
            return False
        head = self.source.read(6)
        self.source.seek(self.position)
        return len(head) == 6 and head[4:6].isalpha() and head[4:6].isupper()

    def _element(self, stack: list[_Open], top: _Open) -> None:
        if top.dataset is self.root and self.end - self.position < 8:
            if any(self._take(self.end - self.position)):
                raise InvalidPayload("the data set ends in the middle of an element", where=place(self.tag))
            return  # zeros up to the end of a block
        head = self._take(8)
        group, number, vr, length = self._header(head, top.explicit)
        tag = self.tag = group << 16 | number
        if tag == ITEM_END and top.dataset is not self.root:
            if top.end is not None and self.position != top.end:
                raise InvalidPayload("an item is delimited before its declared end", where=place(tag))
            stack.pop()
            return
        if tag == 0 and length == 0 and top.dataset is self.root:
            self._skip(self.end - self.position)  # the same, where there are more
            return
        if group == 0xFFFE:
            raise InvalidPayload("a delimiter stands where an element was expected", where=place(tag))
        self._check_count()
        element = Element(tag, vr, length, self.position, self.little)
        self._content(stack, top, element)
        known = top.dataset.elements.setdefault(tag, element)
        if known is not element and (known.value != element.value or element.value is None):
            # Readers differ in which one they believe; for a Patient ID that would be two patients.
            raise InvalidPayload("the element stands twice with different values", where=place(tag))

    def _header(self, head: bytes, explicit: bool) -> tuple[int, int, str, int]:
        group, number, code, length = self.formats.explicit.unpack(head)
        if not explicit or not (code.isalpha() and code.isupper()):
            # Some writers slip into implicit VR in the middle of an explicit data set.
            group, number, length = self.formats.implicit.unpack(head)
            return group, number, usual_vr(group << 16 | number), length
        if code in _LONG_VRS:
            self.tag = group << 16 | number
            (length,) = self.formats.long.unpack(self._take(4))
        vr = code.decode("ascii")
        if vr == "UN" and length != UNDEFINED:
            known = usual_vr(group << 16 | number)
            vr = "UN" if known == "SQ" else known
        return group, number, vr, length

    def _content(self, stack: list[_Open], top: _Open, element: Element) -> None:
        if element.length == UNDEFINED:
            nested = element.vr in {"SQ", "UN"} and element.tag not in PIXELS
            if nested:
                element.items = []
                stack.append(_Open(top.dataset, top.explicit, None, element))
            else:
                self._fragments(element)
        elif element.vr == "SQ":
            element.items = []
            end = self.position + element.length
            if end > self.end:
                self._skip(element.length)
            if element.length:
                stack.append(_Open(top.dataset, top.explicit, end, element))
        elif element.tag in PIXELS or element.length > MAX_VALUE:
            self._skip(element.length)
        else:
            if self.position + element.length > self.end:
                self._skip(element.length)
            element.value = self._take(element.length)
            self._check_kept(element)

    def _fragments(self, element: Element) -> None:
        """Note, and step over, encapsulated pixels: items of defined length up to a sequence delimiter (PS3.5 A.4)."""
        found = element.fragments = array("Q")
        while True:
            group, number, length = self.formats.implicit.unpack(self._take(8))
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                return
            if tag != ITEM or length == UNDEFINED:
                raise InvalidPayload(f"expected a fragment, found {place(tag)}", where=place(self.tag))
            found.extend((self.position, length))
            self._skip(length)
            self._check_count()

    def _check_count(self) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise InvalidPayload(f"more than {MAX_ELEMENTS} elements", where=place(self.tag))

    def _check_kept(self, element: Element) -> None:
        self.kept += element.length
        if self.kept > MAX_HEADER:
            raise InvalidPayload(f"a header of more than {MAX_HEADER >> 20} MiB", where=place(element.tag))


def usual_vr(tag: int) -> str:
    """The VR of the dictionary, the first of those possible; UN where it is unknown (private, retired, invented)."""
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    # `OB or OW`, `US or OW` and the like hold words; `US or SS` (SIGNED_OR_NOT) depends on another element.
    return "OW" if vr.endswith("OW") else vr
