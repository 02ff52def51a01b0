"""Where a value that the metadata leave out lies in a stored instance. Source: DICOM PS3.18 10.4.1.1.5, annex F.2.2."""

import re
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.uid import UID

from schemas.faults import NotFound, UnsupportedPayload

from .pixels import DAMAGED

_PATH = re.compile(r"[0-9A-F]{8}(?:/[1-9][0-9]{0,5}/[0-9A-F]{8}){0,48}")
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_LONG = 1 << 20


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of a stored object."""

    offset: int
    length: int


def locate(source: BinaryIO, transfer_syntax_uid: str, path: str) -> Range | bytes:
    """The place of the value in the object, so that it can be streamed; the value itself where it is short or nested.

    Raises NotFound where there is no such value, UnsupportedPayload for compressed pixel data, which come as frames.
    """
    if not _PATH.fullmatch(path):
        raise NotFound("no such value", where="bulkdata")
    first, _, rest = path.partition("/")
    try:
        found = _locate(source, UID(transfer_syntax_uid), int(first, 16), rest)
    except DAMAGED as fault:
        raise UnsupportedPayload(f"the value cannot be read ({type(fault).__name__})", where=path) from fault
    if found is None:
        raise NotFound("no such value", where=path)
    return found


def _locate(source: BinaryIO, syntax: UID, tag: int, rest: str) -> Range | bytes | None:
    if tag in _PIXELS:
        return _pixels(source, syntax, tag)
    header = dcmread(source, stop_before_pixels=True, force=True, defer_size=None if rest else _LONG)
    if rest:
        return _nested(header, [tag, *(int(step, 16 if len(step) == 8 else 10) for step in rest.split("/"))])
    element = header.get_item(tag)
    if isinstance(element, RawDataElement) and element.value is None and not syntax.is_deflated:
        return Range(element.value_tell, element.length)
    return _value(header, tag)


def _pixels(source: BinaryIO, syntax: UID, tag: int) -> Range | bytes | None:
    if syntax.is_encapsulated:
        raise UnsupportedPayload("compressed pixel data come frame by frame; ask for /frames", where="(7FE0,0010)")
    if syntax.is_deflated:
        return _value(dcmread(source), tag)
    dcmread(source, stop_before_pixels=True, force=True, defer_size=_LONG)
    order = "little" if syntax.is_little_endian else "big"
    head = source.read(8 if syntax.is_implicit_VR else 12)
    found = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
    return Range(source.tell(), int.from_bytes(head[-4:], order)) if found == tag else None  # type: ignore[arg-type]


def _nested(dataset: Dataset, steps: list[int]) -> bytes | None:
    for sequence, number in zip(steps[0::2], steps[1::2], strict=False):
        items = dataset[sequence].value if sequence in dataset else ()
        if number > len(items):
            return None
        dataset = items[number - 1]
    return _value(dataset, steps[-1])


def _value(dataset: Dataset, tag: int) -> bytes | None:
    value = dataset[tag].value if tag in dataset else None
    return value if isinstance(value, bytes) else None
