"""Observation.referenceRange: a part for each sex and age, always with the source's own words.

Source: https://hl7.org/fhir/R4/observation-definitions.html#Observation.referenceRange
"""

from schemas.codes import UCUM
from schemas.patient import Sex
from schemas.reference_range import Age, ReferenceRange, parts

from .elements import EXTENSION, Resource, compact, extension_of, present, text
from .value import quantity

GENDER = "http://hl7.org/fhir/administrative-gender"
# The whole range as sent, where its parts do not give it back.
WHOLE = EXTENSION + "reference-range"
_BETWEEN = "; "


def ranges(told: str, unit: str, unit_system: str) -> list[Resource]:
    """The elements of a range as sent. `unit`: that of the result."""
    return present(*(_element(each, unit, unit_system) for each in parts(told)))


def whole(told: str) -> str:
    """The text to keep beside `ranges`; empty where those say it all."""
    return "" if _BETWEEN.join(each.text for each in parts(told)) == told else told


def read(resource: Resource) -> str:
    """The range of an Observation as its source wrote it."""
    kept = extension_of(resource, WHOLE).get("valueString")
    if kept is not None:
        return str(kept)
    return _BETWEEN.join(each["text"] for each in resource.get("referenceRange", ()) if each.get("text"))


def _element(part: ReferenceRange, unit: str, unit_system: str) -> Resource | None:
    if not text(part.text):
        return None
    sex = [{"coding": [{"system": GENDER, "code": part.sex.value}]}] if part.sex in (Sex.MALE, Sex.FEMALE) else []
    return compact(
        low=None if part.low is None else quantity(part.low, unit, unit_system),
        high=None if part.high is None else quantity(part.high, unit, unit_system),
        appliesTo=sex + ([{"text": part.condition}] if text(part.condition) else []),
        age=_age(part.age) if part.age else None,
        text=text(part.text),
    )


def _age(age: Age) -> Resource:
    ends = {"low": age.low, "high": age.high}
    return {
        name: {"value": end, "unit": age.unit, "system": UCUM, "code": age.unit}
        for name, end in ends.items()
        if end is not None
    }
