"""A structured report as a document: its whole content tree, every word of it as text."""

from dataclasses import dataclass, field

from schemas.codes import Coding
from schemas.content_tree import ContentItem, ContentTree
from schemas.report import ReportRecord

from . import formats
from .i18n import N_
from .session import Visit

# Source: DICOM PS3.3 table C.17.3-8. CONTAINS is what a tree says anyway.
_RELATIONSHIPS = {
    "HAS OBS CONTEXT": N_("observation context"),
    "HAS ACQ CONTEXT": N_("acquisition context"),
    "HAS CONCEPT MOD": N_("in detail"),
    "HAS PROPERTIES": N_("properties"),
    "INFERRED FROM": N_("inferred from"),
    "SELECTED FROM": N_("selected from"),
}
# A short value reads beside its name, a long one below it.
_SHORT = 60


@dataclass(frozen=True, slots=True)
class Row:
    """An item as it is shown. relationship: a msgid. href: of the image that it points at, where that is here.

    image: the number of that image in its series. lost: it points at an instance that is not here.
    """

    position: str
    concept: Coding | None
    relationship: str
    text: str
    heading: bool
    target: str
    lost: bool
    href: str = ""
    image: str = ""
    rows: tuple["Row", ...] = ()

    @property
    def long(self) -> bool:
        """Whether its text wants lines of its own."""
        return len(self.text) > _SHORT or "\n" in self.text


@dataclass(frozen=True, slots=True)
class Images:
    """Addresses and numbers of the images that a report may point at, by SOP Instance UID."""

    known: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """The document: its tree, and how far it has come."""

    tree: ContentTree
    rows: tuple[Row, ...]


def document(visit: Visit, record: ReportRecord) -> DocumentView:
    """The tree of a report that has one. Raises NotFound."""
    tree = visit.verbs.retrieve.content_tree(visit.disclosure, record.id, record.version)
    images = _images(visit, record) if any(item.reference for item in tree.root.walk()) else Images()
    return DocumentView(tree, tuple(_row(item, images) for item in tree.root.items))


def _images(visit: Visit, record: ReportRecord) -> Images:
    uid = record.report.study_instance_uid
    found = visit.verbs.query.instances(visit.disclosure, uid) if uid else ()
    return Images(
        {
            each.sop_instance_uid: (
                f"/dicomweb/studies/{uid}/series/{each.series_instance_uid}/instances/{each.sop_instance_uid}/rendered",
                str(each.instance_number or ""),
            )
            for each in found
            if each.rows
        }
    )


def _row(item: ContentItem, images: Images) -> Row:
    href, number = images.known.get(item.reference.sop_instance_uid, ("", "")) if item.reference else ("", "")
    return Row(
        position=item.position,
        concept=item.concept,
        relationship=_RELATIONSHIPS.get(item.relationship, ""),
        text=_text(item),
        heading=item.value_type == "CONTAINER",
        target=item.target,
        lost=item.reference is not None and not href,
        href=href,
        image=number,
        rows=tuple(_row(each, images) for each in item.items),
    )


def _text(item: ContentItem) -> str:
    said = (item.code.display or item.code.code) if item.code else ""
    if item.quantity:
        unit = "" if item.quantity.unit == "1" else formats.spelled(item.quantity.unit)
        said = " ".join(part for part in (str(item.quantity.value), unit, said) if part)
    return said or item.text
