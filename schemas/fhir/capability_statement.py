"""CapabilityStatement, from a description of what is really served. Source: https://hl7.org/fhir/R4/capabilitystatement.html"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from .elements import FHIR_VERSION, MEDIA_TYPE, Resource, compact, moment

_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter. kind: of the value set search-param-type (`token`, `date`, `reference`, `string`)."""

    name: str
    kind: str
    documentation: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Capability:
    """What is served of one resource type. includes: as `_include` takes them."""

    kind: str
    interactions: tuple[str, ...]
    parameters: tuple[SearchParameter, ...] = ()
    includes: tuple[str, ...] = ()
    versioning: str = "versioned"
    documentation: str = ""


def to_fhir(
    capabilities: Iterable[Capability], *, base: str, software_version: str, published_at: dt.datetime
) -> Resource:
    """What the service at `base` can do."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": moment(published_at),
        "kind": "instance",
        "software": {"name": "dxhub", "version": software_version},
        "implementation": {"description": "Exchange of diagnostic reports of a district", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": [MEDIA_TYPE, "json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(),
                "resource": [_resource(each) for each in capabilities],
            }
        ],
    }


def _security() -> Resource:
    service = {"system": _SERVICE, "code": "OAuth", "display": "OAuth"}
    return {
        "service": [{"coding": [service], "text": "bearer token"}],
        "description": "Every interaction but this one asks for a bearer token and is audited.",
    }


def _resource(capability: Capability) -> Resource:
    return compact(
        type=capability.kind,
        documentation=capability.documentation,
        interaction=[{"code": code} for code in capability.interactions],
        versioning=capability.versioning,
        readHistory="vread" in capability.interactions,
        updateCreate=False,
        conditionalRead="full-support" if "read" in capability.interactions else None,
        searchInclude=list(capability.includes),
        searchParam=[
            {"name": each.name, "type": each.kind, "documentation": each.documentation}
            for each in capability.parameters
        ],
    )
