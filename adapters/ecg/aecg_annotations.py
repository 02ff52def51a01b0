"""Annotations of an annotated ECG: measurements of the whole recording, statements, and what is only kept."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from .aecg_series import code, series
from .measurements import Measured, find

_STATEMENTS = ("MDC_ECG_INTERPRETATION", "MINDRAY_ECG_INTERPRETATION")


@dataclass(slots=True)
class Annotations:
    """kept: how often each code occurs that we leave to the original bytes."""

    measured: list[Measured] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    total: int = 0
    kept: Counter[str] = field(default_factory=Counter)


def read(root: Element) -> Annotations:
    """All annotations, those of recorded series before those of derived ones."""
    found = Annotations()
    for element, _ in sorted(series(root), key=lambda pair: not pair[1]):
        for annotation in element.findall("subjectOf/annotationSet/component/annotation"):
            _read(annotation, found)
    return found


def _read(annotation: Element, found: Annotations) -> None:
    found.total += 1
    kind = code(annotation)
    value = annotation.find("value")
    # With a region of support it belongs to one lead or one beat, not to the recording.
    of_all = annotation.find("support") is None
    if kind.startswith(_STATEMENTS):
        lines = list(_text(value))
        found.statements += lines
        mapped = bool(lines) or annotation.find("component/annotation") is not None
    else:
        number = value.get("value", "") if value is not None and of_all else ""
        unit = value.get("unit", "") if value is not None else ""
        measurement = find("aECG", kind, number, unit)
        found.measured += [measurement] if measurement else []
        mapped = measurement is not None
    if not mapped:
        found.kept[kind or "without a code"] += 1
    for inner in annotation.findall("component/annotation"):
        if of_all:
            _read(inner, found)
        else:
            inside = [code(element) for element in inner.iter("annotation")]
            found.total += len(inside)
            found.kept.update(inside)


def _text(value: Element | None) -> Iterator[str]:
    """The words of a statement: its text, else its display name, else its code."""
    if value is not None:
        text = "".join(value.itertext()).strip()
        yield text or value.get("displayName") or value.get("code") or value.get("value") or ""
