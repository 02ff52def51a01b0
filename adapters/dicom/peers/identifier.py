"""The identifier of a query or retrieval, read whatever it holds. Source: DICOM PS3.4 C.2.2.1, C.4.1.1.3, C.6."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.dicom.charset import terms
from adapters.dicom.dimse import Request
from adapters.dicom.header import Header, Unreadable
from adapters.dicom.meta import Encoding, inflate
from adapters.dicom.structure import place, scan
from schemas.faults import InvalidPayload
from schemas.network import Level

from .attributes import LEVEL, SPECIFIC_CHARACTER_SET, TIMEZONE
from .sop_classes import PATIENT_ROOT, STUDY_ROOT

# A list of ten thousand UIDs is 650 KB.
MAX_IDENTIFIER = 1 << 20
MOST_UIDS = 10_000
IDENTIFIER_DOES_NOT_MATCH, UNABLE = 0xA900, 0xC000
_UID = re.compile(r"[0-9.]{1,64}")


class Refused(Exception):
    """An identifier that is refused. text: for the sender's engineer, without values. tags: the offending elements."""

    def __init__(self, status: int, text: str, *tags: int) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.tags = tags


@dataclass(frozen=True, slots=True)
class Identifier:
    """keys: by tag, the values as text; none for universal matching. charsets: the terms of (0008,0005), if any."""

    level: Level
    keys: Mapping[int, tuple[str, ...]]
    charsets: tuple[str, ...] = ()

    def text(self, tag: int) -> str:
        """The first value, empty where there is none."""
        return next(iter(self.keys.get(tag, ())), "")

    def uids(self, tag: int) -> tuple[str, ...]:
        """A list of UIDs. Raises Refused for what is none, or too many."""
        found = tuple(dict.fromkeys(each for each in self.keys.get(tag, ()) if each not in {"", "*"}))
        if len(found) > MOST_UIDS:
            raise Refused(UNABLE, f"more than {MOST_UIDS} unique identifiers", tag)
        if not all(map(_UID.fullmatch, found)):
            raise Refused(UNABLE, "not a unique identifier", tag)
        return found


def read(request: Request, charset: str) -> Identifier:
    """The identifier of a request. charset: the Python codec that its sender is known to write. Raises Refused."""
    try:
        header = _header(request, charset)
    except InvalidPayload as fault:
        raise Refused(UNABLE, str(fault)) from fault
    level = header.text(LEVEL).strip()
    levels = _levels(request.context.abstract_syntax)
    if level not in levels:
        said = "the query/retrieve level is missing" if not level else "no query/retrieve level of this SOP class"
        raise Refused(IDENTIFIER_DOES_NOT_MATCH, said, LEVEL)
    declared = header.dataset.elements.get(SPECIFIC_CHARACTER_SET)
    charsets = terms(declared.value or b"") if declared else ()
    keys = {tag: _values(header, tag) for tag in header.dataset.elements if _is_key(tag)}
    return Identifier(Level(level), keys, tuple(filter(None, charsets)))


def _header(request: Request, charset: str) -> Header:
    raw = bytearray()
    while request.data is not None and (piece := request.data.read(1 << 16)):
        raw += piece
        if len(raw) > MAX_IDENTIFIER:
            raise InvalidPayload(f"an identifier of more than {MAX_IDENTIFIER >> 20} MiB")
    source: io.BufferedIOBase = io.BytesIO(raw)
    how = Encoding(0, request.context.transfer_syntax)
    if how.deflated:
        source = inflate(source, 0)  # type: ignore[arg-type, assignment]
    end = source.seek(0, io.SEEK_END)
    return Header.of(scan(source, 0, end, explicit=how.explicit, little=how.little), charset)  # type: ignore[arg-type]


def _levels(sop_class_uid: str) -> tuple[str, ...]:
    levels = tuple(each.value for each in Level)
    return {**dict.fromkeys(PATIENT_ROOT, levels), **dict.fromkeys(STUDY_ROOT, levels[1:])}.get(sop_class_uid, ())


def _is_key(tag: int) -> bool:
    return tag & 0xFFFF != 0 and tag not in {SPECIFIC_CHARACTER_SET, LEVEL, TIMEZONE}


def _values(header: Header, tag: int) -> tuple[str, ...]:
    element = header.dataset.elements[tag]
    if element.items is not None or element.value is None:
        return ()
    try:
        return tuple("" if value is None else str(value).strip() for value in header.values(element))
    except Unreadable as fault:
        raise Refused(UNABLE, f"{fault} in {place(tag)}", tag) from fault
