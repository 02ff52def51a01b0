"""Organization: the institutions of the district. A few dozen, so searches look at all of them."""

from collections.abc import Sequence

from schemas.faults import NotFound
from schemas.fhir import organization
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource
from schemas.identifiers import FACILITY
from schemas.organization import OrganizationRecord
from schemas.patient import normal_name

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Given, NoMatch, Parameters, reference, token


def _read(call: Call, key: int) -> Resource:
    found = _fetch(call, [key])
    if not found:
        raise NotFound("no such institution", where="Organization")
    return found[0]


def _version(call: Call, key: int, version: int) -> Resource:
    if version != 1:
        raise NotFound("institutions have one version", where="version")
    return _read(call, key)


def _versions(call: Call, key: int) -> list[Resource]:
    return [_read(call, key)]


def _fetch(call: Call, keys: Sequence[int]) -> list[Resource]:
    return [organization.to_fhir(record) for record in call.organizations.values() if record.id in keys]


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    keys = asked.ids()
    name = normal_name(asked.text("name", "contains", "exact"))
    number = asked.one("identifier")
    matches = [
        organization.to_fhir(record)
        for record in sorted(call.organizations.values(), key=lambda record: record.id)
        if (not keys or record.id in keys) and _is_called(record, name) and (not number or _has(record, number))
    ]
    return Found(matches[window.offset : window.offset + window.count], len(matches))


def _is_called(record: OrganizationRecord, name: str) -> bool:
    return any(name in normal_name(each) for each in (record.organization.name, record.organization.name_en))


def _has(record: OrganizationRecord, given: Given) -> bool:
    system, value = token(given)
    served = organization.to_fhir(record)["identifier"]
    return any(each["value"] == value and system in (None, each["system"]) for each in served)


def organization_of(call: Call, asked: Parameters) -> str:
    """Code of the institution that `performer` names; empty where it is not asked. Raises NoMatch for a stranger."""
    if given := asked.one("performer.identifier"):
        system, code = token(given)
        if system not in (None, FACILITY) or code not in call.organizations:
            raise NoMatch
        return code
    given = asked.one("performer", "Organization")
    if given is None:
        return ""
    key, _ = reference(given, "Organization", call.base)
    found = (code for code, record in call.organizations.items() if record.id == key)
    code = next(found, "")
    if not code:
        raise NoMatch
    return code


KIND = Kind(
    name="Organization",
    documentation="An institution of the district.",
    example=examples.ORGANIZATION,
    search=_search,
    parameters=(
        SearchParameter("identifier", "token", "code on the wire or unified social credit code", "CHC01"),
        SearchParameter("name", "string", "part of the Chinese or English name", "社区"),
    ),
    read=_read,
    version=_version,
    versions=_versions,
    fetch=_fetch,
)
