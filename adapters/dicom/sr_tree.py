"""The content tree of a structured report, whatever its template. Source: DICOM PS3.3 C.17.2, C.17.3, C.18.

Depth is bounded by the scan that came before, the number of items and the length of their text are bounded here;
references between items are named and never followed, so that a circle of them is only words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from schemas.codes import Coding, system_uri
from schemas.content_tree import ContentItem, ContentTree, ObjectReference, Verification
from schemas.faults import InvalidPayload
from schemas.observation import Quantity

from .header import Header
from .structure import place
from .subject import person_name

MAX_ITEMS = 10_000
MAX_TEXT = 4 << 20
_MAX_NOTES = 100
_MAX_FRAMES = 100

CONTENT, VALUE_TYPE, RELATIONSHIP, CONCEPT_NAME = 0x0040A730, 0x0040A040, 0x0040A010, 0x0040A043
COMPLETION, VERIFICATION = 0x0040A491, 0x0040A493
_TEMPLATE, _TEMPLATE_ID = 0x0040A504, 0x0040DB00
_CODE, _CONTINUITY, _TARGET = 0x0040A168, 0x0040A050, 0x0040DB73
_MEASURED, _NUMBER, _UNIT, _QUALIFIER = 0x0040A300, 0x0040A30A, 0x004008EA, 0x0040A301
_REFERENCED, _SOP_CLASS, _SOP_INSTANCE, _FRAMES = 0x00081199, 0x00081150, 0x00081155, 0x00081160
_EVIDENCE = (0x0040A375, 0x0040A385)
_VERIFYING, _VERIFIER, _VERIFIED_BY, _VERIFIED_AT = 0x0040A073, 0x0040A075, 0x0040A027, 0x0040A030
_AUTHORS, _PERSON = 0x0040A078, 0x0040A123
# Where a value that reads as text stands, by value type.
_TEXTS = {
    "TEXT": 0x0040A160,
    "DATETIME": 0x0040A120,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "UIDREF": 0x0040A124,
    "PNAME": _PERSON,
}
_SHAPES = {"SCOORD": 0x00700023, "SCOORD3D": 0x00700023, "TCOORD": 0x0040A130}
_OBJECTS = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM"})
_KNOWN = _TEXTS.keys() | _SHAPES.keys() | _OBJECTS | {"CONTAINER", "CODE", "NUM"}


@dataclass(slots=True)
class TreeAccount:
    """What became of the content items; `notes` tell of those that are kept in the original alone."""

    mapped: int = 0
    flagged: int = 0
    kept: int = 0
    text: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether no more may be read."""
        return self.mapped + self.flagged >= MAX_ITEMS or self.text > MAX_TEXT

    def note(self, text: str) -> None:
        """Adds a line, unless there are plenty."""
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(text)


def read_tree(header: Header, sop_instance_uid: str, sop_class_uid: str) -> tuple[ContentTree, TreeAccount]:
    """The tree of a data set that is a structured report. Raises InvalidPayload where it has no root container."""
    if header.text(VALUE_TYPE) != "CONTAINER":
        raise InvalidPayload("expected a CONTAINER as the root of the content tree", where=place(VALUE_TYPE))
    account = TreeAccount()
    evidence = tuple(_evidence(header))
    root = _item(header, "1", account, {each.sop_instance_uid: each for each in evidence})
    templates = (item.text(_TEMPLATE_ID) for item in header.items(_TEMPLATE))
    tree = ContentTree(
        sop_instance_uid=sop_instance_uid,
        sop_class_uid=sop_class_uid,
        root=root,
        template=next(templates, ""),
        completion=header.text(COMPLETION),
        verification=header.text(VERIFICATION),
        verifications=tuple(verifications(header)),
        authors=tuple(dict.fromkeys(name for item in header.items(_AUTHORS) if (name := _name(item, _PERSON)))),
        evidence=evidence,
        cut=account.kept > 0,
    )
    return tree, account


def verifications(header: Header) -> Iterator[Verification]:
    """The verifying observers of a document."""
    for item in header.items(_VERIFYING):
        yield Verification(_name(item, _VERIFIER), item.text(_VERIFIED_BY), item.text(_VERIFIED_AT))


def coding(header: Header, tag: int) -> Coding | None:
    """The first code of a code sequence; None where there is none. Source: PS3.3 section 8."""
    for item in header.items(tag):
        code = item.text(0x00080100) or item.text(0x00080119) or item.text(0x00080120)
        meaning = item.text(0x00080104)
        if code or meaning:
            return Coding(code, meaning, system_uri(item.text(0x00080102)))
    return None


