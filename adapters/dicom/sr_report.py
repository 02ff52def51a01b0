"""What a structured report says to a clinician: text, results, authors. Source: DICOM PS3.16 TID 2000, 300, 1501."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from schemas.codes import DCM, Coding
from schemas.content_tree import ContentItem, ContentTree
from schemas.documents import to_json
from schemas.observation import Observation, Quantity
from schemas.report import SUPPLEMENT, Report, ReportCategory, ReportStatus

from .sr_codes import (
    CONCLUSIONS,
    DERIVATION,
    ECG_TITLES,
    FINDING,
    FINDING_SITES,
    METHODS,
    NARRATIVE,
    PERSON_OBSERVER,
    PLAIN,
    PROCEDURE_REPORTED,
    SUPPLEMENTS,
    TRACKING_IDENTIFIER,
    UNMEASURED,
    Concept,
)
from .sr_tree import TreeAccount

MAX_OBSERVATIONS = 500
_BODY = frozenset({"CONTAINS", ""})
_TEXTUAL = frozenset({"TEXT", "CODE", "NUM", "DATE", "TIME", "DATETIME", "PNAME"})


@dataclass(frozen=True, slots=True)
class _Line:
    """A piece of text. heading: of the section that it stands in; concluding: whether that concludes."""

    heading: Coding | None
    concluding: bool
    text: str
    joins: bool = False  # to the piece before it, as the items of a CONTINUOUS container do


def fill(report: Report, tree: ContentTree, account: TreeAccount) -> tuple[Report, bytes]:
    """The report with all that its content tree says, and the tree as a document to be kept beside it."""
    document = to_json(tree)
    lines = list(_lines(tree.root, None, concluding=False)) if is_narrative(tree) else []
    settled = "final" if report.status is ReportStatus.FINAL else "preliminary"
    observations = tuple(replace(each, status=settled) for each in _observations(tree, account))
    filled = replace(
        report,
        category=ReportCategory.ECG if _concept(tree.root) in ECG_TITLES else report.category,
        code=_code(report, tree, reading=bool(lines)),
        performers=_performers(tree),
        conclusion=_prose(line for line in lines if line.concluding),
        findings=_prose(line for line in lines if not line.concluding),
        observations=observations,
        content_tree=hashlib.sha256(document).hexdigest(),
        flags=report.flags if lines else (*report.flags, SUPPLEMENT),
    )
    return filled, document


def is_narrative(tree: ContentTree) -> bool:
    """Whether it may be a doctor's reading of a study, rather than what was measured, counted or logged about it."""
    return tree.sop_class_uid in NARRATIVE and tree.template != "1500" and _concept(tree.root) not in SUPPLEMENTS


def _code(report: Report, tree: ContentTree, *, reading: bool) -> Coding:
    """Of a reading the procedure, where the data set or the tree tells it; else the title of the document."""
    title = tree.root.concept or Coding("SR", "Structured Report Document", DCM)
    said = next((item.code for item in tree.root.below(PROCEDURE_REPORTED) if item.code), None)
    told = report.code if report.code.code else said
    return told or title if reading else title


def _performers(tree: ContentTree) -> tuple[str, ...]:
    """Who verified, who wrote, and the person whom the tree names as its observer, each once."""
    observers = [item.text for item in tree.root.below(PERSON_OBSERVER)]
    named = (*(each.name for each in tree.verifications), *tree.authors, *observers)
    return tuple(dict.fromkeys(name for name in named if name))


def _concept(item: ContentItem) -> Concept:
    return (item.concept.code, item.concept.system) if item.concept else ("", "")


def _lines(item: ContentItem, heading: Coding | None, *, concluding: bool) -> Iterator[_Line]:
    """The text of an item's children in reading order; headings are those of the containers around it."""
    first = True
    for child in item.items:
        if child.relationship not in _BODY:
            continue
        concludes = concluding or _concept(child) in CONCLUSIONS
        if child.value_type == "CONTAINER":
            named = child.concept if child.concept and child.concept.display else heading
            yield from _lines(child, named, concluding=concludes)
        elif child.value_type in _TEXTUAL and (text := _said(child, inline=item.continuous)):
            # An item that stands in no section is its own: TID 2000 demands sections, many writers know of none.
            own = heading if heading or item.continuous or child.value_type != "TEXT" else child.concept
            yield _Line(own, concludes, text, joins=item.continuous and not first)
            first = False


def _said(item: ContentItem, *, inline: bool) -> str:
    if item.value_type == "TEXT":
        return item.text
    said = item.text
    if item.code and item.value_type == "CODE":
        said = item.code.display or item.code.code
    if item.quantity:
        said = f"{item.quantity.value} {'' if item.quantity.unit == '1' else item.quantity.unit}".rstrip()
    name = item.concept.display if item.concept and not inline and _concept(item) != FINDING else ""
    return f"{name}: {said}" if name and said else said


def _prose(lines: Iterator[_Line]) -> str:
    """The lines under their headings. A heading that only repeats what the text is shown under is left out."""
    parts: list[str] = []
    before: Coding | None = None
    sections = list(lines)
    several = len({line.heading for line in sections}) > 1
    for line in sections:
        heading = line.heading if line.heading and (several or _plain(line.heading)) else None
        if parts and line.joins:
            parts[-1] += f" {line.text}"
            continue
        if heading and line.heading != before:
            parts.append(f"\n{heading.display}" if parts else heading.display)
        before = line.heading
        parts.append(line.text)
    return "\n".join(parts).strip()


def _plain(heading: Coding) -> bool:
    """Whether a heading tells more than `Findings` or `Conclusion`, which the reader sees anyway."""
    return bool(heading.display) and (heading.code, heading.system) not in PLAIN


def _observations(tree: ContentTree, account: TreeAccount) -> Iterator[Observation]:
    """The measurements of the tree as coded results. Source: TID 300, TID 1501."""
    if tree.sop_class_uid in UNMEASURED:
        return
    found = 0
    for group, item in _measurements(tree.root, None):
        if item.quantity is None or item.concept is None or not item.concept.code:
            continue
        found += 1
        if found <= MAX_OBSERVATIONS:
            yield _observation(group, item, item.concept, item.quantity)
    if found > MAX_OBSERVATIONS:
        account.note(f"{found - MAX_OBSERVATIONS} measurements after the first {MAX_OBSERVATIONS} are no results")


def _measurements(item: ContentItem, group: ContentItem | None) -> Iterator[tuple[ContentItem | None, ContentItem]]:
    """Each NUM below, with the container that holds it."""
    for child in item.items:
        if child.value_type == "NUM":
            yield group, child
        yield from _measurements(child, child if child.value_type == "CONTAINER" else group)


def _observation(group: ContentItem | None, item: ContentItem, concept: Coding, value: Quantity) -> Observation:
    around = (item, group) if group else (item,)
    tracked = [each.text for holder in around for each in holder.below(TRACKING_IDENTIFIER) if each.text]
    derived = [_meaning(each) for each in item.below(DERIVATION)]
    methods = [_meaning(each) for holder in around for each in holder.below(*METHODS)]
    told = [_meaning(each) for holder in around for each in holder.below(FINDING, *FINDING_SITES)]
    return Observation(
        concept,
        value,
        sub_id=tracked[0] if tracked else "",
        unit=value.unit,
        method=", ".join(dict.fromkeys(filter(None, derived + methods))),
        notes=tuple(dict.fromkeys(filter(None, told))),
    )


def _meaning(item: ContentItem) -> str:
    return (item.code.display or item.code.code) if item.code else item.text
