"""Organization. Source: https://hl7.org/fhir/R4/organization.html"""

from schemas.codes import Coding
from schemas.faults import InvalidPayload
from schemas.identifiers import CREDIT_CODE, FACILITY
from schemas.organization import Organization, OrganizationKind, OrganizationRecord

from .elements import LOCAL_CODES, Resource, codes_of, compact, concept, expect, present, text

KIND = LOCAL_CODES + "organization-kind"
CENTRE = LOCAL_CODES + "regional-centre"

_KINDS = {
    OrganizationKind.BUREAU: "Health bureau",
    OrganizationKind.COMMUNITY_CENTRE: "Community health centre",
    OrganizationKind.DISTRICT_HOSPITAL: "District hospital",
    OrganizationKind.CITY_HOSPITAL: "City hospital",
    OrganizationKind.OTHER: "Other",
}


def to_fhir(record: OrganizationRecord) -> Resource:
    """The institution; its Chinese name is the name, the English one an alias."""
    organization = record.organization
    kind = concept(Coding(organization.kind.value, _KINDS[organization.kind], KIND))
    centre = concept(Coding(organization.centre, "", CENTRE)) if organization.centre else None
    return compact(
        resourceType="Organization",
        id=str(record.id),
        meta={"versionId": "1"},
        identifier=_identifiers(organization),
        active=True,
        type=present(kind, centre),
        name=text(organization.name),
        alias=[organization.name_en] if text(organization.name_en) else None,
    )


def _identifiers(organization: Organization) -> list[Resource]:
    pairs = ((FACILITY, organization.code), (CREDIT_CODE, organization.credit_code))
    return [{"system": system, "value": value} for system, value in pairs if text(value)]


def from_fhir(resource: Resource) -> Organization:
    """The institution that the resource describes; it must carry the code by which it is known on the wire."""
    expect(resource, "Organization")
    values = {each.get("system"): each.get("value", "") for each in resource.get("identifier", ())}
    if not values.get(FACILITY):
        raise InvalidPayload(f"expected an identifier of system {FACILITY}", where="Organization.identifier")
    kinds = codes_of(resource.get("type"), KIND)
    known = [kind for kind in OrganizationKind if kind.value in kinds]
    return Organization(
        code=values[FACILITY],
        name=resource.get("name", ""),
        name_en=next(iter(resource.get("alias", ())), ""),
        kind=known[0] if known else OrganizationKind.OTHER,
        credit_code=values.get(CREDIT_CODE, ""),
        centre=next(iter(codes_of(resource.get("type"), CENTRE)), ""),
    )
