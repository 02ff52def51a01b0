"""The value of a result in each of its types. Source: https://hl7.org/fhir/R4/observation.html#value

A unit's UCUM code is told where it is known; `unit` holds what the source wrote.
"""

from decimal import Decimal

from schemas.codes import UCUM, Coding
from schemas.observation import Interval, Moment, Quantity, Ratio, Value
from schemas.units import ucum

from .elements import EXTENSION, Resource, compact, concept, extension, extension_of, read_concept, text

ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# The source itself named UCUM: without this the code is our reading of what it wrote.
DECLARED = EXTENSION + "unit-declared-ucum"
_ABSENT = {"dataAbsentReason": {"coding": [{"system": ABSENT_REASON, "code": "unknown", "display": "Unknown"}]}}


def value_of(value: Value, unit_code: str = "") -> Resource:
    """The element value[x], or why there is none. `unit_code`: what a person said that the unit means, in UCUM."""
    found: Resource | None = None
    match value:
        case Quantity() if value.value.is_finite():
            found = {"valueQuantity": quantity(value.value, value.unit, value.unit_system, value.comparator, unit_code)}
        case Coding() if element := concept(value):
            found = {"valueCodeableConcept": element}
        case Interval() if value.low is not None or value.high is not None:
            found = {"valueRange": _range(value)}
        case Ratio():
            found = {"valueRatio": _ratio(value)}
        case Moment():
            found = {"valueTime" if value.iso[2:3] == ":" else "valueDateTime": value.iso}
        case str() if words := text(value):
            found = {"valueString": words}
    return found or _ABSENT


def quantity(
    value: Decimal, unit: str = "", unit_system: str = "", comparator: str = "", unit_code: str = ""
) -> Resource:
    """A Quantity; its code where the unit is known in UCUM."""
    code = unit_code or ucum(unit, unit_system)
    return compact(
        extension=[extension(DECLARED, valueBoolean=True)] if unit_system == UCUM else None,
        value=value,
        comparator=comparator,
        unit=text(unit),
        system=UCUM if code else None,
        code=code,
    )


def _range(value: Interval) -> Resource:
    ends = {"low": value.low, "high": value.high}
    return {name: quantity(end, value.unit, value.unit_system) for name, end in ends.items() if end is not None}


def _ratio(value: Ratio) -> Resource:
    return {
        "numerator": quantity(value.numerator, value.unit, value.unit_system, value.comparator),
        "denominator": quantity(value.denominator),
    }


def read_value(resource: Resource) -> Value:
    """What an Observation's value[x] says; None for types that hold no single value."""
    if element := resource.get("valueQuantity"):
        return read_quantity(element)
    if element := resource.get("valueCodeableConcept"):
        return read_concept(element)
    if element := resource.get("valueRange"):
        return _read_range(element)
    if element := resource.get("valueRatio"):
        return _read_ratio(element)
    if "valueInteger" in resource:
        return Quantity(Decimal(resource["valueInteger"]))
    for name in ("valueDateTime", "valueTime"):
        if name in resource:
            return Moment(str(resource[name]))
    return str(resource["valueString"]) if "valueString" in resource else None


def read_quantity(element: Resource) -> Quantity | None:
    """The number that a Quantity holds; None where it holds a unit alone."""
    if "value" not in element:
        return None
    declared = bool(extension_of(element, DECLARED)) or "unit" not in element
    return Quantity(
        Decimal(str(element["value"])),
        element.get("unit") or element.get("code", ""),
        element.get("comparator", ""),
        element.get("system", "") if declared or element.get("system", "") != UCUM else "",
    )


def _read_range(element: Resource) -> Interval | None:
    low, high = (read_quantity(element.get(name, {})) for name in ("low", "high"))
    told = low or high
    if told is None:
        return None
    return Interval(low.value if low else None, high.value if high else None, told.unit, told.unit_system)


def _read_ratio(element: Resource) -> Ratio | None:
    numerator, denominator = (read_quantity(element.get(name, {})) for name in ("numerator", "denominator"))
    if numerator is None or denominator is None:
        return None
    return Ratio(numerator.value, denominator.value, numerator.comparator, numerator.unit, numerator.unit_system)