def _item(header: Header, position: str, account: TreeAccount, known: dict[str, ObjectReference]) -> ContentItem:
    value_type = header.text(VALUE_TYPE)
    target = ".".join(header.texts(_TARGET))
    understood = value_type in _KNOWN or bool(target)
    if understood:
        account.mapped += 1
    else:
        account.flagged += 1
        shown = value_type if value_type.isascii() and len(value_type) <= 16 else "?"
        account.note(f"item {position}: value type {shown or 'missing'} is not known, kept in the original")
    text = _text(header, value_type)
    element = header.dataset.elements.get(_TEXTS.get(value_type, 0))
    if element is not None and element.value is None:
        account.note(f"item {position}: {element.length} bytes of text, kept in the original")
    account.text += len(text)
    quantity, qualifier = _measured(header, position, account) if value_type == "NUM" else (None, None)
    return ContentItem(
        position=position,
        value_type=value_type,
        relationship=header.text(RELATIONSHIP),
        concept=coding(header, CONCEPT_NAME),
        text=text,
        code=coding(header, _CODE) if value_type == "CODE" else qualifier,
        quantity=quantity,
        reference=_reference(header, known) if value_type in _OBJECTS else None,
        target=target,
        continuous=header.text(_CONTINUITY) == "CONTINUOUS",
        items=tuple(_children(header, position, account, known)),
    )


def _children(
    header: Header, position: str, account: TreeAccount, known: dict[str, ObjectReference]
) -> Iterator[ContentItem]:
    for number, child in enumerate(header.items(CONTENT), start=1):
        if account.full:
            left = len(header.dataset.items(CONTENT)) - number + 1
            account.kept += left
            account.note(f"item {position}: {left} items after the first {number - 1} are kept in the original alone")
            return
        yield _item(child, f"{position}.{number}", account, known)


def _text(header: Header, value_type: str) -> str:
    if value_type == "PNAME":
        return _name(header, _PERSON)
    if value_type in _TEXTS:
        return header.text(_TEXTS[value_type]).replace("\r\n", "\n").replace("\r", "\n").strip()
    if value_type in _SHAPES:
        return header.text(_SHAPES[value_type])
    return ""


def _name(header: Header, tag: int) -> str:
    # Viewers that know nobody write unknown^unknown.
    found = person_name(header.text(tag)).text
    return "" if set(found.casefold().split()) == {"unknown"} else found


def _measured(header: Header, position: str, account: TreeAccount) -> tuple[Quantity | None, Coding | None]:
    """The number with its unit as a code of UCUM where it is one; or the qualifier that says why there is none."""
    qualifier = coding(header, _QUALIFIER)
    for item in header.items(_MEASURED):
        element = item.dataset.elements.get(_NUMBER)
        # As written: `1.70` says more than 1.7.
        written = (element.value or b"").decode("ascii", "replace").strip(" \0").split("\\")[0] if element else ""
        try:
            value = Decimal(written)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value.adjusted()) > 40:
            account.note(f"item {position}: not a number, kept in the original")
            return None, qualifier
        unit = coding(item, _UNIT) or Coding("")
        return Quantity(value, unit.code, unit_system=unit.system), qualifier
    return None, qualifier


def _reference(header: Header, known: dict[str, ObjectReference]) -> ObjectReference | None:
    for item in header.items(_REFERENCED):
        sop = item.text(_SOP_INSTANCE)
        evidence = known.get(sop)
        frames = tuple(int(frame) for frame in item.texts(_FRAMES)[:_MAX_FRAMES] if frame.isdigit() and len(frame) < 9)
        return ObjectReference(
            sop,
            item.text(_SOP_CLASS),
            evidence.study_instance_uid if evidence else "",
            evidence.series_instance_uid if evidence else "",
            frames,
        )
    return None


def _evidence(header: Header) -> Iterator[ObjectReference]:
    """What the document refers to, and where that belongs (PS3.3 C.17.2.3)."""
    left = MAX_ITEMS
    for study in (study for tag in _EVIDENCE for study in header.items(tag)):
        for series in study.items(0x00081115):
            for item in series.items(_REFERENCED):
                left -= 1
                if left < 0:
                    return
                yield ObjectReference(
                    item.text(_SOP_INSTANCE), item.text(_SOP_CLASS), study.text(0x0020000D), series.text(0x0020000E)
                )
