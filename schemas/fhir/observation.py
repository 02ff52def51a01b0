"""Observation: one result of a report. Source: https://hl7.org/fhir/R4/observation.html"""

import dataclasses
import datetime as dt

from schemas.codes import INTERPRETATION, Coding
from schemas.observation import Interval, Observation, ObservationRecord, Quantity, Ratio, Value
from schemas.report import ReportCategory

from . import reference_range, references
from .elements import (
    EXTENSION,
    Resource,
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
from .value import read_value, value_of

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
# OBX-4 as HL7's own mapping from version 2 keeps it.
SUB_ID = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid"
UNIT = EXTENSION + "unit"
# The value as sent, where value[x] writes it otherwise.
SENT = EXTENSION + "value-as-sent"
# Who measured it here, in place of the source's value.
MEASURED_BY = EXTENSION + "measured-by"
# The hub worked it out; `method` says how, `device` that it was the hub.
COMPUTED = EXTENSION + "computed"
HUB = {"type": "Device", "identifier": {"system": "urn:dxhub:device", "value": "hub"}, "display": "dxhub"}
# Said by an earlier message about the report and not repeated by the latest one.
CARRIED = EXTENSION + "said-before"

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
    body = elements(record.observation, record.observed_at, record.concept, record.unit_code)
    return compact(
        resourceType="Observation",
        id=str(record.id),
        meta=meta(record.version, record.recorded_at),
        **(_category(record.category) | body),
        subject=references.to_patient(record.patient_id),
        issued=moment(record.recorded_at),
        # Who sent the recording did not measure what the hub worked out of it.
        performer=[references.to_organization(record.organization, links)] * (not record.observation.computed)
        + [{"display": name} for name in [text(record.observation.measured_by)] if name],
        derivedFrom=[references.to("Observation", key) for key in [links.derived_from.get(record.report_id)] if key]
        + [references.to("ImagingStudy", key) for key in [links.recordings.get(record.report_id)] if key],
    )


def contained(observation: Observation, key: str) -> Resource:
    """The result as a part of its report's own document."""
    return compact(resourceType="Observation", id=key, **elements(observation, None))


def elements(
    observation: Observation, reported_at: dt.datetime | None, meant: Coding | None = None, unit_code: str = ""
) -> Resource:
    """The elements that do not depend on where the result is kept.

    meant, unit_code: what a person said that its code and its unit stand for.
    """
    mapped = [meant] if meant and (meant.system, meant.code) != (observation.code.system, observation.code.code) else []
    return compact(
        extension=_extensions(observation),
        status=observation.status if observation.status in _STATUSES else "unknown",
        code=concept(observation.code, *mapped) or {"text": "?"},
        effectiveDateTime=moment(observation.observed_at or reported_at),
        **value_of(observation.value, unit_code),
        interpretation=[_interpretation(each) for each in observation.interpretation if text(each)],
        note=[{"text": text(note)} for note in observation.notes if text(note)],
        method=compact(text=text(observation.method)),
        device=HUB if observation.computed else None,
        referenceRange=reference_range.ranges(observation.reference_range, *_unit(observation)),
    )


def from_fhir(resource: Resource) -> Observation:
    """The result that the resource describes. Components and values of other types are kept as None."""
    expect(resource, "Observation")
    value = read_value(resource)
    parts = extension_of(resource, SUB_ID)
    told = extension_of(resource, UNIT).get("valueString")
    return Observation(
        code=read_concept(resource.get("code")),
        value=value,
        sub_id=extension_of(parts, "original-sub-identifier").get("valueString", ""),
        unit=told if told is not None else _spoken(value),
        reference_range=reference_range.read(resource),
        interpretation=tuple(_read_interpretation(each) for each in resource.get("interpretation", ())),
        status=resource.get("status", "unknown"),
        observed_at=read_moment(resource.get("effectiveDateTime") or resource.get("effectiveInstant")),
        method=resource.get("method", {}).get("text", ""),
        notes=tuple(note["text"] for note in resource.get("note", ()) if "text" in note),
        sent=extension_of(resource, SENT).get("valueString", ""),
        carried=bool(extension_of(resource, CARRIED).get("valueBoolean")),
        measured_by=extension_of(resource, MEASURED_BY).get("valueString", ""),
        computed=bool(extension_of(resource, COMPUTED).get("valueBoolean")),
    )


def without_report_time(observation: Observation, reported_at: dt.datetime | None) -> Observation:
    """The same result; its own time left out where it is only the report's."""
    return dataclasses.replace(observation, observed_at=None) if observation.observed_at == reported_at else observation


def _category(category: str) -> Resource:
    named = CATEGORIES.get(ReportCategory(category)) if category else None
    return {"category": [{"coding": [{"system": CATEGORY, "code": named}]}]} if named else {}


def _extensions(observation: Observation) -> list[Resource]:
    part = extension("original-sub-identifier", valueString=text(observation.sub_id))
    return present(
        extension(SUB_ID, extension=present(part)),
        # A unit beside a word or beside nothing has no element of its own.
        extension(UNIT, valueString=text(observation.unit)) if observation.unit != _spoken(observation.value) else None,
        extension(SENT, valueString=text(observation.sent)),
        extension(CARRIED, valueBoolean=True) if observation.carried else None,
        extension(COMPUTED, valueBoolean=True) if observation.computed else None,
        extension(MEASURED_BY, valueString=text(observation.measured_by)),
        extension(reference_range.WHOLE, valueString=text(reference_range.whole(observation.reference_range))),
    )


def _spoken(value: Value) -> str:
    """The unit that the value itself tells."""
    return value.unit if isinstance(value, Quantity | Interval | Ratio) else ""


def _unit(observation: Observation) -> tuple[str, str]:
    value = observation.value
    if isinstance(value, Quantity | Interval | Ratio):
        return value.unit or observation.unit, value.unit_system
    return observation.unit, ""


def _interpretation(mark: str) -> Resource:
    if mark in _INTERPRETATIONS:
        return {"coding": [{"system": INTERPRETATION, "code": mark}]}
    return compact(text=text(mark))


def _read_interpretation(element: Resource) -> str:
    read = read_concept(element)
    return read.code or read.display
