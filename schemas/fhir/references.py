"""References between resources, and what a mapping must know beside the value to write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.identifiers import FACILITY
from schemas.organization import OrganizationRecord

from .elements import Resource, compact, text


@dataclass(frozen=True, slots=True)
class Links:
    """What the address of a resource is made of.

    base: the service's own address without a final slash. organizations: by code. studies: id by Study Instance UID.
    dicomweb: address of the DICOMweb service, where there is one.
    derived_from: by report, id of the observation that its results go on from, as susceptibilities from an organism.
    recordings: by report, id of the study that holds the waveform of an ECG.
    """

    base: str = ""
    organizations: Mapping[str, OrganizationRecord] = field(default_factory=dict)
    studies: Mapping[str, int] = field(default_factory=dict)
    dicomweb: str = ""
    derived_from: Mapping[int, int] = field(default_factory=dict)
    recordings: Mapping[int, int] = field(default_factory=dict)


NOWHERE = Links()


def to(kind: str, key: int, version: int | None = None) -> Resource:
    """A literal, relative reference; to one version of it where `version` is given."""
    return {"reference": f"{kind}/{key}" if version is None else f"{kind}/{key}/_history/{version}"}


def to_patient(patient_id: int) -> Resource:
    """The person whom a resource is about."""
    return to("Patient", patient_id)


def to_organization(organization_code: str, links: Links) -> Resource:
    """By id where the institution is known, and always by its code, which outlives an id."""
    known = links.organizations.get(organization_code)
    return compact(
        reference=f"Organization/{known.id}" if known else None,
        type="Organization",
        identifier=compact(system=FACILITY, value=text(organization_code)),
        display=text(known.organization.name) if known else None,
    )


def organization_code(reference: Resource) -> str:
    """The code within a reference written by `to_organization`; empty where it names none."""
    identifier = reference.get("identifier", {})
    return str(identifier.get("value", "")) if identifier.get("system") == FACILITY else ""


def key_of(reference: Resource | None, kind: str) -> tuple[int, int | None]:
    """Id and version that a literal reference to `kind` names; (0, None) where it names none."""
    parts = str((reference or {}).get("reference", "")).split("/")
    if kind in parts:
        rest = parts[parts.index(kind) + 1 :]
        if rest and rest[0].isdecimal():
            version = rest[2] if len(rest) == 3 and rest[1] == "_history" and rest[2].isdecimal() else None
            return int(rest[0]), None if version is None else int(version)
    return 0, None
