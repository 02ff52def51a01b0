"""What a region decides about mutual recognition: data with a version and a source, never constants in code."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from .catalogue import Item, Scope, Setting
from .codes import LOINC
from .faults import NotFound
from .organization import Organization, OrganizationKind
from .report import ReportCategory
from .verdict import Outcome

_UNITS = {"h": dt.timedelta(hours=1), "d": dt.timedelta(days=1)}
_WIDEST_FIRST = tuple(Scope)


class Tier(StrEnum):
    """Whether an institution's tier binds others: in some provinces a lower tier accepts a higher one."""

    OFF = "off"
    HIGHER_BINDS = "higher-binds"


@dataclass(frozen=True, slots=True)
class RegionRules:
    """One version of the rules; see region.toml for what its fields mean. near: sets of LOINC codes."""

    version: str
    source: str
    unassessed: Outcome = Outcome.EXCLUDES
    unreached: Outcome = Outcome.CAUTION
    tier: Tier = Tier.OFF
    clock_tolerance: dt.timedelta = dt.timedelta(minutes=5)
    windows: Mapping[tuple[ReportCategory, Setting], dt.timedelta] = field(default_factory=dict)
    place: Mapping[Scope, str] = field(default_factory=dict)
    lies: Mapping[OrganizationKind, Scope] = field(default_factory=dict)
    tiers: Mapping[OrganizationKind, int] = field(default_factory=dict)
    near: tuple[frozenset[str], ...] = ()

    def window(self, item: Item, setting: Setting) -> dt.timedelta | None:
        """How long a result of the item holds: the item's own window, else the category's; None where there is none."""
        return item.clocks_in(setting).valid or self.windows.get((item.category, setting))

    def reaches(self, mark: Scope, issuer: Organization, ordering: Organization) -> bool:
        """Whether a mark of this scope, on a result of the one institution, holds at the other.

        Both must lie in the place that the mark is for: what a city hospital does is no matter of the district's mark.
        """
        depth = _WIDEST_FIRST.index(mark)
        return all(
            _WIDEST_FIRST.index(self.lies.get(each.kind, Scope.NATION)) >= depth for each in (issuer, ordering)
        ) and bool(self.place.get(mark))

    def is_near(self, one: Item, other: Item) -> bool:
        """Whether both measure the same substance otherwise."""
        return any(_in(group, one) and _in(group, other) for group in self.near)


def _in(group: frozenset[str], item: Item) -> bool:
    return any(each.code in group and each.system == LOINC for each in item.codes)


@cache
def _versions() -> Mapping[str, RegionRules]:
    data = tomllib.loads(resources.files("schemas").joinpath("region.toml").read_text(encoding="utf-8"))
    return {each["version"]: _rules(each) for each in data["version"]}


def _rules(said: Mapping[str, Any]) -> RegionRules:
    return RegionRules(
        said["version"],
        said["source"],
        Outcome(said["unassessed"]),
        Outcome(said["unreached"]),
        Tier(said["tier"]),
        dt.timedelta(minutes=said["clock_tolerance_min"]),
        {
            (ReportCategory(category), Setting(setting)): int(text[:-1]) * _UNITS[text[-1]]
            for category, settings in said["windows"].items()
            for setting, text in settings.items()
        },
        {Scope(scope): name for scope, name in said["place"].items()},
        {OrganizationKind(kind): Scope(scope) for kind, scope in said["lies"].items()},
        {OrganizationKind(kind): number for kind, number in said["tiers"].items()},
        tuple(frozenset(each["codes"]) for each in said["near"]),
    )


def region_rules(version: str = "") -> RegionRules:
    """The rules in force, or those of a version that a verdict names. Raises NotFound."""
    known = _versions()
    if not version:
        return list(known.values())[-1]
    if version not in known:
        raise NotFound("the region never had rules of this version", where="region")
    return known[version]
