"""Institutions of the district and the systems through which they send."""

import datetime as dt
from dataclasses import dataclass, replace
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
class Profile:
    """What is known of a sender's habits: the part of a source that a person edits.

    authority: the assigning authority of patient identifiers that come without one.
    charset: a Python codec that overrides a missing or lying declaration; empty where the source can be believed.
    time_zone: IANA name; the zone of times that come without one.
    authorities: (as sent, as known here) pairs for assigning authorities that the source writes in its own way; what
      is known here is a short name, or the URI of an identifier system (schemas.identifiers).
    identity_field: where the resident identity number stands (`PID-19`, `ZPI-3`, `PID-3.1`); empty where it is found
      by itself. repairs: names of repairs that the adapter offers, applied before anything is read.
    new_versions: other content under the identifier of a stored instance takes its place, instead of being held.
    """

    authority: str
    charset: str = ""
    time_zone: str = "Asia/Shanghai"
    authorities: tuple[tuple[str, str], ...] = ()
    identity_field: str = ""
    repairs: tuple[str, ...] = ()
    new_versions: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A system that sends to us, and what we know of its habits; see Profile for the fields that both have.

    name: on the wire (calling AE title, MSH-4). organization: code of the institution that answers for it.
    organization_id: the institution's record, once the source is known to storage.
    """

    id: int
    name: str
    organization: str
    authority: str
    charset: str = ""
    time_zone: str = "Asia/Shanghai"
    organization_id: int = 0
    authorities: tuple[tuple[str, str], ...] = ()
    identity_field: str = ""
    repairs: tuple[str, ...] = ()
    new_versions: bool = False

    @property
    def profile(self) -> Profile:
        """Its habits, as they are known now."""
        return Profile(
            self.authority,
            self.charset,
            self.time_zone,
            self.authorities,
            self.identity_field,
            self.repairs,
            self.new_versions,
        )

    def under(self, profile: Profile) -> "Source":
        """The same sender, read with other habits in mind."""
        return replace(
            self,
            authority=profile.authority,
            charset=profile.charset,
            time_zone=profile.time_zone,
            authorities=profile.authorities,
            identity_field=profile.identity_field,
            repairs=profile.repairs,
            new_versions=profile.new_versions,
        )


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """A profile as it was saved. `saved_at`: our clock."""

    id: int
    profile: Profile
    saved_by: str
    saved_at: dt.datetime
