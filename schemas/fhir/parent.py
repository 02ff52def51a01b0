"""What a report goes on from, as an extension of DiagnosticReport: R4 has no element for it. Source: OBR-26, OBR-29."""

from schemas.report import Parent

from .elements import EXTENSION, Resource, concept, extension, present, read_concept, text

URL = EXTENSION + "parent-result"
_CODE = "code"
_TEXTS = ("placer_order_number", "filler_order_number", "sub_id", "value")


def to_fhir(parent: Parent | None) -> Resource | None:
    """Under which numbers the parent is known, and which of its results is meant."""
    if parent is None:
        return None
    told = [extension(name.replace("_", "-"), valueString=text(getattr(parent, name))) for name in _TEXTS]
    return extension(URL, extension=present(*told, extension(_CODE, valueCodeableConcept=concept(parent.code))))


def from_fhir(element: Resource) -> Parent | None:
    """The parent that the extension names; None where it is empty."""
    parts = {part.get("url"): part for part in element.get("extension", ())}
    if not parts:
        return None
    texts = {name: parts.get(name.replace("_", "-"), {}).get("valueString", "") for name in _TEXTS}
    return Parent(**texts, code=read_concept(parts.get(_CODE, {}).get("valueCodeableConcept")))
