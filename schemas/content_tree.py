"""What a structured report says, item by item, as a person reads it. Source: DICOM PS3.3 C.17.3."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .codes import Coding
from .observation import Quantity


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """An instance that a content item points at. frames: those meant, none for all. Never fetched."""

    sop_instance_uid: str
    sop_class_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One content item and those below it.

    position: as in PS3.3 C.17.3.2.5, `1.2.3`. relationship: to the item above. concept: what it is about; None where
    it has no name. text: of every value type that reads as one. target: position of the item that stands elsewhere in
    the tree and is only named here, as written by the source: it may name nothing, or close a circle.
    """

    position: str
    value_type: str
    relationship: str = ""
    concept: Coding | None = None
    text: str = ""
    code: Coding | None = None
    quantity: Quantity | None = None
    reference: ObjectReference | None = None
    target: str = ""
    continuous: bool = False
    items: tuple["ContentItem", ...] = ()

    def walk(self) -> Iterator["ContentItem"]:
        """This item and all below it, in reading order."""
        yield self
        for item in self.items:
            yield from item.walk()

    def below(self, *codes: tuple[str, str]) -> Iterator["ContentItem"]:
        """The items right below whose concept is one of these (code, system URI)."""
        return (item for item in self.items if item.concept and (item.concept.code, item.concept.system) in codes)


@dataclass(frozen=True, slots=True)
class Verification:
    """Who answers for the content. verified_at: DT as written, the source's clock."""

    name: str
    organization: str = ""
    verified_at: str = ""


@dataclass(frozen=True, slots=True)
class ContentTree:
    """A structured report as it was written. template: `1500` of TID 1500, empty where none is named.

    completion, verification: the flags as sent. cut: it holds more items than are shown here.
    """

    sop_instance_uid: str
    sop_class_uid: str
    root: ContentItem
    template: str = ""
    completion: str = ""
    verification: str = ""
    verifications: tuple[Verification, ...] = ()
    authors: tuple[str, ...] = ()
    evidence: tuple[ObjectReference, ...] = field(default=())
    cut: bool = False
