"""Observation: one result of a report. Source: https://hl7.org/fhir/R4/observation.html"""

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

from schemas.codes import INTERPRETATION, UCUM, Coding
from schemas.observation import Observation, ObservationRecord, Quantity
from schemas.report import ReportCategory

from . import references
from .elements import (
    EXTENSION,
    Resource,
    code,
    compact,
    concept,
    expect,
    extension,
    extension_of,
    meta,
    moment,
    present,
    read_concept,
    read_moment,
    text,
)
from .references import NOWHERE, Links

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# OBX-4 as HL7's own mapping from version 2 keeps it.
SUB_ID = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid"
UNIT = EXTENSION + "unit"

CATEGORIES = {
    ReportCategory.LABORATORY: "laboratory",
    ReportCategory.IMAGING: "imaging",
    ReportCategory.ECG: "procedure",
    ReportCategory.OTHER: "exam",
}
_STATUSES = frozenset(
    {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"}
)
# What HL7 table 0078 and the FHIR value set share; other marks travel as text.
_TABLE_0078 = (
    "< > A AA AC B D DET H HH HU HX I IE IND L LL LU LX MS N ND NEG NR NS OBX POS QCF R RR S SDD SYN-R SYN-S TOX "
    "U VS W WR"
)
_INTERPRETATIONS = frozenset(_TABLE_0078.split())


def to_fhir(record: ObservationRecord, links: Links = NOWHERE) -> Resource:
    """The result in that version of its report."""
    body = elements(record.observation, record.observed_at, record.concept)
    return compact(
        resourceType="Observation",
        id=str(record.id),
        meta=meta(record.version, record.recorded_at),
        **(_category(record.category) | body),
        subject=references.to_patient(record.patient_id),
        issued=moment(record.recorded_at),
        performer=[references.to_organization(record.organization, links)],
        derivedFrom=[references.to("Observation", key) for key in [links.derived_from.get(record.report_id)] if key],
    )


def contained(observation: Observation, key: str) -> Resource:
    """The result as a part of its report's own document."""
    return compact(resourceType="Observation", id=key, **elements(observation, None))


def elements(observation: Observation, reported_at: dt.datetime | None, meant: Coding | None = None) -> Resource:
    """The elements that do not depend on where the result is kept. `meant`: the concept that its code is mapped to."""
    mapped = [meant] if meant and (meant.system, meant.code) != (observation.code.system, observation.code.code) else []
    return compact(
        extension=_extensions(observation),
        status=observation.status if observation.status in _STATUSES else "unknown",
        code=concept(observation.code, *mapped) or {"text": "?"},
        effectiveDateTime=moment(observation.observed_at or reported_at),
        **_value(observation.value),
        interpretation=[_interpretation(each) for each in observation.interpretation if text(each)],
        note=[{"text": text(note)} for note in observation.notes if text(note)],
        method=compact(text=text(observation.method)),
        referenceRange=present(compact(text=text(observation.reference_range))),
    )


def from_fhir(resource: Resource) -> Observation:
    """The result that the resource describes. Components and values of other types are kept as None."""
    expect(resource, "Observation")
    value = _read_value(resource)
    parts = extension_of(resource, SUB_ID)
    ranges = (each.get("text", "") for each in resource.get("referenceRange", ()))
    told = extension_of(resource, UNIT).get("valueString")
    return Observation(
        code=read_concept(resource.get("code")),
        value=value,
        sub_id=extension_of(parts, "original-sub-identifier").get("valueString", ""),
        unit=told if told is not None else value.unit if isinstance(value, Quantity) else "",
        reference_range="; ".join(each for each in ranges if each),
        interpretation=tuple(_read_interpretation(each) for each in resource.get("interpretation", ())),
        status=resource.get("status", "unknown"),
        observed_at=read_moment(resource.get("effectiveDateTime") or resource.get("effectiveInstant")),
        method=resource.get("method", {}).get("text", ""),
        notes=tuple(note["text"] for note in resource.get("note", ()) if "text" in note),
    )


def without_report_time(observation: Observation, reported_at: dt.datetime | None) -> Observation:
    """The same result; its own time left out where it is only the report's."""
    return dataclasses.replace(observation, observed_at=None) if observation.observed_at == reported_at else observation


def _category(category: str) -> Resource:
    named = CATEGORIES.get(ReportCategory(category)) if category else None
    return {"category": [{"coding": [{"system": CATEGORY, "code": named}]}]} if named else {}


def _extensions(observation: Observation) -> list[Resource]:
    spoken = observation.value.unit if isinstance(observation.value, Quantity) else ""
    part = extension("original-sub-identifier", valueString=text(observation.sub_id))
    return present(
        extension(SUB_ID, extension=present(part)),
        # A unit beside a word or beside nothing has no element of its own.
        extension(UNIT, valueString=text(observation.unit)) if observation.unit != spoken else None,
    )


def _value(value: Quantity | Coding | str | None) -> Resource:
    if isinstance(value, Quantity) and value.value.is_finite():
        return {"valueQuantity": _quantity(value)}
    if isinstance(value, Coding) and concept(value):
        return {"valueCodeableConcept": concept(value)}
    if isinstance(value, str) and text(value):
        return {"valueString": text(value)}
    return {"dataAbsentReason": {"coding": [{"system": ABSENT_REASON, "code": "unknown", "display": "Unknown"}]}}


def _quantity(quantity: Quantity) -> Resource:
    # Only a unit that the source called UCUM is a UCUM code; `10^9/L` in another system means nothing to a machine.
    ucum = quantity.unit_system == UCUM and code(quantity.unit) is not None
    return compact(
        value=quantity.value,
        comparator=quantity.comparator,
        unit=text(quantity.unit),
        system=UCUM if ucum else None,
        code=code(quantity.unit) if ucum else None,
    )


def _read_value(resource: Resource) -> Quantity | Coding | str | None:
    if quantity := resource.get("valueQuantity"):
        return _read_quantity(quantity)
    if word := resource.get("valueCodeableConcept"):
        return read_concept(word)
    if "valueInteger" in resource:
        return Quantity(Decimal(resource["valueInteger"]))
    plain: Any = resource.get("valueString", resource.get("valueDateTime"))
    return plain if plain is None else str(plain)


def _read_quantity(quantity: Resource) -> Quantity | None:
    if "value" not in quantity:
        return None
    return Quantity(
        Decimal(str(quantity["value"])),
        quantity.get("unit") or quantity.get("code", ""),
        quantity.get("comparator", ""),
        quantity.get("system", ""),
    )


def _interpretation(mark: str) -> Resource:
    if mark in _INTERPRETATIONS:
        return {"coding": [{"system": INTERPRETATION, "code": mark}]}
    return compact(text=text(mark))


def _read_interpretation(element: Resource) -> str:
    read = read_concept(element)
    return read.code or read.display
