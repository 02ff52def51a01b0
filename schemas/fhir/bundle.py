"""Bundle: what a search found, or the versions of a resource. Source: https://hl7.org/fhir/R4/bundle.html"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from .elements import Resource, compact, expect, moment

Mode = Literal["match", "include", "outcome"]


def searchset(entries: Iterable[tuple[Mode, Resource]], *, total: int, links: Mapping[str, str], base: str) -> Resource:
    """A page of results. total: of all matches, on every page. links: `self` and what else there is, by relation."""
    return _bundle("searchset", [_found(mode, resource, base) for mode, resource in entries], total, links)


def history(versions: Sequence[Resource], *, total: int, links: Mapping[str, str], base: str) -> Resource:
    """A page of versions, newest first."""
    return _bundle("history", [_version(resource, base) for resource in versions], total, links)


def resources(bundle: Resource, mode: Mode | None = None) -> list[Resource]:
    """The resources within a Bundle; of a search, only those found in that `mode` where it is given."""
    expect(bundle, "Bundle")
    return [
        entry["resource"]
        for entry in bundle.get("entry", ())
        if "resource" in entry and mode in (None, entry.get("search", {}).get("mode"))
    ]


def link(bundle: Resource, relation: str) -> str:
    """The address of that relation (`next`); empty where there is none."""
    return next((str(each["url"]) for each in bundle.get("link", ()) if each.get("relation") == relation), "")


def _bundle(kind: str, entries: list[Resource], total: int, links: Mapping[str, str]) -> Resource:
    return compact(
        resourceType="Bundle",
        type=kind,
        timestamp=moment(dt.datetime.now(dt.UTC)),
        total=total,
        link=[{"relation": relation, "url": url} for relation, url in links.items()],
        entry=entries,
    )


def _found(mode: Mode, resource: Resource, base: str) -> Resource:
    # An outcome is made for this answer alone: it has no address.
    address = f"{base}/{resource['resourceType']}/{resource['id']}" if "id" in resource else None
    return compact(fullUrl=address, resource=resource, search={"mode": mode})


def _version(resource: Resource, base: str) -> Resource:
    address = f"{resource['resourceType']}/{resource['id']}"
    number = resource["meta"]["versionId"]
    first = number == "1"
    return {
        "fullUrl": f"{base}/{address}",
        "resource": resource,
        "request": {"method": "POST" if first else "PUT", "url": resource["resourceType"] if first else address},
        "response": compact(
            status="201" if first else "200",
            etag=f'W/"{number}"',
            lastModified=resource["meta"].get("lastUpdated"),
        ),
    }
