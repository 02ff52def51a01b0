"""Institutions of the district and the systems through which they send."""

from dataclasses import dataclass
from enum import StrEnum


class OrganizationKind(StrEnum):
    """What an institution is within the district."""

    BUREAU = "bureau"
    COMMUNITY_CENTRE = "community-centre"
    DISTRICT_HOSPITAL = "district-hospital"
    CITY_HOSPITAL = "city-hospital"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Organization:
    """`code`: the short name used on the wire (AE title, MSH-4), for example CHC01; unique in the district.

    centre: the regional centre that it hosts: `imaging`, `laboratory`, `ecg` or empty.
    """

    code: str
    name: str
    name_en: str = ""
    kind: OrganizationKind = OrganizationKind.OTHER
    credit_code: str = ""
    centre: str = ""


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """An institution as registered here."""

    id: int
    organization: Organization


@dataclass(frozen=True, slots=True)
class Source:
    """A system that sends to us, and what we know of its habits.

    organization: code of the institution that answers for it.
    authority: the assigning authority of patient identifiers that come without one.
    organization_id: the institution's record, once the source is known to storage.
    charset: a Python codec that overrides a missing or lying declaration; empty where the source can be believed.
    time_zone: IANA name; the zone of times that come without one.
    """

    id: int
    name: str
    organization: str
    authority: str
    charset: str = ""
    time_zone: str = "Asia/Shanghai"
    organization_id: int = 0
