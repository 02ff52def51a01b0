"""A structured report as a document: its whole content tree, every word of it as text."""

from dataclasses import dataclass, field

from schemas.codes import DCM, Coding
from schemas.content_tree import ContentItem, ContentTree
from schemas.report import ReportRecord
from schemas.wording import number, rounded

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
# What the document is written in and which images it had before it: for programs. Source: PS3.16 TID 1204, TID 1600.
_UNSHOWN = frozenset({("121049", DCM), ("111028", DCM)})
_SHAPES = frozenset({"SCOORD", "SCOORD3D", "TCOORD"})
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
    return DocumentView(tree, _rows(tree.root, images))


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


def _rows(item: ContentItem, images: Images) -> tuple[Row, ...]:
    shown = (
        each for each in item.items if not each.concept or (each.concept.code, each.concept.system) not in _UNSHOWN
    )
    rows = (_row(each, images) for each in shown)
    return tuple(row for row in rows if row.heading or row.text or row.target or row.lost or row.href or row.rows)


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
        rows=_rows(item, images),
    )


def _text(item: ContentItem) -> str:
    said = (item.code.display or item.code.code) if item.code else ""
    if item.quantity:
        unit = "" if item.quantity.unit == "1" else formats.spelled(item.quantity.unit)
        said = " ".join(part for part in (number(rounded(item.quantity.value, item.quantity.unit)), unit, said) if part)
    return said or ("" if item.value_type in _SHAPES else item.text)
