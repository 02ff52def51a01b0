"""What an instance says, however its data set is encoded: two senders may write the same one in different ways.

Archives turn implicit VR into explicit and sequences of defined length into delimited ones as they pass instances on.
Source: DICOM PS3.5 sections 7 and 10, PS3.10 section 7.
"""

import hashlib
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .meta import encoding, inflate
from .structure import DataSet, Element, scan, usual_vr

# Those that say the same of the same values. In every other the form of the pixels is part of what is said.
_NATIVE = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian})
_TRAILING_PADDING = 0xFFFCFFFC
# Texts, at whose end blanks are not significant (PS3.5 table 6.2-1); told by the dictionary, as implicit VR tells none.
_PADDED = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_CHUNK = 1 << 20
_VALUE, _SEQUENCE, _FRAGMENTS, _ITEM, _END = range(5)
# Which of these it is, its tag, its length in bytes, items, or fragments with their offset table.
_HEAD = Struct("<BLQ")


def meaning(content: BinaryIO) -> str:
    """SHA-256 in hexadecimal of its elements, without VRs, lengths of groups, delimiters and padding.

    Equal for two contents that differ in their encoding alone. Raises Faults.
    """
    found = encoding(content)
    content.seek(0, 2)
    end = content.tell()
    native = found.transfer_syntax_uid in _NATIVE
    total = hashlib.sha256(b"native" if native else found.transfer_syntax_uid.encode())
    if found.deflated:
        with inflate(content, found.offset) as inflated:
            end = inflated.tell()
            dataset = scan(inflated, 0, end, explicit=True)
            for piece in _said(inflated, dataset):
                total.update(piece)
    else:
        dataset = scan(content, found.offset, end, explicit=found.explicit, little=found.little)
        for piece in _said(content, dataset):
            total.update(piece)
    return total.hexdigest()


def _said(source: BinaryIO, dataset: DataSet) -> Iterator[bytes]:
    for tag, element in sorted(dataset.elements.items()):
        if not tag & 0xFFFF or tag == _TRAILING_PADDING:
            continue
        if element.items is not None:
            yield _HEAD.pack(_SEQUENCE, tag, len(element.items))
            for item in element.items:
                yield _HEAD.pack(_ITEM, 0, 0)
                yield from _said(source, item)
                yield _HEAD.pack(_END, 0, 0)
        elif element.fragments is not None:
            yield _HEAD.pack(_FRAGMENTS, tag, len(element.fragments) // 2)
            for place in range(0, len(element.fragments), 2):
                offset, length = element.fragments[place : place + 2]
                yield _HEAD.pack(_VALUE, 0, length)
                yield from _read(source, offset, length)
        else:
            yield from _value(source, element)


def _value(source: BinaryIO, element: Element) -> Iterator[bytes]:
    if element.value is None:
        yield _HEAD.pack(_VALUE, element.tag, element.length)
        yield from _read(source, element.offset, element.length)
        return
    value = element.value.rstrip(b" \0") if usual_vr(element.tag) in _PADDED else element.value
    yield _HEAD.pack(_VALUE, element.tag, len(value))
    yield value


def _read(source: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    source.seek(offset)
    while length and (piece := source.read(min(length, _CHUNK))):
        length -= len(piece)
        yield piece
