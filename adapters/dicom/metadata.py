"""The header as DICOM JSON, made once after an instance has been acknowledged. Source: DICOM PS3.18 annex F.2."""

import base64
import json
from typing import Any

from schemas.delivery import Accounting

from .header import SPECIFIC_CHARACTER_SET, Header, Unreadable, Value
from .structure import BULK_VRS, PIXELS, SIGNED_OR_NOT, UNDEFINED, Element

# Palettes and short private values travel with the header, anything longer is asked for by its address.
MAX_INLINE = 4096
_MAX_NOTES = 200
_PERSON_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def describe(header: Header) -> tuple[bytes, Accounting]:
    """The JSON object of a data set, and what became of each of its top-level elements.

    Bulk data are left out: their BulkDataURI is relative to the instance (`bulkdata/7FE00010`), for whoever serves it
    to complete. Text is UTF-8 whatever it was, and (0008,0005) says so.
    """
    writer = _Writer()
    model = writer.dataset(header, "")
    model[_key(SPECIFIC_CHARACTER_SET)] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    ordered = dict(sorted(model.items()))
    document = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return document.encode("utf-8", "replace"), writer.accounting()


def outline(header: Header) -> Accounting:
    """What will become of each top-level element, told from its form alone: no value is decoded for it.

    `describe` may find more: values that do not fit their VR, and what lies within items.
    """
    writer = _Writer()
    for tag, element in header.dataset.elements.items():
        if tag & 0xFFFF == 0 or (element.items is None and _is_bulk(element) and not _is_short(element)):
            writer.keep(element, _key(tag))
        else:
            writer.mapped += 1
    return writer.accounting()


def _is_bulk(element: Element) -> bool:
    return element.tag in PIXELS or element.value is None or element.vr in BULK_VRS


def _is_short(element: Element) -> bool:
    return element.value is not None and len(element.value) <= MAX_INLINE


class _Writer:
    def __init__(self) -> None:
        self.mapped = self.kept = self.flagged = 0
        self.notes: list[str] = []

    def accounting(self) -> Accounting:
        total = self.mapped + self.kept + self.flagged
        return Accounting(total, self.mapped, self.kept, self.flagged, tuple(self.notes))

    def dataset(self, header: Header, path: str) -> dict[str, Any]:
        # Recursion is bounded: the scan refuses what is nested deeper than MAX_DEPTH.
        model = {}
        for tag, element in header.dataset.elements.items():
            if tag & 0xFFFF == 0:
                self._count("kept", path)
                continue
            key = _key(tag)
            model[key] = self._element(header, element, f"{path}{key}")
        return model

    def _element(self, header: Header, element: Element, path: str) -> dict[str, Any]:
        if element.items is not None:
            self._count("mapped", path)
            items = [
                self.dataset(header.item(item), f"{path}/{number}/")
                for number, item in enumerate(element.items, start=1)
            ]
            return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        if _is_bulk(element):
            return self._binary(element, path)
        try:
            values = header.values(element)
        except Unreadable as fault:
            self._count("flagged", path, f"{path} {element.vr}: {fault}; kept in the original")
            return {"vr": _vr(element)}
        self._count("mapped", path)
        # The sign of `US or SS` shows in what was read.
        vr = "SS" if any(isinstance(value, int) and value < 0 for value in values) else _vr(element)
        return (
            {"vr": vr, "Value": [_person(value) if vr == "PN" else value for value in values]} if values else {"vr": vr}
        )

    def _binary(self, element: Element, path: str) -> dict[str, Any]:
        if element.value is not None and _is_short(element):
            self._count("mapped", path)
            inline = base64.b64encode(element.value).decode("ascii")
            return {"vr": _vr(element), "InlineBinary": inline} if inline else {"vr": _vr(element)}
        self.keep(element, path)
        return {"vr": _vr(element), "BulkDataURI": f"bulkdata/{path}"}

    def keep(self, element: Element, path: str) -> None:
        """Count an element that is left in the original."""
        size = "encapsulated" if element.length == UNDEFINED else f"{element.length} bytes"
        note = f"{path} {element.vr}: {size}, kept in the original" if element.tag & 0xFFFF else ""
        self._count("kept", path, note)

    def _count(self, what: str, path: str, note: str = "") -> None:
        if "/" not in path:
            setattr(self, what, getattr(self, what) + 1)
        if note and len(self.notes) < _MAX_NOTES:
            self.notes.append(note)


def _key(tag: int) -> str:
    return f"{tag:08X}"


def _vr(element: Element) -> str:
    return "US" if element.vr == SIGNED_OR_NOT else element.vr


def _person(value: Value) -> dict[str, str] | None:
    groups = str(value or "").split("=")
    named = {name: group for name, group in zip(_PERSON_NAME_GROUPS, groups, strict=False) if group}
    return named or None
